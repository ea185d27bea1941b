"""
What `otelwasm new` makes is good as it is: its cases and its own tests pass, its pipeline runs.
"""

import asyncio
import contextlib
import io
import os
import re
import shlex
import socket
import subprocess
import threading
import urllib.request
from pathlib import Path

import pytest

from conformance.building import need
from otelwasm import Pipeline
from otelwasm.cache import cache_dir
from otelwasm.scaffold import KINDS, LANGUAGES, Language, new_plugin, steps
from otelwasm.testing import check_cases
from otelwasm_sdk.definition import Kind

# What is shown of what the command that sends something sends.
SHOWN: dict[Kind, tuple[str, ...]] = {
    "processor": ("deployment.environment.name: development", "name: GET /cart"),
    "exporter": ("logs: 1 item", "body: "),
    "receiver": ("body: shop 1.2 is live", "url.path: /deploys"),
}
TESTS: dict[Language, tuple[tuple[str, ...], ...]] = {
    "rust": (("cargo", "test"),),
    "go": (("go", "vet"), ("go", "test"), ("go", "mod", "tidy", "-diff")),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_new_plugin_passes_its_cases_and_its_check(
    kind: Kind, language: Language, tmp_path: Path
) -> None:
    """
    In each language, the plugin does what the shared cases say, and its pipeline can be run.
    """
    need(language)
    folder = tmp_path / "tidy-up"
    new_plugin(kind, folder, language)

    check_cases(folder)
    asyncio.run(Pipeline.from_yaml(folder / "pipeline.yaml").check())


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("language", TESTS)
def test_a_new_plugin_passes_its_own_tests(kind: Kind, language: Language, tmp_path: Path) -> None:
    """
    The language's own tools find the SDK, and nothing wrong.
    """
    need(language)
    folder = tmp_path / "tidy-up"
    new_plugin(kind, folder, language)
    environment = {"CARGO_TARGET_DIR": str(cache_dir("rust") / "native")} | os.environ

    for command in TESTS[language]:
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert 0 == done.returncode, done.stdout + done.stderr


class Screen(io.StringIO):
    """
    What is written; `is_complete` is set when all that is wanted is there.
    """

    def __init__(self, wanted: tuple[str, ...]) -> None:
        super().__init__()
        self.is_complete = threading.Event()
        self._wanted = wanted

    def write(self, text: str) -> int:
        """
        Write, and look.
        """
        count = super().write(text)
        if all(each in self.getvalue() for each in self._wanted):
            self.is_complete.set()
        return count


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_pipeline_shows_what_is_sent(kind: Kind, tmp_path: Path) -> None:
    """
    What the command for that sends, as it stands in README.md, is shown by the pipeline.
    """
    folder = tmp_path / "tidy-up"
    new_plugin(kind, folder)
    config = folder / "pipeline.yaml"
    ports: dict[str, str] = {}
    config.write_text(with_free_ports(config.read_text(), ports))
    [command] = [command for command, _ in steps(kind, "tidy-up", "python") if "curl" in command]
    assert f"\n{command}\n" in (folder / "README.md").read_text()
    screen = Screen(SHOWN[kind])

    async def run() -> bool:
        async with Pipeline.from_yaml(config):
            await asyncio.to_thread(send, with_free_ports(command, ports), folder)
            return await asyncio.to_thread(screen.is_complete.wait, 30)

    with contextlib.redirect_stdout(screen):
        assert asyncio.run(run()), screen.getvalue()


def with_free_ports(text: str, ports: dict[str, str]) -> str:
    """
    Put a free port in the place of each, the same for the same.
    """

    def free(match: re.Match[str]) -> str:
        if match[1] not in ports:
            with socket.create_server(("127.0.0.1", 0)) as server:
                ports[match[1]] = str(server.getsockname()[1])
        return f"127.0.0.1:{ports[match[1]]}"

    return re.sub(r"127\.0\.0\.1:(\d+)", free, text)


def send(command: str, folder: Path) -> None:
    """
    Send what a curl command would.
    """
    _, *options, url = shlex.split(command)
    given = dict(zip(options[::2], options[1::2], strict=True))
    body = given["-d"]
    data = (folder / body[1:]).read_bytes() if body.startswith("@") else body.encode()
    headers = dict([given["-H"].split(": ", 1)]) if "-H" in given else {}
    urllib.request.urlopen(urllib.request.Request(url, data, headers), timeout=30).close()
