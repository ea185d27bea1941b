//! What Alertmanager sends.

use otelwasm_sdk::otlp::collector::logs::v1::ExportLogsServiceRequest;
use otelwasm_sdk::otlp::common::v1::AnyValue;
use otelwasm_sdk::otlp::logs::v1::LogRecord;
use otelwasm_sdk::{Message, Value, clock};
use serde_json::{Map, Value as Json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::payload::{self, member};
use crate::{Refusal, Webhook, batch, present};

/// The OpenTelemetry severity of what alerts usually call theirs.
const SEVERITIES: [(&str, i32); 5] = [
    ("info", 9),
    ("warning", 13),
    ("error", 17),
    ("critical", 18),
    ("page", 21),
];

pub fn take(message: &Message, config: &Webhook) -> Result<ExportLogsServiceRequest, Refusal> {
    if !config.alertmanager_token.is_empty() {
        let wanted = format!("Bearer {}", config.alertmanager_token);
        if !is_same(&wanted, message.header("authorization").unwrap_or_default()) {
            return Err(Refusal::new(401, "Authorization does not hold the token"));
        }
    }
    let group = payload::object(&message.body)?;
    if member(&group, &["version"]) != Some("4") {
        let version = group.get("version").unwrap_or(&Json::Null);
        let reason = format!("expected Alertmanager's version 4, got {version}");
        return Err(Refusal::new(400, reason));
    }
    let alerts = group.get("alerts").and_then(Json::as_array);
    let records: Option<Vec<LogRecord>> = alerts.and_then(|all| {
        all.iter()
            .map(|alert| Some(record(alert.as_object()?, &group)))
            .collect()
    });
    let records = records.ok_or_else(|| Refusal::new(400, "`alerts` is no list of objects"))?;
    Ok(batch("alertmanager", records))
}

fn record(alert: &Map<String, Json>, group: &Map<String, Json>) -> LogRecord {
    let (labels, notes) = (texts(alert.get("labels")), texts(alert.get("annotations")));
    let is_firing = member(alert, &["status"]) == Some("firing");
    let name = text(&labels, "alertname");
    let severity = text(&labels, "severity");
    let known = severity.to_lowercase();
    let known = SEVERITIES
        .iter()
        .find(|(name, _)| *name == known)
        .map_or(0, |(_, number)| *number);
    let mut attributes = vec![
        ("alert.name".to_owned(), Some(name)),
        ("alert.status".into(), member(alert, &["status"])),
        ("alert.fingerprint".into(), member(alert, &["fingerprint"])),
        ("alert.starts_at".into(), member(alert, &["startsAt"])),
        (
            "alert.generator.url".into(),
            member(alert, &["generatorURL"]),
        ),
        ("alert.group.key".into(), member(group, &["groupKey"])),
        ("alert.receiver".into(), member(group, &["receiver"])),
    ];
    for (prefix, all) in [("label", &labels), ("annotation", &notes)] {
        let each = all
            .iter()
            .map(|(key, value)| (format!("alert.{prefix}.{key}"), Some(&**value)));
        attributes.extend(each);
    }
    let body = [text(&notes, "summary"), text(&notes, "description"), name];
    let body = body
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or_default();
    LogRecord {
        time_unix_nano: unix_nano(member(
            alert,
            &[if is_firing { "startsAt" } else { "endsAt" }],
        )),
        observed_time_unix_nano: clock::unix_nano(),
        // An alert that is over is no trouble any more, whatever it was.
        severity_number: if is_firing { known } else { 9 },
        severity_text: severity.to_owned(),
        event_name: if is_firing {
            "alert.firing"
        } else {
            "alert.resolved"
        }
        .to_owned(),
        attributes: present(attributes),
        body: Some(AnyValue::from(Value::from(body))),
        ..Default::default()
    }
}

fn texts(given: Option<&Json>) -> Vec<(String, String)> {
    let members = given.and_then(Json::as_object).into_iter().flatten();
    members
        .map(|(key, value)| {
            let text = value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned);
            (key.clone(), text)
        })
        .collect()
}

fn text<'t>(texts: &'t [(String, String)], key: &str) -> &'t str {
    texts
        .iter()
        .find(|(name, _)| name == key)
        .map_or("", |(_, text)| text)
}

/// An RFC 3339 time, to the nanosecond; 0 for none.
fn unix_nano(text: Option<&str>) -> u64 {
    let moment = text.and_then(|text| OffsetDateTime::parse(text, &Rfc3339).ok());
    moment
        .and_then(|moment| moment.unix_timestamp_nanos().try_into().ok())
        .unwrap_or(0)
}

/// Whether two texts are the same; that they are not takes as long, wherever they differ.
fn is_same(wanted: &str, given: &str) -> bool {
    let bytes = wanted.bytes().zip(given.bytes());
    let difference = bytes.fold(0, |all, (wanted, given)| all | (wanted ^ given));
    wanted.len() == given.len() && difference == 0
}
