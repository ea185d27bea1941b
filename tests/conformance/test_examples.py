"""
Every example plugin does what its case says, however it is run.
"""

import pytest

from conformance.cases import Case, read_cases
from conformance.golden import COMMAND, Golden
from conformance.runs import Way, joined, run

CASES = read_cases()


@pytest.mark.parametrize("way", ["plain", "direct", "bridge"])
@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_an_example_does_what_its_case_says(case: Case, way: Way, golden: Golden) -> None:
    """
    An example gives the expected batches and emits the expected ones, in every way to run it.
    """
    results, emitted = run(case, way)

    for step, result in zip(case.steps, results, strict=True):
        if result is None:
            actual = "drop"
        else:
            actual = "pass" if result == step.payload else case.tree(step.signal, result)
        expected = case.normal(step.signal, golden.expected(step.expected, actual))
        assert expected == actual, f"{step.expected}: if that is right: {COMMAND}"
    files = set()
    for signal, payload in joined(emitted).items():
        path = case.folder / f"expected-emitted-{signal.label}.json"
        files.add(path)
        actual = case.tree(signal, payload)
        expected = case.normal(signal, golden.expected(path, actual))
        assert expected == actual, f"{path}: if that is right: {COMMAND}"
    golden.forget(case.folder, kept=files)


def test_there_are_examples() -> None:
    """
    The examples that the documentation speaks of are found.
    """
    names = {case.name for case in CASES}

    assert {"add-attribute", "filter", "nop", "redact", "sample", "spanmetrics"} <= names
