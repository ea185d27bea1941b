//! What a server says of a batch.

use otelwasm_sdk::Receipt;
use otelwasm_sdk::http::Response;
use otelwasm_sdk::otlp::collector::trace::v1::{
    ExportTracePartialSuccess, ExportTraceServiceResponse,
};
use prost::Message;

pub const PROTOBUF: &str = "application/x-protobuf";

/// The partial success that a response may tell of; those of all signals are alike.
pub fn receipt(response: &Response) -> Receipt {
    let answer = is_protobuf(response).then(|| ExportTraceServiceResponse::decode(&*response.body));
    match answer {
        Some(Ok(ExportTraceServiceResponse {
            partial_success: Some(partial),
        })) => Receipt {
            rejected: partial.rejected_spans.try_into().unwrap_or(0),
            message: partial.error_message,
        },
        // It said that it took them.
        _ => Receipt::default(),
    }
}

/// Why, by a google.rpc.Status, which has its text where a partial success has it, too.
pub fn reason(response: &Response) -> String {
    if is_protobuf(response) {
        return match ExportTracePartialSuccess::decode(&*response.body) {
            Ok(status) => status.error_message,
            Err(_) => "a body that is no protobuf".to_owned(),
        };
    }
    let start = &response.body[..response.body.len().min(500)];
    String::from_utf8_lossy(start).trim().to_owned()
}

fn is_protobuf(response: &Response) -> bool {
    let kind = response.header("content-type").unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim() == PROTOBUF
}
