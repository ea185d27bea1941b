"""
The attributes example does what the Collector's attributes processor does, in Python and as that
processor itself in a component.
"""

from pathlib import Path
from typing import Any

import pytest

from conformance.building import built
from guests.collector import Collector, RefusedError
from guests.examples import example, source_of
from otelwasm.build import build
from otelwasm.errors import PluginStartError
from otelwasm.plugins.plugin import Plugin
from otelwasm.signals import Signal
from otelwasm.testing import Trial, a_log_record, a_metric, a_span, logs, metrics, traces
from otelwasm_sdk import Batch, Permanent
from otelwasm_sdk.structure import ConfigError

VALUES: dict[str, object] = {
    "text": "checkout",
    "empty": "",
    "yes": True,
    "no": False,
    "int": -42,
    "whole": 200.0,
    "half": -2.75,
    "tiny": 1.5e-9,
    "huge": 1.25e22,
    "long": 123456789012345680.0,
    "nan": float("nan"),
    "endless": float("inf"),
    "bytes": b"\0\xff",
    "list": ["a", 1, 2.0, True, None],
    "map": {"b": {"c": 'a "<&>" ü'}, "a": [1.5e-7]},
    "nothing": None,
    "int text": "+0042",
    "too long": "9223372036854775808",
    "double text": "-1.5e3",
    "inf text": "-Infinity",
    "too large": "1e999",
    "no number": " 1",
    "http.url": "http://example.com/path?queryParam1=value1,queryParam2=value2",
}
SPANS = traces(
    # Each has a status, because Go writes an empty one where there was none.
    a_span("GET /login", kind="server", attributes=VALUES | {"env": "dev"}, is_error=True),
    a_span("login", kind="client", attributes={"env": "prod", "int": "-42"}, is_error=True),
    a_span("bare", is_error=True),
    resource={"service.name": "auth-a", "host.type": "n1-standard-1", "cores": 8},
    scope="mongo-java-driver",
)
POINTS = metrics(
    a_metric("requests", attributes=VALUES), a_metric("errors"), resource={"service.name": "shop"}
)
RECORDS = logs(
    a_log_record("AUTH by ada", attributes=VALUES, severity_text="debug", severity_number=5),
    a_log_record("no", attributes={"env": "dev"}, severity_number=17, severity_text="ERROR"),
    a_log_record({"AUTH": 1.0}, severity_number=0),
    resource={"service.name": "shop"},
)
EVERY: list[Batch[Any]] = [SPANS, POINTS, RECORDS]
URL = r"^(?P<scheme>.*):\/\/(?P<host>.*)\/(?P<path>.*)(\?|\&)(?P<query>.*)"
NAMED = r"^(?P<scheme>.*):\/\/(?P<host>[^/]*)(?P<port>:\d+)?\/(?P<env>.*)"


def act(action: str, **more: object) -> dict[str, object]:
    return {"actions": [{"action": action, **more}]}


def on_each_key(action: str, **more: object) -> dict[str, object]:
    return {"actions": [{"action": action, "key": key, **more} for key in VALUES]}


# Of a float that no int holds, Go leaves to the architecture what becomes: in a component, another.
TO_INT = on_each_key("convert", converted_type="int")
ACTIONS = [
    act("insert", key="new", value=123),
    act("insert", key="text", value="other"),
    act("insert", key="new", from_attribute="map"),
    act("insert", key="new", from_attribute="missing"),
    act("insert", key="new", from_attribute="missing", default_value="eu"),
    act("insert", key="new", default_value=["a", {"b": 1.5}]),
    act("UPDATE", key="text", value=False),
    act("update", key="missing", value="x"),
    act("update", key="text", from_attribute="list"),
    act("upsert", key="text", value={"nested": [1, "a"]}),
    act("upsert", key="new", value=1.5),
    act("upsert", key="new", value=""),
    act("upsert", key="text", from_attribute="half"),
    act("upsert", key="nothing", from_attribute="nothing"),
    act("delete", key="text"),
    act("delete", key="missing"),
    act("delete", pattern="^(in|no)"),
    act("delete", key="text", pattern=r"\s"),
    act("extract", key="http.url", pattern=NAMED),
    act("extract", key="int", pattern="(?P<digits>.*)"),
    act("extract", key="text", pattern="^(?P<env>nowhere)"),
    on_each_key("hash"),
    act("hash", pattern="t"),
    act("hash", key="text", pattern="text"),
    on_each_key("convert", converted_type="string"),
    TO_INT,
    on_each_key("convert", converted_type="double"),
    act("convert", key="whole", converted_type="int"),
    {
        "actions": [
            {"key": "operation", "value": "default", "action": "insert"},
            {"key": "svc.operation", "from_attribute": "operation", "action": "upsert"},
            {"key": "operation", "action": "delete"},
        ]
    },
]
CHOICES: list[tuple[Batch[Any], dict[str, object]]] = [
    (SPANS, {"match_type": "strict", "services": ["auth-a"]}),
    (SPANS, {"match_type": "strict", "services": ["auth", "b"]}),
    (SPANS, {"match_type": "regexp", "services": ["a.th", "b"], "regexp": {"cacheenabled": True}}),
    (SPANS, {"match_type": "strict", "span_names": ["login", "bare"]}),
    (SPANS, {"match_type": "regexp", "span_names": ["login.*"]}),
    (SPANS, {"match_type": "strict", "span_kinds": ["SPAN_KIND_SERVER"]}),
    (SPANS, {"match_type": "regexp", "span_kinds": ["(?i)client", "internal"]}),
    (SPANS, {"match_type": "strict", "attributes": [{"key": "env"}]}),
    (SPANS, {"match_type": "strict", "attributes": [{"key": "env", "value": "dev"}]}),
    (SPANS, {"match_type": "strict", "attributes": [{"key": "int", "value": -42}]}),
    (SPANS, {"match_type": "strict", "attributes": [{"key": "whole", "value": 200}]}),
    (SPANS, {"match_type": "strict", "attributes": [{"key": "half", "value": -2.75}]}),
    (SPANS, {"match_type": "strict", "attributes": [{"key": "list", "value": ["a", 1]}]}),
    (SPANS, {"match_type": "regexp", "attributes": [{"key": "int", "value": "^-4"}]}),
    (SPANS, {"match_type": "regexp", "attributes": [{"key": "whole", "value": "^200$"}]}),
    (SPANS, {"match_type": "regexp", "attributes": [{"key": "yes", "value": "true"}]}),
    (SPANS, {"match_type": "regexp", "attributes": [{"key": "list", "value": "a"}]}),
    (SPANS, {"match_type": "strict", "resources": [{"key": "cores", "value": 8}]}),
    (SPANS, {"match_type": "strict", "resources": [{"key": "a"}, {"key": "cores"}]}),
    (SPANS, {"match_type": "strict", "libraries": [{"name": "mongo-java-driver"}]}),
    (SPANS, {"match_type": "strict", "libraries": [{"name": "mongo-java-driver", "version": ""}]}),
    (SPANS, {"match_type": "regexp", "libraries": [{"name": "mongo", "version": "3"}]}),
    (SPANS, {"match_type": "regexp", "libraries": [{"name": "mongo"}, {"name": "other"}]}),
    (
        SPANS,
        {"match_type": "regexp", "services": ["auth.*"], "attributes": [{"key": "env"}]},
    ),
    (POINTS, {"match_type": "strict", "metric_names": ["errors"]}),
    (POINTS, {"match_type": "regexp", "metric_names": ["req.*"]}),
    (POINTS, {"match_type": "strict", "resources": [{"key": "service.name", "value": "cart"}]}),
    (
        POINTS,
        {
            "match_type": "regexp",
            "metric_names": ["err.*"],
            "resources": [{"key": "service.name", "value": "cart"}],
        },
    ),
    (RECORDS, {"match_type": "regexp", "log_bodies": ["AUTH.*"]}),
    (RECORDS, {"match_type": "strict", "log_bodies": ["no", '{"AUTH":1}']}),
    (RECORDS, {"match_type": "regexp", "log_severity_texts": ["debug.*"]}),
    (RECORDS, {"match_type": "strict", "log_severity_number": {"min": 9}}),
    (
        RECORDS,
        {"match_type": "strict", "log_severity_number": {"min": 5, "match_undefined": True}},
    ),
    (RECORDS, {"match_type": "strict", "attributes": [{"key": "env", "value": "dev"}]}),
]
CASES = [(batch, config) for batch in EVERY for config in ACTIONS] + [
    (batch, {**act("upsert", key="chosen", value=True), way: choice})
    for batch, choice in CHOICES
    for way in ("include", "exclude")
]
PORTABLE = [(batch, config) for batch, config in CASES if config != TO_INT]
REFUSED = [
    {},
    {"actions": []},
    act("replace", key="a"),
    act("insert", value=1),
    act("insert", key="a"),
    act("insert", key="a", value=1, from_attribute="b"),
    act("insert", key="a", value=1, pattern="b"),
    act("insert", key="a", value=1, converted_type="int"),
    act("delete"),
    act("delete", key="a", value=1),
    act("delete", pattern="("),
    act("hash", key="a", converted_type="int"),
    act("extract", key="a"),
    act("extract", key="a", pattern="no groups"),
    act("extract", key="a", pattern="(?P<a>.)(.)"),
    act("extract", key="http.url", pattern=URL),
    act("extract", key="a", pattern="(?P<a>.)", from_attribute="b"),
    act("convert", key="a"),
    act("convert", key="a", converted_type="bool"),
    *(
        {**act("delete", key="a"), "include": include}
        for include in (
            {"match_type": "strict"},
            {"match_type": "glob", "services": ["a"]},
            {"services": ["a"]},
            {"match_type": "regexp", "services": ["("]},
            {"match_type": "regexp", "attributes": [{"key": "a", "value": 1}]},
            {"match_type": "strict", "attributes": [{"key": ""}]},
            {"match_type": "strict", "span_kinds": ["server"]},
            {"match_type": "strict", "services": ["a"], "metric_names": ["b"]},
        )
    ),
]


def component(way: str) -> Path:
    if way == "go":
        return built(source_of("attributes").parents[1] / "go", "go")
    return build(source_of("attributes"))


def ours(way: str, batch: Batch[Any], config: dict[str, object]) -> bytes | None:
    if way == "plain":
        result = Trial(example("attributes").attributes, config=config).process(batch)
        return None if result is None else bytes(result)
    with Plugin(component(way), config=config) as plugin:
        return plugin.process(Signal(batch.signal), bytes(batch))


def shown(batch: Batch[Any], payload: bytes | None) -> str:
    assert payload is not None
    result = type(batch)(payload)
    for item in result.items():
        # Their order means nothing, and the Collector changes it when it deletes one.
        item.attributes = dict(sorted(item.attributes.items()))
    return str(type(batch)(bytes(result)).proto)


# A component takes a moment to start with each configuration.
@pytest.mark.parametrize(
    ("way", "cases"), [("plain", CASES), ("direct", CASES[::15]), ("go", PORTABLE[::5])]
)
def test_the_collector_gives_the_same_batches(
    way: str, cases: list[tuple[Batch[Any], dict[str, object]]], collector: Collector
) -> None:
    """
    With the same configuration, a batch comes out as from the Collector's own processor.
    """
    different = []
    for batch, config in cases:
        theirs = collector.process(Signal(batch.signal), bytes(batch), config=config)
        if shown(batch, theirs) != shown(batch, ours(way, batch, config)):
            different.append((batch.signal, config))

    assert [] == different


@pytest.mark.parametrize("config", REFUSED, ids=str)
def test_what_the_collector_refuses_is_refused(
    config: dict[str, object], collector: Collector
) -> None:
    """
    A configuration with which the Collector does not start does not start here either.
    """
    with pytest.raises(RefusedError):
        collector.process(Signal.TRACES, b"", config=config)
    with pytest.raises(ConfigError):
        Trial(example("attributes").attributes, config=config)


def test_what_the_collector_refuses_is_refused_in_go() -> None:
    """
    What the Collector's processor has against a configuration is said by the component, in one
    line.
    """
    accepted = []
    for config in REFUSED:
        try:
            with Plugin(component("go"), config=config):
                accepted.append(config)
        except PluginStartError as reason:
            assert "\n" not in str(reason)

    assert [] == accepted


def test_request_headers_are_not_there() -> None:
    """
    A value from a request's headers, which a batch does not have, is refused and not left out.
    """
    config = act("insert", key="a", from_context="metadata.origin", default_value="b")

    with pytest.raises(ConfigError, match="from_context is not supported"):
        Trial(example("attributes").attributes, config=config)


def test_what_cannot_choose_refuses_the_batch() -> None:
    """
    A choice that means nothing for a signal refuses its batches: nothing passes unprocessed.
    """
    config = act("delete", key="text") | {"include": {"match_type": "strict", "services": ["a"]}}
    trial = Trial(example("attributes").attributes, config=config)

    assert trial.process(SPANS) is not None
    with pytest.raises(Permanent, match="services does not choose logs"):
        trial.process(RECORDS)
