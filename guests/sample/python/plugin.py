"""Tail sampling: wait for whole traces, then keep those with errors, slow ones, and a share."""

import math
import time

import attrs

from otelwasm_sdk import Traces, emit, meter, processor


@attrs.frozen
class Config:
    # How long to wait for a trace's other spans after its first; `tick_interval` sets how
    # punctually it is decided then.
    wait_s: float = 10.0
    slow_s: float = 1.0
    share: float = 0.1
    # What may wait here. When it is full, the oldest traces are decided early.
    limit_bytes: int = 64 << 20
    # How many decisions to remember, for spans that come late.
    remembered: int = 100_000


@attrs.define
class Trace:
    decide_at: float
    must_keep: bool = False
    parts: list[bytes] = attrs.field(factory=list)


@processor
class Sample:
    def __init__(self, config: Config) -> None:
        self.config = config
        # Dicts keep the order of arrival: the oldest is always the first.
        self.waiting: dict[bytes, Trace] = {}
        self.decided: dict[bytes, bool] = {}
        self.kept: list[bytes] = []
        self.waiting_bytes = 0

    def process(self, batch: Traces) -> Traces | None:
        if self.waiting_bytes + sum(map(len, self.kept)) > self.config.limit_bytes:
            # If the next step takes nothing now, this raises before anything of the batch is
            # taken, and the batch's sender tries again.
            self.release(down_to_bytes=self.config.limit_bytes * 3 // 4)
        late = []
        for trace_id, part in batch.split("trace_id").items():
            is_kept = self.decided.get(trace_id)
            if is_kept is None:
                self.hold(trace_id, part)
            elif is_kept:
                late.append(bytes(part))
        return Traces(b"".join(late)) if late else None

    def tick(self) -> None:
        self.release(until=time.monotonic())

    def stop(self) -> None:
        self.release(until=math.inf)

    def hold(self, trace_id: bytes, part: Traces) -> None:
        trace = self.waiting.get(trace_id)
        if trace is None:
            trace = self.waiting[trace_id] = Trace(time.monotonic() + self.config.wait_s)
        trace.must_keep |= any(
            span.is_error or span.duration_s >= self.config.slow_s for span in part.spans()
        )
        # As bytes, spans take a fraction of what they take decoded, and can be counted.
        trace.parts.append(bytes(part))
        self.waiting_bytes += len(trace.parts[-1])

    def release(self, *, until: float = 0.0, down_to_bytes: float = math.inf) -> None:
        while self.waiting:
            trace_id, trace = next(iter(self.waiting.items()))
            if trace.decide_at > until and self.waiting_bytes <= down_to_bytes:
                break
            del self.waiting[trace_id]
            self.waiting_bytes -= sum(map(len, trace.parts))
            if self.decide(trace_id, trace):
                self.kept += trace.parts
        if self.kept:
            # OTLP requests of one signal are joined by joining their bytes. What the next step
            # does not take stays in `kept` until the next time.
            emit(Traces(b"".join(self.kept)))
            self.kept.clear()

    def decide(self, trace_id: bytes, trace: Trace) -> bool:
        # The id's own randomness decides, so that every instance decides alike.
        is_kept = trace.must_keep or int.from_bytes(trace_id[-7:]) < self.config.share * 2**56
        self.decided[trace_id] = is_kept
        if len(self.decided) > self.config.remembered:
            del self.decided[next(iter(self.decided))]
        meter.add("sample.traces", 1, kept=is_kept)
        return is_kept
