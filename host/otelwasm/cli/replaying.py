"""
Show what is in a configuration's quarantine, and send it on its way again.
"""

from collections import Counter
from collections.abc import Collection, Sequence
from itertools import groupby
from pathlib import Path

import click

from otelwasm.cli.running import in_a_loop
from otelwasm.config.values import ByteSize
from otelwasm.logs import configure_logging
from otelwasm.pipeline.quarantine import Quarantined, quarantined
from otelwasm.pipeline.replay import Replayed
from otelwasm.service import Pipeline
from otelwasm.signals import Signal

__all__ = ["list_quarantined", "replay_quarantined"]

_MOST_REASONS = 5


def list_quarantined(config: Path) -> None:
    """
    Print how much is there, by component and signal, and why.
    """
    service = Pipeline.from_yaml(config).config.service
    configure_logging(service.telemetry.logs.level, service.telemetry.logs.encoding)
    found = quarantined(service.quarantine.directory)
    if not found:
        click.echo(f"{service.quarantine.directory}: nothing is there")
    for (component, signal), each in groupby(sorted(found, key=_kind), key=_kind):
        click.echo("\n".join(_described(f"{component}, {signal.label}", list(each))))


def replay_quarantined(config: Path, *, only: Collection[str], to: str | None) -> bool:
    """
    Replay, and say by component what came of it; returns whether nothing is left.
    """

    async def replay(pipeline: Pipeline) -> list[Replayed]:
        return await pipeline.replay(only=only, to=to)

    outcomes = in_a_loop(config, replay)
    for outcome in outcomes:
        text = f"{outcome.component}: {_batches(outcome.delivered)} delivered"
        if outcome.items:
            text += f" ({outcome.items:,} items)"
        if outcome.left:
            text += f", {outcome.left:,} left: {outcome.reason}"
        click.echo(text)
    if not outcomes:
        click.echo("nothing is in the quarantine")
    return not any(outcome.left for outcome in outcomes)


def _kind(one: Quarantined) -> tuple[str, Signal]:
    return one.component, one.signal


def _described(what: str, batches: Sequence[Quarantined]) -> list[str]:
    items = sum(each.items for each in batches)
    size = ByteSize(sum(each.size_bytes for each in batches))
    first, last = batches[0].time, batches[-1].time
    lines = [
        f"{what}: {_batches(len(batches))}, {items:,} items, {size},"
        f" {first:%Y-%m-%d %H:%M:%S} to {last:%Y-%m-%d %H:%M:%S} UTC"
    ]
    reasons = Counter(each.reason for each in batches)
    lines += [f"    {count:,}x {reason}" for reason, count in reasons.most_common(_MOST_REASONS)]
    if len(reasons) > _MOST_REASONS:
        lines.append(f"    and {len(reasons) - _MOST_REASONS:,} other reasons")
    return lines


def _batches(count: int) -> str:
    return f"{count:,} batch{'es'[: 2 * (count != 1)]}"
