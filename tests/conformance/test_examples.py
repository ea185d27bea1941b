"""
Every example plugin does what its case says, in every language that has it, however it is run: as
a component in either lane, as plain Python, or as Python that a runner is given.
"""

from collections.abc import Callable
from typing import Literal

import pytest

from conformance.building import built, plugin_in
from conformance.examples import Example, read_examples
from otelwasm.testing import check_case

Way = Literal["plain", "instant", "direct", "bridge"]

EXAMPLES = read_examples()
COMMAND = "scripts/test --update-golden tests/conformance"


def ways(language: str) -> tuple[Way, ...]:
    """
    How plugins of *language* run.
    """
    return (
        ("plain", "instant", "direct", "bridge") if language == "python" else ("direct", "bridge")
    )


@pytest.mark.parametrize(
    ("example", "language", "way"),
    [
        pytest.param(example, language, way, id=f"{example.name}-{language}-{way}")
        for example in EXAMPLES
        for language in example.languages
        for way in ways(language)
    ],
)
def test_an_example_does_what_its_case_says(
    example: Example, language: str, way: Way, is_to_update: Callable[[str], bool]
) -> None:
    """
    An example sends, emits, answers and asks for what is expected, in every language that has it
    and every way to run it.
    """
    source = example.source(language)
    is_updating = is_to_update(example.name)
    if way == "plain":
        plugin = plugin_in(source / "plugin.py")
        result = check_case(example.case, plugin, is_updating=is_updating)
    elif way == "instant":
        result = check_case(example.case, source, is_updating=is_updating)
    else:
        component = built(source, language)
        result = check_case(example.case, component, lane=way, is_updating=is_updating)

    assert result.is_good, f"{result}\nif that is right: {COMMAND}"


def test_there_are_examples() -> None:
    """
    The examples that the documentation speaks of are found.
    """
    wanted = {
        "add-attribute",
        "attributes",
        "curl",
        "enrich",
        "filter",
        "filter-ottl",
        "loki",
        "nop",
        "otlp-http-exporter",
        "otlp-receiver",
        "prometheus-scraper",
        "redact",
        "s3-exporter",
        "s3-receiver",
        "sample",
        "spanmetrics",
        "stdout",
        "syslog",
        "webhook",
    }

    assert set() == wanted - {example.name for example in EXAMPLES}


def test_there_are_examples_in_every_language() -> None:
    """
    What every language's authors start from is there in each, and one example in JavaScript.
    """
    languages = {example.name: set(example.languages) for example in EXAMPLES}
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
