"""
Have a plugin take messages whose senders hear no answer, as those of tcp and udp.

What the plugin cannot take now is tried again, as `retry_on_failure` says; what it refuses, and
what is given up, is counted and logged: a message is never lost silently.
"""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

import structlog

from otelwasm.errors import PermanentError, PluginFaultError, RetryableError
from otelwasm.messages import Message, Reply
from otelwasm.pipeline.delivery import RetryConfig
from otelwasm.pipeline.lines import Lines
from otelwasm.telemetry import Telemetry

__all__ = ["Courier"]

_log = structlog.get_logger(__name__)

# Replies that ask to come again, as OTLP reads them.
_COME_AGAIN = {429, 502, 503, 504}
# Once there is a deadline, what waits is tried more often.
_LAST_ATTEMPTS_S = 0.1


class Courier:
    """
    Brings messages to one plugin through *take*; *component* is what telemetry calls it.
    """

    def __init__(
        self,
        component: str,
        name: str,
        *,
        take: Callable[[Message], Awaitable[Reply]],
        retry: RetryConfig,
        telemetry: Telemetry,
    ) -> None:
        self._component = component
        self._name = name
        self._take = take
        self._retry = retry
        self._telemetry = telemetry
        self._is_stopping = asyncio.Event()
        self._lost = Lines(_log.error, "messages lost")
        self._refused = Lines(_log.error, "plugin refused messages")
        self._retried = Lines(_log.warning, "messages not taken, will be tried again")

    async def deliver(self, message: Message) -> None:
        """
        Return once *message* was taken, refused or given up; cancelling gives it up.
        """
        began = monotonic()
        attempt = 0
        try:
            while (error := await self._attempt(message)) is not None:
                delay = self._retry.backoff(
                    attempt, after_s=error.after_s, elapsed_s=monotonic() - began
                )
                attempt += 1
                if delay is None:
                    self.lose(f"gave up after {attempt} attempts: {error}", peer=message.peer)
                    return
                self._telemetry.count_call("messages", self._component, "retried")
                self._retried.add(
                    plugin=self._name, peer=message.peer, after_s=round(delay, 3), error=str(error)
                )
                await self._pause(delay)
        except asyncio.CancelledError:
            self.lose("not taken before the shutdown timeout", peer=message.peer)
            raise

    def lose(self, reason: str, *, peer: str, count: int = 1) -> None:
        """
        Count and log messages that nobody will try again.
        """
        self._telemetry.count_call("messages", self._component, "lost", count=count)
        self._lost.add(count, plugin=self._name, peer=peer, reason=reason)

    def hurry(self) -> None:
        """
        Try what waits at once, and often: a deadline is set.
        """
        self._is_stopping.set()

    def close(self) -> None:
        """
        Write the lines that are held back.
        """
        for lines in (self._lost, self._refused, self._retried):
            lines.close()

    async def _attempt(self, message: Message) -> RetryableError | None:
        """
        Hand *message* over; return why it must be tried again, if it must.
        """
        try:
            reply = await self._take(message)
            if reply.status >= 400:
                raise _not_taken(reply, self._name)
        except RetryableError as error:
            return error
        except PermanentError as error:
            self._refuse(message, error)
        except Exception as error:
            # A defect of ours; the messages behind this one must not suffer.
            _log.exception("message could not be handed over", plugin=self._name)
            self.lose(f"{type(error).__name__}: {error}", peer=message.peer)
        else:
            self._telemetry.count_call("messages", self._component, "taken")
        return None

    def _refuse(self, message: Message, error: PermanentError) -> None:
        self._telemetry.count_call("messages", self._component, "refused")
        self._refused.add(
            plugin=self._name,
            kind=error.kind if isinstance(error, PluginFaultError) else "permanent",
            peer=message.peer,
            bytes=len(message.body),
            error=str(error),
        )

    async def _pause(self, delay_s: float) -> None:
        if self._is_stopping.is_set():
            await asyncio.sleep(min(delay_s, _LAST_ATTEMPTS_S))
            return
        try:
            async with asyncio.timeout(delay_s):
                await self._is_stopping.wait()
        except TimeoutError:
            pass


def _not_taken(reply: Reply, name: str) -> PermanentError | RetryableError:
    """
    What a reply of 400 or more says to who brought the message.
    """
    said = reply.body[:200].decode("utf-8", "replace").strip()
    text = f"plugin '{name}': replied {reply.status}" + (f": {said}" if said else "")
    if reply.status not in _COME_AGAIN:
        return PermanentError(text)
    after = [value for key, value in reply.headers if key.lower() == "retry-after"]
    return RetryableError(text, after_s=float(after[0]) if after and after[0].isdecimal() else None)
