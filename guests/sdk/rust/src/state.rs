//! Keeping values across restarts: `state::set("cursor", b"17")?`, `state::get("cursor")?`.
//!
//! They are this plugin's alone, and durable once `set` returns. What the host refuses is permanent
//! (not granted, a key that cannot be, over the quota) or retryable (trouble with the disk).

use crate::failure::Failure;
use crate::host;

/// The value kept under a key, if there is one.
pub fn get(key: &str) -> Result<Option<Vec<u8>>, Failure> {
    host::state_get(key)
}

/// Keeps a value, in place of what was there.
pub fn set(key: &str, value: &[u8]) -> Result<(), Failure> {
    host::state_set(key, value)
}

/// Forgets a key, whether it was there or not.
pub fn delete(key: &str) -> Result<(), Failure> {
    host::state_delete(key)
}
