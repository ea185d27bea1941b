"""
Test the plugin as plain Python, in milliseconds. `otelwasm test` runs the cases in its sandbox.
"""

from plugin import Config, post
from pytest import raises

from otelwasm.testing import Trial, a_span
from otelwasm_sdk import Retryable
from otelwasm_sdk.http import Response


def test_a_busy_server_is_tried_again() -> None:
    """
    A response of 503 is a failure that the host may try again.
    """
    trial = Trial(
        post,
        config=Config(endpoint="http://collector:4318"),
        http=lambda request: Response(503),
    )

    with raises(Retryable):
        trial.send(a_span())

    assert "http://collector:4318/v1/traces" == trial.requested[0].url
