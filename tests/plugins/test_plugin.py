"""
Prove what a Plugin promises on top of its instances: workers, fresh instances, capabilities.
"""

import threading
from concurrent.futures import wait

import pytest

from otelwasm import (
    ComponentError,
    Limits,
    PermanentError,
    Plugin,
    PluginFaultError,
    PluginStartError,
    RetryableError,
    Signal,
)
from plugins.guests import LIFECYCLE, emitting, exporter, processor, replying
from plugins.wat import component

PASS = component(processor("(call $pass)"))
TRAP_ON_EMPTY = component(
    processor("(if (i32.eqz (local.get $length)) (then unreachable)) (call $pass)")
)
LOOP = component(processor("(loop (br 0)) unreachable"))
DROP = component(processor(replying("(i32.store8 (i32.const 516) (i32.const 2))")))
REFUSED = component(
    processor("(call $pass)").replace(
        LIFECYCLE,
        LIFECYCLE.replace(
            "(i32.store16 (i32.const 1024) (i32.const 0)) (i32.store8 (i32.const 1028)"
            " (i32.const 127))",
            """(i32.store8 (i32.const 1024) (i32.const 1))
               (i32.store (i32.const 1028) (local.get 0))
               (i32.store (i32.const 1032) (local.get 1))""",
        ),
    )
)


def test_a_passed_batch_is_the_same_object() -> None:
    """
    A batch that the plugin passes comes back as the very same bytes object.
    """
    payload = b"some bytes"

    with Plugin(PASS) as plugin:
        result = plugin.process(Signal.LOGS, payload)

    assert result is payload


def test_a_dropped_batch_is_none() -> None:
    """
    A batch that the plugin drops comes back as None.
    """
    with Plugin(DROP) as plugin:
        result = plugin.process(Signal.TRACES, b"x")

    assert result is None


def test_a_plugin_says_what_it_does() -> None:
    """
    The signals that a plugin handles and the calls that it answers are what its start said.
    """
    modest = processor("(call $pass)").replace("(i32.const 127)", "(i32.const 20)")
    with Plugin(component(modest)) as some, Plugin(DROP) as every:
        assert ({Signal.LOGS}, {"tick"}) == (some.signals, some.calls)
        assert (set(Signal), {"tick", "receive", "poll"}) == (every.signals, every.calls)


def test_what_is_no_signal_does_not_pass() -> None:
    """
    A batch of a signal that a plugin does not handle passes by; one of `"logs"` is a mistake, by
    which a plugin that redacts would see nothing.
    """
    modest = processor("(call $pass)").replace("(i32.const 127)", "(i32.const 20)")
    with Plugin(component(modest)) as plugin:
        passed = plugin.process(Signal.TRACES, b"x")
        with pytest.raises(ValueError, match=r"'logs' is no signal; there are Signal.TRACES, "):
            plugin.process("logs", b"x")  # type: ignore[arg-type] # that is the mistake

    assert b"x" == passed


def test_a_refused_configuration_names_the_plugin_and_its_words() -> None:
    """
    A plugin that refuses its configuration does not start; the error has its own words.
    """
    with pytest.raises(PluginStartError) as caught:
        Plugin(REFUSED, name="picky", config={"mode": 1})

    assert "plugin 'picky' did not start: {\"mode\": 1}" == str(caught.value)


def test_a_missing_file_is_one_clear_error() -> None:
    """
    A component that is not there is a ComponentError naming plugin and path.
    """
    with pytest.raises(ComponentError, match=r"nowhere\.wasm: No such file or directory"):
        Plugin("nowhere.wasm")


def test_a_fault_is_tried_once_more_in_a_fresh_instance() -> None:
    """
    A batch whose call traps is tried again in a fresh instance; a second fault is an error.
    """
    with Plugin(TRAP_ON_EMPTY, name="shaky") as plugin:
        with pytest.raises(PluginFaultError) as caught:
            plugin.process(Signal.TRACES, b"")
        after = plugin.process(Signal.TRACES, b"fine")
        stats = plugin.stats

    assert "trap" == caught.value.kind
    assert "plugin 'shaky'" in str(caught.value)
    assert b"fine" == after
    assert {"trap": 2} == stats.faults
    assert 2 == stats.restarts


def test_other_batches_go_on_beside_a_fault() -> None:
    """
    Batches submitted around one that traps all come back as they should.
    """
    batches = [b"" if n % 7 == 0 else bytes([n]) for n in range(50)]

    with Plugin(TRAP_ON_EMPTY, instances=2) as plugin:
        futures = [plugin.submit(Signal.TRACES, batch) for batch in batches]
        wait(futures, timeout=30)
        failed = [bool(future.exception()) for future in futures]

    assert [not batch for batch in batches] == failed


def test_a_deadline_ends_the_call_and_says_its_limit() -> None:
    """
    A call that never returns ends at its deadline; the error names the limit.
    """
    with (
        Plugin(LOOP, name="stuck", limits=Limits(deadline_s=0.05)) as plugin,
        pytest.raises(PluginFaultError, match=r"'stuck'.*deadline of 0\.05 s") as caught,
    ):
        plugin.process(Signal.TRACES, b"x")

    assert "deadline" == caught.value.kind


def test_what_the_host_answers_to_emit_reaches_the_plugin() -> None:
    """
    A failure raised by `emit`'s taker becomes the plugin's answer, delay included.
    """

    def full(signal: Signal, payload: bytes) -> None:
        raise RetryableError("queue full", after_s=2)

    with (
        Plugin(component(emitting()), emit=full) as plugin,
        pytest.raises(RetryableError) as caught,
    ):
        plugin.process(Signal.TRACES, b"x")

    assert 2 == caught.value.after_s
    assert "queue full" in str(caught.value)


def test_emitting_to_nobody_is_a_permanent_failure() -> None:
    """
    A plugin that emits although nobody takes it is told so.
    """
    with Plugin(component(emitting())) as plugin, pytest.raises(PermanentError, match="nobody"):
        plugin.process(Signal.TRACES, b"x")


def test_calls_run_on_threads_of_the_plugins_own() -> None:
    """
    Two instances run on two threads with the plugin's name, neither of them the caller's.
    """
    seen = set()
    both = threading.Barrier(2, timeout=20)

    def note(signal: Signal, payload: bytes) -> None:
        seen.add(threading.current_thread())
        both.wait()

    with Plugin(component(emitting()), name="pair", instances=2, emit=note) as plugin:
        wait([plugin.submit(Signal.TRACES, b"x") for _ in range(2)], timeout=30)

    assert ["pair", "pair"] == [thread.name for thread in seen]
    assert threading.main_thread() not in seen


def test_closing_twice_is_safe_and_ends_the_threads() -> None:
    """
    A closed plugin has no thread left; closing it again does nothing.
    """
    plugin = Plugin(PASS, name="short-lived", instances=2)
    plugin.close()
    plugin.close()

    assert "short-lived" not in {thread.name for thread in threading.enumerate()}


def test_a_closed_plugin_refuses_batches() -> None:
    """
    A batch for a closed plugin is refused as retryable at once, not kept waiting.
    """
    plugin = Plugin(PASS, name="gone")
    plugin.close()

    with pytest.raises(RetryableError, match="plugin 'gone' is closed"):
        plugin.process(Signal.TRACES, b"x")


def test_at_least_one_instance() -> None:
    """
    A plugin without instances is a mistake of the caller's.
    """
    with pytest.raises(ValueError, match="instances: at least 1, not 0"):
        Plugin(PASS, instances=0)


def test_only_processors_process() -> None:
    """
    An exporter that is asked to process a batch is a mistake of the caller's.
    """
    sent = component(exporter("unreachable"), "exporter")

    with Plugin(sent, name="out") as plugin, pytest.raises(ValueError, match="is no processor"):
        plugin.process(Signal.TRACES, b"x")
