"""
Hold what was measured, to print, to write as Markdown, and to plot.
"""

from collections.abc import Mapping, Sequence

import attrs
from rich import box
from rich.table import Table as RichTable

__all__ = ["Chart", "LeftOut", "Table", "figure"]


class LeftOut(Exception):
    """
    Something cannot run on this machine; the reason is the message.
    """


@attrs.frozen
class Chart:
    """
    Bars in groups: group -> series -> value. A value of None is left out.
    """

    name: str
    title: str
    unit: str
    groups: Mapping[str, Mapping[str, float | None]]


@attrs.frozen
class Table:
    """
    Rows under *head*, whose first *labels* cells are text; what to know beside them; charts.
    """

    title: str
    head: Sequence[str]
    labels: int = 1
    rows: list[Sequence[str]] = attrs.field(factory=list)
    notes: list[str] = attrs.field(factory=list)
    charts: list[Chart] = attrs.field(factory=list)

    def add(self, *cells: str) -> None:
        """
        Put one more row under the others.
        """
        self.rows.append(cells)

    def shown(self) -> RichTable:
        """
        Render for a terminal.
        """
        table = RichTable(
            title=self.title, caption="\n".join(self.notes) or None, box=box.SIMPLE, min_width=60
        )
        for number, name in enumerate(self.head):
            table.add_column(name, justify="left" if number < self.labels else "right")
        for row in self.rows:
            table.add_row(*row)
        return table

    def markdown(self) -> str:
        """
        Render for the documentation.
        """
        lines = [
            f"| {' | '.join(self.head)} |",
            f"|{' --- |' * self.labels}{' ---: |' * (len(self.head) - self.labels)}",
            *(f"| {' | '.join(row)} |" for row in self.rows),
        ]
        text = f"## {self.title}\n\n" + "\n".join(lines) + "\n"
        text += "".join(f"\n{note}\n" for note in self.notes)
        return text + "".join(f"\n![{chart.title}]({chart.name}.svg)\n" for chart in self.charts)


def figure(value: float) -> str:
    """
    Show a number with the digits that can mean something.
    """
    if value >= 1_000:
        return f"{value:,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"
