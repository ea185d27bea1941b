//! What the macros put between a world's exports and a plugin; nothing here is for plugins.
#![allow(missing_docs)]

use std::cell::RefCell;
use std::marker::PhantomData;
use std::thread::LocalKey;
use std::time::Duration;

use serde::de::DeserializeOwned;

pub use crate::bindings;
pub use crate::bindings::processor::otelwasm::plugin::types::{
    Abilities, Failure as TheirFailure, Retry, Signal as TheirSignal,
};

use crate::batch::Batch;
use crate::bindings::exporter::exports::otelwasm::plugin::exporting;
use crate::bindings::processor::exports::otelwasm::plugin::processing;
use crate::bindings::receiver::exports::otelwasm::plugin::receiving;
use crate::failure::Failure;
use crate::messages::Message;
use crate::plugin::{Exporter, Poll, Processor, Receive, Receiver, Tick, Verdict};
use crate::signal::Signal;

pub type Held<P> = LocalKey<RefCell<Option<P>>>;
pub type TickOf<P> = Option<fn(&mut P) -> Result<(), Failure>>;
pub type ReceiveOf<P> = Option<fn(&mut P, Message) -> Result<crate::Reply, Failure>>;
pub type PollOf<P> = Option<fn(&mut P) -> Result<Option<Duration>, Failure>>;

/// Tells which of the traits that a plugin may implement besides it does: where it does, the method
/// of `Has…` is the one that is found first.
pub struct Probe<P>(PhantomData<P>);

impl<P> Probe<P> {
    pub const fn new() -> Self {
        Probe(PhantomData)
    }
}

impl<P> Default for Probe<P> {
    fn default() -> Self {
        Probe::new()
    }
}

macro_rules! probed {
    ($has:ident, $lacks:ident, $trait:ident, $probe:ident -> $function:ident = $method:ident) => {
        pub trait $has<P> {
            fn $probe(&self) -> $function<P>;
        }

        pub trait $lacks<P> {
            fn $probe(&self) -> $function<P> {
                None
            }
        }

        impl<P: $trait> $has<P> for Probe<P> {
            fn $probe(&self) -> $function<P> {
                Some(P::$method)
            }
        }

        impl<P> $lacks<P> for &Probe<P> {}
    };
}

probed!(HasTick, LacksTick, Tick, tick_of -> TickOf = tick);
probed!(HasReceive, LacksReceive, Receive, receive_of -> ReceiveOf = receive);
probed!(HasPoll, LacksPoll, Poll, poll_of -> PollOf = poll);

pub fn start_processor<P: Processor>(
    held: &'static Held<P>,
    config: &str,
    tick: TickOf<P>,
) -> Result<Abilities, String> {
    start(held, P::start(configured(config)?).map_err(explained)?);
    Ok(signals(P::SIGNALS) | tick.map_or(Abilities::empty(), |_| Abilities::TICK))
}

pub fn start_exporter<P: Exporter>(
    held: &'static Held<P>,
    config: &str,
    tick: TickOf<P>,
) -> Result<Abilities, String> {
    start(held, P::start(configured(config)?).map_err(explained)?);
    Ok(signals(P::SIGNALS) | tick.map_or(Abilities::empty(), |_| Abilities::TICK))
}

pub fn start_receiver<P: Receiver>(
    held: &'static Held<P>,
    config: &str,
    tick: TickOf<P>,
    receive: ReceiveOf<P>,
    poll: PollOf<P>,
) -> Result<Abilities, String> {
    start(held, P::start(configured(config)?).map_err(explained)?);
    Ok(signals(Signal::ALL)
        | tick.map_or(Abilities::empty(), |_| Abilities::TICK)
        | receive.map_or(Abilities::empty(), |_| Abilities::RECEIVE)
        | poll.map_or(Abilities::empty(), |_| Abilities::POLL))
}

fn start<P>(held: &'static Held<P>, plugin: P) {
    held.set(Some(plugin));
}

/// Has the host's log say what a panic says, before it becomes a trap.
pub fn log_panics() {
    std::panic::set_hook(Box::new(|panic| crate::log::error(&panic.to_string(), &[])));
}

fn signals(signals: &[Signal]) -> Abilities {
    signals.iter().fold(Abilities::empty(), |all, signal| {
        all | match signal {
            Signal::Traces => Abilities::TRACES,
            Signal::Metrics => Abilities::METRICS,
            Signal::Logs => Abilities::LOGS,
            Signal::Profiles => Abilities::PROFILES,
        }
    })
}

/// Reads a configuration; what does not fit is named by its place: `config.mask.email`.
pub fn configured<C: DeserializeOwned>(json: &str) -> Result<C, String> {
    let json = if json.is_empty() { "{}" } else { json };
    let reader = &mut serde_json::Deserializer::from_str(json);
    serde_path_to_error::deserialize(reader).map_err(|error| {
        let reason = error.inner().to_string();
        // Where it stands in the JSON, which nobody wrote, is no help.
        let reason = reason.rsplit_once(" at line ").map_or(&*reason, |(reason, _)| reason);
        match error.path().to_string().as_str() {
            "." | "" => format!("config: {reason}"),
            path => format!("config.{path}: {reason}"),
        }
    })
}

/// Calls the plugin that was started.
pub fn with<P, T>(
    held: &'static Held<P>,
    call: impl FnOnce(&mut P) -> Result<T, Failure>,
) -> Result<T, TheirFailure> {
    held.with_borrow_mut(|plugin| match plugin {
        Some(plugin) => call(plugin).map_err(TheirFailure::from),
        None => Err(TheirFailure::Permanent("the plugin was not started".into())),
    })
}

pub fn process<P: Processor>(
    held: &'static Held<P>,
    signal: TheirSignal,
    payload: Vec<u8>,
) -> Result<processing::Verdict, TheirFailure> {
    let signal = Signal::from(signal);
    if !P::SIGNALS.contains(&signal) {
        return Ok(processing::Verdict::Pass);
    }
    with(held, |plugin| {
        let mut batch = Batch::given(signal, payload);
        if plugin.process(&mut batch)? == Verdict::Drop {
            return Ok(processing::Verdict::Drop);
        }
        if batch.signal() != signal {
            let (wanted, given) = (signal.label(), batch.signal().label());
            return Err(Failure::Permanent(format!(
                "{given} in place of {wanted}: other signals go through emit()"
            )));
        }
        if !batch.is_changed() {
            return Ok(processing::Verdict::Pass);
        }
        let payload = batch.into_bytes();
        // Without any item it has no bytes either.
        Ok(if payload.is_empty() {
            processing::Verdict::Drop
        } else {
            processing::Verdict::Replace(payload)
        })
    })
}

pub fn send<P: Exporter>(
    held: &'static Held<P>,
    signal: TheirSignal,
    payload: Vec<u8>,
) -> Result<exporting::Receipt, TheirFailure> {
    let signal = Signal::from(signal);
    with(held, |plugin| {
        if !P::SIGNALS.contains(&signal) {
            let name = std::any::type_name::<P>();
            let name = name.rsplit("::").next().unwrap_or(name);
            return Err(Failure::Permanent(format!("{name} does not take {}", signal.label())));
        }
        let crate::Receipt { rejected, message } =
            plugin.send(&mut Batch::given(signal, payload))?;
        Ok(exporting::Receipt { rejected, message })
    })
}

pub fn receive<P>(
    held: &'static Held<P>,
    receive: ReceiveOf<P>,
    message: receiving::Message,
) -> Result<receiving::Reply, TheirFailure> {
    let receiving::Message { peer, method, target, headers, body } = message;
    let message = Message { peer, method, target, headers, body };
    with(held, |plugin| {
        let receive = receive.ok_or_else(|| Failure::permanent("the plugin has no receive"))?;
        let crate::Reply { status, headers, body } = receive(plugin, message)?;
        Ok(receiving::Reply { status, headers, body })
    })
}

pub fn poll<P>(held: &'static Held<P>, poll: PollOf<P>) -> Result<Option<u32>, TheirFailure> {
    with(held, |plugin| {
        let poll = poll.ok_or_else(|| Failure::permanent("the plugin has no poll"))?;
        Ok(poll(plugin)?.map(milliseconds))
    })
}

pub fn tick<P>(held: &'static Held<P>, tick: TickOf<P>) -> Result<(), TheirFailure> {
    with(held, |plugin| tick.map_or(Ok(()), |tick| tick(plugin)))
}

fn milliseconds(duration: Duration) -> u32 {
    duration.as_millis().try_into().unwrap_or(u32::MAX)
}

impl From<Signal> for TheirSignal {
    fn from(signal: Signal) -> Self {
        match signal {
            Signal::Traces => TheirSignal::Traces,
            Signal::Metrics => TheirSignal::Metrics,
            Signal::Logs => TheirSignal::Logs,
            Signal::Profiles => TheirSignal::Profiles,
        }
    }
}

impl From<TheirSignal> for Signal {
    fn from(signal: TheirSignal) -> Self {
        match signal {
            TheirSignal::Traces => Signal::Traces,
            TheirSignal::Metrics => Signal::Metrics,
            TheirSignal::Logs => Signal::Logs,
            TheirSignal::Profiles => Signal::Profiles,
        }
    }
}

/// What std says of files and sockets in WebAssembly is true and of no help: say what plugins have.
fn explained(reason: String) -> String {
    if !reason.contains("not supported on this platform") {
        return reason;
    }
    let instead = "a plugin has no files, sockets or threads: include_str! puts a file into it, \
                   and the SDK's http sends requests";
    format!("{reason}; {instead}")
}

impl From<Failure> for TheirFailure {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Permanent(reason) => TheirFailure::Permanent(explained(reason)),
            Failure::Retryable { reason, after } => TheirFailure::Retryable(Retry {
                reason: explained(reason),
                after_ms: after.map(milliseconds),
            }),
        }
    }
}

#[cfg(target_arch = "wasm32")]
pub(crate) fn failed(failure: TheirFailure) -> Failure {
    match failure {
        TheirFailure::Permanent(reason) => Failure::Permanent(reason),
        TheirFailure::Retryable(Retry { reason, after_ms }) => Failure::Retryable {
            reason,
            after: after_ms.map(|after| Duration::from_millis(after.into())),
        },
    }
}
