//! Finding attributes in a message's bytes, and changing them there.
//!
//! OTLP's keys are unique. Where a sender repeats one anyway, the first is what counts, and setting
//! or renaming leaves no other behind.

use crate::schema::MESSAGES;
use crate::splice::{Frame, Splice};
use crate::value::{self, Value};
use crate::walk::{Fate, Stop};
use crate::wire::{self, BYTES, Broken};

pub(crate) const KEY: u32 = 1;
pub(crate) const VALUE: u32 = 2;

impl From<Broken> for Stop {
    fn from(_: Broken) -> Stop {
        Stop::Broken
    }
}

/// One attribute: where its field is, and its KeyValue.
#[derive(Clone, Copy)]
pub(crate) struct Attribute<'a> {
    pub start: usize,
    pub end: usize,
    pub pair: &'a [u8],
    pub key: &'a [u8],
}

/// Goes through the attributes of a message that *is_wanted* by their key.
pub(crate) struct Attributes<'a, F> {
    bytes: &'a [u8],
    number: u32,
    at: usize,
    is_wanted: F,
}

/// The attributes in the bytes of a message from *at* on, in the fields of that number.
pub(crate) fn attributes<F: Fn(&[u8]) -> bool>(
    bytes: &[u8],
    at: usize,
    number: u32,
    is_wanted: F,
) -> Attributes<'_, F> {
    Attributes { bytes, number, at, is_wanted }
}

impl<F: Fn(&[u8]) -> bool> Attributes<'_, F> {
    /// Passes over fields that are short and not asked for: nearly all. Stops at the first that
    /// needs a closer look.
    #[inline]
    fn skip_others(&mut self) {
        let tag = (self.number << 3 | BYTES) as u8;
        let mut rest = &self.bytes[self.at..];
        while let Some((head, size)) = wire::short_field(rest) {
            let (field, others) = rest.split_at(size);
            if head as u8 == tag && usual_key(field, head).is_none_or(|key| (self.is_wanted)(key)) {
                break;
            }
            rest = others;
        }
        self.at = self.bytes.len() - rest.len();
    }
}

impl<'a, F: Fn(&[u8]) -> bool> Iterator for Attributes<'a, F> {
    type Item = Result<Attribute<'a>, Broken>;

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.skip_others();
            let (bytes, start) = (self.bytes, self.at);
            if start == bytes.len() {
                return None;
            }
            let Some(field) = wire::read_field(bytes, start) else {
                self.at = bytes.len();
                return Some(Err(Broken));
            };
            self.at = field.end;
            if !field.is(self.number, BYTES) {
                continue;
            }
            let pair = &bytes[field.data..field.end];
            match key_of(pair) {
                Err(broken) => return Some(Err(broken)),
                Ok(key) if (self.is_wanted)(key) => {
                    return Some(Ok(Attribute { start, end: field.end, pair, key }));
                }
                Ok(_) => {}
            }
        }
    }
}

/// The key of an attribute, a short field, that is as nearly all are: a key, a value behind it, and
/// nothing else. *head* has its first four bytes.
#[inline]
fn usual_key(field: &[u8], head: u32) -> Option<&[u8]> {
    const HEAD: u32 = (KEY << 3 | BYTES) << 16;
    const VALUE_TAG: u8 = (VALUE << 3 | BYTES) as u8;
    if head & 0x80ff_0000 != HEAD {
        return None;
    }
    let (key, value) = field.get(4..)?.split_at_checked((head >> 24) as usize)?;
    let (&[tag, size], value) = value.split_first_chunk()?;
    (tag == VALUE_TAG && usize::from(size) == value.len() && size < 0x80).then_some(key)
}

pub(crate) fn key_of(pair: &[u8]) -> Result<&[u8], Broken> {
    let mut key: &[u8] = &[];
    for field in wire::fields(pair) {
        let field = field?;
        if field.is(KEY, BYTES) {
            key = &pair[field.data..field.end];
        }
    }
    Ok(key)
}

/// A KeyValue as a field of that number, whose value *write* writes.
pub(crate) fn put_pair(
    out: &mut Vec<u8>,
    number: u32,
    key: &str,
    write: impl FnOnce(&mut Vec<u8>),
) {
    wire::put_message(out, number, |out| {
        wire::put_bytes(out, KEY, key.as_bytes());
        wire::put_message(out, VALUE, write);
    });
}

/// The KeyValue *pair* as a field of that number, less its fields *replaced*, for which the new
/// content stands: whatever else the sender put into it stays.
fn put_pair_with(
    out: &mut Vec<u8>,
    number: u32,
    pair: &[u8],
    replaced: u32,
    content: &[u8],
) -> Result<(), Broken> {
    let mark = wire::begin(out, number, pair.len() + content.len());
    let mut is_written = false;
    for field in wire::fields(pair) {
        let field = field?;
        if !field.is(replaced, BYTES) {
            out.extend_from_slice(&pair[field.start..field.end]);
        } else if !is_written {
            wire::put_bytes(out, replaced, content);
            is_written = true;
        }
    }
    if !is_written {
        wire::put_bytes(out, replaced, content);
    }
    wire::end(out, mark);
    Ok(())
}

/// Whether an attribute is set where it is there already, and where it is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Upsert,
    Insert,
    Update,
}

/// Changes the attributes of one message at a time, and counts the changes.
pub(crate) struct Change<'c> {
    pub what: What<'c>,
    pub count: usize,
    /// The KeyValue to set, and the number of the field that it was last written for.
    pair: (u32, Vec<u8>),
    scratch: Vec<u8>,
}

/// Makes the new value of an attribute, an encoded AnyValue, or leaves it as it is.
pub(crate) type Replace<'c> = dyn FnMut(&[u8], &[u8], &mut Vec<u8>) -> Result<bool, Broken> + 'c;

pub(crate) enum What<'c> {
    Set {
        key: &'c str,
        value: &'c Value<'c>,
        mode: Mode,
    },
    Delete {
        is_wanted: &'c dyn Fn(&[u8]) -> bool,
    },
    Rename {
        old: &'c str,
        new: &'c str,
    },
    /// The function gets a key and a KeyValue.
    Replace {
        is_wanted: &'c dyn Fn(&[u8]) -> bool,
        with: &'c mut Replace<'c>,
    },
}

impl<'c> Change<'c> {
    pub(crate) fn new(what: What<'c>) -> Self {
        Change { what, count: 0, pair: (0, Vec::new()), scratch: Vec::new() }
    }
}

impl crate::walk::Visit for Change<'_> {
    fn visit(&mut self, splice: &mut Splice<'_>, frames: &[Frame]) -> Result<Fate, Stop> {
        let frame = frames[frames.len() - 1];
        let number = u32::from(MESSAGES[usize::from(frame.message)].attributes);
        let bytes = &splice.bytes()[..frame.end];
        let scratch = &mut self.scratch;
        match &mut self.what {
            What::Set { key, value, mode } => {
                if self.pair.0 != number {
                    self.pair.1.clear();
                    put_pair(&mut self.pair.1, number, key, |out| value::put_any(out, value));
                    self.pair.0 = number;
                }
                let mut is_there = false;
                for found in attributes(bytes, frame.data, number, |k| k == key.as_bytes()) {
                    let found = found?;
                    if *mode == Mode::Insert {
                        return Ok(Fate::Stays);
                    }
                    scratch.clear();
                    if !is_there {
                        let mut any = Vec::new();
                        value::put_any(&mut any, value);
                        put_pair_with(scratch, number, found.pair, VALUE, &any)?;
                    }
                    is_there = true;
                    splice.put(frames, found.start, found.end, scratch);
                }
                if !is_there && *mode != Mode::Update {
                    splice.put(frames, frame.end, frame.end, &self.pair.1);
                }
                self.count += usize::from(is_there || *mode != Mode::Update);
            }
            What::Delete { is_wanted } => {
                for found in attributes(bytes, frame.data, number, *is_wanted) {
                    let found = found?;
                    splice.put(frames, found.start, found.end, &[]);
                    self.count += 1;
                }
            }
            What::Rename { old, new } => {
                let is_old = |key: &[u8]| key == old.as_bytes();
                let Some(found) = attributes(bytes, frame.data, number, is_old).next() else {
                    return Ok(Fate::Stays);
                };
                scratch.clear();
                put_pair_with(scratch, number, found?.pair, KEY, new.as_bytes())?;
                let is_either = |key: &[u8]| key == old.as_bytes() || key == new.as_bytes();
                // The first place is taken, be it that of the old name or of one overwritten.
                for found in attributes(bytes, frame.data, number, is_either) {
                    let found = found?;
                    splice.put(frames, found.start, found.end, scratch);
                    scratch.clear();
                }
                self.count += 1;
            }
            What::Replace { is_wanted, with } => {
                let mut any = Vec::new();
                for found in attributes(bytes, frame.data, number, *is_wanted) {
                    let found = found?;
                    any.clear();
                    if !with(found.key, found.pair, &mut any)? {
                        continue;
                    }
                    scratch.clear();
                    put_pair_with(scratch, number, found.pair, VALUE, &any)?;
                    splice.put(frames, found.start, found.end, scratch);
                    self.count += 1;
                }
            }
        }
        Ok(Fate::Stays)
    }
}
