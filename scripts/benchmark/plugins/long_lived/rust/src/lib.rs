//! Do in turn what a plugin can do with a batch; scripts/benchmark/longevity.py knows the turns.

use otelwasm_sdk::{Batch, Failure, NoConfig, Processor, Signal, Verdict, emit, state};

struct LongLived {
    calls: i64,
}

impl Processor for LongLived {
    type Config = NoConfig;

    const SIGNALS: &'static [Signal] = &[Signal::Logs];

    fn start(_: NoConfig) -> Result<Self, String> {
        Ok(LongLived { calls: 0 })
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        let call = self.calls;
        self.calls += 1;
        match call % 10 {
            4..=6 => {
                batch.set_attribute("call", call)?;
            }
            7 => {
                batch.set_attribute("call", call)?;
                emit(batch)?;
                return Ok(Verdict::Drop);
            }
            8 => {
                state::get("batch")?;
                state::set("batch", batch.bytes())?;
            }
            // A panic would end the instance.
            9 => return Err(Failure::permanent(format!("call {call} is refused"))),
            _ => {}
        }
        Ok(Verdict::Send)
    }
}

otelwasm_sdk::processor!(LongLived);
