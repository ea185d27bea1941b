//! One batch of telemetry, as a plugin sees it: looked into only as far as the plugin asks.

use std::borrow::Cow;

use crate::attributes::{Change, Mode, What};
use crate::check;
use crate::failure::Failure;
use crate::hash::hashed;
use crate::schema::{self, Level};
use crate::signal::Signal;
use crate::value::{self, Value};
use crate::view::{View, Views};
use crate::views::{
    DataPoints, Events, Exemplars, Links, LogRecords, Metrics, Resources, Scopes, Spans,
};
use crate::walk::{self, Stop};

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

/// One OTLP request of any signal.
///
/// A batch is changed in its bytes: one that nobody looks into is not read, and what nobody changes
/// stays byte for byte as it came, unknown fields included. Bytes that are no OTLP request are a
/// permanent failure, told as soon as somebody looks for what is not there.
pub struct Batch {
    signal: Signal,
    view: View<'static>,
    is_checked: bool,
}

impl Batch {
    /// A batch of an OTLP request's bytes.
    pub fn new(signal: Signal, payload: impl Into<Vec<u8>>) -> Self {
        let view = View::new(Cow::Owned(payload.into()), schema::ROOTS[signal as usize]);
        Batch { signal, view, is_checked: false }
    }

    /// What it is a batch of.
    pub fn signal(&self) -> Signal {
        self.signal
    }

    /// Its bytes, with all changes.
    pub fn bytes(&mut self) -> &[u8] {
        self.view.settle();
        self.view.bytes()
    }

    /// Its bytes, with all changes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.view.into_bytes()
    }

    /// All spans; none in a batch of another signal.
    pub fn spans(&mut self) -> Result<Spans<'_>, Failure> {
        self.each(Signal::Traces, &schema::SPANS).map(Spans)
    }

    /// The events of all spans; none in a batch of another signal.
    pub fn events(&mut self) -> Result<Events<'_>, Failure> {
        self.each(Signal::Traces, &schema::EVENTS).map(Events)
    }

    /// The links of all spans; none in a batch of another signal.
    pub fn links(&mut self) -> Result<Links<'_>, Failure> {
        self.each(Signal::Traces, &schema::LINKS).map(Links)
    }

    /// All log records; none in a batch of another signal.
    pub fn log_records(&mut self) -> Result<LogRecords<'_>, Failure> {
        self.each(Signal::Logs, &schema::LOG_RECORDS).map(LogRecords)
    }

    /// All metrics; none in a batch of another signal.
    pub fn metrics(&mut self) -> Result<Metrics<'_>, Failure> {
        self.each(Signal::Metrics, &schema::METRICS).map(Metrics)
    }

    /// All data points, of whatever kind; none in a batch of another signal.
    pub fn data_points(&mut self) -> Result<DataPoints<'_>, Failure> {
        self.each(Signal::Metrics, &schema::DATA_POINTS).map(DataPoints)
    }

    /// The exemplars of all data points; none in a batch of another signal.
    pub fn exemplars(&mut self) -> Result<Exemplars<'_>, Failure> {
        self.each(Signal::Metrics, &schema::EXEMPLARS).map(Exemplars)
    }

    /// All resources, also those that say nothing yet.
    pub fn resources(&mut self) -> Result<Resources<'_>, Failure> {
        self.each(self.signal, &schema::RESOURCES).map(Resources)
    }

    /// All scopes, also those that say nothing yet.
    pub fn scopes(&mut self) -> Result<Scopes<'_>, Failure> {
        self.each(self.signal, &schema::SCOPES).map(Scopes)
    }

    /// What the next operation is about, if not what it is about by itself.
    pub fn on(&mut self, on: On) -> Operations<'_> {
        Operations { batch: self, on: Some(on) }
    }

    /// Sets an attribute of each item, whether it is there or not; how many were changed.
    pub fn set_attribute<'v>(
        &mut self,
        key: &str,
        value: impl Into<Value<'v>>,
    ) -> Result<usize, Failure> {
        self.by_itself().set_attribute(key, value)
    }

    /// Deletes attributes wherever they stand; how many there were.
    pub fn delete_attributes<K: AsRef<str>>(&mut self, keys: &[K]) -> Result<usize, Failure> {
        self.by_itself().delete_attributes(keys)
    }

    /// Renames an attribute wherever it stands, in place of any that has the new name; how many.
    pub fn rename_attribute(&mut self, old: &str, new: &str) -> Result<usize, Failure> {
        self.by_itself().rename_attribute(old, new)
    }

    /// Replaces attributes by their hash wherever they stand; how many there were.
    ///
    /// [`hashed`] says what the hash is.
    pub fn hash_attributes<K: AsRef<str>>(
        &mut self,
        keys: &[K],
        salt: &str,
    ) -> Result<usize, Failure> {
        self.by_itself().hash_attributes(keys, salt)
    }

    /// Puts what a function makes of attributes in their place, wherever they stand; those of which
    /// it makes nothing stay. How many were changed.
    pub fn map_attributes(
        &mut self,
        function: impl FnMut(&str, &Value<'_>) -> Option<Value<'static>>,
    ) -> Result<usize, Failure> {
        self.by_itself().map_attributes(function)
    }

    /// Whether anything in it was changed since it was made.
    pub(crate) fn is_changed(&mut self) -> bool {
        self.view.settle();
        self.view.is_changed
    }

    fn by_itself(&mut self) -> Operations<'_> {
        Operations { batch: self, on: None }
    }

    fn each(&mut self, signal: Signal, level: &'static Level) -> Result<Views<'_>, Failure> {
        self.check()?;
        if self.signal != signal {
            return Ok(Views::none());
        }
        let label = self.signal.label();
        self.view.each(level).map_err(|_| Failure::Permanent(format!("malformed {label} payload")))
    }

    fn run(&mut self, on: On, what: What<'_>) -> Result<usize, Failure> {
        let level = self.level(on)?;
        let mut change = Change::new(what);
        let mut changed = self.view.change(level, &mut change);
        if changed == Err(Stop::Repeated) {
            self.merge()?;
            change.count = 0;
            changed = self.view.change(level, &mut change);
        }
        changed.map_err(|_| self.malformed())?;
        Ok(change.count)
    }

    fn level(&self, on: On) -> Result<&'static Level, Failure> {
        Ok(match (on, self.signal) {
            (On::Items | On::Everywhere, Signal::Profiles) => {
                // Half of what is asked for would be worse.
                return Err(Failure::permanent(
                    "attributes of profiles stand in a table, which the Rust SDK does not change;"
                        .to_owned()
                        + " leave Signal::Profiles out of SIGNALS",
                ));
            }
            (On::Items, Signal::Traces) => &schema::SPANS,
            (On::Items, Signal::Metrics) => &schema::DATA_POINTS,
            (On::Items, Signal::Logs) => &schema::LOG_RECORDS,
            (On::Resources, _) => &schema::RESOURCES,
            (On::Scopes, _) => &schema::SCOPES,
            (On::Events, _) => &schema::EVENTS,
            (On::Links, _) => &schema::LINKS,
            (On::Metrics, _) => &schema::METRICS,
            (On::Exemplars, _) => &schema::EXEMPLARS,
            (On::Everywhere, _) => &schema::EVERYWHERE,
        })
    }

    /// Nobody should work with half of a payload: whoever sees parts of it sees a good one.
    fn check(&mut self) -> Result<(), Failure> {
        if self.is_checked {
            return Ok(());
        }
        self.view.settle();
        match check::check(self.view.bytes(), self.view.message()) {
            Ok(Ok(())) => {}
            Ok(Err(_)) => self.merge()?,
            Err(refusal) => return Err(Failure::Permanent(refusal.text(self.signal.label()))),
        }
        self.is_checked = true;
        Ok(())
    }

    /// Makes one of each field that is repeated though it should not be.
    fn merge(&mut self) -> Result<(), Failure> {
        let message = self.view.message();
        let merged = walk::merged(self.view.bytes(), message).map_err(|_| self.malformed())?;
        let was_changed = self.view.is_changed;
        self.view.take(Some(merged));
        // The batch says the same as before.
        self.view.is_changed = was_changed;
        Ok(())
    }

    fn malformed(&self) -> Failure {
        let label = self.signal.label();
        Failure::Permanent(match check::check(self.view.bytes(), self.view.message()) {
            Ok(_) => format!("malformed {label} payload: a field is broken"),
            Err(refusal) => refusal.text(label),
        })
    }
}

/// What changes attributes of a whole batch at once, which is faster than item by item.
pub struct Operations<'b> {
    batch: &'b mut Batch,
    on: Option<On>,
}

impl Operations<'_> {
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
