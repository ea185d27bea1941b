"""
Build our C modules: those that every Python plugin carries, and those that the host uses.

Without protobuf's C core (upb) a Python plugin would decode OTLP a hundred times slower; without
our extension it could not check payloads, hand them to the host uncopied, or edit them on the wire.
Both are compiled for wasm32-wasi with the zig compiler that its Python package brings along, so a
plugin's author needs nothing but pip packages. The host has our extension, too, and one of its own
for its side of the direct lane. The results are kept in the cache:

    native/modules/<name>-<key>.so       each module, by the hash of all that goes into it
    native/<key>/                        what `native_modules` returns
        google/_upb/_message.abi3.so
        otelwasm_native.abi3.so
    native/host-<key>/                   what `host_extension` returns

Every step writes beside its target and renames; of several processes one builds, the others wait.
"""

import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from otelwasm.cache import cache_dir, making
from otelwasm.errors import BuildError

__all__ = ["NAME", "built_host_extension", "host_extension", "native_modules"]

Report = Callable[[str], None]

COMPILERS_AT_ONCE = 2
COMPILE_FLAGS = (
    *("-target", "wasm32-wasi", "-O3", "-DNDEBUG", "-DPy_LIMITED_API=0x030B0000"),
    *("-fPIC", "-fvisibility=hidden", "-fno-sanitize=all"),
)
LINK_FLAGS = (
    *("-s", "--no-entry", "--experimental-pic", "-shared"),
    "--unresolved-symbols=import-dynamic",
)
HOST_COMPILE_FLAGS = ("-O2", "-g", "-fPIC", "-fvisibility=hidden", "-fno-sanitize=all")
# Python's and libc's functions are found when the module is loaded.
HOST_LINK = (
    ("cc", "-shared", "-Wl,-undefined,dynamic_lookup")
    if sys.platform == "darwin"
    else ("ld.lld", "-shared")  # zig's cc would first build a libc to link with
)
UPB_TARGET = "google/_upb/_message.abi3.so"
NAME = "otelwasm_native"
OWN_TARGET = f"{NAME}.abi3.so"


def native_modules(report: Report = lambda line: None) -> Path:
    """
    The folder to put on a Python guest's path; built first, where the cache does not hold it.

    *report* gets one line now and then that says what is being done.
    """
    sources = _own_sources()
    headers = sorted(sources.glob("include/*.h"))
    extra = sources / "multi3.c"
    own = sorted(path for path in sources.glob("*.[ch]") if path != extra)
    protobuf, zig = _version("protobuf"), _version("ziglang")
    tools = (zig, *COMPILE_FLAGS, *LINK_FLAGS)
    upb_key = _key((*tools, protobuf), (*headers, extra))
    own_key = _key(tools, (*headers, *own))

    target = cache_dir("native") / f"{upb_key}-{own_key}"
    with making(target), _scratch_folder() as scratch:
        if target.is_dir():
            return target
        zig_command = _Zig(scratch, includes=(sources / "include",))
        modules = cache_dir("native", "modules")
        upb_module = modules / f"upb-{upb_key}.so"
        if not upb_module.exists():
            report(f"fetching the sources of protobuf {protobuf}")
            upb = _upb_sources(protobuf, scratch)
            report(f"compiling protobuf {protobuf} for plugins")
            zig_command.build(
                upb_module,
                entry="PyInit__message",
                sources=(*_upb_files(upb), extra),
                includes=(upb, upb / "utf8_range"),
                report=report,
            )
        own_module = modules / f"otelwasm_native-{own_key}.so"
        if not own_module.exists():
            report("compiling otelwasm's own extension for plugins")
            zig_command.build(
                own_module,
                entry="PyInit_otelwasm_native",
                sources=[path for path in own if path.suffix == ".c"],
                includes=(sources,),
                report=report,
            )
        _assemble(target, scratch / "folder", {UPB_TARGET: upb_module, OWN_TARGET: own_module})
    return target


def host_extension(name: str = NAME, *, report: Report = lambda line: None) -> Path:
    """
    A folder with an extension module for the Python that runs now.

    `otelwasm_native` is the one that plugins carry: the pipeline checks payloads with it, and
    plugins are tested with it outside Wasm. `otelwasm_lane` makes the host's calls of plugins.
    """
    target, includes, files = _host_extension(name)
    if target.is_dir():
        return target
    with making(target), _scratch_folder() as scratch:
        if target.is_dir():
            return target
        report(f"compiling {name} for this Python")
        module = scratch / f"{name}.abi3.so"
        _Zig(scratch, includes=includes).build_for_host(
            module, sources=[path for path in files if path.suffix == ".c"], report=report
        )
        _assemble(target, scratch / "folder", {module.name: module})
    return target


def built_host_extension(name: str = NAME) -> Path | None:
    """
    What `host_extension` would return, if that is built already.
    """
    target, _, _ = _host_extension(name)
    return target if target.is_dir() else None


def _host_extension(name: str) -> tuple[Path, tuple[Path, ...], list[Path]]:
    """
    Where an extension for this Python is, or will be; the folders of its headers; its sources.
    """
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise BuildError("otelwasm's extensions need a CPython with the global interpreter lock")
    own = _own_sources()
    sources = own if name == NAME else Path(__file__).resolve().parents[1] / "plugins" / "native"
    headers = own / "include"
    found = {*sources.rglob("*.[ch]"), *headers.glob("*.h")}
    files = sorted(path for path in found if path.name != "multi3.c")
    tools = (_version("ziglang"), sysconfig.get_platform(), *HOST_COMPILE_FLAGS, *HOST_LINK)
    return cache_dir("native") / f"host-{_key((name, *tools), files)}", (headers, sources), files


def _own_sources() -> Path:
    """
    Our C sources: beside this module in the wheel, in the SDK's folder in a checkout.
    """
    here = Path(__file__).resolve().parent
    checkout = here.parents[2] / "guests" / "sdk" / "python" / "native"
    for folder in (here / "native_sources", checkout):
        if (folder / "module.c").is_file():
            return folder
    raise BuildError(f"no C sources in {here / 'native_sources'}: reinstall otelwasm")


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        raise BuildError(
            f"building a Python plugin needs the package {package}: pip install {package}"
        ) from None


def _key(words: Iterable[str], files: Iterable[Path]) -> str:
    """
    Sixteen hexadecimal digits that change with any word, file name or file content.
    """
    digest = hashlib.sha256()
    for word in words:
        digest.update(f"{word}\0".encode())
    for file in files:
        content = file.read_bytes()
        digest.update(f"{file.name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:16]


@contextmanager
def _scratch_folder() -> Iterator[Path]:
    """
    A folder on the cache's own file system, so that what is made in it can be renamed in.
    """
    with tempfile.TemporaryDirectory(dir=cache_dir("native"), prefix=".build-") as folder:
        yield Path(folder)


def _assemble(target: Path, folder: Path, modules: dict[str, Path]) -> None:
    """
    Make *target* appear at once with all its modules; where another process was first, keep its.
    """
    for name, module in modules.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(module, folder / name)
    try:
        os.rename(folder, target)
    except OSError:
        if not target.is_dir():
            raise


# What pip asks for a source package's metadata, in place of running its setup.py: PEP 517's
# hook, for a package whose name and version are known already.
METADATA_BACKEND = """
from pathlib import Path


class Backend:
    def prepare_metadata_for_build_wheel(self, folder, config_settings=None):
        info = Path(folder, "protobuf-{version}.dist-info")
        info.mkdir()
        text = "Metadata-Version: 2.1\\nName: protobuf\\nVersion: {version}\\n"
        (info / "METADATA").write_text(text)
        return info.name


__legacy__ = Backend()
"""


def _upb_sources(version: str, scratch: Path) -> Path:
    """
    Fetch protobuf's source package with pip, as the user configured pip, and unpack its C files.
    """
    if importlib.util.find_spec("pip") is None:
        raise BuildError(
            f"pip is missing in {sys.prefix}; it fetches protobuf's sources: "
            f"{sys.executable} -m ensurepip"
        )
    # `pip download` prepares a package's metadata, for which it would install setuptools and run
    # setup.py. A stand-in for setuptools saves both.
    backend = scratch / "backend" / "setuptools"
    backend.mkdir(parents=True)
    (backend / "__init__.py").touch()
    (backend / "build_meta.py").write_text(METADATA_BACKEND.format(version=version))
    paths = [str(backend.parent), os.environ.get("PYTHONPATH", "")]
    _run(
        [
            *(sys.executable, "-m", "pip", "download", f"protobuf=={version}"),
            *("--no-binary", "protobuf", "--no-deps", "--no-build-isolation", "--use-pep517"),
            *("--no-input", "--disable-pip-version-check", "--quiet", "--dest", str(scratch)),
        ],
        environment={"PYTHONPATH": os.pathsep.join(filter(None, paths))},
        failure=(
            f"pip could not fetch the sources of protobuf {version}, needed once to build Python "
            "plugins; it takes the index, proxy and find-links of pip's own configuration"
        ),
    )
    folder = scratch / "protobuf"
    with tarfile.open(next(scratch.glob("protobuf-*.tar.gz"))) as archive:
        for member in archive:
            # Only what compiles, and never outside the folder.
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            content = archive.extractfile(member) if member.isfile() else None
            if content and path.suffix in {".c", ".h", ".inc"} and ".." not in path.parts:
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content.read())
    return folder


def _upb_files(folder: Path) -> list[Path]:
    """
    The files that protobuf's own setup.py compiles.
    """
    patterns = ("google/protobuf/*.c", "python/*.c", "upb/**/*.c", "utf8_range/*.c")
    files = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    return [path for path in files if "decode_fast" not in path.name]


class _Zig:
    """
    The zig compiler, with its caches in a scratch folder.
    """

    def __init__(self, scratch: Path, includes: Sequence[Path]) -> None:
        self._scratch = scratch
        self._includes = includes
        self._environment = {
            "ZIG_GLOBAL_CACHE_DIR": str(scratch / "zig"),
            "ZIG_LOCAL_CACHE_DIR": str(scratch / "zig"),
        }

    def build(
        self,
        target: Path,
        *,
        entry: str,
        sources: Sequence[Path],
        includes: Sequence[Path],
        report: Report,
    ) -> None:
        """
        Compile *sources* into one module for guests at *target* that exports *entry*.
        """
        flags = [*COMPILE_FLAGS, *(f"-I{path}" for path in includes)]
        objects = self._compile(sources, flags, report=report)
        self._link(target, ["wasm-ld", *LINK_FLAGS, f"--export={entry}"], objects=objects)

    def build_for_host(self, target: Path, *, sources: Sequence[Path], report: Report) -> None:
        """
        Compile *sources* into one module for the Python that runs now.
        """
        objects = self._compile(sources, HOST_COMPILE_FLAGS, report=report)
        self._link(target, HOST_LINK, objects=objects)

    def _compile(
        self, sources: Sequence[Path], flags: Sequence[str], *, report: Report
    ) -> list[str]:
        folder = Path(tempfile.mkdtemp(dir=self._scratch))
        includes = [f"-I{path}" for path in self._includes]

        def compile_file(numbered: tuple[int, Path]) -> str:
            number, source = numbered
            result = folder / f"{number}.o"
            command = ["cc", *flags, *includes, "-c", str(source), "-o", str(result)]
            self._run(command, failure=f"{source} does not compile")
            return str(result)

        objects = []
        with ThreadPoolExecutor(COMPILERS_AT_ONCE, thread_name_prefix="compile") as pool:
            for result in pool.map(compile_file, enumerate(sources)):
                objects.append(result)
                if len(objects) % 20 == 0:
                    report(f"compiled {len(objects)} of {len(sources)} files")
        return objects

    def _link(self, target: Path, command: Sequence[str], *, objects: Sequence[str]) -> None:
        linked = self._scratch / "linked"
        self._run([*command, "-o", str(linked), *objects], failure=f"{target.name} does not link")
        os.replace(linked, target)

    def _run(self, command: Sequence[str], *, failure: str) -> None:
        whole = (sys.executable, "-m", "ziglang", *command)
        _run(whole, environment=self._environment, failure=failure)


def _run(command: Sequence[str], *, environment: dict[str, str], failure: str) -> None:
    """
    Run a tool; when it fails, raise with the last lines of what it said.
    """
    done = subprocess.run(
        command,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode != 0:
        said = "\n".join(done.stdout.strip().splitlines()[-15:])
        raise BuildError(f"{failure} (exit status {done.returncode}):\n{said}")
