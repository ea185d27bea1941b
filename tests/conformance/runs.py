"""
Run a case's inputs through its plugin: as a component in either lane, or as plain Python.
"""

import base64
import gzip
import importlib.util
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal

import attrs

from conformance.cases import Case
from otelwasm import messages
from otelwasm.build.python import build
from otelwasm.plugins._generated import http
from otelwasm.plugins._generated.types import Failure
from otelwasm.plugins.plugin import Plugin
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from otelwasm.testing import Trial
from otelwasm_sdk.definition import definitions_in
from otelwasm_sdk.http import Refused, Request
from otelwasm_sdk.signature import BATCHES

Way = Literal["plain", "bridge", "direct"]
Sent = list[tuple[Signal, bytes]]


@attrs.define
class Outcome:
    """
    What became of each batch, what was answered to each message, emitted, and asked for.
    """

    results: list[Any] = attrs.field(factory=list)
    statuses: list[int] = attrs.field(factory=list)
    emitted: Sent = attrs.field(factory=list)
    requests: list[Request] = attrs.field(factory=list)


def run(case: Case, way: Way) -> Outcome:
    """
    Let the plugin do what the case says.
    """
    source = case.folder / "python" / "plugin.py"
    if way == "plain":
        return _run_plain(case, source)
    outcome = Outcome()
    with Plugin(
        build(source),
        config=case.config,
        name=case.name,
        lane=way,
        emit=lambda signal, payload: outcome.emitted.append((signal, payload)),
        http=_Answers(case, outcome.requests),
        state=_State(),
    ) as plugin:
        for step in case.steps:
            if case.kind == "exporter":
                rejected = plugin.send(step.signal, step.payload)
                receipt = (rejected.count, rejected.message) if rejected else (0, "")
                outcome.results.append(_receipt(*receipt))
            else:
                outcome.results.append(plugin.process(step.signal, step.payload))
        for message, _ in case.messages:
            given = messages.Message(**attrs.asdict(message))
            outcome.statuses.append(plugin.receive(given).status)
        for call in case.then:
            getattr(plugin, call)()
    return outcome


def _run_plain(case: Case, source: Path) -> Outcome:
    spec = importlib.util.spec_from_file_location(f"example_{case.name}", source)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    [definition] = definitions_in(module)
    outcome = Outcome()
    trial = Trial(definition.target, config=case.config, http=case.answer, state={})
    for step in case.steps:
        batch = BATCHES[step.signal](step.payload)
        if case.kind == "exporter":
            receipt = trial.send(batch)
            outcome.results.append(_receipt(receipt.rejected, receipt.message))
        else:
            result = trial.process(batch)
            outcome.results.append(None if result is None else bytes(result))
    outcome.statuses += [trial.receive(message).status for message, _ in case.messages]
    for call in case.then:
        getattr(trial, call)()
    outcome.emitted += [(Signal(batch.signal), bytes(batch)) for batch in trial.emitted]
    outcome.requests += trial.requested
    return outcome


def _receipt(rejected: int, message: str) -> dict[str, object]:
    return {"rejected": rejected, "message": message}


class _Answers:
    """
    The capability `http`, with a case's answers.
    """

    def __init__(self, case: Case, requests: list[Request]) -> None:
        self._case = case
        self._requests = requests

    def send(self, request: http.Request) -> Ok[http.Response] | Err[http.Error]:
        """
        Answer a request.
        """
        sent = Request(request.method, request.url, request.headers, request.body)
        self._requests.append(sent)
        try:
            answer = self._case.answer(sent)
        except Refused as refusal:
            return Err(http.ErrorRefused(str(refusal)))
        return Ok(http.Response(answer.status, answer.headers, answer.body))

    def close(self) -> None:
        """
        There is nothing to close.
        """


class _State:
    """
    The capability `state`, in memory.
    """

    def __init__(self) -> None:
        self._values: dict[str, bytes] = {}

    def get(self, key: str) -> Ok[bytes | None] | Err[Failure]:
        """
        Find a value.
        """
        return Ok(self._values.get(key))

    def set(self, key: str, value: bytes) -> Ok[None] | Err[Failure]:
        """
        Keep a value.
        """
        self._values[key] = value
        return Ok(None)

    def delete(self, key: str) -> Ok[None] | Err[Failure]:
        """
        Forget a value.
        """
        self._values.pop(key, None)
        return Ok(None)

    def close(self) -> None:
        """
        There is nothing to close.
        """


def joined(emitted: Iterable[tuple[Signal, bytes]]) -> dict[Signal, bytes]:
    """
    Join what was emitted into one request for each signal.
    """
    requests: dict[Signal, bytes] = {}
    for signal, payload in emitted:
        requests[signal] = requests.get(signal, b"") + payload
    return requests


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
