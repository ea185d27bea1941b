"""
Give the conformance tests what they expect.
"""

import pytest

from conformance.golden import Golden


@pytest.fixture(scope="session")
def golden(request: pytest.FixtureRequest) -> Golden:
    """
    The expected results, rewritten if `--update-golden` says so.
    """
    return Golden(is_updating=request.config.getoption("--update-golden"))
