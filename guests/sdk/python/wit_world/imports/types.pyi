from enum import Enum, Flag

class Signal(Enum):
    TRACES = 0
    METRICS = 1
    LOGS = 2
    PROFILES = 3

class Abilities(Flag):
    TRACES = 1
    METRICS = 2
    LOGS = 4
    PROFILES = 8
    TICK = 16
    RECEIVE = 32
    POLL = 64

class Retry:
    reason: str
    after_ms: int | None
    def __init__(self, reason: str, after_ms: int | None) -> None: ...

class Failure_Permanent:
    value: str
    def __init__(self, value: str) -> None: ...

class Failure_Retryable:
    value: Retry
    def __init__(self, value: Retry) -> None: ...

Failure = Failure_Permanent | Failure_Retryable
