"""
Where the host's processor time goes from socket to socket, as flame graphs.

py-spy samples the stacks of the Python threads, C code included; it also sees threads that only
wait. So samples of waits are left out, and each thread's share is what the kernel says that it
used; threads that py-spy does not see (gRPC's own) stand beside them as one block each.
"""

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from benchmark.flame_graph import flame_graph
from benchmark.guests import Guests
from benchmark.load import Load
from benchmark.session import Session
from benchmark.tables import LeftOut, Table, figure
from benchmark.under_test import UnderTest

__all__ = ["flame"]

Stack = tuple[str, ...]

_STREAMS = 4
_CASES = (("grpc", 1), ("grpc", 100), ("http", 1), ("http", 100))
_WAITS = re.compile(r"^(epoll_p?wait|pthread_cond_|sem_|futex|poll |select )")
_LOCKS = re.compile(r"take_gil|PyThread_acquire_lock|SimpleQueue_get|Condition\.wait|_poll_wrapper")
_THREAD = re.compile(r"^thread \((\d+)\)(?:: (.*))?$")
# What stands below everything that the event loop runs, and says nothing.
_FRAME = re.compile(r"^(.*) \((.*?)(?::\d+)?\)$")
_DULL = (
    ".h",
    "libpython",
    "click/",
    "<frozen",
    "otelwasm/cli/",
    "otelwasm/__main__",
    "threading.py",
    "asyncio/runners",
)

# C files whose functions are of no interest one by one.
_WHOLE = {
    **dict.fromkeys(("loop.c", "core.c", "linux.c", "loop-watcher.c", "stream.c"), "[uvloop]"),
    **dict.fromkeys(("_ctypes.c", "callproc.c"), "[ctypes]"),
    "_asynciomodule.c": "[asyncio]",
}


def flame(session: Session, out: Path) -> Table:
    """
    Sample the host under load, without `batch`; write one SVG for each case.
    """
    spy = _spy()
    table = Table(
        "Where the host's time goes, without `batch`",
        ["", "CPU us a request", "of it by thread"],
        notes=[
            "Times are of a run without the profiler; their shares are the kernel's. Within a "
            "thread the profiler's samples also count what waits for a core: on a busy machine a "
            "write that wakes its reader looks larger than it is.",
        ],
    )
    with ExitStack() as stack:
        plugin = stack.enter_context(Guests.open(session.report)).built("set_attribute")
        load = stack.enter_context(Load.running(session.report))
        subject = stack.enter_context(
            UnderTest.otelwasm(plugin, session.folder, outward=load.ports, batched=False)
        )
        for protocol, spans in _CASES:

            def send(seconds: float, protocol: str = protocol, spans: int = spans) -> int:
                payload = session.file(spans)
                run = load.on(subject, protocol, payload, streams=_STREAMS, seconds=seconds)
                return run.requests

            send(1)
            before = subject.threads()
            requests = send(3)
            used_us = {
                thread: (name, (ns - before.get(thread, ("", 0))[1]) / 1e3 / requests)
                for thread, (name, ns) in subject.threads().items()
            }
            samples = _sampled(spy, subject, send, session)
            stacks, shares = _weighted(samples, used_us)
            title = f"OTLP/{protocol.upper()}, {spans} span{'s'[: spans > 1]} a request"
            total_us = sum(us for _, us in used_us.values())
            name = f"flame-{protocol}-{spans}"
            svg = flame_graph(f"{title}: {figure(total_us)} us of processor time each", stacks)
            (out / f"{name}.svg").write_text(svg)
            shown = ", ".join(f"{thread} {figure(us)}" for thread, us in shares.most_common())
            table.add(f"[{title}]({name}.svg)", figure(total_us), shown)
    return table


def _sampled(
    spy: str, subject: UnderTest, send: Callable[[float], int], session: Session
) -> dict[int, tuple[str, Counter[Stack]]]:
    """
    Sample under load; return each thread's name and stacks.
    """
    folded = session.folder / "folded"
    command = [spy, "record", "--native", "--threads", "--rate", "250", "--format", "raw"]
    command += ["--duration", str(max(5, round(session.seconds * 2)))]
    command += ["--pid", str(subject.pid), "--output", str(folded)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as sampling:
        while sampling.poll() is None:
            send(1)
        if sampling.returncode:
            assert sampling.stderr is not None
            raise LeftOut(f"py-spy failed: {sampling.stderr.read().decode().strip()}")
    threads: dict[int, tuple[str, Counter[Stack]]] = {}
    for line in folded.read_text().splitlines():
        text, _, count = line.rpartition(" ")
        root, *frames = text.split(";")
        if (found := _THREAD.match(root)) is None or not frames or _waits(frames):
            continue
        name = found[2] or found[1]
        stacks = threads.setdefault(int(found[1]), (name, Counter()))[1]
        stacks[tuple(filter(None, map(_named, frames)))] += int(count)
    return threads


def _waits(frames: list[str]) -> bool:
    leaf = frames[-1]
    if _WAITS.match(leaf):
        return True
    is_unnamed = leaf.startswith("0x") and "libc" in leaf
    return is_unnamed and any(_LOCKS.search(frame) for frame in frames)


def _named(frame: str) -> str:
    """
    Shorten a frame to what says something; empty for one that does not.
    """
    found = _FRAME.match(frame)
    if found is None:
        return frame
    name, file = found.groups()
    if any(part in file for part in _DULL):
        return ""
    if name.startswith("0x") or name == "?":
        return "wasm" if file == "?" else f"[{file.rpartition('/')[2].partition('.')[0]}]"
    if name.startswith("_R"):
        return "wasmtime"
    if file in _WHOLE:
        return _WHOLE[file]
    return f"{name} ({file})"


def _weighted(
    samples: dict[int, tuple[str, Counter[Stack]]], used_us: dict[int, tuple[str, float]]
) -> tuple[dict[Stack, float], Counter[str]]:
    """
    Scale each thread's samples to what it used, in microseconds a request.
    """
    stacks: Counter[Stack] = Counter()
    shares: Counter[str] = Counter()
    for thread, (comm, us) in used_us.items():
        name, seen = samples.get(thread, (comm, Counter({(): 1})))
        if us < 0.5 or not seen:
            continue
        shares[name] += us
        whole = sum(seen.values())
        for stack, count in seen.items():
            folded = [
                frame for frame, last in zip(stack, (None, *stack), strict=False) if frame != last
            ]
            stacks[name, *folded] += us * count / whole
    return dict(stacks), shares


def _spy() -> str:
    beside = Path(sys.executable).parent / "py-spy"
    found = str(beside) if beside.exists() else shutil.which("py-spy")
    if found is None:
        raise LeftOut("py-spy is not installed (pip install py-spy)")
    return found
