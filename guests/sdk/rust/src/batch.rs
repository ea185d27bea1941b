//! One batch of telemetry, as a plugin sees it: looked into only as far as the plugin asks.

use std::borrow::Cow;
use std::fmt;
use std::hash::Hash;

use crate::attributes::{Change, What};
use crate::check;
use crate::failure::Failure;
use crate::item::Item;
use crate::operations::{On, Operations};
use crate::schema::{self, Level};
use crate::signal::Signal;
use crate::split::split;
use crate::value::Value;
use crate::view::{View, Views};
use crate::views::{
    DataPoint, DataPoints, Events, Exemplars, Links, LogRecord, LogRecords, Metrics, Resources,
    Scopes, Span, Spans,
};
use crate::walk::{self, Stop};

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
    /// A batch of an OTLP request's bytes. A processor that puts it in the place of the one that it
    /// was given sends it on instead.
    pub fn new(signal: Signal, payload: impl Into<Vec<u8>>) -> Self {
        let mut batch = Batch::given(signal, payload.into());
        batch.view.is_changed = true;
        batch
    }

    /// The batch that the host gives, and keeps: it goes on as it came until it is changed.
    pub(crate) fn given(signal: Signal, payload: Vec<u8>) -> Self {
        let view = View::new(Cow::Owned(payload), schema::ROOTS[signal as usize]);
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

    /// All items: the spans, data points or log records that the signal is about.
    pub fn items(&mut self) -> Result<Items<'_>, Failure> {
        let (signal, level) = (self.signal, self.level(On::Items)?);
        self.each(signal, level).map(|views| Items { signal, views })
    }

    /// Keeps only the items for which a function says so; how many went.
    ///
    /// A scope or a resource that is emptied by this goes, too.
    pub fn retain(&mut self, mut keep: impl FnMut(&Item<'_>) -> bool) -> Result<usize, Failure> {
        let mut count = 0;
        for item in self.items()? {
            if !keep(&item) {
                item.remove();
                count += 1;
            }
        }
        Ok(count)
    }

    /// Makes one batch of the items for each key that a function makes of them, in the order in
    /// which the keys first come. Each item is copied, with its resource and scope; this batch stays
    /// as it is.
    pub fn split<K: Hash + Eq + Clone>(
        &mut self,
        mut key: impl FnMut(&Item<'_>) -> K,
    ) -> Result<Vec<(K, Batch)>, Failure> {
        let keys: Vec<K> = self.items()?.map(|item| key(&item)).collect();
        let (signal, level) = (self.signal, self.level(On::Items)?);
        self.view.settle();
        let parts = split(self.view.bytes(), self.view.message(), level, &keys);
        let part =
            |(key, payload)| (key, Batch { is_checked: true, ..Batch::new(signal, payload) });
        Ok(parts.map_err(|_| self.malformed())?.into_iter().map(part).collect())
    }

    /// What the next operation is about, if not what it is about by itself.
    pub fn on(&mut self, on: On) -> Operations<'_> {
        Operations::new(self, Some(on))
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
    /// [`hashed`](crate::hashed) says what the hash is.
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

    /// Whether it is another than the one that the host gave.
    pub(crate) fn is_changed(&mut self) -> bool {
        self.view.settle();
        self.view.is_changed
    }

    fn by_itself(&mut self) -> Operations<'_> {
        Operations::new(self, None)
    }

    fn each(&mut self, signal: Signal, level: &'static Level) -> Result<Views<'_>, Failure> {
        self.check()?;
        if self.signal != signal {
            return Ok(Views::none());
        }
        let label = self.signal.label();
        self.view.each(level).map_err(|_| Failure::Permanent(format!("malformed {label} payload")))
    }

    pub(crate) fn run(&mut self, on: On, what: What<'_>) -> Result<usize, Failure> {
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
    pub(crate) fn check(&mut self) -> Result<(), Failure> {
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

impl fmt::Debug for Batch {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Batch of {} in {} bytes", self.signal.label(), self.view.bytes().len())
    }
}

/// Goes through the items of a batch.
pub struct Items<'b> {
    signal: Signal,
    views: Views<'b>,
}

impl<'b> Iterator for Items<'b> {
    type Item = Item<'b>;

    fn next(&mut self) -> Option<Item<'b>> {
        let view = self.views.next()?;
        Some(match self.signal {
            Signal::Traces => Item::Span(Span(view)),
            Signal::Metrics => Item::DataPoint(DataPoint(view)),
            _ => Item::LogRecord(LogRecord(view)),
        })
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.views.size_hint()
    }
}

impl ExactSizeIterator for Items<'_> {}
