"""
The filter-ottl example does what the Collector's filter processor does: it is that processor.
"""

from collections.abc import Mapping
from pathlib import Path

import pytest

from conformance.building import built
from conformance.examples import GUESTS
from guests.collector import Collector, RefusedError
from otelwasm.errors import PermanentError, PluginStartError, RetryableError
from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal
from otelwasm.testing import read_case

CASE = read_case(GUESTS / "filter-ottl")
BATCHES = [(step.signal, step.payload) for step in CASE.steps]
CONFIGS: list[Mapping[str, object]] = [
    {},
    CASE.config,
    {"traces": {"span": ['name == "SELECT"'], "spanevent": ['IsMatch(name, "^exc")']}},
    {"trace_conditions": ['span.end_time - span.start_time > Duration("1s")']},
    {"trace_conditions": [{"context": "span", "conditions": ['attributes["url.path"] == nil']}]},
    {
        "spans": {
            "include": {"match_type": "strict", "services": ["shop"], "span_names": ["SELECT"]}
        }
    },
    {"metrics": {"include": {"match_type": "regexp", "metric_names": ["http.*", "^idle"]}}},
    {"metrics": {"metric": ['HasAttrOnDatapoint("queue", "a")'], "datapoint": ["value_int > 100"]}},
    {"metric_conditions": ['resource.attributes["service.name"] == "shop"']},
    {"logs": {"exclude": {"match_type": "strict", "severity_texts": ["INFO"]}}},
    {"logs": {"log_record": ['ParseJSON("{\\"a\\": 1}")["a"] == 1 and body == "order placed"']}},
    {"log_conditions": ['log.attributes["order.id"] * 2 == 34', "log.severity_number > 16"]},
    # A condition that fails is logged, and the next one decides.
    {"error_mode": "ignore", "log_conditions": ["Int(log.body) > 1", "ParseJSON(log.body) != nil"]},
]
REFUSED: list[Mapping[str, object]] = [
    {"trace_condition": []},
    {"error_mode": "loud"},
    {"log_conditions": ["log.severity_number <"]},
    {"trace_conditions": ["NoSuchFunction(span.name)"]},
    {"metric_conditions": [{"context": "span", "conditions": ["true"]}]},
]


@pytest.fixture(scope="module")
def component() -> Path:
    """
    The component that the example is built to.
    """
    return built(CASE.folder / "go", "go")


@pytest.mark.parametrize("config", CONFIGS, ids=str)
def test_the_collector_gives_the_same_batches(
    config: Mapping[str, object], component: Path, collector: Collector
) -> None:
    """
    With the same configuration, the same bytes come out as from the processor in a Collector.
    """
    theirs = [
        collector.process(signal, payload, config=config, processor="filter")
        for signal, payload in BATCHES
    ]
    with Plugin(component, config=config) as plugin:
        ours = [plugin.process(signal, payload) for signal, payload in BATCHES]

    assert theirs == ours


@pytest.mark.parametrize("config", REFUSED, ids=str)
def test_what_the_collector_refuses_is_refused(
    config: Mapping[str, object], component: Path, collector: Collector
) -> None:
    """
    A configuration that the Collector refuses is refused with its words, in one line.
    """
    with pytest.raises(RefusedError) as theirs:
        collector.process(Signal.LOGS, b"", config=config, processor="filter")
    with pytest.raises(PluginStartError) as ours, Plugin(component, config=config):
        pass

    assert " ".join(str(theirs.value).split()) in str(ours.value)
    assert "\n" not in str(ours.value)


def test_an_error_of_a_condition_refuses_the_batch(component: Path, collector: Collector) -> None:
    """
    Where the configuration lets errors through, a batch that causes one may be sent again, as
    receivers of the Collector say of it; others are processed.
    """
    config = {"error_mode": "propagate", "log_conditions": ['ParseJSON(log.body)["a"] == 1']}
    [payload, *_] = [payload for signal, payload in BATCHES if signal is Signal.LOGS]
    [traces] = [payload for signal, payload in BATCHES if signal is Signal.TRACES]

    with pytest.raises(RefusedError) as theirs:
        collector.process(Signal.LOGS, payload, config=config, processor="filter")
    with Plugin(component, config=config) as plugin:
        with pytest.raises(RetryableError, match="ParseJSON") as ours:
            plugin.process(Signal.LOGS, payload)
        passed = plugin.process(Signal.TRACES, traces)

    assert str(theirs.value) in str(ours.value)
    assert passed


def test_what_cannot_be_processed_is_refused(component: Path) -> None:
    """
    A configuration that does not fit one signal refuses its batches, and processes the others.

    This one asks for the one way to choose that the example is built without.
    """
    config = {"metrics": {"include": {"match_type": "expr", "expressions": ["true"]}}}

    with Plugin(component, config=config) as plugin:
        for signal, payload in BATCHES:
            if signal is Signal.METRICS:
                with pytest.raises(PermanentError, match="match_type expr is not part of this"):
                    plugin.process(signal, payload)
            else:
                assert plugin.process(signal, payload)
