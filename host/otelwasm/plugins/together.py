"""
Wait for what all instances of a plugin were asked.
"""

import threading
from concurrent.futures import Future

__all__ = ["all_done"]


def all_done(futures: list["Future[None]"]) -> "Future[None]":
    """
    Done when all of *futures* are; raises what the first of them raised, in their order.
    """
    done: Future[None] = Future()
    # It is under way: who stops waiting for it calls nothing off.
    done.set_running_or_notify_cancel()
    left = len(futures)
    lock = threading.Lock()

    def one_less(_future: "Future[None]") -> None:
        nonlocal left
        with lock:
            left -= 1
            if left:
                return
        errors = [error for future in futures if (error := future.exception()) is not None]
        if errors:
            done.set_exception(errors[0])
        else:
            done.set_result(None)

    for future in futures:
        future.add_done_callback(one_less)
    return done
