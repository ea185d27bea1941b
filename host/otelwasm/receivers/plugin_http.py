"""
Listen for HTTP on a plugin's behalf: any method and path is its to answer.

| what the plugin says    | what the sender hears                          |
| ----------------------- | ---------------------------------------------- |
| a reply                 | the reply                                      |
| permanent failure       | 400, with the reason                           |
| retryable failure       | 503 with Retry-After, and the reason           |
| a fault, ending it      | 500; the host's log says more                  |
"""

import math
from collections.abc import Awaitable, Callable

import attrs
import structlog

from otelwasm.config.structure import SHORT_FORM
from otelwasm.config.values import ByteSize, Duration
from otelwasm.errors import BatchError, PluginFaultError, RetryableError
from otelwasm.http.connection import HttpLimits
from otelwasm.http.messages import Answer, Request, told
from otelwasm.messages import Message, Reply
from otelwasm.otlp.tls import ServerTls
from otelwasm.pipeline.queue import ByteBudget
from otelwasm.receivers.listening import is_address
from otelwasm.telemetry import Telemetry

__all__ = ["HttpConfig", "HttpDesk"]

_log = structlog.get_logger(__name__)

# Between one connection's two ends only (RFC 9110, 7.6.1); the server says what is right here.
_HOP_BY_HOP = {
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}
_LONGEST_REASON = 1000
_FAILED = told(500, "the plugin failed on this request; the host's log says how")


@attrs.frozen
class HttpConfig:
    """
    Where to listen for HTTP; a request's body may have *max_request_body_size*.

    A sender has *read_header_timeout* for the head of a request and *read_timeout* for its body.
    """

    endpoint: str = attrs.field(validator=is_address, metadata=SHORT_FORM)
    """The address to listen at."""
    max_request_body_size: ByteSize = attrs.field(default=ByteSize(20 << 20))
    """What a request's body may have."""
    read_header_timeout: Duration = attrs.field(default=Duration(60))
    """Time that a sender has for the head of a request."""
    read_timeout: Duration = attrs.field(default=Duration(60))
    """Time that a sender has for the body of a request."""
    tls: ServerTls | None = None
    """Listen with TLS."""

    @property
    def limits(self) -> HttpLimits:
        """
        What a server has to know of this.
        """
        return HttpLimits(
            body=self.max_request_body_size,
            head_timeout=self.read_header_timeout,
            body_timeout=self.read_timeout,
        )


class HttpDesk:
    """
    Answers requests with what the plugin replies through *take*; *budget* bounds what waits for it.
    """

    def __init__(
        self,
        component: str,
        name: str,
        *,
        take: Callable[[Message], Awaitable[Reply]],
        budget: ByteBudget,
        telemetry: Telemetry,
    ) -> None:
        self._component = component
        self._name = name
        self._take = take
        self._budget = budget
        self._telemetry = telemetry

    async def answer(self, request: Request) -> Answer:
        """
        Have the plugin answer one request.
        """
        message = Message(
            request.body,
            request.peer,
            request.method,
            request.target,
            tuple(request.headers.items()),
        )
        outcome = "refused"
        try:
            self._budget.take(len(request.body))
            try:
                answer = self._answer_of(await self._take(message))
            finally:
                self._budget.give_back(len(request.body))
            if answer.status < 400:
                outcome = "taken"
        except BatchError as error:
            answer = self._refusal(message, error)
        finally:
            # Also when a stop ends the wait: the server says so to the sender.
            self._telemetry.count_call("messages", self._component, outcome)
        return answer

    def _answer_of(self, reply: Reply) -> Answer:
        """
        Make an answer of a reply, or say in the log what is wrong with it.
        """
        headers = tuple(header for header in reply.headers if header[0].lower() not in _HOP_BY_HOP)
        answer = Answer(reply.status, reply.body, headers)
        try:
            _ = answer.start
        except ValueError as error:
            _log.error("plugin's reply cannot be sent", plugin=self._name, error=str(error))
            return _FAILED
        return answer

    def _refusal(self, message: Message, error: BatchError) -> Answer:
        if isinstance(error, RetryableError):
            after_s = max(1, math.ceil(error.after_s or 0))
            return told(503, _reason(error), ("retry-after", str(after_s)))
        is_fault = isinstance(error, PluginFaultError)
        _log.error(
            "plugin refused a message",
            plugin=self._name,
            kind=error.kind if isinstance(error, PluginFaultError) else "permanent",
            peer=message.peer,
            target=message.target,
            error=str(error),
        )
        return _FAILED if is_fault else told(400, _reason(error))


def _reason(error: BatchError) -> str:
    """
    What the sender is told: a guest may have much to say.
    """
    text = str(error)
    return text if len(text) <= _LONGEST_REASON else f"{text[:_LONGEST_REASON]}…"
