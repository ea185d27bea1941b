"""
What a plugin keeps is there again, within its quota, whoever else writes at the time.
"""

import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from otelwasm.errors import SetupError
from otelwasm.plugins._generated.types import FailurePermanent, FailureRetryable
from otelwasm.plugins.capabilities.state import PluginState
from otelwasm.plugins.values import Err, Ok


def opened(folder: Path, quota_bytes: int = 1000) -> PluginState:
    """
    The state of one plugin.
    """
    return PluginState(folder / "state" / "x.sqlite", plugin="x", quota_bytes=quota_bytes)


def test_values_outlive_the_program(tmp_path: Path) -> None:
    """
    What was set is found by the next start, with what it takes.
    """
    first = opened(tmp_path)
    assert Ok(None) == first.set("key", b"old")
    assert Ok(None) == first.set("key", b"\x00new")
    assert Ok(None) == first.set("é", b"")
    assert Ok(None) == first.set("gone", b"value")
    assert Ok(None) == first.delete("gone")
    used_bytes = first.used_bytes
    first.close()
    first.close()
    second = opened(tmp_path)

    assert [Ok(b"\x00new"), Ok(b""), Ok(None)] == [second.get(key) for key in ("key", "é", "gone")]
    assert 3 + 4 + 2 == used_bytes == second.used_bytes
    second.close()


def test_the_quota_holds(tmp_path: Path) -> None:
    """
    What exceeds it is refused for good and changes nothing; room that is freed can be used.
    """
    state = opened(tmp_path, quota_bytes=10)
    assert Ok(None) == state.set("k", b"x" * 9)
    for refused in (state.set("l", b""), state.set("k", b"x" * 10)):
        assert isinstance(refused, Err)
        assert isinstance(refused.error, FailurePermanent)
        assert "11 B would exceed the quota of 10 B" in refused.error.value

    assert Ok(b"x" * 9) == state.get("k")
    assert Ok(None) == state.set("k", b"x")
    assert Ok(None) == state.set("l", b"x" * 7)
    assert 10 == state.used_bytes
    state.close()


@pytest.mark.parametrize("key", ["", "a\x00b", "a\nb", "\x7f", "x" * 1025, "é" * 513])
def test_odd_keys_are_refused(tmp_path: Path, key: str) -> None:
    """
    A key has a length and is text that can be shown.
    """
    state = opened(tmp_path)
    for answer in (state.get(key), state.set(key, b""), state.delete(key)):
        assert isinstance(answer, Err)
        assert isinstance(answer.error, FailurePermanent)
    state.close()


def test_instances_share_it(tmp_path: Path) -> None:
    """
    Threads that write at the same time lose nothing, and the count stays right.
    """
    state = opened(tmp_path, quota_bytes=1 << 20)

    def write(number: int) -> None:
        for round_ in range(20):
            state.set(f"key {number}", b"x" * round_)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(write, range(4)))

    assert [Ok(b"x" * 19)] * 4 == [state.get(f"key {number}") for number in range(4)]
    assert 4 * (5 + 19) == state.used_bytes
    state.close()


def test_trouble_with_the_file_may_pass(tmp_path: Path) -> None:
    """
    What SQLite cannot do now is a failure to try again after, and names the file.
    """
    state = opened(tmp_path)
    state.close()
    for answer in (state.get("k"), state.set("k", b""), state.delete("k")):
        assert isinstance(answer, Err)
        assert isinstance(answer.error, FailureRetryable)
        assert "x.sqlite" in answer.error.value.reason


def test_two_programs_cannot_share_it(tmp_path: Path) -> None:
    """
    The second one is told at its start.
    """
    first = opened(tmp_path)
    with pytest.raises(SetupError, match=r"plugin 'x': its state .* another program uses it"):
        opened(tmp_path)
    first.close()


def test_a_file_that_is_none_is_a_set_up_error(tmp_path: Path) -> None:
    """
    Neither a folder in the way nor other data is touched.
    """
    path = tmp_path / "state" / "x.sqlite"
    path.parent.mkdir()
    path.write_bytes(b"something else" * 100)
    with pytest.raises(SetupError, match="file is not a database"):
        opened(tmp_path)

    assert path.read_bytes() == b"something else" * 100


def test_without_a_path_nothing_is_kept() -> None:
    """
    A state in memory has the same rules, and ends with its object.
    """
    first, second = PluginState(None), PluginState(None)
    first.set("key", b"value")

    assert [Ok(b"value"), Ok(None)] == [first.get("key"), second.get("key")]
    first.close()
    second.close()


def test_it_is_plain_sqlite(tmp_path: Path) -> None:
    """
    Once the program has ended, anybody can read the file.
    """
    state = opened(tmp_path)
    state.set("key", b"value")
    state.close()
    with sqlite3.connect(tmp_path / "state" / "x.sqlite") as database:
        rows = database.execute("SELECT * FROM state").fetchall()
    database.close()

    assert [("key", b"value")] == rows
