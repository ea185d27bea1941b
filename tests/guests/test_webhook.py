"""
The webhook example takes what GitHub and Alertmanager send.
"""

import hmac
import json
from typing import Any

import pytest

from guests.examples import trial
from otelwasm.testing import Trial, a_message
from otelwasm_sdk import Logs, Message, Retryable

SECRET = "It's a Secret to Everybody"
PUSH = {"action": "opened", "repository": {"full_name": "octo/hello"}, "sender": {"login": "ada"}}
FIRING = {
    "status": "firing",
    "labels": {"alertname": "HighLatency", "severity": "critical", "instance": "a:80"},
    "annotations": {"summary": "It is slow"},
    "startsAt": "2026-11-28T10:00:00.123456789+01:00",
    "endsAt": "0001-01-01T00:00:00Z",
    "generatorURL": "http://prometheus/graph",
    "fingerprint": "c0ffee",
}
RESOLVED = FIRING | {"status": "resolved", "endsAt": "2026-11-28T09:30:00Z", "annotations": {}}
GROUP = {"version": "4", "groupKey": "{}:{}", "receiver": "otel", "alerts": [FIRING, RESOLVED]}


def from_github(body: bytes, *, secret: str = SECRET, **headers: str) -> Message:
    digest = hmac.digest(secret.encode(), body, "sha256").hex()
    known = {
        "content-type": "application/json",
        "x-github-event": "pull_request",
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-hub-signature-256": f"sha256={digest}",
    }
    return a_message(body, method="POST", target="/github", headers=known | headers)


def from_alertmanager(body: object, *, target: str = "/alertmanager", token: str = "") -> Message:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    return a_message(json.dumps(body), method="POST", target=target, headers=headers)


def records(done: Trial) -> list[Any]:
    return [record for batch in done.emitted for record in Logs(bytes(batch)).log_records()]


def test_a_github_event_becomes_a_record() -> None:
    """
    A delivery with a good signature becomes one record with what it is about, and its payload.
    """
    webhook = trial("webhook", config={"github_secret": SECRET})

    reply = webhook.receive(from_github(json.dumps(PUSH).encode()))

    [record] = records(webhook)
    assert (202, "github.pull_request", PUSH) == (reply.status, record.event_name, record.body)
    assert {
        "github.event": "pull_request",
        "github.action": "opened",
        "github.delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "github.repository": "octo/hello",
        "github.sender": "ada",
    } == record.attributes
    assert "github" == record.resource.attributes["service.name"]


def test_githubs_own_example_of_a_signature_is_good() -> None:
    """
    The signature is computed as GitHub's documentation shows for its test values.
    """
    webhook = trial("webhook", config={"github_secret": SECRET})
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    reply = webhook.receive(from_github(b"Hello, World!", **{"x-hub-signature-256": signature}))

    # Not 401: only then the body is looked at, and is no JSON.
    assert (400, b"the body is no JSON") == (reply.status, reply.body[:19])


@pytest.mark.parametrize(
    ("message", "status"),
    [
        (from_github(b"{}", secret="wrong"), 401),
        (from_github(b"{}", **{"x-hub-signature-256": ""}), 401),
        (from_github(b"{}", **{"x-hub-signature-256": "sha256=ü"}), 401),
        (from_github(b"{"), 400),
        (from_github(b"[]"), 400),
        (from_github(b"\xff"), 400),
        (from_github(b"[" * 100_000), 400),
        (from_github(b"{}", **{"x-github-event": ""}), 400),
        (from_alertmanager({"version": "3"}), 400),
        (from_alertmanager({"version": "4"}), 400),
        (from_alertmanager({"version": "4", "alerts": [1]}), 400),
        (from_alertmanager([]), 400),
        (from_alertmanager(GROUP, target="/elsewhere"), 404),
        (a_message(b"", method="GET", target="/github"), 405),
    ],
)
def test_what_is_wrong_gets_its_status(message: Message, status: int) -> None:
    """
    A bad signature gets 401, what cannot be read 400, and nothing is emitted.
    """
    webhook = trial("webhook", config={"github_secret": SECRET})

    reply = webhook.receive(message)

    assert (status, []) == (reply.status, webhook.emitted)
    assert reply.body


def test_each_alert_becomes_a_record() -> None:
    """
    Alerts become one record each, with Alertmanager's time to the nanosecond, and a severity.
    """
    webhook = trial("webhook")

    reply = webhook.receive(from_alertmanager(GROUP))

    firing, resolved = records(webhook)
    assert 202 == reply.status
    assert ("alert.firing", "It is slow") == (firing.event_name, firing.body)
    assert (1795856400123456789, 18, "critical") == (
        firing.time_unix_nano,
        firing.severity_number,
        firing.severity_text,
    )
    assert ("alert.resolved", "HighLatency") == (resolved.event_name, resolved.body)
    assert (1795858200000000000, 9) == (resolved.time_unix_nano, resolved.severity_number)
    assert "a:80" == firing.attributes["alert.label.instance"]
    assert "{}:{}" == firing.attributes["alert.group.key"]


def test_alertmanager_shows_its_token() -> None:
    """
    Where a token is configured, only a sender that has it gets in.
    """
    webhook = trial("webhook", config={"alertmanager_token": "t0ken"})

    replies = [
        webhook.receive(from_alertmanager(GROUP, token=token)) for token in ("", "t", "t0ken")
    ]

    assert [401, 401, 202] == [reply.status for reply in replies]


def test_what_otlp_cannot_hold_stays_text() -> None:
    """
    A payload with a number beyond 64 bits, or half a character, is kept as text.
    """
    webhook = trial("webhook")
    body = json.dumps({"n": 2**70, "action": "\ud800"})

    webhook.receive(from_github(body.encode()))

    [record] = records(webhook)
    assert (body, "?") == (record.body, record.attributes["github.action"])


def test_the_sender_tries_again_when_nothing_is_taken() -> None:
    """
    A pipeline that is full is the sender's 503, which the host makes of the failure.
    """
    webhook = trial("webhook")
    webhook.refuse_with = Retryable("queue full")

    with pytest.raises(Retryable):
        webhook.receive(from_alertmanager(GROUP))
