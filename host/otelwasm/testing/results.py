"""
Compare what came out of a case with its expected files, and say what differs; or accept it.

    result = check_case(case, "my-plugin")      # one case
    check_cases("my-plugin")                    # all of them, in a test: raises AssertionError
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs

from otelwasm.errors import CaseError
from otelwasm.plugins.lane import Lane
from otelwasm.testing.cases import Case, cases_folder, read_cases
from otelwasm.testing.comparing import compared, described, nothing_for, stale
from otelwasm.testing.differences import Difference
from otelwasm.testing.running import Came, Plugin, run
from otelwasm.testing.trial import LogLine

__all__ = ["CaseResult", "Problem", "check_case", "check_cases"]

_MOST_SHOWN = 40
_PASSED_ON = "(the plugin passes it on unchanged)"


@attrs.frozen
class Problem:
    """
    What is wrong with one file of a case, or in one step of it: differences, or a text.
    """

    title: str
    differences: tuple[Difference, ...] = ()
    text: str = ""
    is_breakdown: bool = False

    def lines(self) -> Iterator[str]:
        """
        The problem for people: the title, and below it what differs, place by place.
        """
        yield self.title
        yield from (f"  {line}" for line in self.text.splitlines())
        places: dict[str, list[str]] = {}
        for each in self.differences[:_MOST_SHOWN]:
            places.setdefault(each.where, []).append(each.what)
        for where, all_of_it in places.items():
            indent = "  "
            if where:
                yield f"  {where}"
                indent = "    "
            yield from (f"{indent}{what}" for what in all_of_it)
        if (more := len(self.differences) - _MOST_SHOWN) > 0:
            yield f"  … and {more} more differences"


@attrs.frozen
class CaseResult:
    """
    What became of a case; *written* and *removed* are the expected files that were brought in line.
    """

    case: Case
    problems: tuple[Problem, ...]
    logged: tuple[LogLine, ...]
    duration_s: float
    written: tuple[Path, ...] = ()
    removed: tuple[Path, ...] = ()

    @property
    def is_good(self) -> bool:
        """
        Whether everything came as it was expected.
        """
        return not self.problems

    def differences_only(self) -> bool:
        """
        Whether there are problems, and none that accepting what came could not settle.
        """
        return bool(self.problems) and not any(each.is_breakdown for each in self.problems)

    def __str__(self) -> str:
        return "\n".join([f"case {self.case.name}:", *(f"  {line}" for line in self.lines())])

    def lines(self) -> Iterator[str]:
        """
        What is wrong, for people, and what the plugin logged on the way.
        """
        for problem in self.problems:
            yield from problem.lines()
        if self.problems and self.logged:
            yield "it logged:"
            for line in self.logged[:_MOST_SHOWN]:
                attributes = dict(line.attributes)
                word = attributes.pop("stream", line.level)
                first, *rest = line.message.splitlines() or [""]
                yield f"  {word}: {first}{''.join(f' {k}={v}' for k, v in attributes.items())}"
                yield from (f"    {each}" for each in rest)


def check_cases(
    plugin: Plugin, *, cases: str | os.PathLike[str] | None = None, lane: Lane = "auto"
) -> None:
    """
    Run all cases of *plugin*, whatever a Trial takes; raises AssertionError with what differs, if
    anything does. They are in its folder's `cases`, unless *cases* names another folder.
    """
    __tracebackhide__ = True  # pytest shows the test's own line, and the message
    if cases is not None:
        folder = Path(cases)
    elif isinstance(plugin, str | os.PathLike):
        folder = cases_folder(Path(plugin))
    else:
        raise TypeError("a function or class has no folder of cases: give check_cases(…, cases=)")
    results = [check_case(case, plugin, lane=lane) for case in read_cases(folder)]
    bad = [str(result) for result in results if not result.is_good]
    if bad:
        raise AssertionError("\n".join([*bad, "If what came is right: otelwasm test --update"]))


def check_case(
    case: Case, plugin: Plugin, *, lane: Lane = "auto", is_updating: bool = False
) -> CaseResult:
    """
    Run a case with *plugin*, whatever a Trial takes, and compare what comes with what is expected.

    If it *is_updating*, what came is written to the expected files first, unless the plugin broke
    down. Raises SetupError if the plugin cannot be loaded.
    """
    began = time.perf_counter()
    came = run(case, plugin, lane=lane)
    written: list[Path] = []
    removed: list[Path] = []
    problems = [Problem(str(each), text=each.text, is_breakdown=True) for each in came.breakdowns]
    if is_updating and not problems:
        for path in stale(case, came):
            path.unlink()
            removed.append(path)
        for path, value in came.files.items():
            if not path.is_file() or not _is_as_expected(case, path, value):
                path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
                written.append(path)
    problems += _problems(case, came)
    return CaseResult(
        case,
        tuple(problems),
        tuple(came.logged),
        time.perf_counter() - began,
        tuple(written),
        tuple(removed),
    )


def _problems(case: Case, came: Came) -> Iterator[Problem]:
    for path, value in came.files.items():
        if not path.is_file():
            text = f"came: {described(value)}\n--update writes the file with that"
            yield Problem(f"{path.name} is missing", text=text)
        elif found := compared(case, path, value):
            note = f" {_PASSED_ON}" if value == "pass" else ""
            yield Problem(f"{path.name}{note}", tuple(found))
    if not came.breakdowns:
        for path in stale(case, came):
            yield Problem(
                path.name, text=f"{nothing_for(path)}\n--update removes the file, if that is right"
            )


def _is_as_expected(case: Case, path: Path, value: Any) -> bool:
    try:
        return not compared(case, path, value)
    except CaseError:
        # To be overwritten anyway.
        return False
