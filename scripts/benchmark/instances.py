"""
What many instances of one plugin cost: memory, the start of one, and what two do at once.
"""

import json
import os
import re
import statistics
import subprocess
import sys
import time
from concurrent.futures import wait
from pathlib import Path

from benchmark.guests import Guests
from benchmark.payloads import payload
from benchmark.session import Session
from benchmark.tables import Table, figure
from otelwasm import Plugin, Signal

__all__ = ["instances"]

_MANY = 100
_STARTS = 20


def instances(session: Session) -> Table:
    """
    Measure, each in a process of its own, so that nothing that ran before counts.
    """
    table = Table("Many instances of one plugin", ["", ""])
    with Guests.open(session.report) as guests:
        plugin = guests.built("set_attribute")
    Plugin(plugin).close()  # compiled now, at the latest
    answer = subprocess.run(
        [sys.executable, "-m", "benchmark.instances", str(plugin)],
        stdout=subprocess.PIPE,
        check=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    for row in json.loads(answer.stdout):
        table.add(*row)
    for row in _scaling(plugin, session):
        table.add(*row)
    table.notes.append(
        "Memory is the process's proportional set size (PSS): a page that several instances share "
        "counts once."
    )
    return table


def _scaling(plugin: Path, session: Session) -> list[tuple[str, str]]:
    """
    Batches a second with one instance and with two.
    """
    data = payload(1_000)
    rates: dict[int, list[float]] = {1: [], 2: []}
    plugins = {count: Plugin(plugin, instances=count) for count in rates}
    for _ in range(7):
        for count, running in plugins.items():
            began = time.perf_counter()
            batches = 0
            while time.perf_counter() - began < session.seconds / 14:
                wait([running.submit(Signal.TRACES, data) for _ in range(8)])
                batches += 8
            rates[count].append(batches / (time.perf_counter() - began))
    for running in plugins.values():
        running.close()
    one, two = (statistics.median(values) for values in rates.values())
    return [
        ("428 KB batches a second, 1 instance", figure(one)),
        ("428 KB batches a second, 2 instances", f"{figure(two)} ({two / one:.2f}x)"),
    ]


def _measure(plugin: Path) -> list[tuple[str, str]]:
    """
    Start one, then many more; in the process that is measured.
    """
    began = time.perf_counter()
    first = Plugin(plugin)
    first_ms = (time.perf_counter() - began) * 1e3
    alone = _memory_mib()
    many = Plugin(plugin, instances=_MANY)
    each = (_memory_mib() - alone) / _MANY
    data = payload(1)
    wait([many.submit(Signal.TRACES, data) for _ in range(4 * _MANY)])
    used = (_memory_mib() - alone) / _MANY
    many.close()
    starts = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        Plugin(plugin).close()
        starts.append((time.perf_counter() - began) * 1e3)
    fresh = _fresh_instance_ms(first)
    first.close()
    return [
        ("the process with one instance, MiB", figure(alone)),
        (f"each of {_MANY} more instances, MiB", figure(each)),
        ("each of them after a few batches of 584 B, MiB", figure(used)),
        ("a fresh instance, started, ms", figure(fresh)),
        ("a Plugin, from the compile cache, ms", figure(statistics.median(starts))),
        ("the first Plugin of a process, ms", figure(first_ms)),
    ]


def _fresh_instance_ms(plugin: Plugin) -> float:
    """
    What a restart after a fault takes: an instance of a component that is loaded, and its `start`.
    """
    samples = []
    for _ in range(_STARTS):
        began = time.perf_counter()
        instance = plugin._start_instance()
        samples.append((time.perf_counter() - began) * 1e3)
        instance.close()
    return statistics.median(samples)


def _memory_mib() -> float:
    """
    Read the process's proportional set size.
    """
    rollup = Path("/proc/self/smaps_rollup").read_text()
    found = re.search(r"^Pss:\s+(\d+) kB", rollup, re.MULTILINE)
    assert found is not None, rollup
    return int(found[1]) / 1024


if __name__ == "__main__":
    print(json.dumps(_measure(Path(sys.argv[1]))))
