"""
`otelwasm test` runs a plugin's cases in a sandbox, shows what differs, and accepts it when asked.
"""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from otelwasm.cli import main
from otelwasm.scaffold import KINDS, new_plugin
from otelwasm_sdk.definition import Kind

pytestmark = pytest.mark.usefixtures("log_as_before")
PLUGIN = """\
import attrs
from otelwasm_sdk import Permanent, Traces, log, processor


@attrs.frozen
class Config:
    env: str = "prod"


@processor
def tag(batch: Traces, config: Config) -> Traces:
    if config.env == "bad":
        return 1 / 0
    if config.env == "none":
        raise Permanent("no environment")
    log.info("tagged", spans=len(batch))
    batch.set_attribute("env", config.env)
    return batch
"""
INPUT = {"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "GET /cart"}]}]}]}


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """
    A plugin's folder with two cases of which nothing is expected yet, as the current one.
    """
    (tmp_path / "plugin.py").write_text(PLUGIN)
    for name, toml in {"prod": "", "refused": '[config]\nenv = "none"\n'}.items():
        folder = tmp_path / "cases" / name
        folder.mkdir(parents=True)
        (folder / "case.toml").write_text(toml)
        (folder / "input-traces.json").write_text(json.dumps(INPUT))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test(*arguments: str) -> Result:
    """
    Run `otelwasm test`.
    """
    return CliRunner().invoke(main, ["test", *arguments])


# It's a command here, and no test.
test.__test__ = False  # type: ignore[attr-defined]


def test_cases_are_accepted_pass_and_fail(plugin: Path) -> None:
    """
    From an input alone to expected files, to a case that differs: per span and attribute.
    """
    before, updated, after = test(), test("--update"), test(".")
    source = plugin / "plugin.py"
    source.write_text(PLUGIN.replace("config.env)", "'test')"))
    changed = test("plugin.py", "--case", "prod")

    assert [1, 0, 0, 1] == [each.exit_code for each in (before, updated, after, changed)]
    assert "expected-traces.json is missing" in before.output
    assert "If what came is right: otelwasm test --update\n" in before.output
    assert "written: cases/prod/expected-traces.json" in updated.output
    assert {"permanent": "no environment"} == json.loads(
        (plugin / "cases/refused/expected-traces.json").read_text()
    )
    assert "2 of 2 cases passed" in after.output
    assert (
        "FAIL  prod\n"
        "      expected-traces.json\n"
        '        span "GET /cart"\n'
        '          attribute env: expected "prod", got "test"\n'
        "      it logged:\n"
        "        info: tagged spans=1\n"
        "0 of 1 case passed"
    ) in changed.output
    assert "otelwasm test plugin.py --case prod --update" in changed.output


def test_a_failing_plugin_fails_its_case_alone(plugin: Path) -> None:
    """
    A bug's traceback is shown with the author's line; it is not accepted; other cases go on.
    """
    (plugin / "cases/prod/case.toml").write_text('[config]\nenv = "bad"\n')
    result = test("--update")

    assert 1 == result.exit_code
    assert (
        "FAIL  prod\n"
        "      input-traces.json: the plugin failed\n"
        "        Traceback (most recent call last):\n"
        '          File "plugin.py", line 13, in tag\n'
    ) in result.output
    assert "ok    refused" in result.output
    assert not (plugin / "cases/prod/expected-traces.json").exists()


@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ("    return 5\n", "returned int for traces"),
        ("    raise KeyError('x')\n", "KeyError: 'x'"),
        ("    raise Permanent('Error: none')\n", ""),
    ],
)
def test_a_mistake_is_told_from_a_refusal(plugin: Path, mistake: str, told: str) -> None:
    """
    What the author did not mean is never accepted, in whatever form it is told; a refusal is.
    """
    (plugin / "plugin.py").write_text(f"{PLUGIN.partition('    if config')[0]}{mistake}")
    result = test("--update", "--case", "prod")

    assert bool(told) is ("input-traces.json: the plugin failed" in result.output)
    assert told in result.output
    assert bool(told) is not (plugin / "cases/prod/expected-traces.json").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--case", "prood"], "no case 'prood' in cases; did you mean prod? cases: prod, refused"),
        (["--cases", "elsewhere"], "no cases: there is no folder elsewhere"),
        (["missing.py"], "missing.py: there is no such file or folder"),
        (["cases", "--cases", "cases"], "holds no plugin"),
    ],
)
def test_a_users_mistake_is_one_message(plugin: Path, arguments: list[str], told: str) -> None:
    """
    Nothing runs; what was looked for and where is said, with exit code 2.
    """
    result = test(*arguments)

    assert (2, "") == (result.exit_code, result.stdout)
    assert told in result.stderr


@pytest.mark.parametrize("kind", KINDS)
def test_a_new_plugins_case_passes(
    kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    What `otelwasm new` makes passes `otelwasm test` as it is.
    """
    new_plugin(kind, tmp_path / "mine")
    monkeypatch.chdir(tmp_path / "mine")
    result = test()

    assert (0, True) == (result.exit_code, "1 of 1 case passed" in result.output), result.output
