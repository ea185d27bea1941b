//! Set one attribute on every span, data point and log record.

use otelwasm_sdk::{Batch, Failure, Processor, Value, Verdict};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct AddAttribute {
    key: String,
    value: Value<'static>,
}

impl Default for AddAttribute {
    fn default() -> Self {
        AddAttribute {
            key: "deployment.environment.name".into(),
            value: "production".into(),
        }
    }
}

impl Processor for AddAttribute {
    type Config = Self;

    fn start(config: Self) -> Result<Self, String> {
        Ok(config)
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        // On the whole batch at once, which is faster than item by item.
        batch.set_attribute(&self.key, &self.value)?;
        Ok(Verdict::Send)
    }
}

otelwasm_sdk::processor!(AddAttribute);
