"""
What it costs to hand a batch to a plugin and to take its answer, beside one copy of its bytes.
"""

from collections.abc import Callable

from benchmark.guests import Guests
from benchmark.payloads import payload
from benchmark.rounds import Timed, Took, in_turns, timed
from benchmark.session import Session
from benchmark.tables import Chart, Table, figure

__all__ = ["boundary"]

_ANSWERS = ("pass", "replace", "emit")


def boundary(session: Session) -> Table:
    """
    Measure pass, replace and emit in both lanes, and through a Plugin's thread.
    """
    sizes = {"584 B": payload(1), "428 KB": payload(1_000)}
    took: dict[str, dict[str, Took]] = {}
    with Guests.open(session.report) as guests:
        plugins = {"one copy of the bytes": None}
        for lane in ("direct", "bridge"):
            for answer in _ANSWERS:
                name = f"{lane} lane, {answer}"
                plugins[name] = guests.instance("echo", lane, answer=answer)
        plugins["direct lane, pass, Plugin with its thread"] = guests.plugin("echo", "direct")
        for size, data in sizes.items():
            runs: dict[str, Timed] = {}
            for name, run in plugins.items():
                if run is None:
                    runs[name] = timed(_copying(data))
                else:
                    runs[name] = timed(lambda run=run, data=data: run(data))
            took[size] = in_turns(runs, seconds=session.seconds * 2)
    table = Table(
        "The boundary, through a Python plugin",
        ["", "584 B, us", "428 KB, us", "428 KB, of one copy", "CPU us, both"],
        notes=["`emit` and `replace` include the plugin's own copy of the bytes, to change one."],
    )
    copy = took["428 KB"]["one copy of the bytes"]
    for name in plugins:
        small, large = took["584 B"][name], took["428 KB"][name]
        table.add(
            name,
            figure(small.elapsed_s * 1e6),
            figure(large.elapsed_s * 1e6),
            f"{large.elapsed_s / copy.elapsed_s:.2f}x",
            f"{figure(small.cpu_s * 1e6)} / {figure(large.cpu_s * 1e6)}",
        )
    groups = {
        size: {name: each.elapsed_s * 1e6 for name, each in by_name.items()}
        for size, by_name in took.items()
    }
    table.charts.append(Chart("boundary", "The boundary: one batch there and back", "us", groups))
    return table


def _copying(data: bytes) -> Callable[[], None]:
    """
    Copy into memory that is there already, as into a plugin's.
    """
    target = memoryview(bytearray(len(data)))

    def copy() -> None:
        target[:] = data

    return copy
