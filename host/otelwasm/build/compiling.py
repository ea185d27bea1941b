"""
Compile C modules with the zig compiler that its Python package brings along: native.py says which.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from otelwasm.cache import cache_dir
from otelwasm.errors import BuildError

__all__ = ["Zig", "assemble", "scratch_folder", "upb_files", "upb_sources"]

Report = Callable[[str], None]

COMPILERS_AT_ONCE = 2


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """
    A folder on the cache's own file system, so that what is made in it can be renamed in.
    """
    with tempfile.TemporaryDirectory(dir=cache_dir("native"), prefix=".build-") as folder:
        yield Path(folder)


def assemble(target: Path, folder: Path, modules: dict[str, Path]) -> None:
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


def upb_sources(version: str, scratch: Path) -> Path:
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


def upb_files(folder: Path) -> list[Path]:
    """
    The files that protobuf's own setup.py compiles.
    """
    patterns = ("google/protobuf/*.c", "python/*.c", "upb/**/*.c", "utf8_range/*.c")
    files = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    return [path for path in files if "decode_fast" not in path.name]


class Zig:
    """
    The zig compiler, with its caches in a scratch folder.

    *includes* and *flags* are for all that it compiles; *report* hears how far it is.
    """

    def __init__(
        self, scratch: Path, *, includes: Sequence[Path], flags: Sequence[str], report: Report
    ) -> None:
        self._scratch = scratch
        self._flags = (*flags, *(f"-I{path}" for path in includes))
        self._report = report
        self._environment = {
            "ZIG_GLOBAL_CACHE_DIR": str(scratch / "zig"),
            "ZIG_LOCAL_CACHE_DIR": str(scratch / "zig"),
        }

    def build(
        self,
        target: Path,
        *,
        sources: Sequence[Path],
        includes: Sequence[Path],
        link: Sequence[str],
    ) -> None:
        """
        Compile *sources*, with more *includes*, and have the command *link* make *target* of them.
        """
        objects = self._compile(sources, [*(f"-I{path}" for path in includes), *self._flags])
        linked = self._scratch / "linked"
        self._run([*link, "-o", str(linked), *objects], failure=f"{target.name} does not link")
        os.replace(linked, target)

    def _compile(self, sources: Sequence[Path], flags: Sequence[str]) -> list[str]:
        folder = Path(tempfile.mkdtemp(dir=self._scratch))

        def compile_file(numbered: tuple[int, Path]) -> str:
            number, source = numbered
            result = folder / f"{number}.o"
            command = ["cc", *flags, "-c", str(source), "-o", str(result)]
            self._run(command, failure=f"{source} does not compile")
            return str(result)

        objects = []
        with ThreadPoolExecutor(COMPILERS_AT_ONCE, thread_name_prefix="compile") as pool:
            for result in pool.map(compile_file, enumerate(sources)):
                objects.append(result)
                if len(objects) % 20 == 0:
                    self._report(f"compiled {len(objects)} of {len(sources)} files")
        return objects

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
