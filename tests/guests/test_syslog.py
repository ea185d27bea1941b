"""
The syslog example reads RFC 5424, RFC 3164, and whatever else is sent.
"""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from guests.examples import example, trial
from otelwasm.testing import a_message
from otelwasm_sdk import Logs

NEW_YEAR = datetime(2026, 1, 1, 0, 10, tzinfo=UTC)


def parsed(text: str | bytes, *, offset_hours: float = 0) -> Any:
    data = text if isinstance(text, bytes) else text.encode()
    return example("syslog").parse(data, timedelta(hours=offset_hours), now=NEW_YEAR)


def at(text: str) -> int:
    moment = datetime.fromisoformat(text) - datetime(1970, 1, 1, tzinfo=UTC)
    return moment // timedelta(microseconds=1) * 1000


def test_a_message_becomes_a_record() -> None:
    """
    A message is emitted as the appendix of the data model maps it.
    """
    syslog = trial("syslog")
    line = (
        '<165>1 2003-08-24T05:14:15.000003-07:00 host evntslog 42 ID47 [exampleSDID@32473 iut="3"]'
        '[origin ip="192.0.2.1" swVersion="1.2" software="app"] \ufeffAn application event'
    )

    reply = syslog.receive(a_message(line, peer="198.51.100.7:514"))

    [batch] = syslog.emitted
    [record] = Logs(bytes(batch)).log_records()
    assert 200 == reply.status
    assert "An application event" == record.body
    assert (10, "notice") == (record.severity_number, record.severity_text)
    assert at("2003-08-24T05:14:15.000003-07:00") == record.time_unix_nano
    assert {
        "host.name": "host",
        "service.name": "evntslog",
        "service.version": "1.2",
    } == record.resource.attributes
    assert {
        "syslog.facility": 20,
        "syslog.version": 1,
        "syslog.procid": "42",
        "syslog.msgid": "ID47",
        "client.address": "192.0.2.1",
        "syslog.exampleSDID@32473.iut": "3",
        "syslog.origin.software": "app",
        "network.peer.address": "198.51.100.7",
    } == record.attributes


@pytest.mark.parametrize(("severity", "number"), list(enumerate((21, 19, 18, 17, 13, 10, 9, 5))))
def test_severities_are_mapped(severity: int, number: int) -> None:
    """
    Each of syslog's severities has the number that the data model's appendix gives it.
    """
    syslog = trial("syslog")

    syslog.receive(a_message(f"<{8 + severity}>1 - - - - - - x"))

    [record] = Logs(bytes(syslog.emitted[0])).log_records()
    assert number == record.severity_number


def test_what_is_nil_is_left_out() -> None:
    """
    RFC 5424's nil values leave no attribute and no time behind.
    """
    record = parsed("<34>1 - - - - - -")

    assert ("", 0, {}, {"syslog.version": 1}) == (
        record.body,
        record.time_unix_nano,
        record.resource,
        record.attributes,
    )


def test_structured_data_is_unescaped() -> None:
    r"""
    `\"`, `\\` and `\]` stand for themselves, other backslashes stay, brackets in quotes too.
    """
    record = parsed(r'<13>1 - h a - - [x@1 q="\"a\]" b="c:\\d\e" e=""][y@1] [no] data')

    assert "[no] data" == record.body
    assert ('"a]', r"c:\d\e", "") == tuple(
        record.attributes.get(f"syslog.x@1.{name}", "") for name in "qbe"
    )


@pytest.mark.parametrize(
    ("line", "host", "app", "process", "body", "time"),
    [
        (
            "<34>Oct 11 22:14:15 mymachine su: 'su root' failed for lonvick on /dev/pts/8",
            *("mymachine", "su", None, "'su root' failed for lonvick on /dev/pts/8"),
            "2025-10-11T22:14:15Z",
        ),
        (
            "<13>Jan  1 00:09:59 10.0.0.1 sshd[1234]: ok",
            *("10.0.0.1", "sshd", "1234", "ok"),
            "2026-01-01T00:09:59Z",
        ),
        (
            "<13>Dec 31 23:59:59 h app: last year",
            *("h", "app", None, "last year"),
            "2025-12-31T23:59:59Z",
        ),
        (
            "<13>Jan 01 23:00:00 h app: a clock that is ahead",
            *("h", "app", None, "a clock that is ahead"),
            "2026-01-01T23:00:00Z",
        ),
        (
            "<13>Feb 29 12:00:00 h app: in a leap year",
            *("h", "app", None, "in a leap year"),
            "2024-02-29T12:00:00Z",
        ),
        (
            "<13>2025-06-01T10:00:00.5+02:00 h app[1]: a full time",
            *("h", "app", "1", "a full time"),
            "2025-06-01T08:00:00.5Z",
        ),
        (
            "<13>Oct 11 22:14:15 h no tag here",
            *("h", None, None, "no tag here"),
            "2025-10-11T22:14:15Z",
        ),
    ],
    ids=lambda value: str(value)[:20],
)
def test_the_old_format_is_read(
    line: str, host: str, app: str | None, process: str | None, body: str, time: str
) -> None:
    """
    RFC 3164 is read as senders write it; the year is the latest that makes sense.
    """
    record = parsed(line)

    assert (body, at(time)) == (record.body, record.time_unix_nano)
    assert (host, app) == (record.resource["host.name"], record.resource.get("service.name"))
    assert process == record.attributes.get("syslog.procid")


def test_the_zone_is_configured() -> None:
    """
    Where RFC 3164 does not tell the zone, the configuration does.
    """
    record = parsed("<13>Oct 11 22:14:15 h a: b", offset_hours=2)

    assert at("2025-10-11T20:14:15Z") == record.time_unix_nano


@pytest.mark.parametrize(
    ("text", "facility", "severity", "body"),
    [
        (b"", 1, 5, ""),
        (b"use the BFG!\n", 1, 5, "use the BFG!"),
        (b"<13>use the BFG!\0", 1, 5, "use the BFG!"),
        (b"<999>1 - - - - - - x", 1, 5, "<999>1 - - - - - - x"),
        (b"<11>1 yesterday h a - - - x", 1, 3, "1 yesterday h a - - - x"),
        (b'<11>1 - h a - - [x@1 a="b] x', 1, 3, '1 - h a - - [x@1 a="b] x'),
        (b"<11>\xff\xfe", 1, 3, "\ufffd\ufffd"),
        (b"<11>1 9999-12-31T23:59:59Z h a - - - x", 1, 3, "x"),
        (b"<11>0001-01-01T00:00:00+23:00 h a: x", 1, 3, "x"),
    ],
)
def test_what_is_no_syslog_is_kept(text: bytes, facility: int, severity: int, body: str) -> None:
    """
    What is in neither format is a record with all of its text, by RFC 3164's default priority.
    """
    record = parsed(text)

    assert (facility, severity, body) == (record.facility, record.severity, record.body)
