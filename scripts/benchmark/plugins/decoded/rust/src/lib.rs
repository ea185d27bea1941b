//! Set one attribute of each span, on OTLP's types.

use otelwasm_sdk::otlp::collector::trace::v1::ExportTraceServiceRequest;
use otelwasm_sdk::otlp::key_value;
use otelwasm_sdk::{Batch, Failure, NoConfig, Processor, Signal, Verdict};

struct Decoded;

impl Processor for Decoded {
    type Config = NoConfig;

    const SIGNALS: &'static [Signal] = &[Signal::Traces];

    fn start(_: NoConfig) -> Result<Self, String> {
        Ok(Decoded)
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        let mut request: ExportTraceServiceRequest = batch.decode()?;
        for resource in &mut request.resource_spans {
            for scope in &mut resource.scope_spans {
                for span in &mut scope.spans {
                    span.attributes.push(key_value("env", "prod"));
                }
            }
        }
        *batch = Batch::from(&request);
        Ok(Verdict::Send)
    }
}

otelwasm_sdk::processor!(Decoded);
