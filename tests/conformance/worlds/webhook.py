"""
A receiver: each line of what is posted becomes a log record.
"""

import attrs

from otelwasm_sdk import Logs, Message, Reply, Retryable, emit, key_values, receiver


@attrs.frozen
class Config:
    """
    How to answer.
    """

    status: int = 202


@receiver
class Webhook:
    """
    Takes lines, and says every 1.5 seconds that it lives.
    """

    def __init__(self, config: Config) -> None:
        self.config = config

    def receive(self, message: Message) -> Reply | None:
        """
        Emit the lines, with the sender's address.
        """
        if message.method == "GET":
            return None
        if message.method == "ECHO":
            return Reply(200, message.body, message.headers)
        batch = Logs()
        scope = batch.proto.resource_logs.add().scope_logs.add()
        for line in message.body.decode().splitlines():
            record = scope.log_records.add(attributes=key_values({"peer": message.peer}))
            record.body.string_value = line
        try:
            emit(batch)
        except Retryable as failure:
            return Reply(503, headers=(("retry-after", str(failure.after_s)),))
        target = message.header("X-Answer") or message.target
        return Reply(self.config.status, target.encode(), (("x-taken", str(len(batch))),))

    def poll(self) -> float | None:
        """
        Nothing to look for.
        """
        return 1.5
