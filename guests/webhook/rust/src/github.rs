//! What GitHub sends.

use hmac::{Hmac, KeyInit, Mac};
use otelwasm_sdk::otlp::collector::logs::v1::ExportLogsServiceRequest;
use otelwasm_sdk::otlp::logs::v1::LogRecord;
use otelwasm_sdk::{Message, clock};
use sha2::Sha256;

use crate::payload::{self, member};
use crate::{Refusal, Webhook, batch, present};

pub fn take(message: &Message, config: &Webhook) -> Result<ExportLogsServiceRequest, Refusal> {
    let given = message.header("x-hub-signature-256").unwrap_or_default();
    if !config.github_secret.is_empty() && !is_signed(&message.body, given, &config.github_secret) {
        let reason = "X-Hub-Signature-256 is not the signature of this body";
        return Err(Refusal::new(401, reason));
    }
    let event = message.header("x-github-event").unwrap_or_default();
    if event.is_empty() {
        return Err(Refusal::new(400, "the header X-GitHub-Event is missing"));
    }
    let kind = message.header("content-type").unwrap_or_default();
    let payload = if kind.starts_with("application/x-www-form-urlencoded") {
        let mut form = form_urlencoded::parse(&message.body);
        let found = form.find(|(name, _)| name == "payload");
        payload::object(found.unwrap_or_default().1.as_bytes())?
    } else {
        payload::object(&message.body)?
    };
    let attributes = present([
        ("github.event".into(), Some(event)),
        ("github.action".into(), member(&payload, &["action"])),
        (
            "github.delivery".into(),
            message.header("x-github-delivery"),
        ),
        ("github.hook.id".into(), message.header("x-github-hook-id")),
        (
            "github.repository".into(),
            member(&payload, &["repository", "full_name"]),
        ),
        (
            "github.sender".into(),
            member(&payload, &["sender", "login"]),
        ),
    ]);
    let record = LogRecord {
        observed_time_unix_nano: clock::unix_nano(),
        severity_number: 9,
        event_name: format!("github.{event}"),
        attributes,
        body: Some(payload::value(payload)),
        ..Default::default()
    };
    Ok(batch("github", vec![record]))
}

/// Whether *given* is `sha256=` and the body's HMAC; takes as long for any that is not.
fn is_signed(body: &[u8], given: &str, secret: &str) -> bool {
    let Ok(mut hmac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return false;
    };
    hmac.update(body);
    let signature = given.strip_prefix("sha256=").and_then(unhexed);
    signature.is_some_and(|signature| hmac.verify_slice(&signature).is_ok())
}

fn unhexed(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let pairs = text.as_bytes().chunks(2);
    pairs
        .map(|pair| Some(digit(pair[0])? << 4 | digit(*pair.get(1)?)?))
        .collect()
}
