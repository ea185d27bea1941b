//! Send everything on as it came: the smallest plugin there is.

use otelwasm_sdk::{Batch, Failure, NoConfig, Processor, Signal, Verdict};

struct Nop;

impl Processor for Nop {
    type Config = NoConfig;

    const SIGNALS: &'static [Signal] = Signal::ALL;

    fn start(_: NoConfig) -> Result<Self, String> {
        Ok(Nop)
    }

    fn process(&mut self, _: &mut Batch) -> Result<Verdict, Failure> {
        // Nobody looked into the batch, so it is not even read.
        Ok(Verdict::Send)
    }
}

otelwasm_sdk::processor!(Nop);
