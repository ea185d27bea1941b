//! Post each batch, as OTLP protobuf, to a server.

use otelwasm_sdk::http::Request;
use otelwasm_sdk::{Batch, Exporter, Failure, Receipt};
use serde::Deserialize;

/// What a pipeline's YAML says under `config:`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Post {
    endpoint: String,
}

impl Exporter for Post {
    type Config = Self;

    fn start(config: Self) -> Result<Self, String> {
        Ok(config)
    }

    fn send(&mut self, batch: &mut Batch) -> Result<Receipt, Failure> {
        let url = format!("{}/v1/{}", self.endpoint, batch.signal().label());
        Request::post(url, batch.bytes())
            .header("content-type", "application/x-protobuf")
            .send()?
            // 408, 429 and 5xx are tried again, others are refused for good.
            .error_for_status()?;
        Ok(Receipt::default())
    }
}

otelwasm_sdk::exporter!(Post);
