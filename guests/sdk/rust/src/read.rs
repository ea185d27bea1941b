//! Single fields of a message, read from its bytes. Those of a checked batch are all readable: what
//! is not is as good as absent.

use crate::attributes;
use crate::schema::MESSAGES;
use crate::value::{self, Value};
use crate::wire::{self, BYTES, Field};

/// The last field of that number and kind: that one counts.
pub(crate) fn last(bytes: &[u8], number: u32, wire_type: u32) -> Option<Field> {
    let tag = (number << 3 | wire_type) as u8;
    let (mut at, mut found) = (0, None);
    while at < bytes.len() {
        if let Some((head, size)) = wire::short_field(&bytes[at..])
            && head as u8 != tag
        {
            at += size;
            continue;
        }
        let field = wire::read_field(bytes, at)?;
        if field.is(number, wire_type) {
            found = Some(field);
        }
        at = field.end;
    }
    found
}

/// The content of the first field of that number.
pub(crate) fn first(bytes: &[u8], number: u32) -> Option<(usize, usize)> {
    wire::fields(bytes)
        .map_while(Result::ok)
        .find(|field| field.is(number, BYTES))
        .map(|field| (field.data, field.end))
}

pub(crate) fn octets(bytes: &[u8], number: u32) -> &[u8] {
    last(bytes, number, BYTES).map_or(&[], |field| &bytes[field.data..field.end])
}

pub(crate) fn text(bytes: &[u8], number: u32) -> &str {
    std::str::from_utf8(octets(bytes, number)).unwrap_or_default()
}

pub(crate) fn number(bytes: &[u8], number: u32, wire_type: u32) -> u64 {
    last(bytes, number, wire_type).map_or(0, |field| field.value)
}

pub(crate) fn any(bytes: &[u8], number: u32) -> Value<'_> {
    value::read_any(octets(bytes, number)).unwrap_or_default()
}

pub(crate) fn attribute<'b>(bytes: &'b [u8], message: u8, key: &str) -> Option<Value<'b>> {
    let number = MESSAGES[usize::from(message)].attributes.into();
    let found = attributes::attributes(bytes, 0, number, |k| k == key.as_bytes()).next()?.ok()?;
    value::value_of(found.pair).ok()
}

pub(crate) fn attributes_of(
    bytes: &[u8],
    message: u8,
) -> impl Iterator<Item = (&str, Value<'_>)> + '_ {
    let number = MESSAGES[usize::from(message)].attributes.into();
    attributes::attributes(bytes, 0, number, |_| true).map_while(Result::ok).map(|found| {
        let key = std::str::from_utf8(found.key).unwrap_or_default();
        (key, value::value_of(found.pair).unwrap_or_default())
    })
}
