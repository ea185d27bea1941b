"""
Run a case: give a plugin what goes in, and show what came as its expected files would hold it.

What a plugin refuses is a result like others. What it did not mean, an exception that is no
failure, is a `Breakdown`, which nothing can expect.
"""

import base64
import gzip
import json
import os
import re
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import attrs

from otelwasm.errors import CaseError, PluginFaultError, PluginStartError, SetupError
from otelwasm.otlp.json import to_json
from otelwasm.plugins.lane import Lane
from otelwasm.signals import Signal
from otelwasm.testing.cases import Case, Step
from otelwasm.testing.differences import without
from otelwasm.testing.trial import LogLine, Trial
from otelwasm.words import with_article
from otelwasm_sdk.definition import Kind
from otelwasm_sdk.failures import Failure, Retryable
from otelwasm_sdk.http import Refused, Request, Response
from otelwasm_sdk.messages import Message, Reply
from otelwasm_sdk.report import report_of
from otelwasm_sdk.signals import Signal as SdkSignal
from otelwasm_sdk.signature import BATCHES
from otelwasm_sdk.structure import ConfigError

__all__ = ["Breakdown", "Came", "refusal", "run", "telemetry"]

Plugin = Callable[..., Any] | str | os.PathLike[str]

# What an SDK logs of an exception begins so; of one in `receive` the sender gets this status.
_EXCEPTION = re.compile(r"Traceback \(most recent call last\):\n|[\w.]*(Error|Exception): ")
_BROKEN = 500
_NOT_STARTED = re.compile(r"plugin '[^']*' did not start: ")


@attrs.frozen
class Breakdown:
    """
    What a plugin's own mistake was, and in what it happened.
    """

    during: str
    text: str

    def __str__(self) -> str:
        if self.during == "start":
            return "the plugin did not start"
        return f"{self.during}: the plugin failed"


@attrs.define
class Came:
    """
    What came out of a case: for each expected file what it would hold.
    """

    files: dict[Path, Any] = attrs.field(factory=dict)
    breakdowns: list[Breakdown] = attrs.field(factory=list)
    logged: list[LogLine] = attrs.field(factory=list)


def run(case: Case, plugin: Plugin, *, lane: Lane = "auto") -> Came:
    """
    Let *plugin*, whatever a Trial takes, do what the case says.

    Raises SetupError if it cannot be loaded; that it does not start is a breakdown.
    """
    came = Came()
    try:
        trial = Trial(plugin, config=case.config, http=_answering(case), state={}, lane=lane)
    except PluginStartError as error:
        came.breakdowns.append(Breakdown("start", _NOT_STARTED.sub("", str(error))))
        return came
    except SetupError:
        raise
    except Exception as error:  # plain Python's own
        text = str(error) if isinstance(error, ConfigError) else report_of(error).full
        came.breakdowns.append(Breakdown("start", text))
        return came
    came.logged = trial.logged
    try:
        _Run(case, trial, came).everything()
    finally:
        trial.close()
    return came


def refusal(tree: Any) -> str | None:
    """
    The words of a refusal, if *tree* is one in an expected file.
    """
    if not isinstance(tree, dict) or not {"permanent", "retryable"} & tree.keys():
        return None
    after = f", after {tree['after_s']} s" if "after_s" in tree else ""
    [(kind, reason), *_] = [(k, tree[k]) for k in ("permanent", "retryable") if k in tree]
    return f"refused as {kind}{after}: {json.dumps(reason, ensure_ascii=False)}"


def telemetry(case: Case, signal: Signal, payload: bytes) -> Any:
    """
    Show a payload as OTLP/JSON, less what differs from run to run.
    """
    return without(json.loads(to_json(signal, payload)), case.ignored)


class _Run:
    """
    One plugin on its way through one case.
    """

    def __init__(self, case: Case, trial: Trial, came: Came) -> None:
        self._case = case
        self._trial = trial
        self._came = came

    def everything(self) -> None:
        """
        Give it all that goes in, call what is to be called, and keep what that made.
        """
        case, files = self._case, self._came.files
        _refuse_others(case, self._trial.kind)
        for step in case.steps:
            shown = self._called(step.input.name, partial(self._stepped, step))
            if shown is not None:
                files[step.expected] = shown
        replies = [
            self._called(f"message {number}", partial(self._replied, message))
            for number, message in enumerate(case.messages, 1)
        ]
        if replies and None not in replies:
            files[case.folder / "expected-replies.json"] = without(replies, case.ignored)
        calls = [self._called(name, getattr(self._trial, name)) for name in case.then]
        if any(refusal(each) for each in calls):
            files[case.folder / "expected-calls.json"] = [
                each if refusal(each) else "done" for each in calls
            ]
        emitted: dict[Signal, bytes] = {}
        for batch in self._trial.emitted:
            # Requests of one signal are joined by joining their bytes.
            signal = Signal(batch.signal)
            emitted[signal] = emitted.get(signal, b"") + bytes(batch)
        for signal, payload in emitted.items():
            path = case.folder / f"expected-emitted-{signal.label}.json"
            files[path] = telemetry(case, signal, payload)
        if self._trial.requested:
            shown = [_request(case, each) for each in self._trial.requested]
            files[case.folder / "expected-requests.json"] = without(shown, case.ignored)

    def _called(self, during: str, call: Callable[[], Any]) -> Any:
        """
        Show what a call returns, or refuses; None after a breakdown.
        """
        before = len(self._trial.logged)
        try:
            shown = call()
        except Failure as failure:
            if (text := self._mistake(before, str(failure))) is not None:
                return self._broke(during, text)
            return _refused(failure)
        except PluginFaultError as fault:
            return self._broke(during, str(fault))
        except Exception as error:  # plain Python's own
            return self._broke(during, report_of(error).full)
        is_broken = isinstance(shown, dict) and shown.get("status") == _BROKEN
        if is_broken and (text := self._mistake(before)) is not None:
            return self._broke(during, text)
        return shown

    def _broke(self, during: str, text: str) -> None:
        self._came.breakdowns.append(Breakdown(during, text))

    def _mistake(self, before: int, summary: str = "") -> str | None:
        """
        The exception that a Python plugin's SDK logged in a call, if that is what its failure says.
        """
        for line in self._trial.logged[before:]:
            is_exception = line.level == "error" and _EXCEPTION.match(line.message)
            if is_exception and any(_said(summary, it) for it in line.message.splitlines()):
                self._trial.logged.remove(line)
                return line.message
        return None

    def _stepped(self, step: Step) -> Any:
        batch = BATCHES[SdkSignal(step.signal)](step.payload)
        if self._trial.kind == "exporter":
            return attrs.asdict(self._trial.send(batch))
        result = self._trial.process(batch)
        if result is None:
            return "drop"
        payload = bytes(result)
        if payload == step.payload:
            return "pass"
        return telemetry(self._case, step.signal, payload)

    def _replied(self, message: Message) -> Any:
        reply = self._trial.receive(message)
        shown: dict[str, Any] = {"status": reply.status}
        if reply.headers:
            shown["headers"] = dict(reply.headers)
        return shown | (_content(reply) if reply.body else {})


def _refuse_others(case: Case, kind: Kind) -> None:
    """
    Refuse what goes in that a plugin of this *kind* cannot be given.
    """
    if kind == "receiver":
        if case.steps:
            raise CaseError(
                f"{case.steps[0].input}: a receiver takes no batches: give it [[messages]] in"
                " case.toml"
            )
        return
    what = with_article(kind)
    path = case.folder / "case.toml"
    if case.messages:
        raise CaseError(f"{path}: messages: {what} takes none: give it input-traces.json")
    if "poll" in case.then:
        raise CaseError(f"{path}: then: {what} has no poll; it has tick and stop")


def _said(summary: str, line: str) -> bool:
    return bool(line) and not line.startswith(" ") and (not summary or summary.startswith(line))


def _answering(case: Case) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        url = case.url(request.url)
        if url not in case.answers:
            known = ", ".join(case.answers) or "none"
            raise Refused(
                f"{url} is not among the answers of the case {case.name!r} ([http.{url!r}] in"
                f" case.toml is one); there are: {known}"
            )
        return case.answers[url]

    return answer


def _refused(failure: Failure) -> dict[str, Any]:
    if not isinstance(failure, Retryable):
        return {"permanent": str(failure)}
    after = {} if failure.after_s is None else {"after_s": failure.after_s}
    return {"retryable": str(failure), **after}


def _request(case: Case, request: Request) -> dict[str, Any]:
    shown = {
        "method": request.method,
        "url": case.url(request.url),
        "headers": dict(request.headers),
    }
    path = urlsplit(request.url).path
    signal = next((each for each in Signal if path.endswith(f"/v1/{each.label}")), None)
    return shown | _content(request, signal)


def _content(sent: Request | Reply, signal: Signal | None = None) -> dict[str, Any]:
    """
    Show a body: OTLP of a *signal*, and other JSON, as JSON; else as text, or as base64.
    """
    headers = {name.lower(): value for name, value in sent.headers}
    body = sent.body
    try:
        if headers.get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        if headers.get("content-type") == "application/json":
            return {"json": json.loads(body)}
        if headers.get("content-type") == "application/x-protobuf" and signal is not None:
            return {"otlp": json.loads(to_json(signal, body))}
    except (OSError, EOFError, ValueError):
        pass
    try:
        return {"text": body.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
