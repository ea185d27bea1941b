//! What time it is. A plugin that asks imports WASI's clocks; `std::time` has none in a component.

use std::time::Duration;

use crate::host;

/// The time since the beginning of 1970.
pub fn since_1970() -> Duration {
    host::since_1970()
}

/// The nanoseconds since the beginning of 1970, as OTLP's fields have them.
pub fn unix_nano() -> u64 {
    host::since_1970().as_nanos().try_into().unwrap_or(u64::MAX)
}

/// The time since some moment: it never goes backwards.
pub fn monotonic() -> Duration {
    host::monotonic()
}
