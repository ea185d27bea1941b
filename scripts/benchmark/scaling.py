"""
What two instances of a plugin do at once, beside what two native processes do on the same machine.

Two cores are seldom twice one: they share caches, memory and heat, and a virtual machine's may be
two threads of one. So the same work runs natively, in one process and in two that share nothing,
in turns with the plugin: what those reach is all that this machine has to give.
"""

import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmark.native import native_set_attribute
from benchmark.payloads import payload
from benchmark.session import Session
from benchmark.tables import figure
from otelwasm import Plugin, Signal

__all__ = ["scaling"]

_ROUNDS = 9
_IN_FLIGHT = 3
_TIMEOUT_S = 60.0

# Batches a second, in so many seconds.
Run = Callable[[float], float]


def scaling(plugin: Path, session: Session) -> list[tuple[str, str]]:
    """
    Batches a second of one and of two, the plugin's and native ones.
    """
    slice_s = session.seconds / _ROUNDS
    with ExitStack() as open_:
        runs: dict[tuple[str, int], Run] = {}
        for count in (1, 2):
            running = open_.enter_context(Plugin(plugin, instances=count))
            runs["plugin", count] = _of_plugin(running, count)
            runs["native", count] = open_.enter_context(_of_processes(count))
        rates: dict[tuple[str, int], list[float]] = {key: [] for key in runs}
        for number in range(_ROUNDS + 1):
            for key, run in runs.items():
                rate = run(slice_s)
                if number:  # the first round is no measure of those that follow
                    rates[key].append(rate)
    one, two, alone, both = (
        statistics.median(rates[key])
        for key in (("plugin", 1), ("plugin", 2), ("native", 1), ("native", 2))
    )
    return [
        ("428 KB batches a second, 1 instance", figure(one)),
        ("428 KB batches a second, 2 instances", f"{figure(two)} ({two / one:.2f}x)"),
        ("the same with upb in 1 native process", figure(alone)),
        ("the same with upb in 2 native processes", f"{figure(both)} ({both / alone:.2f}x)"),
    ]


def _of_plugin(plugin: Plugin, instances: int) -> Run:
    """
    Keep all instances at work: what answers a batch submits the next.
    """
    data = payload(1_000)

    def run(seconds: float) -> float:
        done = threading.Semaphore(0)
        # Sizes, not the answers: to keep those would measure the kernel's handing out of memory.
        answered: list[int] = []
        began = time.perf_counter()

        def again(before: "Future[bytes | None] | None" = None) -> None:
            if before is not None:
                answered.append(len(before.result() or b""))
            if time.perf_counter() - began < seconds:
                plugin.submit(Signal.TRACES, data).add_done_callback(again)
            else:
                done.release()

        for _ in range(_IN_FLIGHT * instances):
            again()
        for _ in range(_IN_FLIGHT * instances):
            if not done.acquire(timeout=_TIMEOUT_S):
                raise RuntimeError("a batch had no answer")
        return len(answered) / (time.perf_counter() - began)

    return run


@contextmanager
def _of_processes(count: int) -> Iterator[Run]:
    """
    Have so many processes of their own do the work at once.
    """
    with ExitStack() as open_:
        processes = [
            open_.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "benchmark.scaling"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                    env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                )
            )
            for _ in range(count)
        ]

        def run(seconds: float) -> float:
            for process in processes:
                print(seconds, file=process.stdin, flush=True)
            return sum(float(process.stdout.readline()) for process in processes if process.stdout)

        try:
            yield run
        finally:
            for process in processes:
                if process.stdin is not None:
                    process.stdin.close()


def _work() -> None:
    """
    For each line, work so many seconds and say how many batches a second that was.
    """
    work = native_set_attribute(payload(1_000))
    for line in sys.stdin:
        count = 0
        began = time.perf_counter()
        while time.perf_counter() - began < float(line):
            work()
            count += 1
        print(count / (time.perf_counter() - began), flush=True)


if __name__ == "__main__":
    _work()
