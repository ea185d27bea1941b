"""
Run a case's batches through its plugin: as a component in either lane, or as plain Python.
"""

import importlib.util
from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from conformance.cases import Case
from otelwasm.build.python import build
from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal
from otelwasm.testing import Trial
from otelwasm_sdk.definition import definitions_in
from otelwasm_sdk.signature import BATCHES

Way = Literal["plain", "bridge", "direct"]
Sent = list[tuple[Signal, bytes]]


def run(case: Case, way: Way) -> tuple[list[bytes | None], Sent]:
    """
    Return what became of each batch, and what was emitted.
    """
    source = case.folder / "python" / "plugin.py"
    if way == "plain":
        return _run_plain(case, source)
    emitted: Sent = []
    with Plugin(
        build(source),
        config=case.config,
        name=case.name,
        lane=way,
        emit=lambda signal, payload: emitted.append((signal, payload)),
    ) as plugin:
        results = [plugin.process(step.signal, step.payload) for step in case.steps]
        for call in case.then:
            getattr(plugin, call)()
    return results, emitted


def _run_plain(case: Case, source: Path) -> tuple[list[bytes | None], Sent]:
    spec = importlib.util.spec_from_file_location(f"example_{case.name}", source)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    [definition] = definitions_in(module)
    trial = Trial(definition.target, config=case.config)
    results = []
    for step in case.steps:
        result = trial.process(BATCHES[step.signal](step.payload))
        results.append(None if result is None else bytes(result))
    for call in case.then:
        getattr(trial, call)()
    return results, [(Signal(batch.signal), bytes(batch)) for batch in trial.emitted]


def joined(emitted: Iterable[tuple[Signal, bytes]]) -> dict[Signal, bytes]:
    """
    Join what was emitted into one request for each signal.
    """
    requests: dict[Signal, bytes] = {}
    for signal, payload in emitted:
        requests[signal] = requests.get(signal, b"") + payload
    return requests
