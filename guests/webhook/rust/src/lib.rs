//! Turn webhooks, as GitHub and Alertmanager send them, into log records.

mod alertmanager;
mod github;
mod payload;

use std::fmt::Display;

use otelwasm_sdk::otlp::collector::logs::v1::ExportLogsServiceRequest;
use otelwasm_sdk::otlp::common::v1::{InstrumentationScope, KeyValue};
use otelwasm_sdk::otlp::key_value;
use otelwasm_sdk::otlp::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use otelwasm_sdk::otlp::resource::v1::Resource;
use otelwasm_sdk::{Batch, Failure, Message, Receive, Receiver, Reply, emit};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Webhook {
    /// Where each of the two is expected.
    github_path: String,
    alertmanager_path: String,
    /// What GitHub signs its requests with; without it, anybody can send.
    github_secret: String,
    /// What Alertmanager's `http_config.authorization.credentials` says.
    alertmanager_token: String,
}

impl Default for Webhook {
    fn default() -> Self {
        Webhook {
            github_path: "/github".into(),
            alertmanager_path: "/alertmanager".into(),
            github_secret: String::new(),
            alertmanager_token: String::new(),
        }
    }
}

/// A request that gets an answer other than success.
struct Refusal {
    status: u16,
    reason: String,
}

impl Refusal {
    fn new(status: u16, reason: impl Display) -> Self {
        Refusal {
            status,
            reason: reason.to_string(),
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
        match self.take(&message) {
            Ok(request) => {
                // If the next step does not take it now, the sender gets 503 and tries again.
                emit(&mut Batch::from(&request))?;
                Ok(Reply::new(202))
            }
            Err(Refusal { status, reason }) => Ok(Reply::text(status, format!("{reason}\n"))),
        }
    }
}

impl Webhook {
    fn take(&self, message: &Message) -> Result<ExportLogsServiceRequest, Refusal> {
        let path = message.target.split('?').next().unwrap_or_default();
        let take = if path == self.alertmanager_path {
            alertmanager::take
        } else if path == self.github_path {
            github::take
        } else {
            let (github, alertmanager) = (&self.github_path, &self.alertmanager_path);
            return Err(Refusal::new(
                404,
                format!("nothing here; try {github} or {alertmanager}"),
            ));
        };
        if message.method != "POST" {
            return Err(Refusal::new(405, format!("{} is not POST", message.method)));
        }
        take(message, self)
    }
}

fn batch(service: &str, records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    let attributes = vec![key_value("service.name", service)];
    let scope = InstrumentationScope {
        name: "webhook".into(),
        ..Default::default()
    };
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(Resource {
                attributes,
                ..Default::default()
            }),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope),
                log_records: records,
                ..Default::default()
            }],
            ..Default::default()
        }],
    }
}

/// The attributes that there is something of.
fn present<'a>(attributes: impl IntoIterator<Item = (String, Option<&'a str>)>) -> Vec<KeyValue> {
    let given = attributes
        .into_iter()
        .filter_map(|(key, value)| Some((key, value?)));
    given
        .filter(|(_, value)| !value.is_empty())
        .map(|(key, value)| key_value(key, value))
        .collect()
}

otelwasm_sdk::receiver!(Webhook);
