"""
Look attributes up over HTTP, and add what is known: of a user's id its team and its plan.

What was found, and that nothing was, is cached in memory and, across restarts, in the plugin's
`state`: each value is asked for once in its time to live, however many items have it.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

import attrs

from otelwasm_sdk import (
    Batch,
    Failure,
    Permanent,
    Retryable,
    http,
    key_values,
    log,
    meter,
    processor,
    state,
    text_of,
)

Fields = dict[str, Any]


@attrs.frozen
class Config:
    # The attribute to look up, of the item or else of its resource.
    key: str
    # Where, with {} for the value; it answers with a JSON object, or 404.
    url: str
    # Which of its fields become which attributes: {team.name: user.team}.
    fields: dict[str, str]
    ttl_s: float = 300.0
    # For how long to believe that there is nothing.
    absent_ttl_s: float = 60.0
    max_entries: int = 10_000
    timeout_s: float = 2.0
    # What becomes of a batch when the other side does not answer: it goes on without the
    # attributes, is tried again later, or is refused.
    on_failure: Literal["pass", "retry", "refuse"] = "pass"

    def __attrs_post_init__(self) -> None:
        if "{}" not in self.url:
            raise ValueError("url has no {} for the value")


@processor
class Enrich:
    def __init__(self, config: Config) -> None:
        self.config = config
        # By the value, the oldest first: until when it is good, and what is known.
        self.cache: dict[str, tuple[float, Fields]] = {}
        self.is_forgetful = False

    def process(self, batch: Batch) -> Batch:
        key = self.config.key
        failed: dict[str, str] = {}
        for item in batch.items():
            value = item.attributes.get(key)
            if value is None:
                value = item.resource.attributes.get(key)
            if value is None or (text := text_of(value)) in failed:
                continue
            try:
                found = self.known(text)
            except Failure as error:
                if self.config.on_failure == "retry":
                    raise Retryable(f"looking up {key}: {error}") from None
                if self.config.on_failure == "refuse":
                    raise Permanent(f"looking up {key}: {error}") from None
                failed[text] = str(error)
                continue
            item.attributes.update(found)
        if failed:
            meter.add("enrich.failed", len(failed))
            log.warning(f"cannot look up {key}: {next(iter(failed.values()))}", values=len(failed))
        return batch

    def known(self, value: str) -> Fields:
        until, found = self.cache.get(value, (0.0, {}))
        if until > time.time():
            return found
        until, found = self.kept(value)
        if until <= time.time():
            until, found = self.look_up(value)
            self.keep(value, until, found)
        self.cache.pop(value, None)
        self.cache[value] = (until, found)
        if len(self.cache) > self.config.max_entries:
            oldest = next(iter(self.cache))
            del self.cache[oldest]
        return found

    def kept(self, value: str) -> tuple[float, Fields]:
        try:
            until, found = json.loads(state.get(name_of(value)) or b"[0, {}]")
        except Failure:
            return 0.0, {}
        return until, found

    def keep(self, value: str, until: float, found: Fields) -> None:
        try:
            state.set(name_of(value), json.dumps([until, found]).encode())
        except Failure as error:
            # Not granted, or full: what is in memory will do until the next start.
            if not self.is_forgetful:
                log.warning(f"the state keeps nothing more: {error}")
            self.is_forgetful = True

    def look_up(self, value: str) -> tuple[float, Fields]:
        url = self.config.url.replace("{}", quote(value, safe=""))
        response = http.get(url, timeout_s=self.config.timeout_s)
        meter.add("enrich.requests", 1, status=response.status)
        if response.status == 404:
            return time.time() + self.config.absent_ttl_s, {}
        if response.status != 200:
            raise Retryable(f"{url} answered {response.status}")
        try:
            answer = response.json()
        except ValueError as error:
            raise Permanent(f"{url} answered no JSON: {error}") from None
        found = {
            attribute: field
            for path, attribute in self.config.fields.items()
            if (field := member(answer, path)) is not None
        }
        try:
            key_values(found)
        except ValueError as error:
            raise Permanent(f"{url} answered what no attribute can hold: {error}") from None
        return time.time() + self.config.ttl_s, found


def name_of(value: str) -> str:
    """Make a key of the state, which a value need not be."""
    return f"value.{hashlib.sha256(value.encode()).hexdigest()}"


def member(answer: Any, path: str) -> Any:
    for key in path.split("."):
        answer = answer.get(key) if isinstance(answer, Mapping) else None
    return answer
