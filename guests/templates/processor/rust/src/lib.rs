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

#[cfg(test)]
mod tests {
    use super::*;
    use otelwasm_sdk::otlp::collector::trace::v1::ExportTraceServiceRequest;
    use otelwasm_sdk::otlp::trace::v1::{ResourceSpans, ScopeSpans, Span};

    fn batch(names: &[&str]) -> Batch {
        let spans = names.iter().map(|&name| Span {
            name: name.into(),
            ..Default::default()
        });
        Batch::from(&ExportTraceServiceRequest {
            resource_spans: vec![ResourceSpans {
                scope_spans: vec![ScopeSpans {
                    spans: spans.collect(),
                    ..Default::default()
                }],
                ..Default::default()
            }],
        })
    }

    /// Of a health check and another request, the other one is left.
    #[test]
    fn health_checks_are_dropped() {
        let mut plugin = Tidy {
            environment: "test".into(),
            drop: health_checks(),
        };
        let mut batch = batch(&["GET /health", "GET /cart"]);

        assert_eq!(Ok(Verdict::Send), plugin.process(&mut batch));

        let names: Vec<_> = batch.spans().unwrap().map(|s| s.name().to_owned()).collect();
        assert_eq!(["GET /cart"], names[..]);
    }
}
