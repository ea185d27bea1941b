"""
Turn syslog messages (RFC 5424, and RFC 3164 as it is found) into log records, as the appendix of
OpenTelemetry's logs data model maps them.

The host takes datagrams and frames apart: each message that comes here is one. What is neither
format becomes a record, too, with the whole text as its body: nothing is lost for being unusual.
"""

import re
import time
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import attrs

from otelwasm_sdk import Logs, Message, emit, key_values, receiver


@attrs.frozen
class Config:
    # RFC 3164 tells neither the year nor the zone: this is the zone, ahead of UTC.
    utc_offset_hours: float = attrs.field(
        default=0.0, validator=[attrs.validators.gt(-24), attrs.validators.lt(24)]
    )


# By the syslog severity: the data model's number, and what it is called.
SEVERITIES = (
    (21, "emerg"),
    (19, "alert"),
    (18, "crit"),
    (17, "err"),
    (13, "warning"),
    (10, "notice"),
    (9, "info"),
    (5, "debug"),
)
# RFC 3164, 4.3.3: what has no priority gets this one, user.notice.
DEFAULT_PRIORITY = 13
PRIORITY = re.compile(r"<(\d{1,3})>")
NEW = re.compile(r"<\d{1,3}>([1-9]\d{0,2}) (\S+) (\S+) (\S+) (\S+) (\S+) (-|(?=\[))")
# As RFC 3164 says, or with the full time that many senders write in its place.
OLD = re.compile(
    r"(?:<\d{1,3}>)?"
    r"(?:([A-Z][a-z]{2}) {1,2}(\d{1,2}) (\d\d):(\d\d):(\d\d)|(\d{4}-\d\d-\d\dT\S+)) "
    r"(\S+) (.*)",
    re.DOTALL,
)
TAG = re.compile(r"([^\s:\[\]]{1,128})(?:\[([^\]]*)\])?:? ?")
ELEMENT = re.compile(r'\[([^\s=\]"]+)((?: [^\s=\]"]+="(?:[^"\\\]]|\\.)*")*) ?\]', re.DOTALL)
PARAMETER = re.compile(r' ([^\s=\]"]+)="((?:[^"\\\]]|\\.)*)"', re.DOTALL)
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@attrs.define
class Record:
    """What a message says."""

    body: str
    facility: int = 1
    severity: int = 5
    time_unix_nano: int = 0
    resource: dict[str, object] = attrs.field(factory=dict)
    attributes: dict[str, object] = attrs.field(factory=dict)


@receiver
def syslog(message: Message, config: Config) -> None:
    record = parse(message.body, timedelta(hours=config.utc_offset_hours), now=datetime.now(UTC))
    number, name = SEVERITIES[record.severity]
    batch = Logs()
    group = batch.proto.resource_logs.add()
    group.resource.attributes.extend(key_values(record.resource))
    entry = group.scope_logs.add(scope={"name": "syslog"}).log_records.add(
        time_unix_nano=record.time_unix_nano,
        observed_time_unix_nano=time.time_ns(),
        severity_number=number,
        severity_text=name,
        attributes=key_values(
            {
                "syslog.facility": record.facility,
                **record.attributes,
                "network.peer.address": message.peer.rpartition(":")[0].strip("[]"),
            }
        ),
    )
    entry.body.string_value = record.body
    emit(batch)


def parse(data: bytes, offset: timedelta, *, now: datetime) -> Record:
    text = data.rstrip(b"\r\n\0").decode(errors="replace")
    record = Record(text)
    if (priority := PRIORITY.match(text)) and int(priority[1]) < 192:
        record.facility, record.severity = divmod(int(priority[1]), 8)
        if not parse_new(record, text) and not parse_old(record, text, offset, now=now):
            record.body = text[priority.end() :]
    else:
        record.facility, record.severity = divmod(DEFAULT_PRIORITY, 8)
        parse_old(record, text, offset, now=now)
    return record


def parse_new(record: Record, text: str) -> bool:
    header = NEW.match(text)
    if header is None:
        return False
    version, moment, host, app, process, message_id = (
        "" if field == "-" else field for field in header.groups()[:6]
    )
    if moment and not is_set(record, moment, None):
        return False
    data: dict[str, dict[str, str]] = {}
    end = header.end()
    while element := ELEMENT.match(text, end):
        data.setdefault(element[1], {}).update(
            (name, re.sub(r'\\(["\\\]])', r"\1", value))
            for name, value in PARAMETER.findall(element[2])
        )
        end = element.end()
    if text[end : end + 1] not in ("", " "):
        return False
    record.body = text[end + 1 :].removeprefix("\ufeff")
    origin = data.get("origin", {})
    record.resource = given(
        {
            "host.name": host,
            "service.name": app,
            "service.version": origin.pop("swVersion", ""),
        }
    )
    record.attributes = {"syslog.version": int(version)} | given(
        {
            "syslog.procid": process,
            "syslog.msgid": message_id,
            "client.address": origin.pop("ip", ""),
            **{
                f"syslog.{element}.{name}": value
                for element, parameters in data.items()
                for name, value in parameters.items()
            },
        }
    )
    return True


def parse_old(record: Record, text: str, offset: timedelta, *, now: datetime) -> bool:
    header = OLD.match(text)
    if header is None:
        return False
    month, day, hour, minute, second, moment, host, rest = header.groups()
    zone = timezone(offset)
    if moment:
        if not is_set(record, moment, zone):
            return False
    elif month in MONTHS:
        date = (MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second))
        # The latest year that does not make it tomorrow: a message may cross the new year.
        for year in range(now.year + 1, now.year - 4, -1):
            try:
                sent = datetime(year, *date, tzinfo=zone)
            except ValueError:
                continue  # no such day, as 29 February in most years
            if sent <= now + timedelta(days=1):
                record.time_unix_nano = int(sent.timestamp()) * 10**9
                break
    record.resource["host.name"] = host
    tag = TAG.match(rest)
    if tag and (tag[0].rstrip().endswith(":") or tag[2] is not None):
        record.resource["service.name"] = tag[1]
        if tag[2]:
            record.attributes["syslog.procid"] = tag[2]
        rest = rest[tag.end() :]
    record.body = rest
    return True


def is_set(record: Record, text: str, zone: timezone | None) -> bool:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return False
    if moment.tzinfo is None:
        if zone is None:
            return False
        moment = moment.replace(tzinfo=zone)
    since = moment - datetime(1970, 1, 1, tzinfo=UTC)
    nanoseconds = since // timedelta(microseconds=1) * 1000
    # OTLP's times are from 1970 to 2554; 0 says that there is none.
    record.time_unix_nano = nanoseconds if 0 < nanoseconds < 2**64 else 0
    return True


def given(attributes: dict[str, Any]) -> dict[str, object]:
    return {key: value for key, value in attributes.items() if value != ""}
