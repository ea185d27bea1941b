//! Changing attributes of a whole batch at once.

use crate::attributes::{Mode, What};
use crate::batch::Batch;
use crate::failure::Failure;
use crate::hash::hashed;
use crate::value::{self, Value};

/// What an operation is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum On {
    /// The spans, data points or log records that the signal is about.
    Items,
    /// Resources, also those that say nothing yet.
    Resources,
    /// Scopes, also those that say nothing yet.
    Scopes,
    /// The events of spans.
    Events,
    /// The links of spans.
    Links,
    /// Metrics: their metadata.
    Metrics,
    /// The exemplars of data points.
    Exemplars,
    /// All of these.
    Everywhere,
}

/// What changes attributes of a whole batch at once, which is faster than item by item.
pub struct Operations<'b> {
    batch: &'b mut Batch,
    on: Option<On>,
}

impl<'b> Operations<'b> {
    pub(crate) fn new(batch: &'b mut Batch, on: Option<On>) -> Self {
        Operations { batch, on }
    }

    /// Sets an attribute, whether it is there or not; how many were changed.
    pub fn set_attribute<'v>(
        self,
        key: &str,
        value: impl Into<Value<'v>>,
    ) -> Result<usize, Failure> {
        self.set(key, &value.into(), Mode::Upsert)
    }

    /// Sets an attribute where it is not there yet; how many were changed.
    pub fn insert_attribute<'v>(
        self,
        key: &str,
        value: impl Into<Value<'v>>,
    ) -> Result<usize, Failure> {
        self.set(key, &value.into(), Mode::Insert)
    }

    /// Sets an attribute where it is there already; how many were changed.
    pub fn update_attribute<'v>(
        self,
        key: &str,
        value: impl Into<Value<'v>>,
    ) -> Result<usize, Failure> {
        self.set(key, &value.into(), Mode::Update)
    }

    /// Deletes attributes; how many there were.
    pub fn delete_attributes<K: AsRef<str>>(self, keys: &[K]) -> Result<usize, Failure> {
        let is_wanted = |key: &[u8]| keys.iter().any(|k| k.as_ref().as_bytes() == key);
        self.run(On::Everywhere, What::Delete { is_wanted: &is_wanted })
    }

    /// Renames an attribute, in place of any that has the new name; how many there were.
    pub fn rename_attribute(self, old: &str, new: &str) -> Result<usize, Failure> {
        self.run(On::Everywhere, What::Rename { old, new })
    }

    /// Replaces attributes by their hash; how many there were. [`hashed`] says what the hash is.
    pub fn hash_attributes<K: AsRef<str>>(self, keys: &[K], salt: &str) -> Result<usize, Failure> {
        let is_wanted = |key: &[u8]| keys.iter().any(|k| k.as_ref().as_bytes() == key);
        let mut with = |_: &[u8], pair: &[u8], any: &mut Vec<u8>| {
            let hash = hashed(&value::value_of(pair)?, salt);
            value::put_any(any, &hash.into());
            Ok(true)
        };
        if keys.is_empty() {
            return Ok(0);
        }
        self.run(On::Everywhere, What::Replace { is_wanted: &is_wanted, with: &mut with })
    }

    /// Puts what a function makes of attributes in their place; those of which it makes nothing
    /// stay. How many were changed.
    pub fn map_attributes(
        self,
        mut function: impl FnMut(&str, &Value<'_>) -> Option<Value<'static>>,
    ) -> Result<usize, Failure> {
        let mut with = |key: &[u8], pair: &[u8], any: &mut Vec<u8>| {
            let mapped = function(&value::text(key), &value::value_of(pair)?);
            if let Some(mapped) = &mapped {
                value::put_any(any, mapped);
            }
            Ok(mapped.is_some())
        };
        self.batch.check()?;
        self.run(On::Everywhere, What::Replace { is_wanted: &|_| true, with: &mut with })
    }

    fn set(self, key: &str, value: &Value<'_>, mode: Mode) -> Result<usize, Failure> {
        self.run(On::Items, What::Set { key, value, mode })
    }

    fn run(self, by_itself: On, what: What<'_>) -> Result<usize, Failure> {
        self.batch.run(self.on.unwrap_or(by_itself), what)
    }
}
