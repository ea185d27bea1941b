"""
Drive a pipeline under test with the program peers/load, and read what that cost it.
"""

import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs

from benchmark.native import go_program
from benchmark.under_test import Ports, UnderTest

__all__ = ["Load", "Run"]


@attrs.frozen
class Run:
    """
    What came of sending for a while.
    """

    requests: int
    spans: int
    spans_per_s: float
    cpu_s: float
    memory_mib: float
    refused: int
    p50_us: float
    p99_us: float

    @property
    def cpu_s_per_million_spans(self) -> float:
        """
        The process's time on all cores.
        """
        return self.cpu_s / self.spans * 1e6

    @property
    def cpu_us_per_request(self) -> float:
        """
        The process's time on all cores.
        """
        return self.cpu_s / self.requests * 1e6


class Load:
    """
    The driver and the sink, one process for all that is measured.
    """

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process
        self.ports = Ports(**self._answer())

    @classmethod
    @contextmanager
    def running(cls, report: Callable[[str], None]) -> Iterator["Load"]:
        """
        Run it, until the block ends.
        """
        with subprocess.Popen(
            [go_program("load", report)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        ) as process:
            try:
                yield cls(process)
            finally:
                process.kill()

    def on(
        self,
        subject: UnderTest,
        protocol: str,
        payload: Path,
        *,
        streams: int,
        seconds: float,
        does_keep: bool = False,
    ) -> Run:
        """
        Send for *seconds* from so many clients, wait until all came out, and check it.

        Nothing comes out of a subject that *does_keep* what it takes.
        """
        before_s = subject.cpu_s()
        order = {
            "protocol": protocol,
            "port": subject.port(protocol),
            "payload": str(payload),
            "streams": streams,
            "seconds": seconds,
            "keeps": does_keep,
        }
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        came = self._answer()
        cpu_s = subject.cpu_s() - before_s
        if not does_keep and came["received"] != came["spans"]:
            raise RuntimeError(
                f"{subject.name}: {came['spans']} spans were accepted over {protocol}, "
                f"{came['received']} came out"
            )
        if came["unmarked"] and not does_keep and subject.name != "relay":
            raise RuntimeError(f"{subject.name}: spans came out without the attribute: {came}")
        return Run(
            requests=came["requests"],
            spans=came["spans"],
            spans_per_s=came["spans"] / came["elapsed_s"],
            cpu_s=cpu_s,
            memory_mib=subject.memory_mib(),
            refused=came["refused"],
            p50_us=came["p50_us"],
            p99_us=came["p99_us"],
        )

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the load driver ended with {self._process.wait()}")
        answer: dict[str, Any] = json.loads(line)
        return answer
