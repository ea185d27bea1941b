"""
The tables of OTLP's messages.
"""

import subprocess
import sys

from otelwasm.build import native as build


def test_tables_are_fresh() -> None:
    """
    schema.c is what its generator makes of the installed opentelemetry-proto.
    """
    script = build._own_sources() / "generate_schema.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True)

    assert (0, "") == (done.returncode, done.stderr)
