"""
Read a plugin's cases: what goes in, under which configuration, and what is expected of it.

A case is a folder, `cases/<name>/` beside the plugin. It holds, all but the inputs optional:

    case.toml                       the configuration, and what is around the plugin; see below
    input[-<n>]-<signal>.json       the batches for a processor or an exporter, in this order, as
                                    OTLP/JSON; or .pb, as OTLP protobuf
    expected[-<n>]-<signal>.json    what becomes of each: OTLP/JSON of what a processor sends on, or
                                    "pass" or "drop"; an exporter's receipt; or the refusal,
                                    {"permanent": "why"} or {"retryable": "why", "after_s": 5}
    expected-replies.json           what each message is answered
    expected-calls.json             what became of each call in `then`, if one was refused
    expected-emitted-<signal>.json  what is emitted by the end, as one request
    expected-requests.json          the HTTP requests that were sent by the end, OTLP as OTLP/JSON

Nothing has to be written by hand but the input: `otelwasm test --update` writes what came into the
expected files, to be read before it is committed. In case.toml:

    config            what a pipeline says under the plugin's `config:`
    messages          a list of what a receiver gets: method, target, headers, peer, and a body
    http."<url>"      what a request for this URL gets: status, headers, and a body
    then              what is called after the last input: "poll", "tick", "stop"
    ignore            names of members of these files, and keys of attributes, that are not compared
    any_order         names of lists that hold the same in any order, as "attributes" or "spans"
    ignore_in_urls    a pattern of what differs from run to run in the URLs of requests

A body is `text`, or `batch`, the name of a file with OTLP/JSON that is sent as protobuf.
"""

import json
import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import attrs

from otelwasm.config.document import dotted_path
from otelwasm.config.structure import did_you_mean, structure
from otelwasm.errors import CaseError
from otelwasm.otlp.json import from_json, to_json
from otelwasm.signals import Signal
from otelwasm_sdk import Message
from otelwasm_sdk.http import Response

__all__ = ["Case", "Step", "cases_folder", "read_batch", "read_case", "read_cases", "read_json"]

_SETTINGS = "case.toml"
_INPUT = re.compile(r"input(?:-(\d+))?-(traces|metrics|logs|profiles)\.(?:json|pb)")
_PEER = "192.0.2.1:50000"
# The member that holds everything in a request of each signal.
_TOP = {
    Signal.TRACES: "resourceSpans",
    Signal.METRICS: "resourceMetrics",
    Signal.LOGS: "resourceLogs",
    Signal.PROFILES: "resourceProfiles",
}


@attrs.frozen
class Step:
    """
    One batch that goes in, and the file that says what comes out.
    """

    signal: Signal
    payload: bytes = attrs.field(repr=False)
    input: Path
    expected: Path


@attrs.frozen
class Case:
    """
    What one plugin has to do with one configuration.
    """

    folder: Path
    config: Mapping[str, object] = attrs.field(factory=dict)
    then: tuple[Literal["poll", "tick", "stop"], ...] = ()
    ignored: frozenset[str] = frozenset()
    unordered: frozenset[str] = frozenset()
    # What differs from run to run in the URLs of requests.
    ignored_in_urls: re.Pattern[str] | None = None
    steps: tuple[Step, ...] = ()
    messages: tuple[Message, ...] = ()
    answers: Mapping[str, Response] = attrs.field(factory=dict)

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """
        What the case is called: as its folder.
        """
        return self.folder.resolve().name

    def url(self, url: str) -> str:
        """
        Show a URL, less what differs from run to run.
        """
        return url if self.ignored_in_urls is None else self.ignored_in_urls.sub("…", url)


def cases_folder(plugin: Path) -> Path:
    """
    Where the cases of the plugin at *plugin*, a file or a folder, are looked for.
    """
    return (plugin if plugin.is_dir() else plugin.parent) / "cases"


def read_cases(folder: Path) -> list[Case]:
    """
    Read the cases in *folder*, or the one that it is; raises CaseError if one cannot be read, or
    there is none.
    """
    if _is_case(folder):
        return [read_case(folder)]
    found = []
    if folder.is_dir():
        found = [each for each in sorted(folder.iterdir()) if each.is_dir() and each.name[0] != "."]
    if not found:
        what = "no cases in" if folder.is_dir() else "no cases: there is no folder"
        raise CaseError(
            f"{what} {folder}\n"
            f"To make one, put a batch of OTLP/JSON into {folder}/<name>/input-traces.json"
            " (or -metrics, -logs; .pb for protobuf),\n"
            f"or a receiver's [[messages]] into {folder}/<name>/{_SETTINGS}, and run it with"
            " --update, which writes what is expected."
        )
    return [read_case(each) for each in found]


def read_case(folder: Path) -> Case:
    """
    Read the case in *folder*; raises CaseError.
    """
    if not folder.is_dir():
        raise CaseError(f"{folder}: there is no such folder")
    settings = _settings(folder / _SETTINGS)
    case = Case(
        folder,
        config=settings.config,
        then=settings.then,
        ignored=frozenset(settings.ignore),
        unordered=frozenset(settings.any_order),
        ignored_in_urls=_pattern(folder, settings.ignore_in_urls),
        steps=tuple(_steps(folder)),
        messages=tuple(
            Message(
                _body(folder, given),
                peer=given.peer,
                method=given.method,
                target=given.target,
                headers=given.headers,
            )
            for given in settings.messages
        ),
        answers={
            url: Response(given.status, _body(folder, given), given.headers)
            for url, given in settings.http.items()
        },
    )
    if not (case.steps or case.messages or case.then):
        raise CaseError(
            f"{folder}: nothing goes into this case: put in a batch, as input-traces.json (or"
            f" -metrics, -logs; .pb for protobuf), or [[messages]] in {_SETTINGS} for a receiver"
        )
    return case


def read_json(path: Path) -> Any:
    """
    Read a file with JSON; raises CaseError with the line and column of what is none.
    """
    try:
        return json.loads(path.read_bytes())
    except json.JSONDecodeError as error:
        hint = ""
        if error.msg == "Extra data":
            hint = " after the first value; a file holds one request: number them, one a file"
        raise CaseError(
            f"{path}:{error.lineno}:{error.colno}: no JSON: {error.msg}{hint}"
        ) from None
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except RecursionError:
        raise CaseError(f"{path}: nested too deeply") from None
    except OSError as error:
        raise CaseError(f"{path}: cannot be read: {error.strerror}") from None


@attrs.frozen
class _GivenMessage:
    method: str = ""
    target: str = ""
    peer: str = _PEER
    headers: Mapping[str, str] = attrs.field(factory=dict)
    text: str = ""
    batch: str | None = None


@attrs.frozen
class _GivenAnswer:
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    text: str = ""
    batch: str | None = None


@attrs.frozen
class _Settings:
    config: Mapping[str, object] = attrs.field(factory=dict)
    then: tuple[Literal["poll", "tick", "stop"], ...] = ()
    ignore: tuple[str, ...] = ()
    any_order: tuple[str, ...] = ()
    ignore_in_urls: str | None = None
    messages: tuple[_GivenMessage, ...] = ()
    http: Mapping[str, _GivenAnswer] = attrs.field(factory=dict)


def _settings(path: Path) -> _Settings:
    if not path.is_file():
        return _Settings()
    try:
        tree = tomllib.loads(path.read_text(encoding="utf-8"))
        json.dumps(tree)
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not UTF-8 text (byte {error.start})") from None
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{path}: no TOML: {error}") from None
    except TypeError:
        raise CaseError(f"{path}: dates and times are written as text, in quotes") from None
    made, mistakes = structure(tree, _Settings, path=(), folder=path.parent)
    if made is None:
        raise CaseError(
            "\n".join(f"{path}: {dotted_path(each.path)}: {each.text}" for each in mistakes)
        )
    return made


def _pattern(folder: Path, text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text)
    except re.error as error:
        raise CaseError(f"{folder / _SETTINGS}: ignore_in_urls: no pattern: {error}") from None


def _is_case(folder: Path) -> bool:
    return (folder / _SETTINGS).is_file() or any(folder.glob("input-*"))


def _steps(folder: Path) -> Iterator[Step]:
    found: dict[tuple[int, str], Step] = {}
    for path in sorted(folder.glob("input*")):
        match = _INPUT.fullmatch(path.name)
        if match is None:
            raise CaseError(
                f"{path} is not named like an input:"
                f"{did_you_mean(path.name, [f'input-{each.label}.json' for each in Signal])}"
                " input[-<n>]-<signal>.json or .pb, the signal one of"
                f" {', '.join(each.label for each in Signal)}"
            )
        place = (int(match[1] or 0), match[2])
        if place in found:
            raise CaseError(f"{path}: {found[place].input.name} is there, too; leave one of them")
        signal = Signal[match[2].upper()]
        name = f"{path.stem.replace('input', 'expected', 1)}.json"
        found[place] = Step(signal, read_batch(path, signal), path, path.with_name(name))
    for place in sorted(found):
        yield found[place]


def read_batch(path: Path, signal: Signal) -> bytes:
    """
    Read a batch, OTLP/JSON or .pb; raises CaseError.
    """
    try:
        if path.suffix == ".pb":
            payload = path.read_bytes()
            to_json(signal, payload)
            return payload
        tree = read_json(path)
        _refuse_others(path, signal, tree)
        return from_json(signal, path.read_bytes())
    except ValueError as error:
        raise CaseError(f"{path}: {error}") from None
    except OSError as error:
        raise CaseError(f"{path}: cannot be read: {error.strerror}") from None


def _refuse_others(path: Path, signal: Signal, tree: object) -> None:
    """
    Refuse what is no request of *signal*, which OTLP would take for an empty one.
    """
    top = _TOP[signal]
    wanted = (top, re.sub("[A-Z]", lambda match: f"_{match[0].lower()}", top))
    if not isinstance(tree, dict) or not tree or any(name in tree for name in wanted):
        return
    other = next((each for each, name in _TOP.items() if name in tree), None)
    if other is not None:
        hint = f"; that is {other.label}: call it {path.name.replace(signal.label, other.label)}"
    else:
        hint = f";{did_you_mean(str(next(iter(tree))), [top])} {signal.label} are {{{top!r}: […]}}"
    raise CaseError(f"{path}: no {signal.label} request: it has {next(iter(tree))!r}{hint}")


def _body(folder: Path, given: _GivenMessage | _GivenAnswer) -> bytes:
    if given.batch is None:
        return given.text.encode()
    path = folder / given.batch
    label = path.stem.rpartition("-")[2]
    signals = {each.label: each for each in Signal}
    if label not in signals:
        raise CaseError(
            f"{folder / _SETTINGS}: batch: {given.batch!r} does not say its signal: call it"
            f" {path.stem}-traces{path.suffix} (or -metrics, -logs)"
        )
    return read_batch(path, signals[label])
