"""
Make a log record of each message that somebody posts.
"""

import time

import attrs

from otelwasm_sdk import Logs, Message, Reply, emit, receiver


@attrs.frozen
class Config:
    """
    What a pipeline's YAML says under `config:`.
    """

    service: str = "my-plugin"


@receiver
def webhook(message: Message, config: Config) -> Reply:
    if message.method != "POST":
        return Reply(405, "POST a message\n", {"content-type": "text/plain"})
    record = {
        "observed_time_unix_nano": time.time_ns(),
        "body": message.body.decode(errors="replace"),
        "attributes": {"url.path": message.target},
    }
    # If the next step does not take it now, the sender gets 503 and tries again.
    emit(Logs.of(record, resource={"service.name": config.service}))
    return Reply(202)
