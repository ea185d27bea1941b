//! Write plugins for OpenTelemetry pipelines, as WebAssembly components for otelwasm.
//!
//! A plugin is a type that implements [`Processor`], [`Exporter`] or [`Receiver`], and one macro call:
//!
//! ```
//! use otelwasm_sdk::{Batch, Failure, NoConfig, Processor, Verdict};
//!
//! struct Shout;
//!
//! impl Processor for Shout {
//!     type Config = NoConfig;
//!
//!     fn start(_: NoConfig) -> Result<Self, String> {
//!         Ok(Shout)
//!     }
//!
//!     fn process(&mut self, batch: &mut Batch) -> Result<Verdict, Failure> {
//!         for mut span in batch.spans()? {
//!             let name = span.name().to_uppercase();
//!             span.set_name(&name);
//!         }
//!         Ok(Verdict::Send)
//!     }
//! }
//!
//! otelwasm_sdk::processor!(Shout);
//! ```
//!
//! A panic ends the plugin's instance, after the host's log has said what and where; the host goes
//! on with a fresh one.

/// The README's examples are compiled, too.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
pub struct Readme;

mod around;
mod attributes;
mod batch;
#[doc(hidden)]
pub mod bindings;
mod check;
pub mod clock;
mod failure;
mod given;
#[doc(hidden)]
pub mod glue;
mod hash;
mod host;
pub mod http;
mod item;
pub mod log;
mod macros;
mod messages;
pub mod meter;
mod operations;
#[cfg(feature = "otlp")]
pub mod otlp;
#[cfg(feature = "regex")]
mod pattern;
mod pipeline;
mod plugin;
mod read;
mod schema;
mod signal;
mod splice;
mod split;
pub mod state;
mod texts;
mod value;
mod view;
pub mod views;
mod walk;
mod wire;

pub use batch::{Batch, Items};
pub use failure::Failure;
pub use hash::hashed;
pub use host::{Level, Pairs};
pub use item::Item;
pub use messages::{Message, Receipt, Reply};
pub use operations::{On, Operations};
#[cfg(feature = "regex")]
pub use pattern::Pattern;
pub use pipeline::emit;
pub use plugin::{Exporter, NoConfig, Poll, Processor, Receive, Receiver, Tick, Verdict};
pub use signal::Signal;
pub use value::Value;

/// What plugins' own tests need: the host's stand-in, and what a plugin did to it.
#[cfg(not(target_arch = "wasm32"))]
pub mod testing {
    pub use crate::glue::configured;
    pub use crate::host::stand_in::{Answer, Written};
    pub use crate::host::stand_in::{answer_with, emitted, logged, measured, refuse_with};
}
