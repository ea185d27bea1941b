"""
An instance lives as long as its pipeline: it neither traps nor grows, whatever its language.

`scripts/test tests/longevity --calls 100000` takes minutes and is what a release should pass.
"""

import pytest
from benchmark.longevity import LANGUAGES, SOURCES, lived

from conformance.building import built

# What an instance may still take after half of its calls: two more of the largest payloads, where
# small blocks came to lie between large ones. What is leaked with each call soon is more.
MOST_BYTES = 16 << 20


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_instance_stops_growing(language: str, request: pytest.FixtureRequest) -> None:
    """
    Calls with payloads of up to 8 MiB, failures in between, trap none and soon take no more memory.
    """
    life = lived(built(SOURCES / language, language), calls=request.config.getoption("--calls"))

    assert life.grown_bytes(after=0.5) <= MOST_BYTES, life.memory_bytes
