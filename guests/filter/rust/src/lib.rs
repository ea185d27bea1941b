//! Drop spans, data points and log records that nobody wants to keep, as health checks.

use std::collections::BTreeMap;

use otelwasm_sdk::{Batch, Failure, Item, Pattern, Processor, Value, Verdict, meter};
use serde::Deserialize;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Filter {
    drop: Vec<Condition>,
}

/// Holds if all that is given holds, at least one thing; patterns match the whole text.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Condition {
    /// The name of a span, a metric or an event.
    name: Option<Pattern>,
    /// The text of a log record.
    body: Option<Pattern>,
    /// Log records below this severity number: 9 is where information begins, 17 where errors do.
    severity_below: Option<i32>,
    attributes: BTreeMap<String, Pattern>,
    resource: BTreeMap<String, Pattern>,
}

impl Processor for Filter {
    type Config = Self;

    fn start(config: Self) -> Result<Self, String> {
        Ok(config)
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        let is_kept = |item: &Item| !self.drop.iter().any(|condition| condition.holds(item));
        let dropped = batch.retain(is_kept)?;
        if dropped > 0 {
            let signal = batch.signal().label();
            meter::add("filter.dropped", dropped as u64, &[("signal", &signal)]);
        }
        // A batch that is emptied by this is not sent on at all.
        Ok(Verdict::Send)
    }
}

impl Condition {
    fn holds(&self, item: &Item) -> bool {
        let record = match item {
            Item::LogRecord(record) => Some(record),
            _ => None,
        };
        let name = self.name.iter().map(|name| name.matches_all(item.name()));
        let body = self
            .body
            .iter()
            .map(|body| record.is_some_and(|r| is(body, r.body())));
        // 0 means that the source did not say how severe it is.
        let severity = self.severity_below.iter().map(|&below| {
            record.is_some_and(|record| (1..below).contains(&record.severity_number()))
        });
        let attributes = self.attributes.iter();
        let attributes =
            attributes.map(|(key, wanted)| item.attribute(key).is_some_and(|v| is(wanted, v)));
        let resource = self.resource.iter();
        let resource = resource.map(|(key, wanted)| {
            item.resource()
                .attribute(key)
                .is_some_and(|v| is(wanted, v))
        });
        let mut given = name
            .chain(body)
            .chain(severity)
            .chain(attributes)
            .chain(resource)
            .peekable();
        given.peek().is_some() && given.all(|holds| holds)
    }
}

/// Whether a pattern matches all of a value, a number by its digits.
fn is(wanted: &Pattern, value: Value) -> bool {
    value != Value::Empty && wanted.matches_all(&value.to_string())
}

otelwasm_sdk::processor!(Filter);
