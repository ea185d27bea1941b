"""
Say over HTTP whether the pipelines run, to whatever watches over the process.

| while it is    | any request is answered with            |
| -------------- | --------------------------------------- |
| starting       | 503 and `{"status": "starting"}`        |
| running        | 200 and `{"status": "running"}`         |
| stopping       | 503 and `{"status": "stopping"}`        |

The loop that batches go through answers: if that hangs, there is no answer.
"""

import json
from typing import Literal

from otelwasm.http.messages import Answer, Request
from otelwasm.http.server import HttpServer
from otelwasm.otlp.endpoints import Address
from otelwasm.receivers.listening import bind

__all__ = ["Health"]


class Health:
    """
    A server of the *status*, which is for its owner to set; raises SetupError where it cannot
    listen.
    """

    def __init__(self, address: str) -> None:
        self.status: Literal["starting", "running", "stopping"] = "starting"
        self._server = HttpServer(
            self._answer, bind(Address.parse(address), owner="service.health")
        )

    @property
    def port(self) -> int:
        """
        The port that it listens on.
        """
        return self._server.port

    async def start(self) -> None:
        """
        Begin to answer.
        """
        await self._server.start()

    async def close(self) -> None:
        """
        Answer no more.
        """
        await self._server.close(grace_s=0)

    async def _answer(self, _: Request) -> Answer:
        body = json.dumps({"status": self.status}).encode()
        status = 200 if self.status == "running" else 503
        return Answer(status, body, (("content-type", "application/json"),))
