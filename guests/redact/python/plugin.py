"""Hash attributes that name people, and mask what looks like personal data in any text."""

import re
from typing import Any

import attrs

from otelwasm_sdk import Batch, Logs, processor


@attrs.frozen
class Config:
    # Equal values keep equal hashes, so that one user's requests can still be told apart.
    hash: tuple[str, ...] = ()
    # Without a secret of your own, hashes of e-mail addresses and the like can be guessed.
    salt: str = ""
    # What to write in place of a text, and the pattern that finds it: {email: '[\w.+-]+@\S+'}.
    mask: dict[str, re.Pattern[str]] = attrs.field(factory=dict)


@processor
def redact(batch: Batch, config: Config) -> Batch:
    batch.hash_attributes(*config.hash, salt=config.salt)
    if config.mask:
        for attributes in batch.all_attributes():
            for key, value in attributes.items():
                # Only what differs is written: an unchanged batch goes on as it came.
                if (masked := mask(value, config)) != value:
                    attributes[key] = masked
        if isinstance(batch, Logs):
            for record in batch.log_records():
                if (masked := mask(record.body, config)) != record.body:
                    record.body = masked
    return batch


def mask(value: Any, config: Config) -> Any:
    if isinstance(value, str):
        for name, pattern in config.mask.items():
            value = pattern.sub(f"<{name}>", value)
    elif isinstance(value, list):
        return [mask(member, config) for member in value]
    elif isinstance(value, dict):
        return {key: mask(member, config) for key, member in value.items()}
    return value
