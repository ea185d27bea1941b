"""
Exercise the extension in `$OTELWASM_EXTENSION` with damaged payloads, for a sanitizer to watch.
"""

import os
import sys
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

from native.otlp_samples import KEYS, VALUES, damaged, random_request
from native.test_malformed import look
from otelwasm.build.extension import load_extension

ACTIONS = 14


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
    print("done")


if __name__ == "__main__":
    main(int(sys.argv[1]))
