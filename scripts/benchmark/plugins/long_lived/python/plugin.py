"""Do in turn what a plugin can do with a batch; scripts/benchmark/longevity.py knows the turns."""

from otelwasm_sdk import Logs, Permanent, emit, processor, state


@processor
class LongLived:
    def __init__(self) -> None:
        self.calls = 0

    def process(self, batch: Logs) -> Logs | None:
        call = self.calls
        self.calls += 1
        match call % 10:
            case 4 | 5 | 6:
                batch.set_attribute("call", call)
            case 7:
                batch.set_attribute("call", call)
                emit(batch)
                return None
            case 8:
                state.get("batch")
                state.set("batch", bytes(batch))
            case 9 if call % 100 == 99:
                raise RuntimeError(f"call {call} goes wrong")
            case 9:
                raise Permanent(f"call {call} is refused")
        return batch
