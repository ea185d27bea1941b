"""
Call one instance of a plugin again and again, and see how much memory it holds.

The plugins in plugins/long_lived do by turns what a plugin can do with a batch:

    call, mod 10    what it does
    0 to 3          passes it on as it came
    4 to 6          sets an attribute of each log record
    7               the same, but emits it, and drops what came
    8               keeps it in the state, after getting the one before from there
    9               refuses it; each tenth time by a panic, where the language survives that

The sizes are drawn once, for some thousand calls, and come again and again: a heap that only waits
for a rarer turn of luck to grow shows in the second round, and one that leaks in every round.

An instance counts its calls. A fresh one would begin anew, and be found out by its turns.
"""

import random
from collections.abc import Iterator, Mapping
from pathlib import Path

import attrs
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord

from benchmark.session import Session
from benchmark.tables import LeftOut, Table
from otelwasm import Limits, PermanentError, Plugin, Signal
from otelwasm.build import build
from otelwasm.errors import BuildError
from otelwasm.plugins.values import Ok

__all__ = ["LANGUAGES", "SOURCES", "Life", "lived", "longevity"]

LANGUAGES = ("python", "rust", "go")
_LARGEST_BYTES = 8 << 20
SOURCES = Path(__file__).parent / "plugins" / "long_lived"
_CALLS, _QUICK_CALLS = 300_000, 5_000
# After so many calls, the payloads are the same again.
_PERIOD_CALLS = 10_000
# Of so many payloads, how many are at most so large. Each size up to there is as likely.
_SIZES = ((10, 0), (600, 1 << 10), (340, 64 << 10), (45, 1 << 20), (5, _LARGEST_BYTES))
# Every so many calls, the largest: so that much of an instance's life is led after it.
_LARGEST_EVERY = 500
# Results up to here are decoded and looked at.
_LOOKED_AT_BYTES = 64 << 10
_LIMITS = Limits(memory_bytes=1 << 30, deadline_s=300.0)


@attrs.frozen
class Life:
    """
    What one instance lived through: its memory after each so many calls.
    """

    calls: int
    every: int
    memory_bytes: list[int]

    def grown_bytes(self, *, after: float) -> int:
        """
        How much its memory has grown since that share of its calls.
        """
        return self.memory_bytes[-1] - self.memory_bytes[int(len(self.memory_bytes) * after)]


def longevity(session: Session) -> Table:
    """
    Let an instance of each language live, one after the other.
    """
    calls = _CALLS if session.rounds > 3 else _QUICK_CALLS
    lives = {}
    for language in LANGUAGES:
        try:
            component = build(SOURCES / language, report=session.report)
        except BuildError as error:
            raise LeftOut(str(error)) from None
        session.report(f"{language}: {calls:,} calls of one instance")
        lives[language] = lived(component, calls=calls)
    return _table(lives, calls=calls)


def _table(lives: Mapping[str, Life], *, calls: int) -> Table:
    table = Table(
        f"Memory of one instance over {calls:,} calls, payloads of 0 B to 8 MiB",
        ["calls", *(f"{language}, MiB" for language in lives)],
        notes=[
            "No call trapped. A component's memory never shrinks: this is the most it held. "
            f"After {_PERIOD_CALLS:,} calls the payloads are the same again."
        ],
    )
    shown = [*range(1, 10), *range(10, 100, 10), *range(100, 1_001, 100)]
    for number in range(len(lives["python"].memory_bytes)):
        thousands = (number + 1) * lives["python"].every / 1_000
        if thousands in shown:
            cells = (f"{life.memory_bytes[number] / (1 << 20):.1f}" for life in lives.values())
            table.add(f"{thousands * 1_000:,.0f}", *cells)
    return table


def lived(component: Path, *, calls: int, seed: int = 1) -> Life:
    """
    Make *calls* calls of one instance; raises AssertionError where one does not do its turn.
    """
    every = max(1, min(1_000, calls // 10))
    memory_bytes = []
    place = _Place()
    with Plugin(component, limits=_LIMITS, emit=place.emit, log=place.log, state=place) as plugin:
        for call, payload in enumerate(_payloads(calls, seed=seed)):
            _turn(plugin, place, call, payload)
            if (call + 1) % every == 0:
                memory_bytes.append(plugin.stats.memory_bytes)
        assert {} == plugin.stats.faults
    return Life(calls, every, memory_bytes)


class _Place:
    """
    What is around the plugin; keeps the last of each, so that the host's memory does not grow.
    """

    def __init__(self) -> None:
        self.emitted: bytes | None = None
        self.kept: bytes | None = None

    def emit(self, signal: Signal, payload: bytes) -> None:
        self.emitted = payload

    def log(self, *_: object) -> None:
        pass

    def get(self, key: str) -> Ok[bytes | None]:
        return Ok(self.kept)

    def set(self, key: str, value: bytes) -> Ok[None]:
        self.kept = value
        return Ok(None)

    def delete(self, key: str) -> Ok[None]:
        self.kept = None
        return Ok(None)


def _turn(plugin: Plugin, place: _Place, call: int, payload: bytes) -> None:
    """
    Make one call, and see that it does what it should.
    """
    place.emitted = None
    failure = ""
    result = None
    try:
        result = plugin.process(Signal.LOGS, payload)
    except PermanentError as error:
        failure = str(error)
    match call % 10:
        case 4 | 5 | 6:
            assert result is not None
            _check(result, payload, call)
        case 7:
            assert result is None and place.emitted is not None
            _check(place.emitted, payload, call)
        case 9:
            assert f"call {call} " in failure, failure
            return
        case 8:
            assert payload == result and payload == place.kept
        case _:
            assert payload == result
    assert not failure, failure


def _check(result: bytes, payload: bytes, call: int) -> None:
    """
    The records of *result* are those of *payload*, with the call's number.
    """
    if len(payload) > _LOOKED_AT_BYTES:
        assert len(result) > len(payload)
        return
    expected = _records(payload)
    for record in expected:
        record.attributes.add(key="call").value.int_value = call
    assert expected == _records(result)


def _records(payload: bytes) -> list[LogRecord]:
    request = ExportLogsServiceRequest.FromString(payload)
    return [
        record
        for resource in request.resource_logs
        for scope in resource.scope_logs
        for record in scope.log_records
    ]


def _payloads(count: int, *, seed: int) -> Iterator[bytes]:
    weights, most = [weight for weight, _ in _SIZES], [size for _, size in _SIZES]
    for number in range(count):
        if number % _PERIOD_CALLS == 0:
            dice = random.Random(seed)
        if number % _LARGEST_EVERY == _LARGEST_EVERY // 4:
            yield _logs(_LARGEST_BYTES)
        else:
            yield _logs(dice.randint(0, dice.choices(most, weights)[0]))


def _logs(size: int) -> bytes:
    """
    A request of about *size* bytes; of 0, exactly.
    """
    if size == 0:
        return b""
    records, rest = divmod(size, len(_RECORD))
    return _field(1, _field(2, _RECORD * records + _record(max(0, rest - 20))))


def _record(size: int) -> bytes:
    return _field(2, _field(5, _field(1, b"x" * size)))


def _field(number: int, content: bytes) -> bytes:
    length = bytearray()
    left = len(content)
    while left > 127:
        length.append(left & 127 | 128)
        left >>= 7
    return bytes((number << 3 | 2, *length, left)) + content


_RECORD = _record(1_000)
