"""
Show where in the author's code something went wrong, and only there.
"""

import traceback
from pathlib import PurePath

import attrs

__all__ = ["Report", "report_of"]

_NOT_THEIRS = (str(PurePath(__file__).parent), "<frozen importlib", "<attrs generated")
_LIMIT_CHARS = 16_000


@attrs.frozen
class Report:
    """
    An exception in one line, for whoever sent the batch, and in full, for the log.
    """

    summary: str
    full: str


def report_of(error: BaseException, folder: str = "") -> Report:
    """
    Describe *error* with the frames of the plugin's code, without those of the SDK.

    File names are given as seen from *folder*, which ends with a slash.
    """
    found = traceback.TracebackException.from_exception(error)
    _tidy(found, folder)
    text = "".join(found.format())
    if len(text) > _LIMIT_CHARS:
        half = _LIMIT_CHARS // 2
        text = f"{text[:half]}\n… {len(text) - 2 * half} characters left out …\n{text[-half:]}"
    summary = "".join(found.format_exception_only()).strip().splitlines()[-1]
    if found.stack:
        last = found.stack[-1]
        summary += f" ({last.filename}:{last.lineno} in {last.name})"
    return Report(summary, text.rstrip("\n"))


def _tidy(found: traceback.TracebackException, folder: str) -> None:
    found.stack[:] = [frame for frame in found.stack if not frame.filename.startswith(_NOT_THEIRS)]
    for frame in found.stack:
        frame.filename = frame.filename.removeprefix(folder)
    for related in (found.__cause__, found.__context__, *(found.exceptions or ())):
        if related is not None:
            _tidy(related, folder)
