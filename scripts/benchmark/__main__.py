"""
Measure, print, and with --save write the tables and charts of the documentation.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from benchmark.boundary import boundary
from benchmark.capabilities import capabilities
from benchmark.end_to_end import end_to_end
from benchmark.fan_out import fan_out
from benchmark.flame import flame
from benchmark.instances import instances
from benchmark.longevity import longevity
from benchmark.machine import described_machine
from benchmark.plot import svg
from benchmark.servers import servers
from benchmark.session import Session
from benchmark.starting import starting
from benchmark.tables import LeftOut, Table
from benchmark.work import work

SAVED = Path(__file__).resolve().parents[2] / "host" / "docs" / "bench"
PARTS: dict[str, Callable[[Session], Table]] = {
    "boundary": boundary,
    "work": work,
    "instances": instances,
    "starting": starting,
    "capabilities": capabilities,
    "fan-out": fan_out,
    "end-to-end": end_to_end,
    "servers": servers,
}
# Takes minutes, and measures no speed: only when asked for.
ALONE: dict[str, Callable[[Session], Table]] = {"longevity": longevity}


def main() -> None:
    """
    Run the parts that are asked for.
    """
    parser = argparse.ArgumentParser(prog="scripts/bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="shorter, and less exact")
    parser.add_argument(
        "--only",
        action="append",
        choices=[*PARTS, *ALONE, "flame"],
        metavar="PART",
        help=f"one of {', '.join([*PARTS, *ALONE])}, flame; may be given again",
    )
    parser.add_argument(
        "--save", action="store_true", help=f"write to {SAVED.relative_to(SAVED.parents[2])}"
    )
    asked = parser.parse_args()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 150)
    machine = described_machine()
    console.print(machine)
    parts = asked.only or [*PARTS, "flame"]
    with tempfile.TemporaryDirectory(prefix="otelwasm-bench-") as name:
        session = Session(
            seconds=1.0 if asked.quick else 4.0,
            rounds=3 if asked.quick else 5,
            folder=Path(name),
            report=lambda line: console.print(f"[dim]{line}[/dim]"),
        )
        out = SAVED if asked.save else session.folder
        out.mkdir(parents=True, exist_ok=True)
        for part in parts:
            try:
                measure = (PARTS | ALONE).get(part)
                table = measure(session) if measure else flame(session, out)
            except LeftOut as reason:
                console.print(f"[bold]{part}[/bold] is left out: {reason}")
                continue
            console.print(table.shown())
            if asked.save:
                _save(part, table, machine)


def _save(part: str, table: Table, machine: str) -> None:
    """
    Write one part; README.md beside the parts says what there is.
    """
    (SAVED / f"{part}.md").write_text(f"{table.markdown()}\n{machine}\n")
    for chart in table.charts:
        (SAVED / f"{chart.name}.svg").write_text(svg(chart, machine))


if __name__ == "__main__":
    main()
