"""
Run or check a configuration's pipelines in a program of their own.
"""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

import uvloop

from otelwasm.logs import configure_logging
from otelwasm.service import Pipeline, run_until_signalled

__all__ = ["check_pipeline", "in_a_loop", "run_pipeline"]

T = TypeVar("T")


def run_pipeline(config: Path, *, is_watching: bool = False) -> None:
    """
    Run until a signal asks for the end; put changed files in place on SIGHUP, or at once if it
    *is_watching*.
    """

    async def run(pipeline: Pipeline) -> None:
        await run_until_signalled(pipeline, path=config, is_watching=is_watching)

    in_a_loop(config, run)


def check_pipeline(config: Path) -> None:
    """
    Return if the configuration is good and its plugins start; raise SetupError if not.
    """
    in_a_loop(config, Pipeline.check)


def in_a_loop(config: Path, do: Callable[[Pipeline], Coroutine[Any, Any, T]]) -> T:
    """
    Read *config* and *do* something with its pipelines, with the log that it asks for.
    """
    pipeline = Pipeline.from_yaml(config)
    logs = pipeline.config.service.telemetry.logs
    configure_logging(logs.level, logs.encoding)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(do(pipeline))
