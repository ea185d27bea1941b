//! Between batches and OTLP's types.

use super::collector::logs::v1::ExportLogsServiceRequest;
use super::collector::metrics::v1::ExportMetricsServiceRequest;
use super::collector::profiles::v1development::ExportProfilesServiceRequest;
use super::collector::trace::v1::ExportTraceServiceRequest;
use super::common::v1::any_value::Value as Choice;
use super::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use crate::batch::Batch;
use crate::failure::Failure;
use crate::signal::Signal;
use crate::value::Value;

/// An OTLP request, which a batch can be made of and decoded to.
pub trait Request: prost::Message + Default {
    /// What it is a request of.
    const SIGNAL: Signal;
}

impl Request for ExportTraceServiceRequest {
    const SIGNAL: Signal = Signal::Traces;
}

impl Request for ExportMetricsServiceRequest {
    const SIGNAL: Signal = Signal::Metrics;
}

impl Request for ExportLogsServiceRequest {
    const SIGNAL: Signal = Signal::Logs;
}

impl Request for ExportProfilesServiceRequest {
    const SIGNAL: Signal = Signal::Profiles;
}

impl<R: Request> From<&R> for Batch {
    fn from(request: &R) -> Self {
        Batch::new(R::SIGNAL, request.encode_to_vec())
    }
}

impl Batch {
    /// Decodes it, for what the batch itself cannot do; that costs several times as much.
    pub fn decode<R: Request>(&mut self) -> Result<R, Failure> {
        let (wanted, signal) = (R::SIGNAL.label(), self.signal());
        if signal != R::SIGNAL {
            return Err(Failure::permanent(format!("{} are no {wanted}", signal.label())));
        }
        R::decode(self.bytes())
            .map_err(|error| Failure::permanent(format!("malformed {wanted} payload: {error}")))
    }
}

/// An attribute: `key_value("retries", 3)`.
pub fn key_value<'v>(key: impl Into<String>, value: impl Into<Value<'v>>) -> KeyValue {
    KeyValue { key: key.into(), value: Some(value.into().into()), ..KeyValue::default() }
}

impl From<Value<'_>> for AnyValue {
    fn from(value: Value<'_>) -> Self {
        let value = match value {
            Value::Empty => None,
            Value::Str(text) => Some(Choice::StringValue(text.into_owned())),
            Value::Bool(truth) => Some(Choice::BoolValue(truth)),
            Value::Int(number) => Some(Choice::IntValue(number)),
            Value::Double(number) => Some(Choice::DoubleValue(number)),
            Value::Bytes(bytes) => Some(Choice::BytesValue(bytes.into_owned())),
            Value::List(members) => {
                let values = members.into_iter().map(AnyValue::from).collect();
                Some(Choice::ArrayValue(ArrayValue { values }))
            }
            Value::Map(members) => {
                let values = members.into_iter().map(|(key, value)| key_value(key, value));
                Some(Choice::KvlistValue(KeyValueList { values: values.collect() }))
            }
        };
        AnyValue { value }
    }
}
