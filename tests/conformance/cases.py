"""
Read the example plugins' cases: guests/<case>/case.toml, what goes in and what is expected.

    case.toml                   kind, config, what is called after the last input, what to ignore,
                                and which lists (`any_order`) hold the same in any order
    input[-<n>]-<signal>.json   the batches for a processor or an exporter, in this order
    expected[-<n>]-<signal>.json    what becomes of each: OTLP/JSON of what a processor sends on, or
                                "pass" or "drop"; an exporter's receipt
    expected-emitted-<signal>.json  what is emitted by the end, as one request
    expected-requests.json      the HTTP requests that were sent by the end
    <language>/                 its existence says that the language, one of LANGUAGES, has the
                                plugin, for which all of this holds, too

A receiver's inputs are `[[messages]]` in case.toml, each with its method, target, headers, body and
the status that it gets. `[http."<url>"]` is what a request gets: status, headers, body. A body is
`text`, or the `batch` of a file with OTLP/JSON, as protobuf.
"""

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from otelwasm.otlp.json import from_json, to_json
from otelwasm.signals import Signal
from otelwasm_sdk import Message
from otelwasm_sdk.http import Refused, Request, Response

GUESTS = Path(__file__).resolve().parents[2] / "guests"
LANGUAGES = ("python", "rust", "go", "javascript")
_INPUT = re.compile(r"input(-\d+)?-(traces|metrics|logs|profiles)\.json")


@attrs.frozen
class Step:
    """
    One batch that goes in, and the file that says what comes out.
    """

    signal: Signal
    payload: bytes
    expected: Path


@attrs.frozen
class Case:
    """
    One example plugin's task, whatever language it is written in.
    """

    name: str
    kind: str
    config: dict[str, object]
    then: tuple[str, ...]
    ignored: frozenset[str]
    unordered: frozenset[str]
    # What differs from run to run in the URLs of requests.
    ignored_in_urls: re.Pattern[str] | None
    steps: tuple[Step, ...]
    # Each with the status that it gets.
    messages: tuple[tuple[Message, int], ...]
    answers: dict[str, Response]

    @property
    def folder(self) -> Path:
        """
        Where its files are.
        """
        return GUESTS / self.name

    @property
    def languages(self) -> tuple[str, ...]:
        """
        Those in which there is a plugin for it.
        """
        return tuple(each for each in LANGUAGES if (self.folder / each).is_dir())

    def url(self, url: str) -> str:
        """
        Show a URL, less what differs from run to run.
        """
        return url if self.ignored_in_urls is None else self.ignored_in_urls.sub("…", url)

    def answer(self, request: Request) -> Response:
        """
        Answer a request as the case says.
        """
        if (url := self.url(request.url)) not in self.answers:
            raise Refused(f"{url} is not among the case's answers: {', '.join(self.answers)}")
        return self.answers[url]

    def tree(self, signal: Signal, payload: bytes) -> Any:
        """
        Show a payload as OTLP/JSON, less what differs from run to run.
        """
        return self._comparable(json.loads(to_json(signal, payload)))

    def normal(self, signal: Signal, expected: Any) -> Any:
        """
        Show what is expected in the same form, however its file writes it.
        """
        if self.kind != "processor" or isinstance(expected, str):
            return expected
        return self.tree(signal, from_json(signal, json.dumps(expected).encode()))

    def _comparable(self, tree: Any, name: str = "") -> Any:
        if isinstance(tree, dict):
            kept = ((key, value) for key, value in tree.items() if key not in self.ignored)
            return {key: self._comparable(value, key) for key, value in kept}
        if isinstance(tree, list):
            members = [self._comparable(member) for member in tree]
            return sorted(members, key=json.dumps) if name in self.unordered else members
        return tree


def read_cases() -> list[Case]:
    """
    Read them all.
    """
    return [_read(path.parent) for path in sorted(GUESTS.glob("*/case.toml"))]


def _read(folder: Path) -> Case:
    settings = tomllib.loads((folder / "case.toml").read_text())
    steps = []
    for path in sorted(folder.glob("input-*.json")):
        match = _INPUT.fullmatch(path.name)
        assert match, f"{path} is not named like an input"
        signal = Signal[match[2].upper()]
        expected = path.with_name(path.name.replace("input", "expected", 1))
        steps.append(Step(signal, from_json(signal, path.read_bytes()), expected))
    changing = settings.get("ignore_in_urls")
    return Case(
        name=folder.name,
        kind=settings["kind"],
        config=settings.get("config", {}),
        then=tuple(settings.get("then", ())),
        ignored=frozenset(settings.get("ignore", ())),
        unordered=frozenset(settings.get("any_order", ())),
        ignored_in_urls=None if changing is None else re.compile(changing),
        steps=tuple(steps),
        messages=tuple(
            (
                Message(
                    _body(folder, given),
                    peer="192.0.2.1:50000",
                    method=given.get("method", ""),
                    target=given.get("target", ""),
                    headers=given.get("headers", {}),
                ),
                given["status"],
            )
            for given in settings.get("messages", ())
        ),
        answers={
            url: Response(given.get("status", 200), _body(folder, given), given.get("headers", {}))
            for url, given in settings.get("http", {}).items()
        },
    )


def _body(folder: Path, given: Mapping[str, Any]) -> bytes:
    if "batch" not in given:
        return str(given.get("text", "")).encode()
    path = folder / given["batch"]
    signal = Signal[path.stem.rpartition("-")[2].upper()]
    return from_json(signal, path.read_bytes())
