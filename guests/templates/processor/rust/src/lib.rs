//! Drop health checks, and say where the other spans come from.

use otelwasm_sdk::{Batch, Failure, On, Processor, Signal, Verdict};
use serde::Deserialize;

/// What a pipeline's YAML says under `config:`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Tidy {
    environment: String,
    #[serde(default = "health_checks")]
    drop: Vec<String>,
}

fn health_checks() -> Vec<String> {
    vec!["GET /health".into()]
}

impl Processor for Tidy {
    type Config = Self;
    const SIGNALS: &'static [Signal] = &[Signal::Traces];

    fn start(config: Self) -> Result<Self, String> {
        Ok(config)
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        batch.retain(|span| !self.drop.iter().any(|name| name == span.name()))?;
        batch
            .on(On::Resources)
            .set_attribute("deployment.environment.name", self.environment.as_str())?;
        Ok(Verdict::Send)
    }
}

otelwasm_sdk::processor!(Tidy);
