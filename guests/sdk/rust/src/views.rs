//! What plugins see of spans, log records and data points: OTLP's own fields, and a little more.
//!
//! Every view is changed on its own; when it is dropped, at the end of the loop's body, its changes
//! go into the batch.

use std::fmt;

pub use crate::around::{Metric, Resource, Scope};
use crate::read;
use crate::schema::{self, Level, MESSAGES};
use crate::value::Value;
use crate::view::{self, View};
use crate::wire::{BITS_32, BITS_64, VARINT};

/// The getter and the setter of a field, by the form that it has in OTLP.
macro_rules! field {
    ($(#[$doc:meta])* $get:ident / $set:ident: text = $number:literal) => {
        $(#[$doc])*
        pub fn $get(&self) -> &str {
            read::text(self.0.bytes(), $number)
        }

        /// Sets it.
        pub fn $set(&mut self, value: &str) {
            self.0.set_octets($number, value.as_bytes());
        }
    };
    ($(#[$doc:meta])* $get:ident / $set:ident: bytes = $number:literal) => {
        $(#[$doc])*
        pub fn $get(&self) -> &[u8] {
            read::octets(self.0.bytes(), $number)
        }

        /// Sets it.
        pub fn $set(&mut self, value: &[u8]) {
            self.0.set_octets($number, value);
        }
    };
    ($(#[$doc:meta])* $get:ident / $set:ident: value = $number:literal) => {
        $(#[$doc])*
        pub fn $get(&self) -> Value<'_> {
            read::any(self.0.bytes(), $number)
        }

        /// Sets it.
        pub fn $set<'v>(&mut self, value: impl Into<Value<'v>>) {
            self.0.set_any($number, &value.into());
        }
    };
    ($(#[$doc:meta])* $get:ident / $set:ident: $kind:ty as $wire:ident = $number:literal) => {
        $(#[$doc])*
        pub fn $get(&self) -> $kind {
            read::number(self.0.bytes(), $number, $wire) as $kind
        }

        /// Sets it.
        pub fn $set(&mut self, value: $kind) {
            self.0.set_number($number, $wire, value as u64);
        }
    };
}

/// A view with attributes that can be changed, and removed.
macro_rules! view {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        pub struct $name<'b>(pub(crate) View<'b>);

        impl fmt::Debug for $name<'_> {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(out, "{} in {} bytes", stringify!($name), self.0.bytes().len())
            }
        }

        impl $name<'_> {
            /// The value of an attribute, if it is there.
            pub fn attribute(&self, key: &str) -> Option<Value<'_>> {
                read::attribute(self.0.bytes(), self.0.message(), key)
            }

            /// All attributes, in order.
            pub fn attributes(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
                read::attributes_of(self.0.bytes(), self.0.message())
            }

            /// Sets an attribute, whether it is there or not.
            pub fn set_attribute<'v>(&mut self, key: &str, value: impl Into<Value<'v>>) {
                self.0.set_attribute(key, &value.into());
            }

            /// Removes an attribute; whether it was there.
            pub fn remove_attribute(&mut self, key: &str) -> bool {
                self.0.remove_attribute(key)
            }

            /// Renames an attribute, in place of any that has the new name; whether it was there.
            pub fn rename_attribute(&mut self, old: &str, new: &str) -> bool {
                self.0.rename_attribute(old, new)
            }

            /// Leaves it, with all that is in it, out of its batch.
            pub fn remove(mut self) {
                self.0.is_removed = true;
            }
        }
    };
}

/// What is around an item.
macro_rules! surrounded {
    ($($name:ident)*) => {$(
        impl<'b> $name<'b> {
            /// The resource that it comes from; `Batch::resources` changes those.
            pub fn resource(&self) -> Resource<'b> {
                Resource(self.0.around.resource)
            }

            /// The scope that it was made in; `Batch::scopes` changes those.
            pub fn scope(&self) -> Scope<'b> {
                Scope(self.0.around.scope)
            }
        }
    )*};
}

/// Messages of one kind, in the order in which they came.
macro_rules! views {
    ($($iterator:ident => $name:ident;)*) => {$(
        #[doc = concat!("Goes through views, each a `", stringify!($name), "`.")]
        pub struct $iterator<'b>(pub(crate) view::Views<'b>);

        impl<'b> Iterator for $iterator<'b> {
            type Item = $name<'b>;

            fn next(&mut self) -> Option<$name<'b>> {
                self.0.next().map($name)
            }

            fn size_hint(&self) -> (usize, Option<usize>) {
                self.0.size_hint()
            }
        }

        impl ExactSizeIterator for $iterator<'_> {}
    )*};
}

view! {
    /// A resource that can be changed; where it is absent, it is made when it gets an attribute.
    ResourceMut
}

view! {
    /// A scope that can be changed; where it is absent, it is made when it gets anything.
    ScopeMut
}

impl ScopeMut<'_> {
    field! { /// The library's name.
    name / set_name: text = 1 }
    field! { /// The library's version.
    version / set_version: text = 2 }
}

view! {
    /// A metric that can be changed; its attributes are OTLP's `metadata`.
    MetricMut
}

impl MetricMut<'_> {
    field! { /// What it is called.
    name / set_name: text = 1 }
    field! { /// What it is.
    description / set_description: text = 2 }
    field! { /// What it is counted in.
    unit / set_unit: text = 3 }

    /// Its data points, of whatever kind.
    pub fn data_points(&mut self) -> DataPoints<'_> {
        DataPoints(inside(&mut self.0, &schema::DATA_POINTS))
    }
}

view! {
    /// One operation within a trace.
    Span
}

impl Span<'_> {
    field! { /// Sixteen bytes that all spans of its trace share.
    trace_id / set_trace_id: bytes = 1 }
    field! { /// Eight bytes.
    span_id / set_span_id: bytes = 2 }
    field! { /// What other systems want to know of the trace, as in the header `tracestate`.
    trace_state / set_trace_state: text = 3 }
    field! { /// The span that this one is a part of; empty for a trace's first.
    parent_span_id / set_parent_span_id: bytes = 4 }
    field! { /// What was done.
    name / set_name: text = 5 }
    field! { /// Its role: 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    kind / set_kind: i32 as VARINT = 6 }
    field! { /// When it began.
    start_time_unix_nano / set_start_time_unix_nano: u64 as BITS_64 = 7 }
    field! { /// When it ended.
    end_time_unix_nano / set_end_time_unix_nano: u64 as BITS_64 = 8 }
    field! { /// W3C's trace flags, and more.
    flags / set_flags: u32 as BITS_32 = 16 }

    /// How long it took; nothing where a sender's clock went backwards.
    pub fn duration(&self) -> std::time::Duration {
        let nanos = self.end_time_unix_nano().saturating_sub(self.start_time_unix_nano());
        std::time::Duration::from_nanos(nanos)
    }

    /// How it ended: 0 for unset, 1 for ok, 2 for an error.
    pub fn status_code(&self) -> i32 {
        read::number(read::octets(self.0.bytes(), 15), 3, VARINT) as i32
    }

    /// What its status says beyond the code.
    pub fn status_message(&self) -> &str {
        read::text(read::octets(self.0.bytes(), 15), 2)
    }

    /// Sets its status.
    pub fn set_status(&mut self, code: i32, message: &str) {
        self.0.set_inside(15, |status| {
            status.set_number(3, VARINT, code as u64);
            status.set_octets(2, message.as_bytes());
        });
    }

    /// Whether its status says that it failed.
    pub fn is_error(&self) -> bool {
        self.status_code() == 2
    }

    /// What happened during the span.
    pub fn events(&mut self) -> Events<'_> {
        Events(inside(&mut self.0, &schema::EVENTS))
    }

    /// Its references to other spans.
    pub fn links(&mut self) -> Links<'_> {
        Links(inside(&mut self.0, &schema::LINKS))
    }
}

view! {
    /// Something that happened during a span.
    Event
}

impl Event<'_> {
    field! { /// When.
    time_unix_nano / set_time_unix_nano: u64 as BITS_64 = 1 }
    field! { /// What.
    name / set_name: text = 2 }
}

view! {
    /// A reference from one span to another.
    Link
}

impl Link<'_> {
    field! { /// The other span's trace.
    trace_id / set_trace_id: bytes = 1 }
    field! { /// The other span.
    span_id / set_span_id: bytes = 2 }
    field! { /// What other systems want to know of that trace.
    trace_state / set_trace_state: text = 3 }
}

view! {
    /// One log line, or one event.
    LogRecord
}

impl LogRecord<'_> {
    field! { /// When it happened.
    time_unix_nano / set_time_unix_nano: u64 as BITS_64 = 1 }
    field! { /// When it was seen.
    observed_time_unix_nano / set_observed_time_unix_nano: u64 as BITS_64 = 11 }
    field! { /// How much it matters: 1 to 24, with 9 for information and 17 for errors; 0 if unknown.
    severity_number / set_severity_number: i32 as VARINT = 2 }
    field! { /// What its source calls that.
    severity_text / set_severity_text: text = 3 }
    field! { /// What it says, mostly a text.
    body / set_body: value = 5 }
    field! { /// W3C's trace flags.
    flags / set_flags: u32 as BITS_32 = 8 }
    field! { /// The trace that it belongs to, or nothing.
    trace_id / set_trace_id: bytes = 9 }
    field! { /// The span that it belongs to, or nothing.
    span_id / set_span_id: bytes = 10 }
    field! { /// The kind of event that it is, if it is one.
    event_name / set_event_name: text = 12 }
}

view! {
    /// One measured value, or the distribution of several.
    DataPoint
}

impl<'b> DataPoint<'b> {
    field! { /// Since when it counts.
    start_time_unix_nano / set_start_time_unix_nano: u64 as BITS_64 = 2 }
    field! { /// When it was measured.
    time_unix_nano / set_time_unix_nano: u64 as BITS_64 = 3 }

    /// What it measures.
    pub fn metric(&self) -> Metric<'b> {
        Metric(self.0.around.metric)
    }

    /// The value of a gauge's or a sum's point, whole or not; `None` where there is no single one.
    pub fn value(&self) -> Option<Value<'_>> {
        if MESSAGES[usize::from(self.0.message())].name != "NumberDataPoint" {
            return None;
        }
        let double = read::last(self.0.bytes(), 4, BITS_64);
        let whole = read::last(self.0.bytes(), 6, BITS_64);
        // Both are of one choice: the last one given counts.
        match (double, whole) {
            (Some(double), Some(whole)) if double.start > whole.start => {
                Some(Value::Double(f64::from_bits(double.value)))
            }
            (_, Some(whole)) => Some(Value::Int(whole.value as i64)),
            (Some(double), None) => Some(Value::Double(f64::from_bits(double.value))),
            (None, None) => None,
        }
    }

    /// Measurements that it sums up.
    pub fn exemplars(&mut self) -> Exemplars<'_> {
        Exemplars(inside(&mut self.0, &schema::EXEMPLARS))
    }
}

view! {
    /// One of the measurements that a data point sums up.
    Exemplar
}

impl Exemplar<'_> {
    field! { /// When it was made.
    time_unix_nano / set_time_unix_nano: u64 as BITS_64 = 2 }
    field! { /// The span that it was made in, or nothing.
    span_id / set_span_id: bytes = 4 }
    field! { /// The trace that it was made in, or nothing.
    trace_id / set_trace_id: bytes = 5 }
}

surrounded! { Span LogRecord DataPoint MetricMut }

views! {
    Resources => ResourceMut;
    Scopes => ScopeMut;
    Metrics => MetricMut;
    Spans => Span;
    Events => Event;
    Links => Link;
    LogRecords => LogRecord;
    DataPoints => DataPoint;
    Exemplars => Exemplar;
}

/// All messages of a level in a view; its batch was checked when it was given out.
fn inside<'s>(view: &'s mut View<'_>, level: &'static Level) -> view::Views<'s> {
    view.each(level).unwrap_or_else(|_| view::Views::none())
}
