"""
What goes wrong in the host's own functions reaches the right thread, and no other.
"""

import threading
from collections.abc import Callable

import pytest
from structlog.testing import capture_logs

from otelwasm.plugins._generated.log import Level
from otelwasm.plugins._generated.processing import VerdictPass
from otelwasm.plugins._generated.types import Attributes, FailurePermanent
from otelwasm.plugins.faults import Fault
from otelwasm.plugins.values import Err, Ok
from otelwasm.signals import Signal
from plugins.guests import LOG, emitting, processor
from plugins.hosts import Notes
from plugins.opening import Opening

LOGGING = processor(
    """
    (call $log (i32.const 0) (local.get $at) (local.get $length) (i32.const 0) (i32.const 0))
    (call $pass)""",
    imports=LOG,
)


def raising(error: BaseException) -> Callable[[Signal, bytes], Ok[None]]:
    """
    An `emit` that raises.
    """

    def emit(signal: Signal, payload: bytes) -> Ok[None]:
        raise error

    return emit


class BrokenLog(Notes):
    """
    A host whose log raises.
    """

    def write(self, level: Level, message: str, attributes: Attributes) -> None:
        raise OSError("disk full")


def test_an_exception_becomes_the_functions_own_error(opening: Opening) -> None:
    """
    An exception in a function that can fail is its failure, and is counted; the plugin goes on.
    The first one is shown: it is a defect of the host's.
    """
    gone = OSError("gone")
    instance = opening(emitting(), host=Notes(emit=raising(gone)))

    with capture_logs() as lines:
        for _ in range(2):
            result = instance.run(Signal.TRACES, b"batch")
            assert Err(FailurePermanent("OSError: gone")) == result

    assert 2 == instance.host_errors
    [line] = lines
    assert line["exception"].startswith("Traceback (most recent call last):\n")
    assert line["exception"].endswith(", in emit\n    raise error\nOSError: gone\n")
    assert not instance.is_dead


def test_a_long_exception_is_shown_in_part(opening: Opening) -> None:
    """
    However long a message is, a line of the log is not, and whatever writes it has little to do.
    """
    instance = opening(emitting(), host=Notes(emit=raising(OSError("no" * 100_000))))

    with capture_logs() as lines:
        instance.run(Signal.TRACES, b"batch")

    [line] = lines
    assert "OSError: nono" in line["exception"]
    assert 10_000 == len(line["exception"])
    assert "exc_info" not in line


def test_an_exception_in_a_function_without_result_is_counted(opening: Opening) -> None:
    """
    A log that raises does not keep the plugin from its work.
    """
    instance = opening(LOGGING, host=BrokenLog())

    assert Ok(VerdictPass()) == instance.run(Signal.TRACES, b"line")
    assert 1 == instance.host_errors


def test_an_answer_of_the_wrong_type_cuts_the_call(opening: Opening) -> None:
    """
    A bug of the host's, an answer that is none, ends the instance with a text that says so.
    """
    instance = opening(emitting(), host=Notes(emit=lambda *_: None))  # type: ignore[arg-type,return-value]  # the bug

    with pytest.raises(Fault, match=r"pipeline.*emit answered NoneType") as caught:
        instance.run(Signal.TRACES, b"batch")

    assert "trap" == caught.value.kind
    assert 1 == instance.host_errors


@pytest.mark.parametrize("error", (SystemExit(3), KeyboardInterrupt(), GeneratorExit()))
def test_what_is_no_exception_cuts_the_call(opening: Opening, error: BaseException) -> None:
    """
    SystemExit and its like end the guest's call and are raised again, the same object.
    """
    instance = opening(emitting(), host=Notes(emit=raising(error)))

    with pytest.raises(type(error)) as caught:
        instance.run(Signal.TRACES, b"batch")

    assert error is caught.value
    assert instance.is_dead


def test_an_instance_is_not_entered_twice(opening: Opening) -> None:
    """
    A host function cannot call, or close, the instance that is calling it.
    """
    texts = []

    def emit(signal: Signal, payload: bytes) -> Ok[None]:
        for act in (lambda: instance.run(signal, payload), instance.lifecycle.tick, instance.close):
            with pytest.raises(RuntimeError) as caught:
                act()
            texts.append(str(caught.value))
        return Ok(None)

    instance = opening(emitting(), host=Notes(emit=emit))

    assert Ok(VerdictPass()) == instance.run(Signal.TRACES, b"batch")
    assert ["plugin 'guest': an instance makes one call at a time"] * 3 == texts
    assert Ok(VerdictPass()) == instance.run(Signal.TRACES, b"batch")


def outcome_of(call: int) -> str:
    """
    What the host does at its n-th call, in the test below.
    """
    if call % 11 == 0:
        return "exit"
    if call % 7 == 0:
        return "raised"
    return "refused" if call % 3 == 0 else "ok"


def test_threads_do_not_mix(opening: Opening) -> None:
    """
    With imports called on four threads at once, each gets its own payloads and errors.
    """
    calls = range(1, 201)
    seen: dict[int, list[str]] = {}

    def work(number: int) -> None:
        mine = bytes([number])
        outcomes = seen[number] = []
        planned = map(outcome_of, calls)

        def emit(signal: Signal, payload: bytes) -> Ok[None] | Err[FailurePermanent]:
            if payload.strip(mine) or threading.current_thread().name != f"worker {number}":
                return Err(FailurePermanent("mixed up"))
            planned_now = next(planned)
            if planned_now == "exit":
                raise SystemExit(number)
            if planned_now == "raised":
                raise ValueError(number)
            return Ok(None) if planned_now == "ok" else Err(FailurePermanent(f"{number}"))

        meanings: dict[object, str] = {
            Ok(VerdictPass()): "ok",
            Err(FailurePermanent(f"{number}")): "refused",
            Err(FailurePermanent(f"ValueError: {number}")): "raised",
        }
        instance = opening(emitting(), host=Notes(emit=emit))
        for call in calls:
            try:
                result = instance.run(Signal.TRACES, mine * (64 + call * 37 % 20_000))
                outcomes.append(meanings.get(result, repr(result)))
            except SystemExit as error:
                outcomes.append("exit" if error.code == number else repr(error))
                instance = opening(emitting(), host=Notes(emit=emit))

    threads = [
        threading.Thread(target=work, args=(number,), name=f"worker {number}")
        for number in range(1, 5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)

    assert {number: list(map(outcome_of, calls)) for number in range(1, 5)} == seen
