"""
wasm-tools is the one version, wherever it comes from.
"""

import json
from pathlib import Path

import pytest

from otelwasm.build import wasm_tools
from otelwasm.build.wasm_tools import VERSION, make_component
from otelwasm.errors import BuildError


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    The only folder of the PATH, with nothing in it, and a cache of its own.
    """
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path / "cache"))
    return folder


def program(folder: Path, name: str, script: str) -> None:
    """
    Put a shell script into *folder*.
    """
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_the_one_on_the_path_is_used_if_it_is_the_version(programs: Path) -> None:
    """
    Another version on the PATH is as good as none; without go and cargo there is no other way.
    """
    tool = f'[ "$1" = --version ] && echo wasm-tools {VERSION} || echo of "$2" >made.wasm'
    program(programs, "wasm-tools", tool)
    made = make_component(b"", report=print)
    program(programs, "wasm-tools", "echo wasm-tools 1.0.0")

    with pytest.raises(BuildError) as raised:
        make_component(b"", report=print)

    assert b"of new\n" == made
    assert str(raised.value) == (
        f"wasm-tools {VERSION} makes the component: there is none on the PATH, and neither go nor"
        " cargo to get it with"
    )


def test_what_it_says_of_a_module_is_passed_on(programs: Path) -> None:
    """
    The first of its complaints comes with what it was doing.
    """
    fails = "{ echo error: no magic number >&2; exit 3; }"
    program(programs, "wasm-tools", f'[ "$1" = --version ] && echo wasm-tools {VERSION} || {fails}')

    with pytest.raises(BuildError) as raised:
        make_component(b"", report=print)

    assert "wasm-tools component new failed (exit status 3):\nerror: no magic number" == str(
        raised.value
    )


def test_a_file_that_was_changed_is_not_used(programs: Path, tmp_path: Path) -> None:
    """
    What go fetches is used only if it is what we know.
    """
    packed = tmp_path / wasm_tools._MODULE_FILE
    packed.parent.mkdir(parents=True)
    packed.write_bytes(b"something else")
    program(programs, "go", f"echo '{json.dumps({'Dir': str(tmp_path)})}'")

    with pytest.raises(BuildError, match="than it should: it is not used"):
        make_component(b"", report=print)

    program(programs, "go", """echo '{"Error": "no such host"}'; exit 1""")
    with pytest.raises(BuildError, match="which has wasm-tools in it: no such host"):
        make_component(b"", report=print)


def test_cargo_builds_it_where_there_is_no_go(programs: Path) -> None:
    """
    It says that this takes minutes; the second time it is there.
    """
    said: list[str] = []
    tool = f'[ "$1" = --version ] && echo wasm-tools {VERSION} || echo built >made.wasm'
    program(
        programs,
        "cargo",
        # The root is the argument after --root.
        'while [ "$1" != --root ]; do shift; done; /bin/mkdir -p "$2/bin"\n'
        f'echo \'#!/bin/sh\n{tool}\' >"$2/bin/wasm-tools"; /bin/chmod +x "$2/bin/wasm-tools"',
    )

    first = make_component(b"", report=said.append)
    second = make_component(b"", report=said.append)

    assert (b"built\n", b"built\n") == (first, second)
    assert [f"building wasm-tools {VERSION} with cargo, once; it takes minutes"] == said
