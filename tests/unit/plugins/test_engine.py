"""
One engine serves the process, and its clock runs.
"""

import threading

from otelwasm.plugins.deadline import TICK_S, ticks
from otelwasm.plugins.engine import the_engine


def test_there_is_one_engine() -> None:
    """
    Threads that ask at once get the same engine.
    """
    found = []
    threads = [threading.Thread(target=lambda: found.append(the_engine())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)

    assert [the_engine()] * 8 == found


def test_ticks_last_at_least_the_time_asked_for() -> None:
    """
    A deadline never comes early: the first tick may be just about to end.
    """
    assert 2 == ticks(TICK_S)
    assert 3 == ticks(TICK_S * 1.01)
    assert 501 == ticks(5.0)
    assert 1 == ticks(0)
