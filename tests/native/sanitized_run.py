"""
Exercise the extension in `$OTELWASM_EXTENSION` with damaged payloads, for a sanitizer to watch.
"""

import os
import re
import sys
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from native.otlp_samples import KEYS, VALUES, damaged, random_request
from native.test_malformed import look
from otelwasm.build.extension import load_extension

ACTIONS = 19
WAYS = (
    *("resource_spans", "scope_spans", "spans", "events", "links", "resource_logs", "scope_logs"),
    *("log_records", "resource_metrics", "scope_metrics", "metrics", "gauge", "data_points", "sum"),
    *("resource_profiles", "scope_profiles", "profiles", "samples", "dictionary", "link_table"),
)
ATTRIBUTES = {"k": [1, {"": None}], "ü": "x" * 200}


def act(random: Random, native: Any, batch: Any) -> None:
    """
    Do one random thing to a batch.
    """
    key, other, value = random.choice(KEYS), random.choice(KEYS), random.choice(VALUES)
    on = random.choice(("items", "resources", "scopes", "everywhere"))
    match random.randrange(ACTIONS):
        case 0:
            batch.set_attribute(key, value, on=on)
        case 1:
            batch.set_attribute(key, value, mode="update", on=on)
        case 2:
            batch.delete_attribute((key, other), on=on)
        case 3:
            batch.rename_attribute(key, other, on=on)
        case 4:
            batch.hash_attribute((key, other), encode=lambda value: repr(value).encode(), on=on)
        case 5:
            # A function that meddles with what is being changed.
            batch.map_attribute(key, lambda value: batch.delete_attribute(key, on=on), on=on)
        case 6:
            batch.drop({f"attributes.{key}": value})
        case 7:
            batch.keep({f"resource.attributes.{key}": lambda value: random.random() < 0.5})
        case 8:
            for view in batch.each(on, having=random.choice((None, key))):
                look(view, native)
        case 9:
            for view in batch.each():
                view.attributes[key] = value
                view.resource.attributes.pop(key, None)
                batch.rename_attribute(key, other)
        case 10:
            for view in batch.each(on):
                if random.random() < 0.5:
                    view.drop()
        case 11:
            bytes(batch)
        case 12:
            for view in batch.each():
                view.scope.name += "!"
                if hasattr(view, "status"):
                    view.status.code = 1
                    view.status.drop()
                if random.random() < 0.1:
                    random.choice((view.scope, view.resource)).drop()
        case 13:
            batch.drop({"scope.name": random.choice(("", "a", "a!"))})
        case 14:
            batch.split([random.randrange(3) for _ in batch.each()])
        case 15:
            name = random.choice(("trace_id", "body", f"attributes.{key}", "scope.name"))
            keys = batch.values(name)
            batch.split([repr(key) if isinstance(key, list | dict) else key for key in keys])
        case 16:
            wanted = random.choice((re.compile("[a-z]*"), native.at_least(1), native.below(1)))
            (batch.drop if random.random() < 0.2 else batch.keep)({f"attributes.{key}": wanted})
        case 17:
            append(random, native, batch.root)
        case 18:
            # A function that drops what it is asked about, and what is around it.
            batch.map_attribute(key, lambda value: [view.drop() for view in batch.each()], on=on)


def append(random: Random, native: Any, view: Any) -> None:
    """
    Go down to some message and append to what is in it, or drop and change what was appended.
    """
    ways = [name for name in dir(type(view)) if name in WAYS]
    if not ways:
        return
    inner = getattr(view, random.choice(ways))
    if not hasattr(inner, "append"):
        if inner is not None:
            append(random, native, inner)
        return
    members = list(inner)
    if members and random.random() < 0.7:
        member = random.choice(members)
        match random.randrange(6):
            case 0:
                member.drop()
            case 1 if hasattr(type(member), "name"):
                member.name = "appended"
            case 2:
                look(member, native)
            case _:
                append(random, native, member)
        return
    with suppress(ValueError):
        inner.append({"attributes": ATTRIBUTES})
    inner.append({})


def profiles(random: Random, payload: bytes) -> None:
    """
    Do random things to the attributes that profiles share.
    """
    from otelwasm_sdk import Profiles

    batch = Profiles(payload)
    for _ in range(4):
        on = random.choice(("items", "samples", "mappings", "everywhere"))
        key, value = random.choice(KEYS), random.choice(VALUES)
        match random.randrange(5):
            case 0:
                batch.set_attribute(key, value, on=on)
            case 1:
                batch.delete_attribute(key, on=on)
            case 2:
                batch.rename_attribute(key, random.choice(KEYS), on=on)
            case 3:
                batch.hash_attributes(key, on=on)
            case 4:
                batch.drop({f"attributes.{key}": ...})
    bytes(batch)


def main(rounds: int) -> None:
    """
    Go through *rounds* payloads of each signal.
    """
    native = load_extension(Path(os.environ["OTELWASM_EXTENSION"]))
    for number in range(rounds):
        for signal in range(4):
            random = Random(f"{signal} {number}")
            payload = random_request(random, signal, richness=random.random() * 0.7)
            encoded = payload.SerializeToString()
            if random.random() < 0.7:
                encoded = damaged(random, encoded)
            with suppress(ValueError):
                native.check(encoded, signal)
            batch = native.Batch(encoded, signal)
            for _ in range(8):
                with suppress(ValueError, AttributeError):
                    act(random, native, batch)
            if signal == 3:
                with suppress(ValueError):
                    profiles(random, encoded)
    print("done")


if __name__ == "__main__":
    main(int(sys.argv[1]))
