//! Send batches by OTLP over HTTP, as protobuf, as the host's own exporter does.

mod answers;

use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

use flate2::write::GzEncoder;
use otelwasm_sdk::http::Request;
use otelwasm_sdk::{Batch, Exporter, Failure, Receipt};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct OtlpHttpExporter {
    /// The base, to which /v1/traces and so on are added.
    endpoint: String,
    #[serde(default)]
    headers: BTreeMap<String, String>,
    #[serde(default)]
    compression: Compression,
    #[serde(default = "ten")]
    timeout_s: f64,
}

#[derive(Default, Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Compression {
    #[default]
    None,
    Gzip,
}

fn ten() -> f64 {
    10.0
}

/// OTLP: the statuses after which the same request may be sent again.
const RETRYABLE: [u16; 4] = [429, 502, 503, 504];

impl Exporter for OtlpHttpExporter {
    type Config = Self;

    fn start(config: Self) -> Result<Self, String> {
        Ok(config)
    }

    // The bytes go on as they are: no field is lost that this plugin does not know.
    fn send(&mut self, batch: &mut Batch) -> Result<Receipt, Failure> {
        let endpoint = self.endpoint.trim_end_matches('/');
        let url = format!("{endpoint}/v1/{}", batch.signal().label());
        let response = self.request(&url, batch.bytes())?.send()?;
        if (200..300).contains(&response.status) {
            return Ok(answers::receipt(&response));
        }
        let reason = format!(
            "{url} answered {}: {}",
            response.status,
            answers::reason(&response)
        );
        if RETRYABLE.contains(&response.status) {
            return Err(Failure::Retryable {
                reason,
                after: response.retry_after(),
            });
        }
        Err(Failure::Permanent(reason))
    }
}

impl OtlpHttpExporter {
    fn request(&self, url: &str, payload: &[u8]) -> Result<Request, Failure> {
        let is_compressed = self.compression == Compression::Gzip;
        let body = if is_compressed {
            compressed(payload)?
        } else {
            payload.to_vec()
        };
        let mut headers = BTreeMap::from([("content-type", answers::PROTOBUF)]);
        headers.extend(
            self.headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        );
        if is_compressed {
            headers.insert("content-encoding", "gzip");
        }
        let timeout = Duration::try_from_secs_f64(self.timeout_s).unwrap_or(Duration::MAX);
        let request = Request::post(url, body).timeout(timeout);
        Ok(headers.into_iter().fold(request, |request, (name, value)| {
            request.header(name, value)
        }))
    }
}

fn compressed(payload: &[u8]) -> Result<Vec<u8>, Failure> {
    let mut body = GzEncoder::new(Vec::new(), flate2::Compression::default());
    body.write_all(payload)
        .and_then(|()| body.finish())
        .map_err(Failure::permanent)
}

otelwasm_sdk::exporter!(OtlpHttpExporter);
