"""
Give tests of example plugins the real things that they are held against.
"""

import os
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from benchmark.native import go_program
from benchmark.tables import LeftOut

from guests.collector import Collector
from guests.s3 import serving


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


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    A real S3 server's URL; skips where there is no Go to build it with, but not in CI.
    """
    if shutil.which("go") is None and not os.environ.get("CI"):
        pytest.skip("versitygw is built with Go, which is not installed")
    with serving(tmp_path_factory.mktemp("s3")) as url:
        yield url
