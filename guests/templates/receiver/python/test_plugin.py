"""
Test the plugin as plain Python, in milliseconds. `otelwasm test` runs the cases in its sandbox.
"""

from plugin import webhook

from otelwasm.testing import Trial, a_message


def test_a_message_becomes_a_log_record() -> None:
    """
    What is posted is the body of one log record.
    """
    with Trial(webhook) as trial:
        reply = trial.receive(a_message("hello", target="/deploys"))

    assert 202 == reply.status
    [logs] = trial.emitted
    assert [("hello", "/deploys")] == [
        (record.body, record.attributes["url.path"]) for record in logs.log_records()
    ]
