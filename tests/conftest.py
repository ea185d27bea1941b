"""
What all tests share.
"""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """
    Let `scripts/test --update-golden` rewrite the expected results that are kept as files.
    """
    parser.addoption(
        "--update-golden",
        action="store_true",
        help="rewrite the expected results of the example plugins",
    )
