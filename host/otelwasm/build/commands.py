"""
Run a toolchain's programs.
"""

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from otelwasm.errors import BuildError

__all__ = ["attempt", "succeed"]

# Lines of cargo and go that say what they do, or again that it failed.
_NOISE = re.compile(
    r" *(Updating|Locking|Downloading|Downloaded) |go: (downloading|finding module)"
    r"|error: could not compile .* due to \d+ previous error"
)
# What a terminal shows of a compiler's message before its beginning is gone.
_LIMIT_LINES = 80


def attempt(
    command: Sequence[str], folder: Path, environment: Mapping[str, str | None] | None = None
) -> "subprocess.CompletedProcess[str]":
    """
    Run *command* in *folder* and return what became of it. None in *environment* unsets a name.
    """
    merged = {**os.environ, **(environment or {})}
    return subprocess.run(
        command,
        cwd=folder,
        env={name: value for name, value in merged.items() if value is not None},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
    )


def succeed(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str | None] | None = None,
    *,
    failure: str,
) -> tuple[str, str]:
    """
    Run *command* in *folder* and return what it printed and what it said besides.

    When it fails, raise BuildError with *failure* and the first lines of what it said.
    """
    done = attempt(command, folder, environment)
    if done.returncode != 0:
        said = (done.stderr.strip() or done.stdout.strip()).splitlines()
        lines = [line for line in said if not _NOISE.match(line)]
        if len(lines) > _LIMIT_LINES:
            lines[_LIMIT_LINES:] = [f"... and {len(lines) - _LIMIT_LINES} more lines"]
        raise BuildError("\n".join([failure, *lines]))
    return done.stdout, done.stderr
