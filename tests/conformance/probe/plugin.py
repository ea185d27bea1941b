"""
A plugin that does what a test's configuration says: good, bad and heavy things.
"""

import json
import sys
from typing import Literal

import attrs

from otelwasm_sdk import Batch, Permanent, Retryable, emit, log, meter, processor


@attrs.frozen
class Config:
    """
    What to do with each batch.
    """

    do: Literal[
        "pass", "drop", "edit", "log", "meter", "permanent", "retryable", "fail", "exit", "recurse",
        "read", "late-import", "odd-text", "nested-json",
    ] = "pass"  # fmt: skip
    times: int = 1


@processor
class Probe:
    """
    Do it.
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    def process(self, batch: Batch) -> Batch | None:
        """
        Do it with one batch.
        """
        return getattr(self, f"do_{self.config.do.replace('-', '_')}")(batch)

    def do_pass(self, batch: Batch) -> Batch:
        return batch

    def do_drop(self, batch: Batch) -> None:
        return None

    def do_read(self, batch: Batch) -> Batch:
        for attributes in batch.all_attributes():
            dict(attributes)
        return batch

    def do_edit(self, batch: Batch) -> Batch:
        """
        Change the batch, emit it, and send it on.
        """
        batch.set_attribute("probe", "edited")
        emit(batch)
        return batch

    def do_log(self, batch: Batch) -> Batch:
        for _ in range(self.config.times):
            log.warning("a line of the probe, of the usual length", batch=17, key="valué")
        return batch

    def do_meter(self, batch: Batch) -> Batch:
        for _ in range(self.config.times):
            meter.add("probe.calls", 1, batch=17, key="valué")
        return batch

    def do_odd_text(self, batch: Batch) -> Batch:
        log.info("x\udcffé", key="\ud83d")
        meter.add("probe.odd", 1, key="\ud83d")
        meter.observe("probe.size", 1, key="\ud83d")
        return batch

    def do_permanent(self, batch: Batch) -> Batch:
        raise Permanent("bad tenant: é")

    def do_retryable(self, batch: Batch) -> Batch:
        raise Retryable("queue full", after_s=1.5)

    def do_fail(self, batch: Batch) -> Batch:
        return self.deeper(batch)

    def deeper(self, batch: Batch) -> Batch:
        raise KeyError(f"no such thing in {len(batch)} items")

    def do_exit(self, batch: Batch) -> Batch:
        sys.exit(3)

    def do_recurse(self, batch: Batch) -> Batch:
        return self.do_recurse(batch)

    def do_nested_json(self, batch: Batch) -> Batch:
        nested = json.loads("[" * 1000 + "]" * 1000)
        log.info(json.dumps(nested))
        return json.loads("[" * 100_000)

    def do_late_import(self, batch: Batch) -> Batch:
        import xml.sax

        return xml.sax
