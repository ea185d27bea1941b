"""
Give tests of example plugins the real things that they are held against.
"""

import os
import subprocess
from collections.abc import Iterator

import pytest
from benchmark.native import go_program
from benchmark.tables import LeftOut

from guests.collector import Collector


@pytest.fixture(scope="session")
def collector() -> Iterator[Collector]:
    """
    The Collector's own processor; skips where there is no Go, but not in CI.
    """
    try:
        program = go_program("transform", print)
    except LeftOut as reason:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(reason))
    with subprocess.Popen(
        [program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as process:
        try:
            yield Collector(process)
        finally:
            process.kill()
