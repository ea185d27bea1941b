"""
What all tests share.
"""

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

# How long an example takes says more about the machine than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    Let `scripts/test --update-golden` rewrite the expected results that are kept as files.
    """
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the expected results of the example plugins",
    )
    parser.addoption(
        "--calls",
        type=int,
        default=3_000,
        help="how many calls one instance lives through in tests/longevity (default: 3000)",
    )


@pytest.fixture
def log_as_before() -> Iterator[None]:
    """
    Commands configure the log of the whole program; give it back.
    """
    before = structlog.get_config()
    yield
    structlog.configure(**before)
