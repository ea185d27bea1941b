"""
Prove where the cache lies, and that its files appear whole.
"""

import os
import stat
import threading
from pathlib import Path

import pytest

from otelwasm.cache import cache_dir, forget_unused, making, mark_used, write_atomically
from otelwasm.errors import SetupError


def test_the_own_variable_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    `OTELWASM_CACHE` names the cache, whatever `XDG_CACHE_HOME` says.
    """
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path / "own"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))

    folder = cache_dir("a", "b")

    assert tmp_path / "own" / "a" / "b" == folder
    assert folder.is_dir()


def test_the_users_cache_is_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without it, the cache is a folder in `XDG_CACHE_HOME`, then in `~/.cache`.
    """
    monkeypatch.delenv("OTELWASM_CACHE", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("HOME", str(tmp_path / "home"))

    from_xdg = cache_dir()
    monkeypatch.delenv("XDG_CACHE_HOME")
    from_home = cache_dir()

    assert tmp_path / "xdg" / "otelwasm" == from_xdg
    assert tmp_path / "home" / ".cache" / "otelwasm" == from_home


def test_a_folder_that_cannot_be_made_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The message names the folder, the reason, and the variable that names another.
    """
    (tmp_path / "file").touch()
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path / "file"))

    with pytest.raises(SetupError, match=r"file/a cannot be made: Not a dir.*; let OTELWASM_CACHE"):
        cache_dir("a")


def test_nobody_else_enters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A folder of the cache is the user's alone, even with a careless umask.
    """
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path))
    before = os.umask(0o002)
    try:
        folder = cache_dir("compiled")
    finally:
        os.umask(before)

    assert 0o700 == stat.S_IMODE(folder.stat().st_mode)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    """
    Writing replaces a file and leaves nothing else behind; its mode follows the umask.
    """
    path = tmp_path / "file"
    write_atomically(path, b"old")
    before = os.umask(0o022)
    try:
        write_atomically(path, b"new")
    finally:
        os.umask(before)

    assert b"new" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())
    assert 0o644 == stat.S_IMODE(path.stat().st_mode)


def test_a_failed_write_leaves_the_old_file(tmp_path: Path) -> None:
    """
    What cannot be written leaves the old file as it was, and nothing else.
    """
    path = tmp_path / "file"
    write_atomically(path, b"old")

    with pytest.raises(TypeError):
        write_atomically(path, "no bytes")  # type: ignore[arg-type]

    assert b"old" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_what_nobody_uses_is_forgotten(tmp_path: Path) -> None:
    """
    Files that were neither written nor used for a month go; folders and all others stay.
    """
    names = ("old", "used", "new")
    for name in names:
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    for name in ("old", "used", "folder"):
        os.utime(tmp_path / name, (1e9, 1e9))
    mark_used(tmp_path / "used")

    forget_unused(tmp_path)

    assert ["folder", "new", "used"] == sorted(path.name for path in tmp_path.iterdir())
    assert 1e9 == (tmp_path / "used").stat().st_mtime


def test_one_makes_and_the_others_wait(tmp_path: Path) -> None:
    """
    Whoever waits for what another makes finds it made, and what a failure left unmade is made next.
    """
    made = tmp_path / "made"
    counted: list[str] = []

    def make(name: str) -> None:
        with making(made):
            if not made.exists():
                counted.append(name)
                made.touch()

    with pytest.raises(ZeroDivisionError), making(made):
        raise ZeroDivisionError
    threads = [threading.Thread(target=make, args=(str(number),)) for number in range(8)]
    with making(made):
        for thread in threads:
            thread.start()
        assert [] == counted
    for thread in threads:
        thread.join(timeout=10)

    assert 1 == len(counted)


def test_who_waits_is_told(tmp_path: Path) -> None:
    """
    `waiting` is called where another is making the same, before the wait for that, and only then.
    """
    told: list[str] = []
    is_told = threading.Event()

    def wait() -> None:
        with making(tmp_path / "made", waiting=is_told.set):
            told.append("in")

    with making(tmp_path / "made", waiting=lambda: told.append("alone")):
        waiter = threading.Thread(target=wait)
        waiter.start()
        assert is_told.wait(timeout=60)
        told.append("out")
    waiter.join(timeout=60)

    assert ["out", "in"] == told
