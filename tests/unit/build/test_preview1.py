"""
Modules of Go are adapted to what components import.
"""

from pathlib import Path

import pytest

from otelwasm.build.preview1 import adapted_imports
from otelwasm.errors import BuildError
from otelwasm.plugins.binary import leb, name, section

HEADER = b"\0asm\1\0\0\0"
FUNCTION = b"\0"
MEMORY = b"\2"
IMPORTS = 2


def imports(*functions: str) -> bytes:
    """
    A module that imports *functions* of preview 1.
    """
    items = [
        name("wasi_snapshot_preview1") + name(each) + FUNCTION + leb(300) for each in functions
    ]
    return HEADER + section(1, []) + section(IMPORTS, items) + section(5, [])


def test_the_adapter_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    componentize-py carries it, as it is pinned; the second time it comes from the cache.
    """
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path))
    module = imports("fd_write", "fd_read")

    first, second = adapted_imports(module), adapted_imports(module)

    assert first == second
    assert module == first[0]
    assert first[1].startswith(HEADER)


def test_what_is_imported_twice_gets_two_names() -> None:
    """
    Components import each name once: the module says `fd_write-2` for the second, and the adapter
    has that name, too.
    """
    _, adapter = adapted_imports(imports("fd_write"))

    module, with_alias = adapted_imports(imports("fd_write", "sched_yield", "fd_write"))

    assert imports("fd_write", "sched_yield", "fd_write-2") == module
    assert len(adapter) + len(name("fd_write-2") + FUNCTION + leb(127)) <= len(with_alias)
    assert b"fd_write-2" in with_alias


def test_only_functions_are_known() -> None:
    """
    A module of a form that Go does not make today is refused.
    """
    memory = name("env") + name("memory") + MEMORY + b"\0" + leb(1)

    with pytest.raises(BuildError, match="imports something else than functions"):
        adapted_imports(HEADER + section(IMPORTS, [memory]))
