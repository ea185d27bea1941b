"""
Each call has the whole deadline from its own start on, whether or not wasmtime was told again.
"""

from collections.abc import Callable, Iterator

import pytest
import wasmtime

from otelwasm.plugins import _ffi
from otelwasm.plugins.deadline import TICK_S, Clock, Deadline

LIMIT_TICKS = 5
# Ticks that certainly last the limit: the one that is under way does not count.
LASTING = LIMIT_TICKS + 1


class Guest:
    """
    A function that does nothing, in a store with a deadline, and the clock that is up to a test.
    """

    def __init__(self) -> None:
        config = wasmtime.Config()
        config.epoch_interruption = True
        engine = wasmtime.Engine(config)
        self.store = wasmtime.Store(engine)
        self.clock = Clock(engine.increment_epoch)
        self.deadline = Deadline(
            _ffi.context_of(self.store), LIMIT_TICKS * TICK_S, clock=self.clock
        )
        module = wasmtime.Module(engine, '(module (func (export "run")))')
        run = wasmtime.Instance(self.store, module, []).exports(self.store)["run"]
        assert isinstance(run, wasmtime.Func)
        self._run = run

    def runs(self) -> bool:
        """
        Does it still run, or has its deadline come?
        """
        try:
            self._run(self.store)
        except wasmtime.Trap as trap:
            assert "interrupt" in trap.message
            return False
        return True

    def tick(self, times: int) -> None:
        """
        Let time go by.
        """
        for _ in range(times):
            self.clock.tick()


@pytest.fixture
def guest() -> Iterator[Guest]:
    """
    A guest of a test's own.
    """
    guest = Guest()
    yield guest
    guest.store.close()


def test_a_call_has_its_deadline(guest: Guest) -> None:
    """
    A call runs until the last tick of its deadline, and not beyond.
    """
    guest.deadline.start()
    guest.tick(LASTING - 1)

    assert guest.runs()

    guest.tick(1)

    assert not guest.runs()


@pytest.mark.parametrize("before", (0, 1, LASTING - 1, LASTING, 100))
def test_each_call_has_all_of_it(guest: Guest, before: int) -> None:
    """
    Calls that follow each other in one tick, or many ticks apart, each have the same time.
    """
    for _ in range(3):
        guest.deadline.start()
        guest.tick(before)
    for _ in range(3):
        guest.deadline.start()
    guest.tick(LASTING - 1)

    assert guest.runs()

    guest.tick(1)

    assert not guest.runs()


def while_away(guest: Guest) -> None:
    """
    The guest calls the host, which takes its time.
    """
    guest.deadline.pause()
    guest.tick(100)
    guest.deadline.resume()


def in_the_middle_of_a_tick(guest: Guest) -> None:
    """
    A call begins while the epoch goes up: whether before or after, nobody knows.
    """
    clock = Clock(lambda: guest.deadline.start())
    guest.deadline._clock = clock
    clock.tick()
    guest.deadline._clock = guest.clock


@pytest.mark.parametrize("event", (while_away, in_the_middle_of_a_tick))
def test_the_next_call_has_all_of_it(guest: Guest, event: Callable[[Guest], None]) -> None:
    """
    What became of a call's own time is nothing to the next.
    """
    guest.deadline.start()
    event(guest)
    guest.deadline.start()
    guest.tick(LASTING - 1)

    assert guest.runs()

    guest.tick(1)

    assert not guest.runs()
