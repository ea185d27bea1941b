//! The host: in a component the real one; elsewhere, in tests of a plugin, what stands for it.

use std::fmt::Display;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) mod stand_in;
#[cfg(target_arch = "wasm32")]
mod wasm;

#[cfg(not(target_arch = "wasm32"))]
pub(crate) use stand_in::*;
#[cfg(target_arch = "wasm32")]
pub(crate) use wasm::*;

/// Names and values that go with a line of the log or a measurement.
pub type Pairs<'a> = &'a [(&'a str, &'a dyn Display)];

/// How much a line of the log matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// Worth knowing.
    Info,
    /// Something is off, but work goes on.
    Warn,
    /// Something was lost or cannot go on.
    Error,
}

pub(crate) fn owned(pairs: Pairs<'_>) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), value.to_string())).collect()
}
