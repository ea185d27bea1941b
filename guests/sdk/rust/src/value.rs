//! Attribute values, between the wire and Rust.
//!
//! Where a sender gives a field twice, protobuf's rule holds: the last number or text counts, and
//! messages are merged, which is what decoding their joined bytes gives.

use std::borrow::Cow;
use std::fmt;

use crate::attributes::{VALUE, key_of, put_pair};
use crate::wire::{self, BITS_64, BYTES, Broken, MAX_DEPTH, VARINT};

const STRING: u32 = 1;
const BOOL: u32 = 2;
const INT: u32 = 3;
const DOUBLE: u32 = 4;
const LIST: u32 = 5;
const MAP: u32 = 6;
const OCTETS: u32 = 7;
const STRING_INDEX: u32 = 8;
/// Of ArrayValue and of KeyValueList.
const VALUES: u32 = 1;

/// The value of an attribute, or of a log record's body.
///
/// What is read from a batch borrows its texts from there; `into_owned` ends that. Anything that
/// it can be made from is taken where a value is set: `span.set_attribute("retries", 3)`.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Value<'a> {
    /// OTLP can say that there is no value.
    #[default]
    Empty,
    /// A text.
    Str(Cow<'a, str>),
    /// True or false.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A floating-point number.
    Double(f64),
    /// Bytes.
    Bytes(Cow<'a, [u8]>),
    /// A list.
    List(Vec<Value<'a>>),
    /// Names and values, in order.
    Map(Vec<(Cow<'a, str>, Value<'a>)>),
}

impl<'a> Value<'a> {
    /// The text, if it is one.
    pub fn as_str(&self) -> Option<&str> {
        if let Value::Str(text) = self { Some(text) } else { None }
    }

    /// The number, if it is an integer.
    pub fn as_i64(&self) -> Option<i64> {
        if let Value::Int(number) = self { Some(*number) } else { None }
    }

    /// The number, whole or not, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Value::Int(number) => Some(*number as f64),
            Value::Double(number) => Some(*number),
            _ => None,
        }
    }

    /// What it says, if it is true or false.
    pub fn as_bool(&self) -> Option<bool> {
        if let Value::Bool(truth) = self { Some(*truth) } else { None }
    }

    /// The same, independent of the batch that it was read from.
    pub fn into_owned(self) -> Value<'static> {
        match self {
            Value::Empty => Value::Empty,
            Value::Str(text) => Value::Str(text.into_owned().into()),
            Value::Bool(truth) => Value::Bool(truth),
            Value::Int(number) => Value::Int(number),
            Value::Double(number) => Value::Double(number),
            Value::Bytes(bytes) => Value::Bytes(bytes.into_owned().into()),
            Value::List(members) => {
                Value::List(members.into_iter().map(Value::into_owned).collect())
            }
            Value::Map(members) => Value::Map(
                members
                    .into_iter()
                    .map(|(key, value)| (key.into_owned().into(), value.into_owned()))
                    .collect(),
            ),
        }
    }
}

/// As the Collector writes it (its `AsString`): a text as it is, bytes in Base64, lists and maps as
/// JSON, no value as the empty text.
impl fmt::Display for Value<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&crate::texts::text_of(self))
    }
}

macro_rules! value_from {
    ($($given:ty, $name:ident => $value:expr;)*) => {$(
        impl<'a> From<$given> for Value<'a> {
            fn from($name: $given) -> Self {
                $value
            }
        }
    )*};
}

value_from! {
    &'a str, text => Value::Str(text.into());
    &'a String, text => Value::Str(text.as_str().into());
    String, text => Value::Str(text.into());
    Cow<'a, str>, text => Value::Str(text);
    bool, truth => Value::Bool(truth);
    i32, number => Value::Int(number.into());
    u32, number => Value::Int(number.into());
    i64, number => Value::Int(number);
    f64, number => Value::Double(number);
    &'a [u8], bytes => Value::Bytes(bytes.into());
    Vec<u8>, bytes => Value::Bytes(bytes.into());
    Vec<Value<'a>>, members => Value::List(members);
}

impl<'a> From<&'a Value<'_>> for Value<'a> {
    fn from(value: &'a Value<'_>) -> Self {
        value.clone()
    }
}

impl PartialEq<str> for Value<'_> {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == Some(other)
    }
}

impl PartialEq<&str> for Value<'_> {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == Some(*other)
    }
}

impl PartialEq<Value<'_>> for &str {
    fn eq(&self, other: &Value<'_>) -> bool {
        other == self
    }
}

/// The content of an AnyValue.
pub(crate) fn put_any(out: &mut Vec<u8>, value: &Value<'_>) {
    match value {
        Value::Empty => {}
        Value::Str(text) => wire::put_bytes(out, STRING, text.as_bytes()),
        Value::Bool(truth) => {
            wire::put_tag(out, BOOL, VARINT);
            out.push((*truth).into());
        }
        Value::Int(number) => {
            wire::put_tag(out, INT, VARINT);
            wire::put_varint(out, *number as u64);
        }
        Value::Double(number) => {
            wire::put_tag(out, DOUBLE, BITS_64);
            out.extend_from_slice(&number.to_le_bytes());
        }
        Value::Bytes(bytes) => wire::put_bytes(out, OCTETS, bytes),
        Value::List(members) => wire::put_message(out, LIST, |out| {
            for member in members {
                wire::put_message(out, VALUES, |out| put_any(out, member));
            }
        }),
        Value::Map(members) => wire::put_message(out, MAP, |out| {
            for (key, member) in members {
                put_pair(out, VALUES, key, |out| put_any(out, member));
            }
        }),
    }
}

/// The value of a KeyValue.
pub(crate) fn value_of(pair: &[u8]) -> Result<Value<'_>, Broken> {
    in_pair(pair, 0)
}

/// The value in an AnyValue: the last one given.
pub(crate) fn read_any(any: &[u8]) -> Result<Value<'_>, Broken> {
    read_nested(any, 0)
}

fn in_pair(pair: &[u8], depth: u32) -> Result<Value<'_>, Broken> {
    let mut content: Option<&[u8]> = None;
    for field in wire::fields(pair) {
        let field = field?;
        if field.is(VALUE, BYTES) {
            if content.is_some() {
                return Ok(read_nested(&joined(pair, VALUE)?, depth)?.into_owned());
            }
            content = Some(&pair[field.data..field.end]);
        }
    }
    read_nested(content.unwrap_or_default(), depth)
}

/// What all fields of that number hold.
fn joined(message: &[u8], number: u32) -> Result<Vec<u8>, Broken> {
    let mut content = Vec::new();
    for field in wire::fields(message) {
        let field = field?;
        if field.is(number, BYTES) {
            content.extend_from_slice(&message[field.data..field.end]);
        }
    }
    Ok(content)
}

fn read_nested(any: &[u8], depth: u32) -> Result<Value<'_>, Broken> {
    if depth > MAX_DEPTH {
        return Err(Broken);
    }
    let (mut last, mut since, mut count) = (None::<wire::Field>, 0, 0);
    for field in wire::fields(any) {
        let field = field?;
        let wanted = match field.number {
            STRING | LIST | MAP | OCTETS => BYTES,
            BOOL | INT | STRING_INDEX => VARINT,
            DOUBLE => BITS_64,
            _ => continue,
        };
        if field.wire != wanted {
            continue;
        }
        if last.is_some_and(|last| last.number == field.number) {
            count += 1;
        } else {
            (count, since) = (1, field.start);
        }
        last = Some(field);
    }
    let Some(last) = last else { return Ok(Value::Empty) };
    let content = &any[last.data..last.end];
    Ok(match last.number {
        STRING => Value::Str(text(content)),
        BOOL => Value::Bool(last.value != 0),
        INT => Value::Int(last.value as i64),
        DOUBLE => Value::Double(f64::from_bits(last.value)),
        OCTETS => Value::Bytes(content.into()),
        // A place in a profile's table of texts.
        STRING_INDEX => Value::Int((last.value as i32).into()),
        number if count == 1 => read_members(content, number, depth)?,
        number => read_members(&joined(&any[since..], number)?, number, depth)?.into_owned(),
    })
}

fn read_members(content: &[u8], number: u32, depth: u32) -> Result<Value<'_>, Broken> {
    let (mut list, mut map) = (Vec::new(), Vec::new());
    for field in wire::fields(content) {
        let field = field?;
        if !field.is(VALUES, BYTES) {
            continue;
        }
        let member = &content[field.data..field.end];
        if number == LIST {
            list.push(read_nested(member, depth + 1)?);
        } else {
            map.push((text(key_of(member)?), in_pair(member, depth + 1)?));
        }
    }
    Ok(if number == LIST { Value::List(list) } else { Value::Map(map) })
}

/// Bytes as a text; a checked batch has none that are no UTF-8.
pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}
