"""
What many instances of one plugin cost: memory, a fresh one, and what two do at once.
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
from benchmark.scaling import scaling
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
    for row in scaling(plugin, session):
        table.add(*row)
    table.notes.append(
        "Memory is the process's proportional set size (PSS): a page that several instances share "
        "counts once."
    )
    return table


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
    fresh = _fresh_instance(first)
    first.close()
    return [
        ("the process with one instance, MiB", figure(alone)),
        (f"each of {_MANY} more instances, MiB", figure(each)),
        ("each of them after a few batches of 584 B, MiB", figure(used)),
        *fresh,
        ("a Plugin, from the compile cache, ms", figure(statistics.median(starts))),
        ("the first Plugin of a process, ms", figure(first_ms)),
    ]


def _fresh_instance(plugin: Plugin) -> list[tuple[str, str]]:
    """
    What a restart after a fault takes: an instance of a component that is loaded, and its `start`.

    By the clock, which on a busy machine counts what others do; by the processor's time; and what
    of that the plugin's own code takes, found by a second `start` in the same instance, which
    touches hardly a page for the first time.
    """
    elapsed, cpu, again = [], [], []
    for _ in range(_STARTS):
        began, began_cpu = time.perf_counter(), time.process_time()
        instance = plugin._start_instance()
        elapsed.append((time.perf_counter() - began) * 1e3)
        cpu.append((time.process_time() - began_cpu) * 1e3)
        began_cpu = time.process_time()
        instance.lifecycle.start("{}")
        again.append((time.process_time() - began_cpu) * 1e3)
        instance.close()
    return [
        ("a fresh instance, started, ms", figure(statistics.median(elapsed))),
        ("its processor time, ms", figure(statistics.median(cpu))),
        (
            "of that the plugin's own `start`, once its pages are there",
            figure(statistics.median(again)),
        ),
    ]


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
