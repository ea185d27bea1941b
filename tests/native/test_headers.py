"""
Our own Python.h against a real CPython's, where the machine has its headers.
"""

import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from otelwasm.build import native as build

OURS = build._own_sources() / "include"
THEIRS = Path(sysconfig.get_path("include"))

pytestmark = pytest.mark.skipif(
    not (THEIRS / "Python.h").exists(), reason=f"no CPython headers in {THEIRS}"
)

STRUCTS = {
    "PyObject": ("ob_type",),
    "PyVarObject": ("ob_size",),
    "PyMethodDef": ("ml_name", "ml_meth", "ml_flags", "ml_doc"),
    "PyGetSetDef": ("name", "get", "set", "doc", "closure"),
    "PyType_Slot": ("slot", "pfunc"),
    "PyType_Spec": ("name", "basicsize", "itemsize", "flags", "slots"),
    "PyModuleDef_Base": ("m_init", "m_index", "m_copy"),
    "PyModuleDef": ("m_name", "m_doc", "m_size", "m_methods", "m_slots", "m_traverse", "m_free"),
    "Py_buffer": ("buf", "obj", "len", "itemsize", "readonly", "ndim", "format", "internal"),
}


def numbers() -> list[str]:
    """
    The plain numbers that our header defines, less those that differ by intent.
    """
    names = re.findall(r"^#define (\w+) \(?\d", (OURS / "Python.h").read_text(), re.MULTILINE)
    return [name for name in names if name not in ("PY_VERSION_HEX", "OTELWASM_IMMORTAL")]


def compiled(source: str, folder: Path, *, header: Path) -> str:
    """
    The assembly that the guests' compiler makes of a source file for this machine.
    """
    (folder / "source.c").write_text(source)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "ziglang", "cc", "-std=c11", f"-I{header}"),
            *("-S", "source.c", "-o", "source.s"),
        ],
        cwd=folder,
        env=os.environ
        | {name: str(folder / "zig") for name in ("ZIG_GLOBAL_CACHE_DIR", "ZIG_LOCAL_CACHE_DIR")},
        capture_output=True,
        text=True,
    )
    assert 0 == done.returncode, done.stderr
    return (folder / "source.s").read_text()


def layouts(folder: Path, header: Path) -> str:
    """
    Every layout and number of a header, as the assembly of one table.
    """
    # CPython 3.11, which this may be, has no such flag yet; the guest has.
    values = [name for name in numbers() if name != "Py_TPFLAGS_MANAGED_WEAKREF"]
    for struct, members in STRUCTS.items():
        values.append(f"sizeof({struct})")
        values += [f"offsetof({struct}, {member})" for member in members]
    assert len(values) > 80
    source = "\n".join(
        [
            "#define Py_LIMITED_API 0x030B0000",
            "#include <Python.h>",
            "#include <stddef.h>",
            "const long long values[] = {",
            *(f"  (long long)({value})," for value in values),
            "};",
        ]
    )
    return compiled(source, folder, header=header)


def test_layouts_and_numbers_are_cpython_s(tmp_path: Path) -> None:
    """
    Structs, slots and flags are where and what CPython's own headers say.
    """
    assert layouts(tmp_path, THEIRS) == layouts(tmp_path, OURS)


def test_functions_are_cpython_s(tmp_path: Path) -> None:
    """
    Every prototype of ours agrees with CPython's own, says the compiler that sees both.
    """
    source = f"""
    #define Py_LIMITED_API 0x030B0000
    #include <Python.h>
    #undef Py_TYPE
    #if PY_VERSION_HEX < 0x030D0000  /* its keyword names became const with 3.13 */
    #define PyArg_ParseTupleAndKeywords PyArg_ParseTupleAndKeywords_since_3_13
    #endif
    #include "{OURS / "pyfunctions.h"}"
    """

    assert compiled(source, tmp_path, header=THEIRS)
