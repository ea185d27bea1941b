"""
A case is read from its folder; what is wrong with it is one message that names the file.
"""

from pathlib import Path

import pytest

from otelwasm.errors import CaseError
from otelwasm.signals import Signal
from otelwasm.testing import a_span, read_case, read_cases, traces

SPAN = '{"resourceSpans": [{"scopeSpans": [{"spans": [{"name": "a"}]}]}]}'


def written(folder: Path, **files: str) -> Path:
    """
    A case's folder with *files*: `input_traces` is input-traces.json, `case` is case.toml.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        file = "case.toml" if name == "case" else f"{name.replace('_', '-')}.json"
        (folder / file).write_text(text)
    return folder


def test_an_input_is_enough(tmp_path: Path) -> None:
    """
    A folder with one batch is a case, called like the folder.
    """
    case = read_case(written(tmp_path / "one", input_traces=SPAN))
    [step] = case.steps

    assert ("one", "one", {}) == (case.name, str(case), case.config)
    assert (Signal.TRACES, "expected-traces.json") == (step.signal, step.expected.name)


def test_inputs_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """
    The tenth comes after the second.
    """
    files = {f"input_{number}_traces": SPAN for number in (10, 2, 1)}
    case = read_case(written(tmp_path, **files))

    assert [f"input-{number}-traces.json" for number in (1, 2, 10)] == [
        step.input.name for step in case.steps
    ]


def test_protobuf_goes_in_as_it_is(tmp_path: Path) -> None:
    """
    A .pb file holds the very bytes; what is expected of it is JSON.
    """
    payload = bytes(traces(a_span()))
    (tmp_path / "input-traces.pb").write_bytes(payload)
    [step] = read_case(tmp_path).steps

    assert (payload, "expected-traces.json") == (step.payload, step.expected.name)


def test_no_cases_is_told_with_how_to_make_one(tmp_path: Path) -> None:
    """
    Where cases were looked for is said, and what to put there.
    """
    for folder in (tmp_path, tmp_path / "missing"):
        with pytest.raises(CaseError, match="no cases") as error:
            read_cases(folder)

        assert f"{folder}/<name>/input-traces.json" in str(error.value)
        assert "--update" in str(error.value)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"input_traces": '{"resourceSpans": [\n  {]}'}, "input-traces.json:2:4: no JSON: Expect"),
        ({"input_traces": f"{SPAN}\n{SPAN}"}, "input-traces.json:2:1: no JSON: Extra data after"),
        ({"input_traces": '{"resourceSpans": 5}'}, "traces.json: no traces request: resourceSpans"),
        (
            {
                "input_traces": SPAN.replace(
                    '"name"', '"attributes": [{"key": "a", "value": 1}], "x"'
                )
            },
            "resourceSpans[0]: scopeSpans[0]: spans[0]: attributes[0]: value: an object was",
        ),
        ({"input_logs": SPAN}, "that is traces: call it input-traces.json"),
        ({"input_traces": '{"resourceSpan": []}'}, "did you mean resourceSpans?"),
        ({"input_spans": SPAN}, "input-spans.json is not named like an input"),
        ({"case": ""}, "nothing goes into this case"),
        ({"case": "config = "}, "case.toml: no TOML: "),
        ({"case": "ignored = []"}, "case.toml: ignored: unknown key; did you mean ignore?"),
        ({"case": 'then = ["tock"]'}, "case.toml: then[0]: expected one of poll, tick, stop"),
        ({"case": "[config]\nday = 2025-01-01"}, "dates and times are written as text"),
        ({"case": 'ignore_in_urls = "("'}, "ignore_in_urls: no pattern"),
        ({"case": '[[messages]]\nbatch = "sent-traces.json"'}, "sent-traces.json: cannot be read"),
        ({"case": '[[messages]]\nbatch = "sent.json"'}, "does not say its signal"),
        ({"case": "[[messages]]\nstatus = 200"}, "messages[0].status: unknown key"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, files: dict[str, str], told: str) -> None:
    """
    Each mistake is one message with the file, the place in it, and what was probably meant.
    """
    with pytest.raises(CaseError) as error:
        read_case(written(tmp_path, **files))

    assert told in str(error.value)
    assert str(error.value).startswith(str(tmp_path))


def test_two_inputs_for_one_place_are_refused(tmp_path: Path) -> None:
    """
    JSON and protobuf of the same number and signal cannot both go in.
    """
    (tmp_path / "input-traces.pb").write_bytes(bytes(traces(a_span())))

    with pytest.raises(CaseError, match=r"input-traces\.json is there, too"):
        read_case(written(tmp_path, input_traces=SPAN))


def test_broken_protobuf_is_refused(tmp_path: Path) -> None:
    """
    What is no request of its signal is said with the file.
    """
    (tmp_path / "input-traces.pb").write_bytes(b"\xff")

    with pytest.raises(CaseError, match=r"input-traces\.pb: no traces request"):
        read_case(tmp_path)
