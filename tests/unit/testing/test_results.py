"""
What comes out of a case is held against its expected files, or becomes them.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from otelwasm.errors import CaseError
from otelwasm.testing import CaseResult, check_case, check_cases, read_case, read_cases
from otelwasm_sdk import (
    Logs,
    Message,
    Permanent,
    Reply,
    Retryable,
    Traces,
    emit,
    exporter,
    http,
    log,
    processor,
    receiver,
)

INPUT = {
    "resourceSpans": [
        {"scopeSpans": [{"spans": [{"name": "a", "spanId": "eee19b7ec3c1b174"}, {"name": "b"}]}]}
    ]
}


@processor
def tag(batch: Traces) -> Traces:
    """
    Sets an attribute.
    """
    log.info("tagged", spans=len(batch))
    batch.set_attribute("env", "prod")
    return batch


@processor
def keep(batch: Traces) -> Traces:
    """
    Changes nothing.
    """
    return batch


@processor
def lose(batch: Traces) -> None:
    """
    Drops everything.
    """


@processor
def refuse(batch: Traces) -> Traces:
    """
    Takes nothing.
    """
    raise Retryable("full", after_s=5)


@processor
def fail(batch: Traces) -> Traces:
    """
    Has a bug.
    """
    raise ZeroDivisionError("oh")


def case_in(folder: Path, *, toml: str = "", expected: Any = None) -> Path:
    """
    The folder of a case with two spans.
    """
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "input-traces.json").write_text(json.dumps(INPUT))
    (folder / "case.toml").write_text(toml)
    if expected is not None:
        (folder / "expected-traces.json").write_text(json.dumps(expected))
    return folder


def checked(folder: Path, plugin: Any, *, is_updating: bool = False) -> CaseResult:
    """
    What becomes of the case.
    """
    return check_case(read_case(folder), plugin, is_updating=is_updating)


@pytest.mark.parametrize(
    ("plugin", "expected"),
    [
        (keep, "pass"),
        (keep, INPUT),
        (lose, "drop"),
        (refuse, {"retryable": "full", "after_s": 5}),
    ],
)
def test_what_is_expected_passes(tmp_path: Path, plugin: Any, expected: Any) -> None:
    """
    Passing on, by word or in full, dropping and refusing can all be expected.
    """
    assert checked(case_in(tmp_path, expected=expected), plugin).is_good


@pytest.mark.parametrize(
    ("plugin", "expected", "told"),
    [
        (tag, "pass", 'attribute env: not expected, got "prod"'),
        (tag, "drop", "expected nothing (dropped), got 2 spans"),
        (lose, INPUT, "expected 2 spans, got nothing (dropped)"),
        (lose, "pass", "expected what went in, unchanged, got nothing (dropped)"),
        (keep, {"resourceSpans": []}, "(the plugin passes it on unchanged)"),
        (keep, {"permanent": "no"}, 'expected refused as permanent: "no", got what went in'),
        (refuse, INPUT, 'expected 2 spans, got refused as retryable, after 5.0 s: "full"'),
        (tag, None, "expected-traces.json is missing"),
        (fail, None, "input-traces.json: the plugin failed"),
    ],
)
def test_what_is_not_expected_is_told(
    tmp_path: Path, plugin: Any, expected: Any, told: str
) -> None:
    """
    The file is named, and how the one differs from the other.
    """
    result = checked(case_in(tmp_path, expected=expected), plugin)

    assert not result.is_good
    assert told in str(result)


def test_a_failed_case_shows_what_the_plugin_logged(tmp_path: Path) -> None:
    """
    Lines of the log help to find out why.
    """
    result = checked(case_in(tmp_path), tag)

    assert str(result).endswith("  it logged:\n    info: tagged spans=2")


def test_a_bug_is_shown_with_its_traceback_and_never_accepted(tmp_path: Path) -> None:
    """
    An exception that is no failure is no result: --update writes nothing of it.
    """
    result = checked(case_in(tmp_path), fail, is_updating=True)

    assert "ZeroDivisionError: oh" in str(result)
    assert "in fail" in str(result)
    assert (False, ()) == (result.differences_only(), result.written)
    assert not (tmp_path / "expected-traces.json").exists()


def test_a_configuration_that_does_not_fit_fails_its_case(tmp_path: Path) -> None:
    """
    The reason is shown; other cases are not touched by it.
    """
    result = checked(case_in(tmp_path, toml="[config]\nkey = 1"), keep)

    told = "the plugin did not start\n    config.key: unknown key; keep takes no configuration"
    assert told in str(result)


def test_what_came_can_be_accepted(tmp_path: Path) -> None:
    """
    Updating writes what came, says which files, and the case passes from then on.
    """
    folder = case_in(tmp_path, expected="drop")
    (folder / "expected-emitted-logs.json").write_text("{}")
    updated = checked(folder, tag, is_updating=True)
    again = checked(folder, tag, is_updating=True)

    assert updated.is_good
    assert ["expected-traces.json"] == [path.name for path in updated.written]
    assert ["expected-emitted-logs.json"] == [path.name for path in updated.removed]
    assert (True, (), ()) == (again.is_good, again.written, again.removed)


def test_an_expected_file_without_an_input_is_told(tmp_path: Path) -> None:
    """
    A file that nothing is compared with is no silent pass.
    """
    folder = case_in(tmp_path, expected="pass")
    (folder / "expected-2-traces.json").write_text('"drop"')
    result = checked(folder, keep)

    assert "there is no input-2-traces.json or .pb" in str(result)


@pytest.mark.parametrize("text", ['"psas"', "{", '{"resourceSpans": 5}'])
def test_a_broken_expected_file_is_named(tmp_path: Path, text: str) -> None:
    """
    What cannot be a result is the user's to mend; --update mends it.
    """
    folder = case_in(tmp_path)
    (folder / "expected-traces.json").write_text(text)

    with pytest.raises(CaseError, match=r"expected-traces\.json"):
        checked(folder, tag)
    assert checked(folder, tag, is_updating=True).is_good


@receiver
class Hook:
    """
    Takes messages, asks a server, and polls in vain.
    """

    def receive(self, message: Message) -> Reply:
        """
        Emits the body.
        """
        if message.body == b"bad":
            raise Permanent("no good")
        emit(Logs.of({"body": message.body.decode()}))
        return Reply(202, http.get("http://names/ada").text())

    def poll(self) -> None:
        """
        Finds nobody.
        """
        raise Retryable("nobody is there")


def test_a_receivers_case_holds_all_that_it_does(tmp_path: Path) -> None:
    """
    Replies, refusals, calls, what is emitted and what is asked for are kept and compared.
    """
    (tmp_path / "case.toml").write_text(
        'then = ["poll"]\n'
        '[[messages]]\nmethod = "POST"\ntext = "hello"\n[[messages]]\ntext = "bad"\n'
        '[http."http://names/ada"]\ntext = "Ada"\n'
    )
    updated = checked(tmp_path, Hook, is_updating=True)
    found = {path.name: json.loads(path.read_text()) for path in updated.written}

    assert [{"status": 202, "text": "Ada"}, {"permanent": "no good"}] == found.pop(
        "expected-replies.json"
    )
    assert [{"retryable": "nobody is there"}] == found.pop("expected-calls.json")
    assert {"expected-emitted-logs.json", "expected-requests.json"} == found.keys()
    assert checked(tmp_path, Hook).is_good


def test_a_request_that_is_not_answered_is_told(tmp_path: Path) -> None:
    """
    The plugin is refused, and the case says what to write for an answer.
    """
    (tmp_path / "case.toml").write_text('[[messages]]\ntext = "hello"\n')
    checked(tmp_path, Hook, is_updating=True)

    [reply] = json.loads((tmp_path / "expected-replies.json").read_text())
    assert "http://names/ada is not among the answers" in reply["permanent"]


def test_batches_for_a_receiver_are_refused(tmp_path: Path) -> None:
    """
    A receiver's case has messages.
    """
    with pytest.raises(CaseError, match="a receiver takes no batches"):
        checked(case_in(tmp_path), Hook)


def test_all_cases_are_one_line_in_a_test(tmp_path: Path) -> None:
    """
    `check_cases` is silent if all pass, and raises AssertionError with what differs in any.
    """
    case_in(tmp_path / "one", expected="pass")
    check_cases(keep, cases=tmp_path)
    case_in(tmp_path / "two", expected="drop")

    with pytest.raises(AssertionError, match="case two:") as error:
        check_cases(keep, cases=tmp_path)
    assert "case one" not in str(error.value)
    assert ["one", "two"] == [case.name for case in read_cases(tmp_path)]


@exporter
def forward(batch: Traces) -> None:
    """
    Sends batches on as OTLP.
    """
    headers = {"content-type": "application/x-protobuf"}
    http.post("http://collector:4318/v1/traces", bytes(batch), headers=headers)


def test_otlp_in_requests_is_compared_as_telemetry(tmp_path: Path) -> None:
    """
    What an exporter sends as protobuf is shown as OTLP/JSON, and differs per span.
    """
    answer = '[http."http://collector:4318/v1/traces"]\n'
    checked(case_in(tmp_path, toml=answer), forward, is_updating=True)
    path = tmp_path / "expected-requests.json"
    path.write_text(path.read_text().replace('"name": "b"', '"name": "c"'))
    result = checked(tmp_path, forward)

    [problem] = result.problems
    assert [
        'span "c" (2 of 2), [0].otlp: missing',
        'span "b" (2 of 2), [0].otlp: not expected',
    ] == [str(each) for each in problem.differences]
