"""
Every example plugin does what its case says, in every language that has it, however it is run.
"""

import json
from typing import Any

import pytest

from conformance.cases import Case, Step, read_cases
from conformance.golden import COMMAND, Golden
from conformance.runs import Way, run, shown, ways
from otelwasm.otlp.json import from_json

CASES = read_cases()


@pytest.mark.parametrize(
    ("case", "language", "way"),
    [
        pytest.param(case, language, way, id=f"{case.name}-{language}-{way}")
        for case in CASES
        for language in case.languages
        for way in ways(language)
    ],
)
def test_an_example_does_what_its_case_says(
    case: Case, language: str, way: Way, golden: Golden
) -> None:
    """
    An example sends, emits, answers and asks for what is expected, in every language that has it
    and every way to run it.
    """
    outcome = run(case, language, way=way)

    assert [status for _, status in case.messages] == outcome.statuses
    for step, result in zip(case.steps, outcome.results, strict=True):
        actual = result
        if case.kind == "processor":
            actual = shown_result(case, step, result)
        expected = case.normal(step.signal, golden.expected(step.expected, actual))
        assert expected == actual, f"{step.expected}: if that is right: {COMMAND}"
    files = set()
    for signal, payload in outcome.emitted.items():
        path = case.folder / f"expected-emitted-{signal.label}.json"
        files.add(path)
        actual = case.tree(signal, payload)
        expected = case.tree(
            signal, from_json(signal, json.dumps(golden.expected(path, actual)).encode())
        )
        assert expected == actual, f"{path}: if that is right: {COMMAND}"
    if outcome.requests:
        path = case.folder / "expected-requests.json"
        files.add(path)
        requests = shown(case, outcome.requests)
        assert golden.expected(path, requests) == requests, f"{path}: if that is right: {COMMAND}"
    golden.forget(case.folder, kept=files)


def shown_result(case: Case, step: Step, result: bytes | None) -> Any:
    if result is None:
        return "drop"
    return "pass" if result == step.payload else case.tree(step.signal, result)


def test_there_are_examples() -> None:
    """
    The examples that the documentation speaks of are found.
    """
    kinds = {case.name: case.kind for case in CASES}

    assert {
        "add-attribute": "processor",
        "attributes": "processor",
        "curl": "processor",
        "enrich": "processor",
        "filter": "processor",
        "filter-ottl": "processor",
        "loki": "exporter",
        "nop": "processor",
        "otlp-http-exporter": "exporter",
        "otlp-receiver": "receiver",
        "prometheus-scraper": "receiver",
        "redact": "processor",
        "s3-exporter": "exporter",
        "s3-receiver": "receiver",
        "sample": "processor",
        "spanmetrics": "processor",
        "stdout": "exporter",
        "syslog": "receiver",
        "webhook": "receiver",
    }.items() <= kinds.items()


def test_there_are_examples_in_every_language() -> None:
    """
    What every language's authors start from is there in each, and one example in JavaScript.
    """
    languages = {case.name: set(case.languages) for case in CASES}
    everywhere = {"python", "rust", "go"}
    wanted = {
        "add-attribute": everywhere | {"javascript"},
        "filter": everywhere,
        "nop": everywhere,
        "otlp-http-exporter": everywhere,
        "redact": everywhere,
        "sample": everywhere,
        "webhook": everywhere,
    }

    assert {} == {name: missing for name in wanted if (missing := wanted[name] - languages[name])}
