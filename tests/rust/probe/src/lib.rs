//! Does what the body of each log record says, so that a test sees what reaches the host.

use std::time::Duration;

use otelwasm_sdk::http::Request;
use otelwasm_sdk::{
    Batch, Failure, Processor, Signal, Tick, Value, Verdict, clock, emit, log, meter, state,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Config {
    words: Vec<String>,
}

struct Probe {
    words: Vec<String>,
    ticks: u32,
}

impl Processor for Probe {
    type Config = Config;

    const SIGNALS: &'static [Signal] = &[Signal::Logs];

    fn start(config: Config) -> Result<Self, String> {
        if config.words.is_empty() {
            return Err("words is empty".into());
        }
        Ok(Probe {
            words: config.words,
            ticks: 0,
        })
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        for mut record in batch.log_records()? {
            if let Some(answer) = self.told(&record.body())? {
                record.set_body(answer);
            }
        }
        Ok(Verdict::Send)
    }

    fn stop(&mut self) -> Result<(), Failure> {
        log::debug("stopped", &[("ticks", &self.ticks)]);
        Ok(())
    }
}

impl Probe {
    fn told(&mut self, what: &Value) -> Result<Option<Value<'static>>, Failure> {
        let url = "https://example.com/";
        match what.as_str().unwrap_or_default() {
            "panic" => panic!("told to, by {}", self.words[0]),
            "permanent" => return Err(Failure::permanent("no")),
            "retryable" => return Err(Failure::retryable("busy").after(Duration::from_secs(2))),
            "log" => log::warn("said", &[("word", &self.words[0]), ("ticks", &self.ticks)]),
            "meter" => {
                meter::add("probe.calls", 3, &[("word", &self.words[0])]);
                meter::observe("probe.size", 1.5, &[]);
            }
            "emit" => emit(&mut Batch::new(Signal::Traces, "\n\0"))?,
            "state" => {
                let before = state::get("count")?.unwrap_or_default();
                state::set("count", &[before, b"x".to_vec()].concat())?;
                return Ok(state::get("count")?.map(Value::from));
            }
            "file" => {
                std::fs::read("/etc/passwd")
                    .map_err(|error| Failure::permanent(error.to_string()))?;
            }
            "socket" => {
                std::net::TcpStream::connect("127.0.0.1:9")
                    .map_err(|error| Failure::permanent(error.to_string()))?;
            }
            "thread" => {
                std::thread::spawn(|| ());
            }
            "loop" => loop {
                std::hint::spin_loop();
            },
            "forget" => state::delete("count")?,
            "http" => {
                let request = Request::post(url, "ping").header("content-type", "text/plain");
                let response = request.send()?.error_for_status()?;
                return Ok(Some(response.text().into_owned().into()));
            }
            "time" => {
                let seconds = clock::since_1970().as_secs() as i64;
                let later = clock::monotonic() >= Duration::ZERO;
                return Ok(later.then_some(seconds.into()));
            }
            _ => {}
        }
        Ok(None)
    }
}

impl Tick for Probe {
    fn tick(&mut self) -> Result<(), Failure> {
        self.ticks += 1;
        Ok(())
    }
}

otelwasm_sdk::processor!(Probe);
