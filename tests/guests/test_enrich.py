"""
The enrichment example looks values up, and remembers what it found.
"""

from types import SimpleNamespace
from typing import Any

import pytest

from guests.examples import example, trial
from otelwasm.testing import Trial, a_span, traces
from otelwasm_sdk import Permanent, Retryable, Traces
from otelwasm_sdk.http import Failed, Request, Response

ADA = Response(200, '{"team": {"name": "core"}, "plan": 3, "secret": "x"}')
USERS = {
    "http://users/ada": ADA,
    "http://users/a%2Fb%20%C3%BC": ADA,
    "http://users/nobody": Response(404),
    "http://users/broken": Response(500),
    "http://users/text": Response(200, "hello"),
    "http://users/large": Response(200, f'{{"plan": {2**70}}}'),
    "http://users/down": Failed("connection refused"),
}
CONFIG: dict[str, object] = {
    "key": "enduser.id",
    "url": "http://users/{}",
    "fields": {"team.name": "user.team", "plan": "user.plan", "missing": "user.missing"},
}


def users(*ids: object) -> Traces:
    return traces(*(a_span(attributes={"enduser.id": each}) for each in ids))


def enriching(state: dict[str, bytes] | None = None, **config: object) -> Trial:
    return trial("enrich", config=CONFIG | config, http=USERS, state=state)


def added(done: Trial, batch: Traces) -> list[dict[str, Any]]:
    result = done.process(batch)
    assert isinstance(result, Traces)
    return [
        {key: value for key, value in span.attributes.items() if key != "enduser.id"}
        for span in result.spans()
    ]


def test_what_is_known_is_added() -> None:
    """
    The fields that are configured become attributes, and each value is asked for once.
    """
    done = enriching({})

    found = added(done, users("ada", "nobody", "ada", "nobody", "a/b ü"))

    known = {"user.team": "core", "user.plan": 3}
    assert [known, {}, known, {}, known] == found
    assert 3 == len(done.requested)


def test_the_resource_is_looked_up_too() -> None:
    """
    Where an item does not have the attribute, its resource may; else nothing is asked.
    """
    done = enriching({})

    assert [{"user.team": "core", "user.plan": 3}] == added(
        done, traces(a_span(), resource={"enduser.id": "ada"})
    )
    assert [{}] == added(done, traces(a_span()))
    assert 1 == len(done.requested)


def test_what_was_found_is_known_after_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The state keeps what was found, and that nothing was, until its time is over.
    """
    state: dict[str, bytes] = {}
    now = 1000.0
    monkeypatch.setattr(example("enrich"), "time", SimpleNamespace(time=lambda: now))

    def asked() -> int:
        done = enriching(state)
        done.process(users("ada", "nobody"))
        done.process(users("ada", "nobody"))
        return len(done.requested)

    assert 2 == asked()
    now += 59
    assert 0 == asked()
    now += 2
    assert 1 == asked()
    now += 240
    assert 2 == asked()


def test_memory_is_bounded() -> None:
    """
    Of many values the oldest are forgotten.
    """
    done = enriching(None, max_entries=2)

    done.process(users("ada", "nobody", "a/b ü", "ada"))

    assert 4 == len(done.requested)


@pytest.mark.parametrize("id", ["broken", "text", "large", "down"])
def test_a_failure_passes_by_default(id: str) -> None:
    """
    Where the other side fails, the batch goes on without the attributes, and a line tells.
    """
    done = enriching({})

    assert [{}, {"user.team": "core", "user.plan": 3}, {}] == added(done, users(id, "ada", id))
    assert 2 == len(done.requested)
    assert [("enrich.failed", 1)] == [
        (each.name, each.value) for each in done.added if each.name == "enrich.failed"
    ]
    assert "cannot look up enduser.id" in done.logged[0].message


@pytest.mark.parametrize(("policy", "failure"), [("retry", Retryable), ("refuse", Permanent)])
def test_a_failure_can_hold_the_batch(policy: str, failure: type[Exception]) -> None:
    """
    Where it is configured so, a batch that cannot be enriched comes again or is refused.
    """
    with pytest.raises(failure, match=r"looking up enduser\.id: http://users/broken answered 500"):
        enriching({}, on_failure=policy).process(users("broken"))


def test_it_works_without_a_state() -> None:
    """
    Without the capability `state` what was found is kept in memory, which is said once.
    """
    done = enriching(None)

    done.process(users("ada", "nobody"))
    done.process(users("ada", "nobody"))

    assert 2 == len(done.requested)
    [line] = done.logged
    assert "state" in line.message


def test_a_url_says_where_the_value_goes() -> None:
    """
    A URL without a place for the value is refused.
    """
    with pytest.raises(Exception, match=r"url has no \{\} for the value"):
        enriching({}, url="http://users/")


def test_requests_are_as_configured() -> None:
    """
    A request waits no longer than configured.
    """
    asked: list[Request] = []

    def http(request: Request) -> Response:
        asked.append(request)
        return ADA

    trial("enrich", config=CONFIG | {"timeout_s": 0.5}, http=http, state={}).process(users("x"))

    assert [("GET", 0.5)] == [(each.method, each.timeout_s) for each in asked]
