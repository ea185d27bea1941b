"""
Do what a reader of a tutorial does: save files, type commands, look at a second terminal.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sysconfig
import threading
import urllib.error
import urllib.request
from pathlib import Path

__all__ = ["Reader"]

_ADDRESS = re.compile(r"127\.0\.0\.1:(\d+)")
_PATIENCE_S = 300.0


class Reader:
    """
    One reader with two terminals, the second one for what runs until it is stopped.

    Ports of the page are others here, which nobody uses.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._ports: dict[str, int] = {}
        self._running: subprocess.Popen[str] | None = None
        self._seen: list[str] = []
        self._change = threading.Condition()

    def save(self, name: str, text: str) -> None:
        """
        Save a file; a plugin that runs is replaced before this returns.
        """
        count = self._count("took over")
        (self.folder / name).write_text(self._with_ports(text))
        if self._running is not None and name == "plugin.py":
            self.wait_for("took over", more_than=count, unless="is not used")

    def type(self, command: str) -> str:
        """
        What a command prints; it has to succeed.
        """
        words = shlex.split(self._with_ports(command))
        match words:
            case ["cd", name]:
                self.folder /= name
                self._move_ports()
                return ""
            case ["curl", *arguments]:
                return self._curl(arguments)
            case ["otelwasm", "run", *_]:
                self._start(words)
                return ""
            case ["python", "-m", "pip", *_]:
                return ""  # it is there
        done = subprocess.run(
            self._with_ports(command),
            shell=True,
            cwd=self.folder,
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=_PATIENCE_S,
            check=False,
        )

        assert 0 == done.returncode, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout

    def wait_for(self, text: str, *, more_than: int = 0, unless: str = "Traceback") -> None:
        """
        Wait until the second terminal shows a line with *text*, more often than so.
        """
        with self._change:
            self._change.wait_for(
                lambda: self._count(text) > more_than or self._count(unless) > 0,
                timeout=_PATIENCE_S,
            )

        assert self._count(text) > more_than, f"no {text!r} in\n" + "".join(self._seen)

    def stop(self) -> None:
        """
        End what runs, as Ctrl-C does.
        """
        if self._running is not None:
            self._running.send_signal(signal.SIGINT)
            assert 0 == self._running.wait(_PATIENCE_S), "".join(self._seen)
            self._running = None

    def kill(self) -> None:
        """
        End what still runs, as after a failure.
        """
        if self._running is not None:
            self._running.kill()
            self._running.wait()

    def _start(self, words: list[str]) -> None:
        self._running = subprocess.Popen(
            words,
            cwd=self.folder,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        threading.Thread(target=self._look, args=[self._running], daemon=True).start()
        self.wait_for("] running")

    def _look(self, running: "subprocess.Popen[str]") -> None:
        assert running.stdout is not None
        with running.stdout as lines:
            for line in lines:
                with self._change:
                    self._seen.append(line)
                    self._change.notify_all()

    def _count(self, text: str) -> int:
        return sum(text in line for line in self._seen)

    def _curl(self, arguments: list[str]) -> str:
        headers: dict[str, str] = {}
        data: bytes | None = None
        url = ""
        words = iter(arguments)
        for word in words:
            if word == "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            elif word == "-d":
                value = next(words)
                is_file = value.startswith("@")
                data = (self.folder / value[1:]).read_bytes() if is_file else value.encode()
            else:
                url = word
        request = urllib.request.Request(url, data=data, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=_PATIENCE_S) as response:
                return str(response.read().decode())
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.read().decode()

    def _move_ports(self) -> None:
        for path in self.folder.glob("*.yaml"):
            path.write_text(self._with_ports(path.read_text()))

    def _with_ports(self, text: str) -> str:
        return _ADDRESS.sub(lambda match: f"127.0.0.1:{self._port(match[1])}", text)

    def _port(self, shown: str) -> int:
        if int(shown) in self._ports.values():
            return int(shown)
        if shown not in self._ports:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self._ports[shown] = free.getsockname()[1]
        return self._ports[shown]

    def _environment(self) -> dict[str, str]:
        path = f"{sysconfig.get_path('scripts')}{os.pathsep}{os.environ['PATH']}"
        return {**os.environ, "PATH": path, "PYTHONDONTWRITEBYTECODE": "1"}
