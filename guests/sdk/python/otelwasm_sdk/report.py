"""
Show where in the author's code something went wrong, and only there.
"""

import traceback
from pathlib import PurePath

import attrs

from otelwasm_sdk.advice import advice_on

__all__ = ["Report", "report_of"]

# The SDK, and Python's own modules as they are called in a component.
_NOT_THEIRS = (str(PurePath(__file__).parent), "<frozen ", "<attrs generated", "/python/")
_LIMIT_CHARS = 16_000


@attrs.frozen
class Report:
    """
    An exception in one line, for whoever sent the batch, and in full, for the log.

    *place* is the last line of the author's own code, as `file:line`, if it got there; *reason*
    is the exception without a place, *advice* what helps. The others hold all three.
    """

    place: str | None
    reason: str
    advice: str | None
    summary: str
    full: str


def report_of(error: BaseException, folder: str = "") -> Report:
    """
    Describe *error* with the frames of the plugin's code, without those of the SDK and of Python,
    and with what helps.

    File names are given as seen from *folder*, which ends with a slash.
    """
    found = traceback.TracebackException.from_exception(error)
    frames = _own(found, folder)
    _tidy(found, folder)
    advice = advice_on(error)
    text = "".join(found.format())
    if len(text) > _LIMIT_CHARS:
        half = _LIMIT_CHARS // 2
        text = f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
    text = text.rstrip("\n")
    reason = "".join(found.format_exception_only()).strip().splitlines()[-1]
    place, summary = None, reason
    if frames:
        last = frames[-1]
        place = f"{last.filename}:{last.lineno}"
        summary += f" ({place} in {last.name})"
    if isinstance(error, SyntaxError):
        place, reason = _of_syntax(found, error)
    if advice:
        summary, text = f"{summary}; {advice}", f"{text}\n{advice}"
    return Report(place, reason, advice, summary, text)


def _own(
    found: traceback.TracebackException, folder: str
) -> list[traceback.FrameSummary] | traceback.StackSummary:
    """
    The frames in *folder*, or all that are not of the SDK or Python if there are none.
    """
    mine = [frame for frame in found.stack if folder and frame.filename.startswith(folder)]
    return mine or [frame for frame in found.stack if _is_theirs(frame)]


def _is_theirs(frame: traceback.FrameSummary) -> bool:
    return not frame.filename.startswith(_NOT_THEIRS)


def _of_syntax(found: traceback.TracebackException, error: SyntaxError) -> tuple[str, str]:
    """
    Where a SyntaxError is, and the error with the line and a caret below it.
    """
    lines = "".join(found.format_exception_only()).rstrip("\n").splitlines()
    shown = "".join(f"\n{line}" for line in lines[1:-1])
    return f"{found.filename}:{error.lineno}", f"{lines[-1]}{shown}"


def _tidy(found: traceback.TracebackException, folder: str) -> None:
    found.stack[:] = [frame for frame in found.stack if _is_theirs(frame)]
    for frame in found.stack:
        frame.filename = frame.filename.removeprefix(folder)
    if isinstance(getattr(found, "filename", None), str):
        found.filename = found.filename.removeprefix(folder)  # of a SyntaxError
    for related in (found.__cause__, found.__context__, *(found.exceptions or ())):
        if related is not None:
            _tidy(related, folder)
