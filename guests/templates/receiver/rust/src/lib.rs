//! Make a log record of each message that somebody posts.

use otelwasm_sdk::otlp::collector::logs::v1::ExportLogsServiceRequest;
use otelwasm_sdk::otlp::key_value;
use otelwasm_sdk::otlp::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use otelwasm_sdk::otlp::resource::v1::Resource;
use otelwasm_sdk::{Batch, Failure, Message, Receive, Receiver, Reply, Value, clock, emit};
use serde::Deserialize;

/// What a pipeline's YAML says under `config:`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Webhook {
    service: String,
}

impl Default for Webhook {
    fn default() -> Self {
        Webhook {
            service: "my-plugin".into(),
        }
    }
}

impl Receiver for Webhook {
    type Config = Self;

    fn start(config: Self) -> Result<Self, String> {
        Ok(config)
    }
}

impl Receive for Webhook {
    fn receive(&mut self, message: Message) -> Result<Reply, Failure> {
        if message.method != "POST" {
            return Ok(Reply::text(405, "POST a message\n"));
        }
        let text = String::from_utf8_lossy(&message.body);
        let record = LogRecord {
            observed_time_unix_nano: clock::unix_nano(),
            body: Some(Value::from(text.as_ref()).into()),
            attributes: vec![key_value("url.path", message.target.as_str())],
            ..Default::default()
        };
        // If the next step does not take it now, the sender gets 503 and tries again.
        emit(&mut Batch::from(&self.request(record)))?;
        Ok(Reply::new(202))
    }
}

impl Webhook {
    fn request(&self, record: LogRecord) -> ExportLogsServiceRequest {
        ExportLogsServiceRequest {
            resource_logs: vec![ResourceLogs {
                resource: Some(Resource {
                    attributes: vec![key_value("service.name", self.service.as_str())],
                    ..Default::default()
                }),
                scope_logs: vec![ScopeLogs {
                    log_records: vec![record],
                    ..Default::default()
                }],
                ..Default::default()
            }],
        }
    }
}

otelwasm_sdk::receiver!(Webhook);

#[cfg(test)]
mod tests {
    use super::*;
    use otelwasm_sdk::testing;

    fn status(method: &str) -> u16 {
        let message = Message {
            method: method.into(),
            body: "hello".into(),
            ..Default::default()
        };
        Webhook::default().receive(message).unwrap().status
    }

    /// What is posted is one batch, and nothing else is taken.
    #[test]
    fn a_message_becomes_a_batch() {
        assert_eq!(202, status("POST"));
        assert_eq!(1, testing::emitted().len());

        assert_eq!(405, status("GET"));
        assert!(testing::emitted().is_empty());
    }
}
