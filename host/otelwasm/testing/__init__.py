"""
Test a plugin: as the plain Python that it is, in milliseconds, or as the component it becomes.

    from otelwasm.testing import a_span, run
    from redact import redact

    def test_user_ids_are_hashed() -> None:
        traces = run(redact, a_span(attributes={"enduser.id": "ada"}))

        [span] = traces.spans()
        assert span.attributes["enduser.id"] == hashed("ada")

`run` is for one batch. A `Trial` goes through the life of a plugin of any kind, plays what is
around it, and keeps what it emitted, logged, measured and requested on the way:

    def test_pushes_become_log_records() -> None:
        with Trial(webhook, config={"token": "t"}) as trial:
            reply = trial.receive(a_message('{"ref": "main"}', headers={"x-token": "t"}))

        assert reply.status == 202
        [logs] = trial.emitted

Cases are what `otelwasm test` runs: files with what goes in and what is expected (`cases.py` says
all of it). `check_cases` runs those of a plugin, and `differences` compares any two batches:

    def test_all_cases() -> None:
        check_cases(Path(__file__).parent)
"""

from otelwasm.testing.cases import Case, read_case, read_cases
from otelwasm.testing.differences import differences
from otelwasm.testing.making import (
    a_log_record,
    a_message,
    a_metric,
    a_span,
    logs,
    metrics,
    traces,
)
from otelwasm.testing.results import CaseResult, Problem, check_case, check_cases
from otelwasm.testing.trial import LogLine, Measurement, Trial, run

__all__ = [
    "Case",
    "CaseResult",
    "LogLine",
    "Measurement",
    "Problem",
    "Trial",
    "a_log_record",
    "a_message",
    "a_metric",
    "a_span",
    "check_case",
    "check_cases",
    "differences",
    "logs",
    "metrics",
    "read_case",
    "read_cases",
    "run",
    "traces",
]
