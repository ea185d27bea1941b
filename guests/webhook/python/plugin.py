"""Turn webhooks, as GitHub and Alertmanager send them, into log records."""

import hmac
import json
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import attrs

from otelwasm_sdk import Logs, Message, Reply, emit, key_values, receiver, text_of
from otelwasm_sdk.values import write_value


@attrs.frozen
class Config:
    # Where each of the two is expected.
    github_path: str = "/github"
    alertmanager_path: str = "/alertmanager"
    # What GitHub signs its requests with; without it, anybody can send.
    github_secret: str = ""
    # What Alertmanager's `http_config.authorization.credentials` says.
    alertmanager_token: str = ""


# The OpenTelemetry severity of what alerts usually call theirs.
SEVERITIES = {"info": 9, "warning": 13, "error": 17, "critical": 18, "page": 21}


class Refusal(Exception):
    """A request that gets an answer other than success."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.reply = Reply(status, f"{reason}\n".encode(), (("content-type", "text/plain"),))


@receiver
def webhook(message: Message, config: Config) -> Reply:
    takers = {config.github_path: github, config.alertmanager_path: alertmanager}
    take = takers.get(urlsplit(message.target).path)
    try:
        if take is None:
            raise Refusal(404, f"nothing here; try {' or '.join(takers)}")
        if message.method != "POST":
            raise Refusal(405, f"{message.method} is not POST")
        batch = take(message, config)
    except Refusal as refusal:
        return refusal.reply
    # If the next step does not take it now, the sender gets 503 and tries again.
    emit(batch)
    return Reply(202)


def github(message: Message, config: Config) -> Logs:
    if config.github_secret:
        digest = hmac.digest(config.github_secret.encode(), message.body, "sha256").hex()
        given = message.header("x-hub-signature-256") or ""
        if not hmac.compare_digest(f"sha256={digest}".encode(), given.encode()):
            raise Refusal(401, "X-Hub-Signature-256 is not the signature of this body")
    event = message.header("x-github-event")
    if not event:
        raise Refusal(400, "the header X-GitHub-Event is missing")
    body = message.body
    if (message.header("content-type") or "").startswith("application/x-www-form-urlencoded"):
        body = parse_qs(body)[b"payload"][0] if b"payload=" in body else b""
    payload = json_object(body)
    batch, records = new_batch("github")
    record = records.add(
        observed_time_unix_nano=time.time_ns(),
        severity_number=9,
        event_name=f"github.{event}",
        attributes=key_values(
            present(
                {
                    "github.event": event,
                    "github.action": payload.get("action"),
                    "github.delivery": message.header("x-github-delivery"),
                    "github.hook.id": message.header("x-github-hook-id"),
                    "github.repository": member(payload, "repository", "full_name"),
                    "github.sender": member(payload, "sender", "login"),
                }
            )
        ),
    )
    write_body(record, payload)
    return batch


def alertmanager(message: Message, config: Config) -> Logs:
    if config.alertmanager_token:
        wanted = f"Bearer {config.alertmanager_token}"
        given = message.header("authorization") or ""
        if not hmac.compare_digest(wanted.encode(), given.encode()):
            raise Refusal(401, "Authorization does not hold the token")
    payload = json_object(message.body)
    if payload.get("version") != "4":
        raise Refusal(400, f"expected Alertmanager's version 4, got {payload.get('version')!r}")
    alerts = payload.get("alerts")
    if not isinstance(alerts, list) or not all(isinstance(alert, dict) for alert in alerts):
        raise Refusal(400, "`alerts` is no list of objects")
    batch, records = new_batch("alertmanager")
    for alert in alerts:
        add_alert(records, alert, payload)
    return batch


def add_alert(records: Any, alert: dict[str, Any], group: dict[str, Any]) -> None:
    labels, notes = texts(alert.get("labels")), texts(alert.get("annotations"))
    is_firing = alert.get("status") == "firing"
    name = labels.get("alertname", "")
    severity = labels.get("severity", "")
    # An alert that is over is no trouble any more, whatever it was.
    number = SEVERITIES.get(severity.lower(), 0) if is_firing else SEVERITIES["info"]
    record = records.add(
        time_unix_nano=unix_nano(alert.get("startsAt" if is_firing else "endsAt")),
        observed_time_unix_nano=time.time_ns(),
        severity_number=number,
        severity_text=severity,
        event_name="alert.firing" if is_firing else "alert.resolved",
        attributes=key_values(
            present(
                {
                    "alert.name": name,
                    "alert.status": alert.get("status"),
                    "alert.fingerprint": alert.get("fingerprint"),
                    "alert.starts_at": alert.get("startsAt"),
                    "alert.generator.url": alert.get("generatorURL"),
                    "alert.group.key": group.get("groupKey"),
                    "alert.receiver": group.get("receiver"),
                    **{f"alert.label.{key}": value for key, value in labels.items()},
                    **{f"alert.annotation.{key}": value for key, value in notes.items()},
                }
            )
        ),
    )
    record.body.string_value = notes.get("summary") or notes.get("description") or name


def new_batch(service: str) -> tuple[Logs, Any]:
    batch = Logs()
    group = batch.proto.resource_logs.add()
    group.resource.attributes.extend(key_values({"service.name": service}))
    return batch, group.scope_logs.add(scope={"name": "webhook"}).log_records


def json_object(body: bytes) -> dict[str, Any]:
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Refusal(400, f"the body is no JSON: {error}") from None
    if not isinstance(payload, dict):
        raise Refusal(400, "the body is no JSON object")
    return payload


def write_body(record: Any, payload: dict[str, Any]) -> None:
    try:
        write_value(record.body, payload)
    except ValueError:
        # It nests deeper, or has a larger number, than OTLP can hold.
        record.body.string_value = json.dumps(payload)


def member(payload: dict[str, Any], *path: str) -> Any:
    value: Any = payload
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def texts(given: object) -> dict[str, str]:
    if not isinstance(given, dict):
        return {}
    return {clean(key): clean(text_of(value)) for key, value in given.items()}


def present(attributes: dict[str, Any]) -> dict[str, str]:
    return {
        key: clean(value) for key, value in attributes.items() if isinstance(value, str) and value
    }


def clean(text: str) -> str:
    """Replace what JSON can escape but UTF-8, and so OTLP, cannot say: half a surrogate pair."""
    return text.encode(errors="replace").decode()


def unix_nano(text: object) -> int:
    """Read an RFC 3339 time, to the nanosecond; 0 for none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return 0
    if moment.tzinfo is None or moment.year < 1970:
        return 0
    seconds = int(
        (moment.replace(microsecond=0) - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    )
    fraction = str(text).partition(".")[2]
    digits = fraction[: len(fraction) - len(fraction.lstrip("0123456789"))]
    nanoseconds = seconds * 10**9 + int(digits.ljust(9, "0")[:9] if digits else 0)
    return nanoseconds if nanoseconds < 2**64 else 0
