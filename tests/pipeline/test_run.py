"""
`otelwasm run` as a process of its own: it starts, takes telemetry, and stops as it is asked to.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from otelwasm.pipeline.quarantine import Quarantine
from otelwasm.telemetry import Telemetry
from pipeline.fakes import a_batch
from pipeline.processes import ENVIRONMENT, free_port, otelwasm, read_until, running, send

FILE = """\
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
processors:
  batch: {{timeout: 1h}}
exporters:
  file: {{path: out.jsonl}}
service:
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [file]}}
"""

STUCK = """\
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  otlp_http: {{endpoint: "http://127.0.0.1:{back}"}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_http]}}
  shutdown_timeout: {timeout}
"""

STORED = """\
receivers:
  otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{port}"}}}}}}
exporters:
  otlp_http: {{endpoint: "http://127.0.0.1:{back}", sending_queue: {{storage: queue}}}}
service:
  pipelines:
    traces: {{receivers: [otlp], exporters: [otlp_http]}}
"""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_in_order_and_loses_nothing(tmp_path: Path, number: signal.Signals) -> None:
    """
    What waits in a batch for an hour is in the file when the program has ended with 0.
    """
    port = free_port()
    with running(tmp_path, FILE.format(port=port)) as process:
        statuses = [send(port, a_batch(f"span {n}").payload) for n in range(3)]
        process.send_signal(number)
        log = read_until(process, "stopped")
        code = process.wait(10)

    (line,) = (tmp_path / "out.jsonl").read_text().splitlines()
    assert statuses == [200, 200, 200]
    assert code == 0
    assert len(json.loads(line)["resourceSpans"]) == 3
    assert "accepted=3 sent=3" in log


def test_what_cannot_be_delivered_is_kept(tmp_path: Path) -> None:
    """
    With nobody at the other end the batch is in the quarantine after the shutdown timeout.
    """
    port, payload = free_port(), a_batch("kept").payload
    with running(tmp_path, STUCK.format(port=port, back=9, timeout="100ms")) as process:
        assert send(port, payload) == 200
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    (kept,) = (tmp_path / "quarantine").glob("*-exporter-otlp_http-traces.otlp")
    assert code == 0
    assert kept.read_bytes() == payload


def test_what_was_kept_is_replayed(tmp_path: Path) -> None:
    """
    `otelwasm replay` sends what is in the quarantine once the other side is there again, while the
    service runs; `--list` says what is there, and why.
    """
    front, back = tmp_path / "front", tmp_path / "back"
    front.mkdir()
    back.mkdir()
    ports = free_port(), free_port()
    stuck = STUCK.format(port=ports[0], back=ports[1], timeout="100ms")
    with running(front, stuck) as process:
        assert send(ports[0], a_batch("kept", "too").payload) == 200
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    listed = otelwasm("replay", "--list", front / "p.yaml")
    with running(front, stuck), running(back, FILE.format(port=ports[1])) as other_side:
        replayed = otelwasm("replay", front / "p.yaml")
        other_side.send_signal(signal.SIGTERM)
        other_side.wait(10)
    again = otelwasm("replay", front / "p.yaml")

    assert listed.stdout.startswith("exporter/otlp_http, traces: 1 batch, 2 items, ")
    assert "    1x not delivered before the shutdown timeout\n" in listed.stdout
    assert (0, "exporter/otlp_http: 1 batch delivered (2 items)\n") == (
        replayed.returncode,
        replayed.stdout,
    )
    assert (0, "nothing is in the quarantine\n") == (again.returncode, again.stdout)
    (line,) = (back / "out.jsonl").read_text().splitlines()
    assert "kept" in line


def test_a_replay_that_leaves_something_says_so(tmp_path: Path) -> None:
    """
    What cannot go where it should is left, with the reason, and the exit code is 1.
    """
    path = tmp_path / "p.yaml"
    path.write_text(STUCK.format(port=0, back=9, timeout="1s"))
    quarantine = Quarantine(tmp_path / "quarantine", max_bytes=1000, telemetry=Telemetry())
    quarantine.keep(a_batch("x"), "exporter/gone", reason="it was not there")
    replayed = otelwasm("replay", path)

    said = (
        "exporter/gone: 0 batches delivered, 1 left: there is no exporter/gone for traces any more;"
    )
    assert (1, True) == (replayed.returncode, replayed.stdout.startswith(said))


@pytest.mark.parametrize("is_down", [True, False], ids=["other side down", "other side up"])
def test_a_queue_on_disk_outlives_a_crash(tmp_path: Path, is_down: bool) -> None:
    """
    Each batch whose sender heard of success is delivered, though the process was killed in between.
    """
    front, back = tmp_path / "front", tmp_path / "back"
    front.mkdir()
    back.mkdir()
    ports = free_port(), free_port()
    config = STORED.format(port=ports[0], back=ports[1])
    names = [f"span-{number}-" for number in range(60)]
    with ExitStack() as stack:
        if not is_down:
            other_side = stack.enter_context(running(back, FILE.format(port=ports[1])))
        with running(front, config) as process:
            statuses = [send(ports[0], a_batch(name).payload) for name in names]
            process.send_signal(signal.SIGKILL)
            process.wait(10)
        if is_down:
            waiting = list(front.rglob("*.otlp"))
            other_side = stack.enter_context(running(back, FILE.format(port=ports[1])))
            assert len(names) == len(waiting)
        with running(front, config) as process:
            process.send_signal(signal.SIGTERM)
            log = read_until(process, "stopped")
            process.wait(10)
        other_side.send_signal(signal.SIGTERM)
        read_until(other_side, "stopped")
        other_side.wait(10)

    delivered = (back / "out.jsonl").read_text()
    assert [200] * len(names) == statuses
    assert [] == [name for name in names if name not in delivered]
    assert [] == list(front.rglob("*.otlp"))
    assert not is_down or f"sent={len(names)}" in log


def test_a_second_signal_ends_at_once(tmp_path: Path) -> None:
    """
    Whoever does not want to wait for the shutdown timeout does not have to; what is queued is kept.
    """
    port, batch = free_port(), a_batch()
    with running(tmp_path, STUCK.format(port=port, back=9, timeout="1h")) as process:
        assert send(port, batch.payload) == 200
        process.send_signal(signal.SIGTERM)
        read_until(process, "stopping")
        process.send_signal(signal.SIGTERM)
        log = read_until(process, "stopped at once")

        assert process.wait(10) == 128 + signal.SIGTERM
    [kept] = (tmp_path / "quarantine").glob("*.otlp")
    assert batch.payload == kept.read_bytes()
    assert "accepted=1 quarantined=1" in log


def test_a_start_that_is_stopped_ends_at_once(tmp_path: Path) -> None:
    """
    Whoever stops a program that still compiles its plugins does not wait for the compiler.
    """
    (tmp_path / "slow.py").write_text(
        """
import asyncio, time, sys
from pathlib import Path
from otelwasm.service import Pipeline, run_until_signalled
from pipeline.fakes import FakePlugin, registry

class Slow(FakePlugin):
    def load(self, name, config, **hooks):
        print("] loading", file=sys.stderr, flush=True)
        time.sleep(120)

async def main():
    plugin = Slow(lambda *_: None)
    pipelines = {"traces": {k: [v] for k, v in USED.items()}}
    parts = {
        "receivers": {"memory": {}}, "exporters": {"memory": {}},
        "processors": {"wasm/plugin": {"plugin": __file__}},
        "service": {"pipelines": pipelines},
    }
    await run_until_signalled(Pipeline(parts, registry=registry(plugin=plugin)))

USED = {"receivers": "memory", "processors": "wasm/plugin", "exporters": "memory"}
asyncio.run(main())
"""
    )
    process = subprocess.Popen(
        [sys.executable, tmp_path / "slow.py"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with process:
        read_until(process, "loading")
        process.send_signal(signal.SIGTERM)

        assert 0 == process.wait(30)


def test_a_hangup_puts_changes_in_place(tmp_path: Path) -> None:
    """
    SIGHUP has a changed configuration used, and one with a mistake not; what runs goes on.
    """
    port = free_port()
    first = FILE.format(port=port)
    with running(tmp_path, first) as process:
        process.send_signal(signal.SIGHUP)
        read_until(process, "looking for changes")
        (tmp_path / "p.yaml").write_text(first.replace("file:", "fail:"))
        process.send_signal(signal.SIGHUP)
        refused = read_until(process, "the changed configuration is not used")
        (tmp_path / "p.yaml").write_text(first.replace("out.jsonl", "other.jsonl"))
        process.send_signal(signal.SIGHUP)
        read_until(process, "running with the changed configuration")
        status = send(port, a_batch("span").payload)
        process.send_signal(signal.SIGTERM)
        code = process.wait(10)

    assert (200, 0) == (status, code)
    assert "unknown kind 'fail'" in refused
    assert 1 == len((tmp_path / "other.jsonl").read_text().splitlines())


def test_a_port_that_is_taken_is_one_message(tmp_path: Path) -> None:
    """
    The receiver is named with its address, the exit code is 2, and there is no traceback.
    """
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        path = tmp_path / "p.yaml"
        path.write_text(FILE.format(port=port))
        result = subprocess.run(
            [sys.executable, "-m", "otelwasm", "run", str(path)],
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )

    assert result.returncode == 2
    assert result.stderr == (
        f"{path}:2: receivers.otlp: receiver 'otlp' cannot listen on 127.0.0.1:{port}: "
        "the address is already in use; stop what uses it or choose another port\n"
    )


@pytest.mark.parametrize("command", ["check", "run"])
def test_rights_are_needed_where_it_runs(tmp_path: Path, command: str) -> None:
    """
    A configuration is checked wherever that is convenient, from any folder and for any machine;
    a run without the right to keep what cannot be delivered ends with 2, and says which folder.
    """
    path = tmp_path / "p.yaml"
    path.write_text(FILE.format(port=free_port()))
    # As an unprivileged user in a folder of root's, whoever runs this test.
    denying = (
        "import os, sys; os.access = lambda _, mode: not mode & os.W_OK\n"
        "from otelwasm.cli import main; main(prog_name='otelwasm')"
    )
    done = subprocess.run(
        [sys.executable, "-c", denying, command, str(path)],
        cwd="/",
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )

    assert (0 if command == "check" else 2) == done.returncode
    if command == "run":
        assert f"{tmp_path}/quarantine cannot be used" in done.stderr
        assert "Traceback" not in done.stderr
