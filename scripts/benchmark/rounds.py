"""
Measure several things in turns, A B A B …, and take medians.

A machine that speeds up or slows down then moves all sides alike, and a disturbance of one round
does not count. Processor time is taken beside elapsed time: on a machine that others use, too, it
is the truer of the two.
"""

import statistics
import time
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

import attrs

__all__ = ["Timed", "Took", "in_turns", "timed"]

K = TypeVar("K", bound=Hashable)


@attrs.frozen
class Took:
    """
    Seconds of the clock, and of the process on all cores.
    """

    elapsed_s: float
    cpu_s: float


# Does something so many times and says how long that took.
Timed = Callable[[int], Took]


def timed(run: Callable[[], object]) -> Timed:
    """
    Time calls of *run* from here.
    """

    def calls(count: int) -> Took:
        began_cpu = time.process_time()
        began = time.perf_counter()
        for _ in range(count):
            run()
        elapsed_s = time.perf_counter() - began
        return Took(elapsed_s, time.process_time() - began_cpu)

    return calls


def in_turns(runs: Mapping[K, Timed], *, seconds: float, rounds: int = 15) -> dict[K, Took]:
    """
    Return the medians of one call of each of *runs*; all take about *seconds* together.
    """
    budget = seconds / rounds / max(1, len(runs))
    counts = {}
    for name, run in runs.items():
        run(1)  # the first call is no measure of those that follow
        once = min(run(1).elapsed_s, run(1).elapsed_s)
        counts[name] = max(1, round(budget / max(once, 1e-7)))
    samples: dict[K, list[Took]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            samples[name].append(run(counts[name]))
    return {
        name: Took(
            statistics.median(took.elapsed_s for took in all_) / counts[name],
            statistics.median(took.cpu_s for took in all_) / counts[name],
        )
        for name, all_ in samples.items()
    }
