"""
The extension under AddressSanitizer and UndefinedBehaviorSanitizer, and its memory over time.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from otelwasm.build import native as build

ROUNDS = 250


@pytest.fixture
def compiler() -> str:
    """
    The machine's own C compiler: the one that builds the guests' modules has no such sanitizer.
    """
    found = shutil.which("cc")
    if found is None:
        if "CI" in os.environ:
            pytest.fail("no C compiler: install gcc or clang, with its sanitizers")
        pytest.skip("no C compiler (cc) on this machine to build with sanitizers")
    return found


def test_damaged_payloads_under_sanitizers(compiler: str, tmp_path: Path) -> None:
    """
    No damaged payload, and no function that meddles, makes the extension touch what is not its.
    """
    sources = build._own_sources()
    files = [str(path) for path in sources.glob("*.c") if path.name != "multi3.c"]
    subprocess.run(
        [
            *(compiler, "-std=c11", "-O1", "-g", "-shared", "-fPIC", "-fvisibility=hidden"),
            *("-Wall", "-Wextra", "-Werror", "-Wno-missing-field-initializers"),
            *("-fsanitize=address,undefined", "-fno-sanitize-recover=all"),
            *(f"-I{sources / 'include'}", f"-I{sources}", *files),
            *("-o", str(tmp_path / "otelwasm_native.abi3.so")),
        ],
        check=True,
    )
    libraries = [
        subprocess.check_output([compiler, f"-print-file-name={name}"], text=True).strip()
        for name in ("libasan.so", "libubsan.so", "libstdc++.so.6")
    ]
    done = subprocess.run(
        [sys.executable, Path(__file__).with_name("sanitized_run.py"), str(ROUNDS)],
        env=os.environ
        | {
            "LD_PRELOAD": " ".join(libraries),
            "ASAN_OPTIONS": "detect_leaks=0",
            "PYTHONMALLOC": "malloc",
            "PYTHONPATH": os.pathsep.join(sys.path),
            "OTELWASM_EXTENSION": str(tmp_path),
        },
        capture_output=True,
        text=True,
    )

    assert ("done\n", 0) == (done.stdout, done.returncode), done.stderr[-5000:]


MEMORY_RUN = """
import os
from otelwasm.build.extension import load_extension
from native.sanitized_run import act
from native.otlp_samples import random_request
from random import Random

native = load_extension()

def round(number):
    random = Random(number)
    signal = number % 4
    batch = native.Batch(payloads[signal], signal)
    for _ in range(4):
        try:
            act(random, native, batch)
        except (ValueError, AttributeError):
            pass

def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

payloads = [random_request(Random(s), s, richness=0.4).SerializeToString() for s in range(4)]
for number in range(1500):
    round(number)
before = resident()
for number in range(4500):
    round(number % 1500)
print(resident() - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_memory_stays_flat() -> None:
    """
    Thousands of batches, with errors among them, leave no memory behind.
    """
    grown = subprocess.run(
        [sys.executable, "-c", MEMORY_RUN],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert int(grown) < 2 << 20
