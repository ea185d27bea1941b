//! Telling whether protobuf's decoder would take a payload.

use std::fmt::Write;

use crate::schema::{
    ANY_VALUE, KEY_VALUE, MESSAGE, MESSAGES, PACKED_32BIT, PACKED_64BIT, PACKED_VARINT, UTF8,
};
use crate::walk::Stop;
use crate::wire::{self, BYTES, GROUP, MAX_DEPTH};

/// What is wrong with a payload, and where.
#[derive(Debug)]
pub(crate) struct Refusal {
    at: usize,
    message: u8,
    field: u32,
    what: &'static str,
}

impl Refusal {
    pub(crate) fn text(&self, signal: &str) -> String {
        let message = &MESSAGES[usize::from(self.message)];
        let mut text = format!("malformed {signal} payload: byte {}: {}", self.at, message.name);
        match message.fields.get(self.field as usize) {
            Some(&(name, _)) if !name.is_empty() => _ = write!(text, ".{name}"),
            _ => {}
        }
        text + " " + self.what
    }
}

/// Whether the bytes are a message of this type that protobuf decodes; and whether a field that
/// holds one message is there more than once.
pub(crate) fn check(bytes: &[u8], message: u8) -> Result<Result<(), Stop>, Refusal> {
    let mut check = Check { bytes, is_repeated: false };
    check.message(0, bytes.len(), message, MAX_DEPTH)?;
    Ok(if check.is_repeated { Err(Stop::Repeated) } else { Ok(()) })
}

struct Check<'a> {
    bytes: &'a [u8],
    is_repeated: bool,
}

impl Check<'_> {
    fn message(&mut self, from: usize, end: usize, place: u8, depth: u32) -> Result<(), Refusal> {
        let bytes = &self.bytes[..end];
        let message = &MESSAGES[usize::from(place)];
        let (mut at, mut seen) = (from, 0u32);
        while at < end {
            let start = at;
            let refuse = |field, what| Err(Refusal { at: start, message: place, field, what });
            let Some((tag, data)) = wire::read_tag(bytes, at) else {
                return refuse(0, "holds a broken tag");
            };
            let number = tag >> 3;
            if tag & 7 != BYTES {
                let skipped = match tag & 7 {
                    GROUP if depth == 0 => None,
                    GROUP => wire::skip_group(bytes, data, number, depth - 1),
                    _ => wire::read_field(bytes, at).map(|field| field.end),
                };
                let Some(skipped) = skipped else {
                    return refuse(number, "is cut off or broken");
                };
                at = skipped;
                continue;
            }
            let Some((content, stop)) = wire::read_length(bytes, data) else {
                return refuse(number, "is longer than what it is in");
            };
            at = stop;
            let kind = message.fields.get(number as usize).map_or(0, |&(_, kind)| kind);
            let found = &bytes[content..stop];
            if kind >= MESSAGE {
                if kind == MESSAGE + KEY_VALUE && depth > 1 && is_usual_pair(found) {
                    continue;
                }
                let bit = 1 << number;
                // What values repeat, reading them merges.
                let is_value = place == KEY_VALUE || place == ANY_VALUE;
                if message.singles & bit != 0 && !is_value {
                    let same = if message.choices & bit != 0 { message.choices } else { bit };
                    self.is_repeated |= seen & same != 0;
                    seen |= bit;
                }
                if depth == 0 {
                    return refuse(number, "is nested too deeply");
                }
                self.message(content, stop, kind - MESSAGE, depth - 1)?;
            } else if let Some(what) = wrong_with(found, kind) {
                return refuse(number, what);
            }
        }
        Ok(())
    }
}

fn wrong_with(bytes: &[u8], kind: u8) -> Option<&'static str> {
    match kind {
        UTF8 if std::str::from_utf8(bytes).is_err() => Some("is not UTF-8"),
        PACKED_64BIT if !bytes.len().is_multiple_of(8) => {
            Some("is packed and no multiple of 8 bytes long")
        }
        PACKED_32BIT if !bytes.len().is_multiple_of(4) => {
            Some("is packed and no multiple of 4 bytes long")
        }
        PACKED_VARINT => {
            let mut at = 0;
            while at < bytes.len() {
                match wire::read_varint(bytes, at) {
                    Some((_, end)) => at = end,
                    None => return Some("holds a broken number"),
                }
            }
            None
        }
        _ => None,
    }
}

/// Whether a KeyValue is as nearly all are, and so needs no closer look: a short key, a value that
/// is a short text, a number or a truth value, and nothing else.
#[inline]
fn is_usual_pair(pair: &[u8]) -> bool {
    let Some((&[0x0a, size], rest)) = pair.split_first_chunk() else { return false };
    let Some((_, rest)) = rest.split_at_checked(size.into()) else { return false };
    let Some((&[0x12, size], value)) = rest.split_first_chunk() else { return false };
    if usize::from(size) != value.len() || value.len() < 2 || pair.len() > 255 {
        return false;
    }
    match value[0] {
        // Tags and lengths are no characters beyond ASCII either.
        0x0a => usize::from(value[1]) == value.len() - 2 && pair.is_ascii(),
        0x10 | 0x18 => value.len() == 2 && pair.is_ascii(),
        0x21 => value.len() == 9 && pair[..pair.len() - 8].is_ascii(),
        _ => false,
    }
}
