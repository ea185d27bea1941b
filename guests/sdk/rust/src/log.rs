//! Writing to the host's log: `log::info("connected", &[("peer", &peer)])`. The host adds the
//! plugin's name.

use crate::host::{self, Level, Pairs};

/// Writes a line for whoever looks for a fault.
pub fn debug(message: &str, attributes: Pairs<'_>) {
    host::log(Level::Debug, message, attributes);
}

/// Writes a line that is worth knowing.
pub fn info(message: &str, attributes: Pairs<'_>) {
    host::log(Level::Info, message, attributes);
}

/// Writes that something is off, but work goes on.
pub fn warn(message: &str, attributes: Pairs<'_>) {
    host::log(Level::Warn, message, attributes);
}

/// Writes that something was lost or cannot go on.
pub fn error(message: &str, attributes: Pairs<'_>) {
    host::log(Level::Error, message, attributes);
}
