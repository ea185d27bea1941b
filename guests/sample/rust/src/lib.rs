//! Tail sampling: wait for whole traces, then keep those with errors, slow ones, and a share.

mod order;

use std::time::Duration;

use order::OldestFirst;
use otelwasm_sdk::{Batch, Failure, Item, Processor, Signal, Tick, Verdict, clock, emit, meter};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Config {
    /// How long to wait for a trace's other spans after its first; `tick_interval` sets how
    /// punctually it is decided then.
    wait_s: f64,
    slow_s: f64,
    share: f64,
    /// What may wait here. When it is full, the oldest traces are decided early.
    limit_bytes: usize,
    /// How many decisions to remember, for spans that come late.
    remembered: usize,
}

impl Default for Config {
    fn default() -> Self {
        Config {
            wait_s: 10.0,
            slow_s: 1.0,
            share: 0.1,
            limit_bytes: 64 << 20,
            remembered: 100_000,
        }
    }
}

struct Trace {
    decide_at_s: f64,
    must_keep: bool,
    /// As bytes, spans take a fraction of what they take decoded, and can be counted.
    spans: Vec<u8>,
}

struct Sample {
    config: Config,
    waiting: OldestFirst<Trace>,
    waiting_bytes: usize,
    decided: OldestFirst<bool>,
    /// What the next step has not taken yet.
    kept: Vec<u8>,
}

impl Processor for Sample {
    type Config = Config;

    const SIGNALS: &'static [Signal] = &[Signal::Traces];

    fn start(config: Config) -> Result<Self, String> {
        Ok(Sample {
            config,
            waiting: OldestFirst::new(),
            waiting_bytes: 0,
            decided: OldestFirst::new(),
            kept: Vec::new(),
        })
    }

    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
        let parts = batch.split(|item| match item {
            Item::Span(span) => span.trace_id().to_vec(),
            _ => Vec::new(),
        })?;
        let limit_bytes = self.config.limit_bytes;
        if self.waiting_bytes + self.kept.len() > limit_bytes {
            // If the next step takes nothing now, nothing of the batch is taken, and its sender
            // tries again.
            self.release(0.0, limit_bytes / 4 * 3)?;
        }
        let mut late = Vec::new();
        for (trace_id, mut part) in parts {
            match self.decided.get_mut(&trace_id) {
                None => self.hold(trace_id, part)?,
                Some(true) => late.extend(part.bytes()),
                Some(false) => {}
            }
        }
        if late.is_empty() {
            return Ok(Verdict::Drop);
        }
        *batch = Batch::new(Signal::Traces, late);
        Ok(Verdict::Send)
    }

    fn stop(&mut self) -> Result<(), Failure> {
        self.release(f64::INFINITY, usize::MAX)
    }
}

impl Tick for Sample {
    fn tick(&mut self) -> Result<(), Failure> {
        self.release(now_s(), usize::MAX)
    }
}

impl Sample {
    fn hold(&mut self, trace_id: Vec<u8>, mut part: Batch) -> Result<(), Failure> {
        let slow = Duration::try_from_secs_f64(self.config.slow_s).unwrap_or_default();
        let must_keep = part
            .spans()?
            .any(|span| span.is_error() || span.duration() >= slow);
        let decide_at_s = now_s() + self.config.wait_s;
        let trace = self.waiting.entry(trace_id, || Trace {
            decide_at_s,
            must_keep: false,
            spans: Vec::new(),
        });
        trace.must_keep |= must_keep;
        // OTLP requests of one signal are joined by joining their bytes.
        let spans = part.bytes();
        trace.spans.extend(spans);
        self.waiting_bytes += spans.len();
        Ok(())
    }

    /// Decides what waits no longer, and what is too much.
    fn release(&mut self, until_s: f64, down_to_bytes: usize) -> Result<(), Failure> {
        while let Some(oldest) = self.waiting.oldest() {
            if oldest.decide_at_s > until_s && self.waiting_bytes <= down_to_bytes {
                break;
            }
            let Some((trace_id, trace)) = self.waiting.take_oldest() else {
                break;
            };
            self.waiting_bytes -= trace.spans.len();
            if self.decide(trace_id, &trace) {
                self.kept.extend(trace.spans);
            }
        }
        if !self.kept.is_empty() {
            // What the next step does not take stays in `kept` until the next time.
            emit(&mut Batch::new(Signal::Traces, self.kept.as_slice()))?;
            self.kept.clear();
        }
        Ok(())
    }

    fn decide(&mut self, trace_id: Vec<u8>, trace: &Trace) -> bool {
        // The id's own randomness decides, so that every instance decides alike.
        let random = &trace_id[trace_id.len().saturating_sub(7)..];
        let random = random
            .iter()
            .fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        let is_kept = trace.must_keep || (random as f64) < self.config.share * (1_u64 << 56) as f64;
        self.decided.entry(trace_id, || is_kept);
        if self.decided.len() > self.config.remembered {
            self.decided.take_oldest();
        }
        meter::add("sample.traces", 1, &[("kept", &is_kept)]);
        is_kept
    }
}

fn now_s() -> f64 {
    clock::monotonic().as_secs_f64()
}

otelwasm_sdk::processor!(Sample);
