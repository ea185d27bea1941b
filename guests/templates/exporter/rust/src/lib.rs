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

#[cfg(test)]
mod tests {
    use super::*;
    use otelwasm_sdk::http::Response;
    use otelwasm_sdk::{Signal, testing};

    /// A response of 503 is a failure that the host may try again.
    #[test]
    fn a_busy_server_is_tried_again() {
        testing::answer_with(|request| {
            assert_eq!("http://collector:4318/v1/traces", request.url);
            Ok(Response {
                status: 503,
                ..Default::default()
            })
        });
        let mut plugin = Post {
            endpoint: "http://collector:4318".into(),
        };

        let sent = plugin.send(&mut Batch::new(Signal::Traces, []));

        assert!(matches!(sent, Err(Failure::Retryable { .. })));
    }
}
