"""
What all instances of a plugin were asked ends when the last of them has answered.
"""

from concurrent.futures import Future

import pytest

from otelwasm.plugins.together import all_done


def test_the_first_error_is_raised_when_all_have_answered() -> None:
    """
    Of several errors it is the first instance's, whoever answered first.
    """
    first: Future[None] = Future()
    second: Future[None] = Future()
    done = all_done([first, second])
    second.set_exception(ValueError("second"))
    was_done = done.done()
    first.set_exception(ValueError("first"))

    assert not was_done
    with pytest.raises(ValueError, match="first"):
        done.result(0)


def test_nobody_need_wait_for_the_answer(caplog: pytest.LogCaptureFixture) -> None:
    """
    Who asked may have gone when the last one fails: a stop cancels a tick that is under way. No
    traceback of ours is logged for that.
    """
    asked: Future[None] = Future()
    done = all_done([asked])
    done.cancel()
    asked.set_exception(ValueError("late"))

    assert [] == caplog.messages
