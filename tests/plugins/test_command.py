"""
Commands of WASI's preview 1 run in a sandbox, and their machine code is kept.
"""

from pathlib import Path

import pytest
import wasmtime

from otelwasm.plugins.command import run_command

ENDS = """
(module
  (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
  (memory (export "memory") 1)
  (func (export "_start") (call $exit (i32.const {status}))))
"""


def program(status: int) -> bytes:
    """
    A command that ends with *status*.
    """
    return bytes(wasmtime.wat2wasm(ENDS.format(status=status)))


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    The folder that machine code is kept in, empty.
    """
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "commands"


def test_a_command_is_compiled_once(kept: Path, tmp_path: Path) -> None:
    """
    What the first run compiled the second one takes.
    """
    assert (3, "") == run_command(program(3), ["ends"], folder=tmp_path)
    [code] = kept.iterdir()
    code.write_bytes(bytes(wasmtime.Module(wasmtime.Engine(), program(4)).serialize()))

    assert (4, "") == run_command(program(3), ["ends"], folder=tmp_path)


@pytest.mark.parametrize("which", ["folder", "file"])
def test_code_that_others_may_write_is_not_run(kept: Path, tmp_path: Path, which: str) -> None:
    """
    Kept code is the user's own, in a folder of the user's own, or it is compiled anew.
    """
    run_command(program(3), ["ends"], folder=tmp_path)
    [code] = kept.iterdir()
    code.write_bytes(bytes(wasmtime.Module(wasmtime.Engine(), program(4)).serialize()))
    (kept if which == "folder" else code).chmod(0o777)

    assert (3, "") == run_command(program(3), ["ends"], folder=tmp_path)
