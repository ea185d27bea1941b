"""
A plugin that tries to reach beyond its sandbox, and logs what came of each attempt.
"""

import os
import random
import socket
import time
import uuid
from collections.abc import Callable
from pathlib import Path

from otelwasm_sdk import Batch, log, processor


def listening() -> object:
    """
    Wait for connections.
    """
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        opened.listen()
        return opened.getsockname()


def sending() -> object:
    """
    Send a datagram.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        return opened.sendto(b"x", ("127.0.0.1", 9))


def naps() -> bool:
    """
    Whether a wait lasts as long as it should, by both clocks.
    """
    began, began_at = time.monotonic(), time.time()
    time.sleep(0.02)
    return time.monotonic() - began >= 0.02 and time.time() - began_at >= 0.01


ATTEMPTS: dict[str, Callable[[], object]] = {
    "read": Path("/etc/passwd").read_text,
    "read here": Path("plugin.py").read_text,
    "write": lambda: Path("/tmp/otelwasm-confined").write_text("x"),
    "list": lambda: os.listdir("/"),
    "make": lambda: os.mkdir("/otelwasm-confined"),
    "environment": lambda: dict(os.environ).get("OTELWASM_SECRET", "nothing"),
    "connect": lambda: socket.create_connection(("127.0.0.1", 9), timeout=1),
    "resolve": lambda: socket.getaddrinfo("localhost", 80),
    "listen": listening,
    "send": sending,
    "spawn": lambda: os.system("true"),
    "clock": lambda: round(time.time()),
    "naps": naps,
    "random": lambda: os.urandom(8).hex(),
    "seeded": lambda: random.random(),
    "uuid": lambda: uuid.uuid4(),
}


@processor
def confined(batch: Batch) -> Batch:
    """
    Try everything.
    """
    for name, attempt in ATTEMPTS.items():
        try:
            log.info(name, got=attempt())
        except Exception as error:
            log.info(name, error=type(error).__name__)
    return batch
