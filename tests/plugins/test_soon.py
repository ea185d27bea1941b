"""
What an event loop asks of a plugin comes back as from `process`, though hardly any Python runs.
"""

import asyncio
import sys
import threading

import pytest

from otelwasm import Limits, PermanentError, Plugin, PluginFaultError, RetryableError, Signal
from otelwasm.errors import BuildError
from otelwasm.plugins.direct import INBOX_BYTES
from otelwasm.plugins.native_calls import load_native_calls
from plugins.direct_guests import CALL, ECHO, OUT, guest, outcome
from plugins.guests import exporter, processor
from plugins.wat import component


def direct(run: str, **more: str) -> bytes:
    """
    A processor with the direct form.
    """
    return component(guest(run, **more), "python-processor")


# Traps on a payload of one byte, but not in the first call of an instance.
TRAP_LATER = f"""
    (if (i32.and (i32.eq (local.get $length) (i32.const 1)) (i32.load8_u (i32.const 64)))
      (then unreachable))
    (i32.store8 (i32.const 64) (i32.const 1)) {outcome(0)}"""
# Emits its payload and passes it.
EMITS = f"""
    (drop (call $call (i32.const 0) (i32.const 0) (i32.const 2097152) (local.get $length)
      (i32.const 768)))
    {outcome(0)}"""


async def soon(plugin: Plugin, *payloads: bytes) -> list[object]:
    """
    Ask for all of *payloads* at once; what each comes to.
    """
    answers = [plugin.process_soon(Signal.TRACES, payload) for payload in payloads]
    return list(await asyncio.wait_for(asyncio.gather(*answers, return_exceptions=True), 30))


@pytest.mark.parametrize("size", (0, 1, INBOX_BYTES, INBOX_BYTES + 1, 428_000))
def test_replacements_come_back_whole(size: int) -> None:
    """
    Bytes of any size replace a payload.
    """
    payload = bytes(range(256)) * (size // 256) + b"x" * (size % 256)

    with Plugin(direct(ECHO)) as plugin:
        assert [payload] * 3 == asyncio.run(soon(plugin, payload, payload, payload))


def test_passed_and_dropped_batches_come_back() -> None:
    """
    A passed batch comes back as the same object, a dropped one as None.
    """
    payload = b"some bytes"
    with Plugin(direct(outcome(0))) as passes, Plugin(direct(outcome(2))) as drops:
        (passed,) = asyncio.run(soon(passes, payload))
        (dropped,) = asyncio.run(soon(drops, payload))

    assert passed is payload
    assert dropped is None


def test_failures_are_raised() -> None:
    """
    A failure is raised as `process` raises it.
    """
    with Plugin(direct(outcome(4, "2097152", "4", 1, 250)), name="fails") as plugin:
        (error,) = asyncio.run(soon(plugin, b"payload"))

    assert isinstance(error, RetryableError)
    assert ("plugin 'fails': payl", 0.25) == (str(error), error.after_s)


@pytest.mark.parametrize(
    ("run", "kind"),
    (
        ("unreachable", "trap"),
        ("(loop (br 0)) unreachable", "deadline"),
        (f"(i32.const {OUT})", "malformed"),
        (outcome(1, OUT, "100"), "malformed"),
        (outcome(9), "malformed"),
    ),
)
def test_faults_end_two_instances(run: str, kind: str) -> None:
    """
    A call that ends two instances is a fault of its kind, and the next gets a fresh one.
    """
    with Plugin(direct(run), limits=Limits(deadline_s=0.05)) as plugin:
        errors = asyncio.run(soon(plugin, b"first", b"second"))
        stats = plugin.stats

    assert [kind, kind] == [getattr(error, "kind", error) for error in errors]
    assert all(isinstance(error, PluginFaultError) for error in errors)
    assert {kind: 4} == stats.faults


def test_a_fresh_instance_takes_over() -> None:
    """
    What ended one instance is given to a second one; what waited meanwhile goes there, too.
    """
    with Plugin(direct(TRAP_LATER)) as plugin:
        came = asyncio.run(soon(plugin, b"many", b"x", b"more"))
        stats = plugin.stats

    assert [b"many", b"x", b"more"] == came
    assert (1, {"trap": 1}) == (stats.restarts, stats.faults)


def test_calls_are_counted() -> None:
    """
    The statistics know of all calls, whoever made them.
    """
    with Plugin(direct(ECHO)) as plugin:
        asyncio.run(soon(plugin, b"one", b"two"))
        plugin.process(Signal.TRACES, b"three")
        stats = plugin.stats
        inbox = plugin._workers[0]._native_inbox

    assert inbox is not None
    assert 2 == inbox.calls
    assert 1 + 3 == stats.calls  # the first one starts the instance
    assert stats.busy_s > 0


def test_order_is_kept() -> None:
    """
    With one instance what is asked first is done first, whichever way it was asked.
    """
    seen: list[bytes] = []

    async def ask(plugin: Plugin) -> None:
        await asyncio.gather(
            plugin.process_soon(Signal.TRACES, b"1"),
            asyncio.wrap_future(plugin.submit(Signal.TRACES, b"2")),
            plugin.process_soon(Signal.TRACES, b"3"),
        )

    code = direct(EMITS, imports=CALL)
    with Plugin(code, emit=lambda signal, payload: seen.append(payload)) as plugin:
        asyncio.run(ask(plugin))

    assert [b"1", b"2", b"3"] == seen


def test_a_slow_plugin_keeps_no_loop_waiting() -> None:
    """
    While a plugin computes, the loop that waits for it goes on.
    """
    began, may_end = threading.Event(), threading.Event()

    def emit(signal: Signal, payload: bytes) -> None:
        began.set()
        assert may_end.wait(10)

    async def ask(plugin: Plugin) -> object:
        answer = plugin.process_soon(Signal.TRACES, b"x")
        while not began.is_set():
            await asyncio.sleep(0)
        may_end.set()
        return await answer

    with Plugin(direct(EMITS, imports=CALL), emit=emit) as plugin:
        assert b"x" == asyncio.run(ask(plugin))


def test_who_stops_waiting_disturbs_nobody() -> None:
    """
    An answer that nobody waits for any more is let go; the others come.
    """

    async def ask(plugin: Plugin) -> object:
        first = plugin.process_soon(Signal.TRACES, b"first")
        second = plugin.process_soon(Signal.TRACES, b"second")
        first.cancel()
        return await second

    with Plugin(direct(ECHO)) as plugin:
        assert b"second" == asyncio.run(ask(plugin))


def test_every_plugin_can_be_asked() -> None:
    """
    A plugin without the direct form answers the same way; one that is no processor refuses.
    """
    with Plugin(component(processor("(call $pass)"))) as plugin:
        assert [b"x"] == asyncio.run(soon(plugin, b"x"))

    with (
        Plugin(component(exporter("(call $receipt)"), "exporter")) as plugin,
        pytest.raises(ValueError, match="is no processor"),
    ):
        asyncio.run(soon(plugin, b"x"))


def test_every_answer_finds_its_batch() -> None:
    """
    Many batches in several instances, some of which fault, come back each as its own.
    """
    payloads = [b"%d" % number * (1 + number % 9000) for number in range(1, 600)] + [b"x"] * 20
    order = [payloads[number * 7 % len(payloads)] for number in range(len(payloads))]

    with Plugin(direct(TRAP_LATER), instances=3) as plugin:
        came = asyncio.run(soon(plugin, *order))

    assert order == came


def test_plugins_work_without_the_c_module(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Where the C module cannot be built, the same comes back.
    """
    monkeypatch.setattr("otelwasm.plugins.plugin.load_native_calls", lambda: None)

    with Plugin(direct(ECHO)) as plugin:
        came = asyncio.run(soon(plugin, b"one", b"", b"x" * 428_000))
        calls = plugin.stats.calls

    assert [b"one", b"", b"x" * 428_000] == came
    assert 1 + 3 == calls


def test_a_module_that_does_not_compile_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A machine that cannot compile the C module is told once, and goes on.
    """

    def cannot(**_: object) -> None:
        raise BuildError("no compiler")

    monkeypatch.setattr("otelwasm.build.extension.load_extension", cannot)

    assert load_native_calls.__wrapped__() is None


def test_a_cache_that_cannot_be_made_is_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nor is a folder needed to keep the C module in.
    """
    monkeypatch.setenv("OTELWASM_CACHE", "/proc/nowhere")
    monkeypatch.delitem(sys.modules, "otelwasm_calls", raising=False)

    assert load_native_calls.__wrapped__() is None


def test_loops_come_and_go() -> None:
    """
    One plugin serves one loop after the other.
    """
    with Plugin(direct(ECHO)) as plugin:
        for payload in (b"first", b"second", b"third"):
            assert [payload] == asyncio.run(soon(plugin, payload))


def test_a_closed_plugin_refuses() -> None:
    """
    After `close` a batch is refused, and what was asked before is answered.
    """

    async def ask(plugin: Plugin) -> None:
        before = plugin.process_soon(Signal.TRACES, b"before")
        await asyncio.to_thread(plugin.close)

        assert b"before" == await before
        with pytest.raises((PermanentError, RetryableError), match="is closed"):
            await plugin.process_soon(Signal.TRACES, b"after")

    plugin = Plugin(direct(ECHO))
    asyncio.run(ask(plugin))
