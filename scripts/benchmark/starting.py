"""
What an author and a program wait for: a saved file's first batch, a cold process's, a verdict.
"""

import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from benchmark.guests import Guests
from benchmark.payloads import payload
from benchmark.rounds import Took, in_turns, timed
from benchmark.session import Session
from benchmark.tables import Table, figure
from otelwasm import Plugin, Signal

__all__ = ["starting"]

_STARTS = 20
_IMPORTS = {
    "Python itself": "pass",
    "and `import attrs`": "import attrs",
    "and `import wasmtime.component`": "import attrs, wasmtime.component",
    "and `from otelwasm import Plugin`": "from otelwasm import Plugin",
}
_PROGRAM = (
    "import sys; from otelwasm import Plugin, Signal\n"
    "plugin = Plugin(sys.argv[1]); plugin.process(Signal.TRACES, b'')"
)
_PIPELINE = """
receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:0"}}}}}}}}
processors: {{wasm/plugin: {{plugin: "{plugin}"}}}}
exporters: {{debug: {{}}}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [wasm/plugin], exporters: [debug]}}
"""
# What tells that a program is there; how Python then takes itself down is no part of a start.
_THERE = "; print(flush=True)"


def starting(session: Session) -> Table:
    """
    Measure one plugin as a file, which instant mode runs, and as the component built of it.
    """
    table = Table("From a file to its first batch", ["", "elapsed, ms", "CPU, ms"])
    with Guests.open(session.report) as guests:
        component = guests.built("set_attribute")
        source = guests.source("set_attribute")
        file = session.folder / source.name
        places = {"a `.py` file, saved now": file, "a component, built before": component}
        text = source.read_text()
        file.write_text(text)
        for place in places.values():
            _first_batch(place)  # what can be cached is, now

        def saved_and_run(place: Path) -> None:
            if place is file:
                place.write_text(f"{text}\n# {time.perf_counter_ns()}\n")
            _first_batch(place)

        runs = {
            f"{what}, to its first batch": lambda place=place: saved_and_run(place)
            for what, place in places.items()
        }
        for name, took in _in_turns(runs).items():
            table.add(f"in a running host: {name}", *_shown(took))
        programs = {name: ("-c", program + _THERE) for name, program in _IMPORTS.items()}
        for what, place in places.items():
            programs[f"{what}, to its first batch"] = ("-c", _PROGRAM + _THERE, str(place))
        pipeline = session.folder / "pipeline.yaml"
        pipeline.write_text(_PIPELINE.format(plugin=file))
        programs["`otelwasm run` with the `.py` file, until it takes batches"] = (
            *("-m", "otelwasm", "run"),
            str(pipeline),
        )
        size = f"{component.stat().st_size / 1e6:.0f} MB"
        programs[f"`otelwasm validate`, a component of {size}"] = (
            *("-m", "otelwasm", "validate"),
            str(component),
        )
        for name, took in _programs(programs, session).items():
            table.add(f"a cold process: {name}", *_shown(took))
        _add_speeds(table, places, session)
    table.notes.append(
        "The first batch is empty: it is the start that counts. Programs find "
        "our modules and all others compiled to bytecode, as pip leaves them."
    )
    return table


def _first_batch(place: Path) -> None:
    with Plugin(place) as plugin:
        plugin.process(Signal.TRACES, b"")


def _programs(programs: Mapping[str, tuple[str, ...]], session: Session) -> dict[str, Took]:
    """
    Run each of *programs*, by its arguments of Python, in a process of its own, until it prints.
    """
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONPYCACHEPREFIX": str(session.folder / "bytecode"),
    }

    def run(arguments: tuple[str, ...]) -> None:
        with subprocess.Popen(
            [sys.executable, *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment,
        ) as process:
            assert process.stdout is not None
            printed = process.stdout.read(1)
            process.kill()
        if not printed:
            raise RuntimeError(f"a program ended early: python {' '.join(arguments)}")

    return _in_turns(
        {name: lambda arguments=arguments: run(arguments) for name, arguments in programs.items()}
    )


def _in_turns(runs: Mapping[str, Callable[[], None]]) -> dict[str, Took]:
    """
    Medians of some calls of each, with what processes of their own took.
    """
    samples: dict[str, list[Took]] = {name: [] for name in runs}
    for number in range(_STARTS + 1):
        for name, run in runs.items():
            began, began_cpu = time.perf_counter(), _cpu_s()
            run()
            if number:  # the first call is no measure of those that follow
                samples[name].append(Took(time.perf_counter() - began, _cpu_s() - began_cpu))
    return {
        name: Took(
            statistics.median(took.elapsed_s for took in all_),
            statistics.median(took.cpu_s for took in all_),
        )
        for name, all_ in samples.items()
    }


def _cpu_s() -> float:
    """
    The processor time of this process, and of those that it waited for.
    """
    used = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _shown(took: Took) -> tuple[str, str]:
    return figure(took.elapsed_s * 1e3), figure(took.cpu_s * 1e3)


def _add_speeds(table: Table, places: Mapping[str, Path], session: Session) -> None:
    """
    Compare what runs once both have started.
    """
    plugins = {what: Plugin(place) for what, place in places.items()}
    try:
        for spans in (1, 1_000):
            data = payload(spans)
            runs = {
                what: timed(lambda plugin=plugin, data=data: plugin.process(Signal.TRACES, data))
                for what, plugin in plugins.items()
            }
            for what, took in in_turns(runs, seconds=session.seconds).items():
                table.add(f"a batch of {spans:,} span{'s'[: spans > 1]}: {what}", *_shown(took))
    finally:
        for plugin in plugins.values():
            plugin.close()
