"""
What a compiler says of a mistake is shown, and nothing else.
"""

from pathlib import Path

import pytest

from otelwasm.build.commands import succeed
from otelwasm.errors import BuildError


def fail(folder: Path, said: str) -> str:
    """
    The message when a program that says so fails.
    """
    (folder / "said").write_text(said)
    with pytest.raises(BuildError) as raised:
        succeed(["sh", "-c", "cat said >&2; exit 1"], folder, failure="it does not compile:")
    return str(raised.value)


def test_progress_is_no_part_of_a_failure(tmp_path: Path) -> None:
    """
    What cargo and go tell of their progress is left out, and that it failed is said once.
    """
    said = """
    Updating an index
go: downloading example.com/x v1.0.0
error[E0308]: mismatched types
 --> src/lib.rs:3:1
error: could not compile `x` (lib) due to 1 previous error
"""
    shown = "it does not compile:\nerror[E0308]: mismatched types\n --> src/lib.rs:3:1"

    assert shown == fail(tmp_path, said)


def test_a_long_message_is_cut(tmp_path: Path) -> None:
    """
    The first mistakes are shown, and how much more there is.
    """
    shown = fail(tmp_path, "\n".join(f"line {number}" for number in range(1, 101)))

    assert ["line 80", "... and 20 more lines"] == shown.splitlines()[-2:]


def test_a_program_that_is_killed_says_so(tmp_path: Path) -> None:
    """
    The one line that there may be is not left out.
    """
    said = "error: could not compile `x` (lib)\nCaused by: signal: 9, SIGKILL: kill"

    assert f"it does not compile:\n{said}" == fail(tmp_path, said)


def test_the_environment_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A value is set for the program, None takes one away.
    """
    monkeypatch.setenv("SHARED", "kept")
    monkeypatch.setenv("DROPPED", "not wanted")
    command = ["sh", "-c", "echo $SHARED $ADDED ${DROPPED-gone}; echo aside >&2"]

    printed = succeed(command, tmp_path, {"ADDED": "set", "DROPPED": None}, failure="it fails:")

    assert ("kept set gone\n", "aside\n") == printed
