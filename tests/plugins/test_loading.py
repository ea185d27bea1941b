"""
What is no plugin of the contract is refused with one clear sentence; what is, is compiled once.
"""

import errno
import json
import os
from pathlib import Path
from typing import Any

import attrs
import pytest
from wasmtime import wat2wasm

from otelwasm.bindgen.shape import shape_of
from otelwasm.contract import contract_dir
from otelwasm.errors import ComponentError
from otelwasm.plugins import compiled as compiled_module
from otelwasm.plugins import hoist
from otelwasm.plugins._generated.processing import VerdictPass
from otelwasm.plugins.compiled import Compiled, Shelf
from otelwasm.plugins.component import Component
from otelwasm.plugins.instance import Instance
from otelwasm.plugins.values import Ok
from otelwasm.signals import Signal
from otelwasm.wit import parse
from plugins.guests import exporter, processor
from plugins.hosts import Notes
from plugins.opening import LIMIT_BYTES
from plugins.wat import BUMP, component, component_of

PASS = component(processor("(call $pass)"))
# Its memory begins with enough data for an image of it.
BULKY = component(
    processor("(call $pass)"),
    pages=8,
    realloc=f"""{BUMP}(data (i32.const 65536) "{"x" * 300_000}")""",
)
OTHER_VERSION = PASS.replace(b"@0.1.0", b"@0.9.0")


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    An empty cache of this test's own.
    """
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path))
    return tmp_path / "compiled"


def works(component: Component) -> bool:
    """
    Can an instance of *component* pass a batch?
    """
    with Instance(component, Notes(), memory_bytes=LIMIT_BYTES, deadline_s=10) as instance:
        return Ok(VerdictPass()) == instance.run(Signal.TRACES, b"batch")


def test_a_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    """
    A component in a file is as good as its bytes.
    """
    path = tmp_path / "pass.wasm"
    path.write_bytes(PASS)

    assert works(Component.load(path, name="pass"))
    assert works(Component.load(os.fspath(path), name="pass"))


def test_world_and_lane_are_known_after_loading() -> None:
    """
    A component says its world, its lane, and whether it has the integers-only form.
    """
    loaded = Component.load(PASS, name="pass")

    assert ("processor", "direct", False) == (loaded.world, loaded.lane, loaded.has_direct)
    assert "bridge" == Component.load(PASS, name="pass", lane="bridge").lane


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """
    The message names plugin and path.
    """
    with pytest.raises(ComponentError, match=r"plugin 'gone': .*/gone.wasm: No such file"):
        Component.load(tmp_path / "gone.wasm", name="gone")


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "an empty file"),
        (b"def process(batch): ...", "not WebAssembly"),
        (bytes(wat2wasm("(module)")), "core module"),
        (PASS[:300], "ends|cut|truncat"),
        (bytes(wat2wasm("(component)")), "nothing of the contract|exports"),
        (OTHER_VERSION, r"made for otelwasm:plugin@0\.9\.0; this host speaks 0\.1\.0: it is newer"),
    ],
)
def test_what_is_no_plugin_is_refused(data: bytes, words: str) -> None:
    """
    Data that is no component of the contract is refused with the reason.
    """
    with pytest.raises(ComponentError, match=f"plugin 'bad': .*({words})") as caught:
        Component.load(data, name="bad")

    assert caught.value.__cause__ is None


def test_an_import_that_is_not_offered_is_refused() -> None:
    """
    A component that wants something the host does not have is refused by that name.
    """
    data = PASS.replace(b"otelwasm:plugin/types", b"otelwasm:plugin/tripe")

    with pytest.raises(ComponentError, match="otelwasm:plugin/tripe"):
        Component.load(data, name="wants")


def test_an_exporter_may_not_emit() -> None:
    """
    What one world offers another need not: an exporter has no pipeline to emit to.
    """
    worlds = parse(contract_dir())
    receiver = worlds.world("receiver")
    greedy = attrs.evolve(worlds.world("exporter"), imports=receiver.imports)
    core = '(import "otelwasm:plugin/pipeline@0.1.0" "emit" (func (param i32 i32 i32 i32)))'
    data = component_of(core + exporter("unreachable"), shape_of(greedy))

    with pytest.raises(ComponentError, match=r"plugin 'greedy': .*otelwasm:plugin/pipeline"):
        Component.load(data, name="greedy")


@pytest.mark.parametrize(
    ("import_", "words"),
    [
        ('(import "wasi:http/handler@0.2.0" (instance (export "f" (func))))', "wasi:http/handler"),
        ('(import "wasi:io/poll@0.9.0" (instance (export "f" (func))))', "version 0.2"),
        ('(import "wasi:cli/exit@0.2.0" (instance (export "nope" (func))))', "wasi:cli/exit"),
        ('(import "something" (func))', "something"),
    ],
)
def test_what_the_host_lacks_is_named(import_: str, words: str) -> None:
    """
    A component that imports what no plugin gets is refused by that name.
    """
    data = component(processor("(call $pass)"), imports=import_)

    with pytest.raises(ComponentError, match=f"plugin 'wants': .*{words}"):
        works(Component.load(data, name="wants"))


def kept(cache: Path) -> list[str]:
    """
    The kinds of files in the cache, less locks.
    """
    return sorted(path.suffix for path in cache.iterdir() if path.suffix != ".lock")


def records(cache: Path) -> list[dict[str, Any]]:
    """
    What the cache says of each plugin.
    """
    return [json.loads(path.read_bytes()) for path in cache.glob("*.json")]


def test_what_was_made_is_kept(cache: Path) -> None:
    """
    The second load of the same component finds the first one's machine code and data.
    """
    Component.load(BULKY, name="bulky")
    files = {path: path.stat().st_mtime_ns for path in cache.iterdir()}

    assert works(Component.load(BULKY, name="bulky"))
    assert files == {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert [".cwasm", ".image", ".json"] == kept(cache)


def test_a_file_that_changes_meanwhile_is_kept_as_what_it_became(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A component written over while it is looked for is not taken for what was there before.
    """
    path = cache.with_name("plugin.wasm")
    path.write_bytes(PASS)
    find = Shelf.find

    def write_over(shelf: Shelf) -> Compiled | None:
        path.write_bytes(BULKY)
        return find(shelf)

    with monkeypatch.context() as patch:
        patch.setattr(Shelf, "find", write_over)
        Component.load(path, name="written over")

    assert not Component.load(PASS, name="pass").images
    assert Component.load(BULKY, name="bulky").images


def test_what_is_in_use_is_not_forgotten(cache: Path) -> None:
    """
    Making another plugin deletes what was not used for long, not what a plugin loaded just now.
    """
    Component.load(BULKY, name="bulky")
    for path in cache.iterdir():
        os.utime(path, (1e9, 1e9))
    (cache / "left.image").touch()
    os.utime(cache / "left.image", (1e9, 1e9))
    loaded = Component.load(BULKY, name="bulky")
    Component.load(PASS, name="pass")

    assert works(loaded)
    assert [".cwasm"] * 2 + [".image"] + [".json"] * 2 == kept(cache)


def test_little_data_has_no_image(cache: Path) -> None:
    """
    A plugin with next to no data is its machine code alone.
    """
    Component.load(PASS, name="pass")

    assert [".cwasm", ".json"] == kept(cache)


def test_lanes_share_what_is_equal(cache: Path) -> None:
    """
    Each lane has compiled code of its own; the data is the same.
    """
    for lane in ("bridge", "direct", "auto"):
        Component.load(BULKY, name="bulky", lane=lane)

    assert [".cwasm"] * 2 + [".image"] + [".json"] * 3 == kept(cache)


def test_plugins_share_large_modules(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A module is compiled once for both lanes and all plugins that hold it; if its file is broken, it
    is made anew.
    """
    monkeypatch.setattr(hoist, "_WORTH_SHARING_BYTES", 0)
    loaded = [Component.load(PASS, name="pass", lane=lane) for lane in ("bridge", "direct")]
    # Another plugin, as its key is another, of the same modules.
    loaded.append(Component.load(PASS + b"\0\3\2no", name="named"))
    modules = {tuple(record["modules"].values()) for record in records(cache)}
    [(first, *rest)] = modules
    (cache / f"{first}.cwasm").unlink()  # what is loaded has it mapped
    (cache / f"{first}.cwasm").write_bytes(b"garbage")
    loaded.append(Component.load(PASS, name="pass", lane="direct"))

    assert [".cwasm"] * (3 + 1 + len(rest)) + [".json"] * 3 == kept(cache)
    assert [True] * 4 == [works(each) for each in loaded]
    assert b"garbage" != (cache / f"{first}.cwasm").read_bytes()


KINDS = (".cwasm", ".image", ".json")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("content", (b"", b"{}", b"garbage" * 1000))
def test_a_broken_file_is_replaced(cache: Path, kind: str, content: bytes) -> None:
    """
    A file that cannot be what was written is made anew.
    """
    Component.load(BULKY, name="bulky")
    (path,) = cache.glob(f"*{kind}")
    whole = path.stat().st_size
    path.write_bytes(content)

    assert works(Component.load(BULKY, name="bulky"))
    assert whole == path.stat().st_size


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_is_made_again(cache: Path, kind: str) -> None:
    """
    A cache that lost a file gets it back.
    """
    Component.load(BULKY, name="bulky")
    (path,) = cache.glob(f"*{kind}")
    path.unlink()

    assert works(Component.load(BULKY, name="bulky"))
    assert path.exists()


@pytest.mark.parametrize("kind", KINDS)
def test_files_that_others_may_write_are_not_read(cache: Path, kind: str) -> None:
    """
    A file in the cache that others may write to is made anew and replaced by a private one.
    """
    Component.load(BULKY, name="bulky")
    (path,) = cache.glob(f"*{kind}")
    path.chmod(0o666)
    os.utime(path, ns=(0, 0))

    assert works(Component.load(BULKY, name="bulky"))
    assert compiled_module.is_private(path)
    assert path.stat().st_mtime_ns > 0


def test_a_folder_that_others_may_write_to_is_not_used(cache: Path) -> None:
    """
    Where others may write to the cache, nothing is read from it and nothing written to it.
    """
    cache.mkdir(parents=True)
    cache.chmod(0o777)

    assert works(Component.load(BULKY, name="bulky"))
    assert [] == list(cache.iterdir())


def test_a_cache_that_cannot_be_made_is_done_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Where the cache cannot be, a plugin is compiled each time, and works.
    """
    (tmp_path / "file").touch()
    monkeypatch.setenv("OTELWASM_CACHE", str(tmp_path / "file" / "below"))

    assert works(Component.load(BULKY, name="bulky"))


def test_a_full_disk_keeps_nothing_from_working(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What cannot be written is not kept, and the plugin works.
    """

    def full(path: Path, data: bytes, *, mode: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(compiled_module, "write_atomically", full)

    assert works(Component.load(BULKY, name="bulky"))
    assert [] == list(cache.iterdir())


@pytest.mark.parametrize("kind", KINDS)
def test_links_are_not_followed(cache: Path, tmp_path: Path, kind: str) -> None:
    """
    A link in place of a file in the cache is replaced, not followed.
    """
    Component.load(BULKY, name="bulky")
    (path,) = cache.glob(f"*{kind}")
    elsewhere = tmp_path / "elsewhere"
    path.rename(elsewhere)
    path.symlink_to(elsewhere)

    assert works(Component.load(BULKY, name="bulky"))
    assert not path.is_symlink()
