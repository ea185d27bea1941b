//! What a signal counts, whichever it is.

use crate::value::Value;
use crate::views::{DataPoint, LogRecord, Resource, Scope, Span};

/// A span, a data point or a log record.
#[derive(Debug)]
#[non_exhaustive]
pub enum Item<'b> {
    /// Of a batch of traces.
    Span(Span<'b>),
    /// Of a batch of metrics.
    DataPoint(DataPoint<'b>),
    /// Of a batch of logs.
    LogRecord(LogRecord<'b>),
}

macro_rules! each {
    ($self:ident, $item:ident => $what:expr) => {
        match $self {
            Item::Span($item) => $what,
            Item::DataPoint($item) => $what,
            Item::LogRecord($item) => $what,
        }
    };
}

impl<'b> Item<'b> {
    /// The value of an attribute, if it is there.
    pub fn attribute(&self, key: &str) -> Option<Value<'_>> {
        each!(self, item => item.attribute(key))
    }

    /// Sets an attribute, whether it is there or not.
    pub fn set_attribute<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) {
        each!(self, item => item.set_attribute(key, value));
    }

    /// Removes an attribute; whether it was there.
    pub fn remove_attribute(&mut self, key: &str) -> bool {
        each!(self, item => item.remove_attribute(key))
    }

    /// The resource that it comes from.
    pub fn resource(&self) -> Resource<'b> {
        each!(self, item => item.resource())
    }

    /// The scope that it was made in.
    pub fn scope(&self) -> Scope<'b> {
        each!(self, item => item.scope())
    }

    /// Leaves it out of its batch.
    pub fn remove(self) {
        each!(self, item => item.remove());
    }

    /// The name of a span, the metric's of a data point, or the event's of a log record.
    pub fn name(&self) -> &str {
        match self {
            Item::Span(span) => span.name(),
            Item::DataPoint(point) => point.metric().name(),
            Item::LogRecord(record) => record.event_name(),
        }
    }
}
