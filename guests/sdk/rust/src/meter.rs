//! Counting and measuring, in the host's own metrics:
//! `meter::add("spans.dropped", 3, &[("reason", &"noise")])`.

use crate::host::{self, Pairs};

/// Adds to the counter of that name.
pub fn add(name: &str, amount: u64, attributes: Pairs<'_>) {
    host::add(name, amount as f64, attributes);
}

/// Records one value of the distribution of that name.
pub fn observe(name: &str, value: f64, attributes: Pairs<'_>) {
    host::observe(name, value, attributes);
}
