//! What a plugin is: a type that implements `Processor`, `Exporter` or `Receiver`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::batch::Batch;
use crate::failure::Failure;
use crate::messages::{Message, Receipt, Reply};
use crate::signal::Signal;

/// What becomes of a batch that a processor was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Send it on, with the changes that were made to it; one that was emptied is not sent.
    Send,
    /// Send nothing on.
    Drop,
}

/// Changes, drops, holds back or makes batches between receivers and exporters.
pub trait Processor: Sized + 'static {
    /// Its configuration, read from JSON. `#[serde(deny_unknown_fields)]` refuses misspelt keys.
    type Config: DeserializeOwned;

    /// The signals that it handles; batches of others pass it by.
    const SIGNALS: &'static [Signal] = Signal::STABLE;

    /// Makes it, once, before anything else; or says what is wrong with the configuration.
    fn start(config: Self::Config) -> Result<Self, String>;

    /// Handles one batch. Whatever else it sends goes through [`emit`](crate::emit).
    fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure>;

    /// Called once, at the end: emit what is held back now.
    fn stop(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Delivers batches to somewhere outside.
pub trait Exporter: Sized + 'static {
    /// Its configuration, read from JSON. `#[serde(deny_unknown_fields)]` refuses misspelt keys.
    type Config: DeserializeOwned;

    /// The signals that it handles.
    const SIGNALS: &'static [Signal] = Signal::STABLE;

    /// Makes it, once, before anything else; or says what is wrong with the configuration.
    fn start(config: Self::Config) -> Result<Self, String>;

    /// Delivers one batch.
    fn send(&mut self, batch: &mut Batch) -> Result<Receipt, Failure>;

    /// Called once, at the end.
    fn stop(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// Makes batches out of what comes in from outside: it also implements [`Receive`], [`Poll`] or
/// both.
pub trait Receiver: Sized + 'static {
    /// Its configuration, read from JSON. `#[serde(deny_unknown_fields)]` refuses misspelt keys.
    type Config: DeserializeOwned;

    /// Makes it, once, before anything else; or says what is wrong with the configuration.
    fn start(config: Self::Config) -> Result<Self, String>;

    /// Called once, at the end.
    fn stop(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

/// A receiver that handles messages from the socket that the host listens on.
pub trait Receive: Receiver {
    /// Handles one message. What [`emit`](crate::emit) accepted by then is safe, so the reply can be
    /// honest.
    fn receive(&mut self, message: Message) -> Result<Reply, Failure>;
}

/// A receiver that looks for something new from time to time.
pub trait Poll: Receiver {
    /// Looks; returns how long to wait until the next time, if not the configured interval.
    fn poll(&mut self) -> Result<Option<std::time::Duration>, Failure>;
}

/// A plugin of any kind that has something to do from time to time, between batches.
pub trait Tick {
    /// Called every `tick_interval`, when one is configured.
    fn tick(&mut self) -> Result<(), Failure>;
}

/// The configuration of a plugin that takes none.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NoConfig {}
