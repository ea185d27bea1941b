"""
Run a case's inputs through its plugin in one language: as a component in either lane, as plain
Python, or as Python that a runner is given.
"""

import base64
import gzip
import importlib.util
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Literal

import attrs

from conformance.building import built
from conformance.cases import Case
from otelwasm.signals import Signal
from otelwasm.testing import Trial
from otelwasm_sdk.definition import definitions_in
from otelwasm_sdk.http import Request
from otelwasm_sdk.signature import BATCHES

Way = Literal["plain", "instant", "direct", "bridge"]


@attrs.define
class Outcome:
    """
    What became of each batch, what was answered to each message, emitted, and asked for.
    """

    results: list[Any] = attrs.field(factory=list)
    statuses: list[int] = attrs.field(factory=list)
    emitted: dict[Signal, bytes] = attrs.field(factory=dict)
    requests: list[Request] = attrs.field(factory=list)


def ways(language: str) -> tuple[Way, ...]:
    """
    How plugins of *language* run.
    """
    return (
        ("plain", "instant", "direct", "bridge") if language == "python" else ("direct", "bridge")
    )


def run(case: Case, language: str, *, way: Way) -> Outcome:
    """
    Let the plugin do what the case says.
    """
    source = case.folder / language
    given: dict[str, Any] = {"config": case.config, "http": case.answer, "state": {}}
    if way == "plain":
        trial = Trial(_plugin_in(source / "plugin.py"), **given)
    elif way == "instant":
        trial = Trial(source, **given)
    else:
        trial = Trial(built(source, language), lane=way, **given)
    outcome = Outcome(requests=trial.requested)
    try:
        for step in case.steps:
            batch = BATCHES[step.signal](step.payload)
            if case.kind == "exporter":
                outcome.results.append(attrs.asdict(trial.send(batch)))
            else:
                result = trial.process(batch)
                outcome.results.append(None if result is None else bytes(result))
        outcome.statuses += [trial.receive(message).status for message, _ in case.messages]
        for call in case.then:
            getattr(trial, call)()
    finally:
        trial.close()
    for emitted in trial.emitted:
        # Requests of one signal are joined by joining their bytes.
        signal = Signal(emitted.signal)
        outcome.emitted[signal] = outcome.emitted.get(signal, b"") + bytes(emitted)
    return outcome


def _plugin_in(source: Path) -> Callable[..., Any]:
    spec = importlib.util.spec_from_file_location(f"example_{source.parents[1].name}", source)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    [definition] = definitions_in(module)
    return definition.target


def shown(case: Case, requests: Iterable[Request]) -> list[Any]:
    """
    Show requests as JSON, less what differs from run to run.
    """
    return [_shown(case, request) for request in requests]


def _shown(case: Case, request: Request) -> dict[str, object]:
    body = request.body
    if request.header("content-encoding") == "gzip":
        body = gzip.decompress(body)
    shown: dict[str, object] = {
        "method": request.method,
        "url": case.url(request.url),
        "headers": dict(request.headers),
    }
    if request.header("content-type") == "application/json":
        return shown | {"json": json.loads(body)}
    try:
        return shown | {"text": body.decode()}
    except UnicodeDecodeError:
        return shown | {"base64": base64.b64encode(body).decode()}
