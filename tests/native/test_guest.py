"""
protobuf's C core and our extension inside a real guest, without the SDK and its host.
"""

import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message
from wasmtime import Config, Engine, Store, WasiConfig
from wasmtime.component import Component, Linker

from native.otlp_samples import REQUESTS
from otelwasm.build.kept import key_of
from otelwasm.build.native import native_modules
from otelwasm.cache import cache_dir, making, write_atomically
from otelwasm.contract import contract_dir

APP = Path(__file__).with_name("guest") / "app.py"
# Distribution -> its package.
CARRIED = {"protobuf": "google/protobuf", "opentelemetry-proto": "opentelemetry/proto"}
IMPORTS = {
    "pipeline": ("emit",),
    "log": ("write",),
    "meter": ("add", "observe"),
    "state": ("get", "set", "delete"),
    "http": ("send",),
    "direct-host": ("call", "answer"),
}


@pytest.fixture(scope="module")
def component(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """
    The guest in guest/app.py, built by componentize-py, once from the same sources.
    """
    native = native_modules()
    versions = {name: version(name) for name in ("componentize-py", *CARRIED)}
    files = ((path.name, path) for path in (APP, *sorted(contract_dir().glob("*.wit"))))
    key = key_of({"native": native.name, "versions": versions}, files)
    kept = cache_dir("tests") / f"guest-{key}.wasm"
    with making(kept):
        if not kept.is_file():
            folder = tmp_path_factory.mktemp("guest")
            write_atomically(kept, componentized(folder, native))
    return kept


def componentized(folder: Path, native: Path) -> bytes:
    """
    Build the guest in a folder.
    """
    installed = Path(sysconfig.get_path("purelib"))
    for package in CARRIED.values():
        # The machine's own modules would be taken for the guest's.
        skipped = shutil.ignore_patterns("*.so", "__pycache__")
        shutil.copytree(installed / package, folder / "site" / package, ignore=skipped)
    program = Path(sysconfig.get_path("scripts"), "componentize-py")
    paths = (APP.parent, native, folder / "site")
    subprocess.run(
        [
            *(program, "-q", "-d", contract_dir(), "-w", "python-processor"),
            *("componentize", "app", "-o", folder / "app.wasm"),
            *(argument for path in paths for argument in ("-p", path)),
        ],
        check=True,
    )
    return (folder / "app.wasm").read_bytes()


class Guest:
    """
    An instance whose exports are called by name, through wasmtime's own slow conversions.
    """

    def __init__(self, path: Path) -> None:
        config = Config()
        config.cache = True
        engine = Engine(config)
        self.component = Component.from_file(engine, str(path))
        linker = Linker(engine)
        linker.add_wasip2()
        with linker.root() as root:
            for interface, functions in IMPORTS.items():
                with root.add_instance(f"otelwasm:plugin/{interface}@0.1.0") as instance:
                    for function in functions:
                        instance.add_func(function, lambda *arguments: None)
        self.store = Store(engine)
        self.store.set_wasi(WasiConfig())
        self.instance = linker.instantiate(self.store, self.component)

    def call(self, interface: str, name: str, *arguments: object) -> Any:
        """
        Call an export.
        """
        exports = self.component.get_export_index(f"otelwasm:plugin/{interface}@0.1.0")
        assert exports is not None
        function = self.instance.get_func(
            self.store, self.component.get_export_index(name, exports)
        )
        assert function is not None
        result = function(self.store, *arguments)
        function.post_return(self.store)
        return result


@pytest.fixture(scope="module")
def guest(component: Path) -> Iterator[Guest]:
    """
    The guest, running.
    """
    guest = Guest(component)
    yield guest
    guest.store.close()


def traces() -> Message:
    """
    A request with one span.
    """
    request = REQUESTS[0]()
    request.resource_spans.add().scope_spans.add().spans.add(name="GET")
    return request


def test_protobuf_is_compiled(guest: Guest) -> None:
    """
    The guest's protobuf is the C core, not the one in Python that is a hundred times slower.
    """
    assert "upb" == guest.call("lifecycle", "start", "{}")


def test_payload_is_decoded_and_encoded(guest: Guest) -> None:
    """
    protobuf parses, changes and serializes in the guest.
    """
    request = traces()
    verdict = guest.call("processing", "process", "traces", request.SerializeToString())
    request.resource_spans[0].scope_spans[0].spans[0].attributes.add(
        key="env"
    ).value.string_value = "prod"

    assert ("replace", request) == (verdict.tag, REQUESTS[0].FromString(bytes(verdict.payload)))


def test_payload_is_changed_on_the_wire(guest: Guest) -> None:
    """
    The extension's views and operations do in the guest what they do here.
    """
    verdict = guest.call("processing", "process", "logs", b"")

    assert ("replace", b"/x 1 True") == (verdict.tag, bytes(verdict.payload))


@pytest.mark.parametrize("payload", [b"\x0a\x05", b"\x0a\x03\x1a\x01\xff", b"\x0c"])
def test_malformed_payloads_do_not_end_the_guest(guest: Guest, payload: bytes) -> None:
    """
    What protobuf's core would trap on is an error, and the guest goes on.
    """
    failure = guest.call("processing", "process", "traces", payload)
    verdict = guest.call("processing", "process", "traces", traces().SerializeToString())

    assert "malformed traces payload" in failure
    assert "replace" == verdict.tag


@pytest.mark.parametrize("size", [0, 1, 584, 428_000])
def test_direct_form_answers_with_offsets(guest: Guest, size: int) -> None:
    """
    Payloads of any size are reserved and answered by offsets within the guest's memory.
    """
    offset = guest.call("direct", "reserve", size)
    outcome = guest.call("direct", "run", 0, size)

    assert 0 < offset < 1 << 32
    assert (0, True) == (outcome % 8, outcome > 0)
