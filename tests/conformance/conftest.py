"""
Give the conformance tests what they expect.
"""

from collections.abc import Callable

import pytest


@pytest.fixture(scope="session")
def is_to_update(request: pytest.FixtureRequest) -> Callable[[str], bool]:
    """
    Whether a case's expected files are to be rewritten: if `--update-golden` says so, by the first
    run of a session; the others are held to what that gave.
    """
    seen: set[str] = set()

    def ask(case: str) -> bool:
        is_first = case not in seen
        seen.add(case)
        return is_first and bool(request.config.getoption("--update-golden"))

    return ask
