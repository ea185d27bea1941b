"""
The extension for the Python that runs now is loaded once, and is the one that plugins have.
"""

import os
import subprocess
import sys
from pathlib import Path

from otelwasm.build.extension import load_extension
from otelwasm.build.native import host_extension


def test_a_process_has_it_once() -> None:
    """
    Whoever asks gets the same module, and so does whoever imports it by name.
    """
    first = load_extension()
    import otelwasm_native

    assert first is otelwasm_native
    assert load_extension(Path("/nowhere")) is first


def test_plain_python_gets_it_by_importing_the_sdk() -> None:
    """
    A plugin's test needs nothing but the SDK: the extension is loaded with it.
    """
    code = "import otelwasm_sdk, otelwasm_native; print(otelwasm_native.__file__)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
    )

    assert str(host_extension()) == str(Path(done.stdout.strip()).parent), done.stderr
