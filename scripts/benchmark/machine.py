"""
Say what machine and which versions a run was measured with.
"""

import datetime
import importlib.metadata
import os
import platform
import shutil
import subprocess

from otelwasm.bench.machine import processor_name

__all__ = ["described_machine"]


def described_machine() -> str:
    """
    Describe processor, cores, system, versions and the day in a few words.
    """
    parts = [
        f"{datetime.datetime.now(tz=datetime.UTC):%d %B %Y}",
        f"{processor_name()}, {os.cpu_count()} cores",
        f"{platform.system()} {platform.release().partition('-')[0]}",
        f"Python {platform.python_version()}",
        *(
            f"{name} {importlib.metadata.version(name)}"
            for name in ("wasmtime", "ngh2", "grpcio", "uvloop")
        ),
    ]
    if (go := shutil.which("go")) is not None:
        version = subprocess.run([go, "version"], capture_output=True, text=True, check=True)
        parts.append(version.stdout.split()[2].replace("go", "Go "))
    parts.append("Collector v0.155.0")
    parts.append(f"load before the run {os.getloadavg()[0]:.1f}")
    return "; ".join(parts)
