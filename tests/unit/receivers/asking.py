"""
Ask an OTLP/HTTP receiver anything and read what it answers.
"""

import json
from typing import Any

import aiohttp
from google.rpc.status_pb2 import Status as StatusMessage

from otelwasm.otlp.answers import JSON, PROTOBUF
from otelwasm.otlp.signals import SERVICES
from otelwasm.receivers.otlp_http import OtlpHttpConfig
from otelwasm.signals import Signal
from unit.otlp.peers import Inbox, receiving, run

__all__ = ["Reply", "ask", "reply_of"]

TRACES = SERVICES[Signal.TRACES].path


class Reply:
    """
    What a receiver answered.
    """

    def __init__(self, response: aiohttp.ClientResponse, body: bytes) -> None:
        self.status = response.status
        self.headers = response.headers
        self.content_type = response.headers.get("content-type")
        self.body = body

    @property
    def reason(self) -> str:
        """
        The words of the refusal, in whichever encoding they came.
        """
        if self.content_type == PROTOBUF:
            return str(StatusMessage.FromString(self.body).message)
        if self.content_type == JSON:
            return str(json.loads(self.body)["message"])
        return self.body.decode()


async def ask(
    port: int | None,
    path: str = TRACES,
    *,
    method: str = "POST",
    body: Any = b"",
    content_type: str | None = PROTOBUF,
    **headers: str,
) -> Reply:
    """
    Send one request and return the answer.
    """
    sent = {name.replace("_", "-"): value for name, value in headers.items()}
    if content_type is not None:
        sent["content-type"] = content_type
    url = f"http://127.0.0.1:{port}{path}"
    skipped = ("content-type",) if content_type is None else ()
    async with (
        aiohttp.ClientSession(skip_auto_headers=skipped) as session,
        session.request(method, url, data=body, headers=sent) as response,
    ):
        return Reply(response, await response.read())


def reply_of(
    inbox: Inbox, path: str = TRACES, *, http: OtlpHttpConfig | None = None, **request: Any
) -> Reply:
    """
    Run a receiver for one request.
    """

    async def scenario() -> Reply:
        async with receiving(inbox, http=http) as receiver:
            return await ask(receiver.http_port, path, **request)

    return run(scenario())
