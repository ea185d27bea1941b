"""
Run a plugin's cases and show what differs from what is expected.
"""

import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from otelwasm.build.instant import runnable
from otelwasm.config.structure import did_you_mean
from otelwasm.errors import CaseError
from otelwasm.logs import configure_logging
from otelwasm.plugins.lane import Lane
from otelwasm.testing.cases import Case, cases_folder, read_cases
from otelwasm.testing.results import CaseResult, check_case

__all__ = ["run_cases"]


def run_cases(
    plugin: Path,
    *,
    cases: Path | None = None,
    names: Sequence[str] = (),
    lane: Lane = "auto",
    is_updating: bool = False,
) -> bool:
    """
    Run those cases of *plugin* that are among *names*, or all; return whether all are good.

    What came becomes what is expected if it *is_updating*. Raises SetupError.
    """
    if not plugin.exists():
        raise CaseError(f"{plugin}: there is no such file or folder")
    folder = cases_folder(plugin) if cases is None else cases
    chosen = list(_chosen(read_cases(folder), names, folder=folder))
    ready = _ready(plugin)
    console = Console(highlight=False, soft_wrap=True)
    progress = Console(stderr=True, highlight=False)
    # What becomes of a plugin is shown with its case.
    configure_logging("error")
    results = []
    for case in chosen:
        with progress.status(f"running {case}"):
            result = check_case(case, ready, lane=lane, is_updating=is_updating)
        results.append(result)
        _print(console, result)
    good = sum(result.is_good for result in results)
    seconds = sum(result.duration_s for result in results)
    of = f"{len(results)} case{'' if len(results) == 1 else 's'}"
    console.print(f"{good} of {of} passed ({seconds:.2f} s)")
    acceptable = [result.case.name for result in results if result.differences_only()]
    if acceptable and not is_updating:
        every = len(acceptable) == len(results) and not names
        command = ["otelwasm", "test", *([] if plugin == Path(".") else [str(plugin)])]
        command += [] if cases is None else ["--cases", str(cases)]
        command += [] if every else [part for name in acceptable for part in ("--case", name)]
        console.print(f"If what came is right: {shlex.join([*command, '--update'])}")
    return good == len(results)


def _chosen(cases: list[Case], names: Sequence[str], *, folder: Path) -> Iterator[Case]:
    known = {case.name: case for case in cases}
    for name in names:
        if name not in known:
            guess = did_you_mean(name, known)
            raise CaseError(f"no case {name!r} in {folder};{guess} cases: {', '.join(known)}")
    yield from (case for case in cases if not names or case.name in names)


def _ready(plugin: Path) -> Path:
    """
    What a trial starts at once: builds what has to be built, and shows how far that is.
    """
    console = Console(stderr=True, highlight=False)
    with console.status(f"preparing {plugin}") as status:

        def report(line: str) -> None:
            status.update(line)

        ready = runnable(plugin, report=report)
    return ready if isinstance(ready, Path) else plugin


def _print(console: Console, result: CaseResult) -> None:
    word, style = ("ok  ", "green") if result.is_good else ("FAIL", "bold red")
    console.print(Text.assemble((word, style), f"  {result.case.name}"))
    for path in result.written:
        console.print(Text(f"      written: {path}"))
    for path in result.removed:
        console.print(Text(f"      removed: {path}"))
    for line in result.lines():
        console.print(Text(f"      {line}"))
