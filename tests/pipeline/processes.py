"""
Run `otelwasm` as a process of its own, and talk to it.
"""

import os
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["ENVIRONMENT", "free_port", "otelwasm", "read_until", "running", "send"]

ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


def free_port() -> int:
    """
    A port that nobody listens on now.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def otelwasm(*arguments: object) -> "subprocess.CompletedProcess[str]":
    """
    Run a command to its end.
    """
    return subprocess.run(
        [sys.executable, "-m", "otelwasm", *map(str, arguments)],
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
        timeout=60,
    )


@contextmanager
def running(folder: Path, config: str) -> "Iterator[subprocess.Popen[str]]":
    """
    Run *config* as a user would, up to the line that says so.
    """
    path = folder / "p.yaml"
    path.write_text(config)
    process = subprocess.Popen(
        [sys.executable, "-m", "otelwasm", "run", str(path)],
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    try:
        read_until(process, "running")
        yield process
    finally:
        process.kill()
        process.wait(10)
        if process.stderr is not None:
            process.stderr.close()


def read_until(process: "subprocess.Popen[str]", event: str) -> str:
    """
    Read the log up to *event*; fail with the log if the process ends before.
    """
    assert process.stderr is not None
    log = ""
    for line in process.stderr:
        log += line
        if f"] {event}" in line:
            return log
    pytest.fail(f"no {event!r} in the log:\n{log}")


def send(port: int, payload: bytes) -> int:
    """
    Send traces over OTLP/HTTP; return the status.
    """
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/traces",
        data=payload,
        headers={"content-type": "application/x-protobuf"},
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            status: int = answer.status
    except urllib.error.HTTPError as error:
        error.close()
        return error.code
    return status
