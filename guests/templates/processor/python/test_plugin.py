"""
Test the plugin as plain Python, in milliseconds. `otelwasm test` runs the cases in its sandbox.
"""

from plugin import Config, tidy

from otelwasm.testing import a_span, run, traces


def test_health_checks_are_dropped() -> None:
    """
    A span that `drop` names goes; the others stay.
    """
    batch = traces(a_span("GET /health"), a_span("GET /cart"))

    result = run(tidy, batch, config=Config(environment="test"))

    assert ["GET /cart"] == [span.name for span in result.spans()]
