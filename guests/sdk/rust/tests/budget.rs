//! A plugin that uses all that the host offers, with its tests.
//!
//! The reference of the SDK (host/docs/reference/rust-sdk.md) shows what is between the marks.
#![cfg(feature = "otlp")]

// --8<-- [start:plugin]
use otelwasm_sdk::http::Request;
use otelwasm_sdk::otlp::collector::logs::v1::ExportLogsServiceRequest;
use otelwasm_sdk::otlp::key_value;
use otelwasm_sdk::otlp::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use otelwasm_sdk::{Batch, Failure, Processor, Tick, Value, Verdict, emit, log, meter, state};
use serde::Deserialize;

/// What a pipeline's YAML says under `config:`.
#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    limit_bytes: usize,
    notify: Option<String>,
}

impl Default for Config {
    fn default() -> Self {
        Config { limit_bytes: 1 << 30, notify: None }
    }
}

/// Passes so many bytes on in each period, which is the plugin's `tick_interval`.
struct Budget {
    config: Config,
    spent: usize,
}

impl Processor for Budget {
    type Config = Config;

    fn start(config: Config) -> Result<Self, String> {
        // From before a restart.
        let kept = state::get("spent").map_err(|failure| failure.to_string())?;
        let spent = kept.and_then(|bytes| String::from_utf8_lossy(&bytes).parse().ok());
        Ok(Budget { config, spent: spent.unwrap_or_default() })
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        let size = batch.bytes().len();
        let was_left = self.spent < self.config.limit_bytes;
        self.spent += size;
        if self.spent <= self.config.limit_bytes {
            return Ok(Verdict::Send);
        }
        meter::add("budget.dropped", size as u64, &[("signal", &batch.signal().label())]);
        if was_left {
            log::warn("the budget is spent", &[("limit_bytes", &self.config.limit_bytes)]);
            if let Err(failure) = self.notify() {
                log::error("nobody was told", &[("reason", &failure)]);
            }
        }
        Ok(Verdict::Drop)
    }

    /// What is known is kept for the next start.
    fn stop(&mut self) -> Result<(), Failure> {
        state::set("spent", self.spent.to_string().as_bytes())
    }
}

impl Budget {
    fn notify(&self) -> Result<(), Failure> {
        if let Some(url) = &self.config.notify {
            Request::post(url, "the budget is spent").send()?.error_for_status()?;
        }
        Ok(())
    }
}

impl Tick for Budget {
    /// Begins a new period, and tells of the last one by a log record.
    fn tick(&mut self) -> Result<(), Failure> {
        let record = LogRecord {
            body: Some(Value::from("period ended").into()),
            attributes: vec![key_value("spent_bytes", self.spent as i64)],
            ..LogRecord::default()
        };
        let scope_logs = vec![ScopeLogs { log_records: vec![record], ..ScopeLogs::default() }];
        let resource_logs = vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }];
        self.spent = 0;
        emit(&mut Batch::from(&ExportLogsServiceRequest { resource_logs }))
    }
}

otelwasm_sdk::processor!(Budget);
// --8<-- [end:plugin]

// --8<-- [start:test]
#[cfg(test)]
mod tests {
    use otelwasm_sdk::http::Response;
    use otelwasm_sdk::{Level, Signal, testing};

    use super::*;

    fn started() -> Budget {
        let config = r#"{"limit_bytes": 10, "notify": "https://chat.example.com/hook"}"#;
        Budget::start(testing::configured(config).unwrap()).unwrap()
    }

    /// What is beyond the budget is dropped, counted and told; a restart forgets nothing.
    #[test]
    fn a_budget_is_kept() {
        testing::answer_with(|_| Ok(Response { status: 204, ..Response::default() }));
        let mut plugin = started();
        let mut batch = Batch::new(Signal::Logs, b"\n\x06\x12\x04\x12\x02\x18\x09");

        assert_eq!(Ok(Verdict::Send), plugin.process(&mut batch));
        assert_eq!(Ok(Verdict::Drop), plugin.process(&mut batch));

        let (level, text, _) = &testing::logged()[0];
        assert_eq!((Level::Warn, "the budget is spent"), (*level, text.as_str()));
        let (amount, name, pairs) = &testing::measured()[0];
        assert_eq!((8.0, "budget.dropped"), (*amount, name.as_str()));
        assert_eq!([("signal".to_owned(), "logs".to_owned())], pairs[..]);

        assert_eq!(Ok(()), plugin.stop());
        let mut again = started();
        assert_eq!(16, again.spent);
        assert_eq!(Ok(()), again.tick());
        let [(signal, _)] = &testing::emitted()[..] else { panic!("not one batch") };
        assert_eq!(Signal::Logs, *signal);
    }
}
// --8<-- [end:test]
