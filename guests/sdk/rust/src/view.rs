//! One message of a batch, read and changed on its own; when it is done with, its changes go to
//! where it came from.

use std::borrow::Cow;
use std::cell::RefCell;
use std::mem;

use crate::attributes::{Change, Mode, What};
use crate::read;
use crate::schema::{Level, MESSAGES};
use crate::splice::{Frame, Splice};
use crate::value::Value;
use crate::walk::{self, Fate, Stop, Visit};
use crate::wire::{self, BYTES};

/// What became of messages that were given out, and are not yet in the bytes that they are from.
#[derive(Default)]
struct Journal {
    level: Option<&'static Level>,
    entries: Vec<Entry>,
}

struct Entry {
    at: usize,
    message: u8,
    /// What it holds now; `None` if it was removed.
    content: Option<Vec<u8>>,
}

/// What is around a message: content that is read there, not changed.
#[derive(Clone, Copy, Default)]
pub(crate) struct Around<'b> {
    pub resource: &'b [u8],
    pub scope: &'b [u8],
    pub metric: &'b [u8],
}

pub(crate) struct View<'b> {
    bytes: Cow<'b, [u8]>,
    message: u8,
    pub(crate) around: Around<'b>,
    inner: RefCell<Journal>,
    /// Where its changes go, and where it is there.
    home: Option<(&'b RefCell<Journal>, usize)>,
    pub(crate) is_changed: bool,
    pub(crate) is_removed: bool,
}

/// Where a message was found.
struct Place<'b> {
    at: usize,
    content: &'b [u8],
    message: u8,
    around: Around<'b>,
}

/// All messages of one kind, in their order.
pub(crate) struct Views<'b> {
    journal: Option<&'b RefCell<Journal>>,
    places: std::vec::IntoIter<Place<'b>>,
}

impl<'b> Iterator for Views<'b> {
    type Item = View<'b>;

    fn next(&mut self) -> Option<View<'b>> {
        let place = self.places.next()?;
        let mut view = View::new(Cow::Borrowed(place.content), place.message);
        view.around = place.around;
        view.home = self.journal.map(|journal| (journal, place.at));
        Some(view)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.places.size_hint()
    }
}

impl Views<'_> {
    pub(crate) fn none() -> Self {
        Views { journal: None, places: Vec::new().into_iter() }
    }
}

impl<'b> View<'b> {
    pub(crate) fn new(bytes: Cow<'b, [u8]>, message: u8) -> Self {
        View {
            bytes,
            message,
            around: Around::default(),
            inner: RefCell::default(),
            home: None,
            is_changed: false,
            is_removed: false,
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        self.settle();
        mem::take(&mut self.bytes).into_owned()
    }

    /// Gives out all messages of the level in this one.
    pub(crate) fn each(&mut self, level: &'static Level) -> Result<Views<'_>, Stop> {
        self.settle();
        self.inner.get_mut().level = Some(level);
        let bytes: &[u8] = &self.bytes;
        let mut around = Around { metric: bytes, ..self.around };
        let (mut places, mut seen) = (Vec::new(), [usize::MAX; 3]);
        let mut visit = |_: &mut Splice<'_>, frames: &[Frame]| {
            let (target, outer) = (frames[frames.len() - 1], &frames[1..frames.len() - 1]);
            for (depth, frame) in outer.iter().enumerate().take(3) {
                if seen[depth] == frame.at {
                    continue;
                }
                seen[depth] = frame.at;
                let content = &bytes[frame.data..frame.end];
                let single = || read::first(content, 1).map_or(&[][..], |(a, b)| &content[a..b]);
                match MESSAGES[usize::from(frame.message)].name {
                    "Metric" => around.metric = content,
                    name if name.starts_with("Resource") => around.resource = single(),
                    name if name.starts_with("Scope") => around.scope = single(),
                    _ => {}
                }
            }
            let content = &bytes[target.data..target.end];
            places.push(Place { at: target.at, content, message: target.message, around });
            Ok(Fate::Stays)
        };
        walk::walk(bytes, self.message, level, &mut visit)?;
        Ok(Views { journal: Some(&self.inner), places: places.into_iter() })
    }

    /// Puts the changes of messages that were given out where they belong.
    pub(crate) fn settle(&mut self) {
        let journal = self.inner.get_mut();
        let Some(level) = journal.level.take() else { return };
        if journal.entries.is_empty() {
            return;
        }
        let mut entries = mem::take(&mut journal.entries);
        entries.sort_by_key(|entry| (entry.at, entry.message));
        let mut entries = entries.into_iter().peekable();
        let mut visit = |splice: &mut Splice<'_>, frames: &[Frame]| {
            let frame = frames[frames.len() - 1];
            let is_here = |entry: &Entry| entry.at == frame.at && entry.message == frame.message;
            let Some(entry) = entries.next_if(is_here) else { return Ok(Fate::Stays) };
            let Some(content) = entry.content else { return Ok(Fate::Goes) };
            splice.put(frames, frame.data, frame.end, &content);
            Ok(Fate::Stays)
        };
        // It was gone through before: it cannot stop.
        let walked = walk::walk(&self.bytes, self.message, level, &mut visit);
        if let Ok((fate, changed)) = walked {
            self.is_removed |= fate == Fate::Goes;
            self.take(changed);
        }
    }

    /// Replaces the bytes, if there are new ones.
    pub(crate) fn take(&mut self, changed: Option<Vec<u8>>) {
        if let Some(bytes) = changed {
            self.bytes = Cow::Owned(bytes);
            self.is_changed = true;
        }
    }

    /// Changes every message of the level at once.
    pub(crate) fn change(&mut self, level: &Level, change: &mut Change<'_>) -> Result<(), Stop> {
        self.settle();
        let (_, changed) = walk::walk(&self.bytes, self.message, level, change)?;
        self.take(changed);
        Ok(())
    }

    /// Changes this message's own fields.
    fn edit(&mut self, edit: impl FnOnce(&mut Splice<'_>, &[Frame])) {
        self.settle();
        let end = self.bytes.len();
        let frame = Frame { at: 0, data: 0, end, number: 0, message: self.message };
        let mut splice = Splice::new(&self.bytes);
        edit(&mut splice, &[frame]);
        let changed = splice.finish();
        self.take(changed);
    }

    fn change_own(&mut self, what: What<'_>) -> usize {
        let mut change = Change::new(what);
        // The bytes were checked: that cannot stop.
        self.edit(|splice, frames| _ = change.visit(splice, frames));
        change.count
    }

    pub(crate) fn set_attribute(&mut self, key: &str, value: &Value<'_>) {
        self.change_own(What::Set { key, value, mode: Mode::Upsert });
    }

    pub(crate) fn remove_attribute(&mut self, key: &str) -> bool {
        self.change_own(What::Delete { is_wanted: &|k| k == key.as_bytes() }) > 0
    }

    pub(crate) fn rename_attribute(&mut self, old: &str, new: &str) -> bool {
        self.change_own(What::Rename { old, new }) > 0
    }

    /// Puts a field in the place of all that have one of the numbers.
    pub(crate) fn set_field(&mut self, numbers: &[u32], with: &[u8]) {
        self.edit(|splice, frames| {
            let (bytes, end) = (splice.bytes(), frames[0].end);
            let mut rest = with;
            for field in wire::fields(bytes).map_while(Result::ok) {
                if numbers.contains(&field.number) {
                    splice.put(frames, field.start, field.end, rest);
                    rest = &[];
                }
            }
            splice.put(frames, end, end, rest);
        });
    }

    pub(crate) fn set_octets(&mut self, number: u32, octets: &[u8]) {
        let mut field = Vec::new();
        if !octets.is_empty() {
            wire::put_bytes(&mut field, number, octets);
        }
        self.set_field(&[number], &field);
    }

    pub(crate) fn set_number(&mut self, number: u32, wire_type: u32, value: u64) {
        let mut field = Vec::new();
        if value != 0 {
            put_number(&mut field, number, wire_type, value);
        }
        self.set_field(&[number], &field);
    }

    pub(crate) fn set_any(&mut self, number: u32, value: &Value<'_>) {
        let mut field = Vec::new();
        wire::put_message(&mut field, number, |out| crate::value::put_any(out, value));
        self.set_field(&[number], &field);
    }

    /// Changes fields of the one message in a field of this one.
    pub(crate) fn set_inside(&mut self, number: u32, set: impl FnOnce(&mut View<'_>)) {
        let inner = MESSAGES[usize::from(self.message)].inner(number).unwrap_or_default();
        self.settle();
        let content = read::octets(&self.bytes, number).to_vec();
        let mut view = View::new(Cow::Owned(content), inner);
        set(&mut view);
        let mut field = Vec::new();
        wire::put_bytes(&mut field, number, view.bytes());
        self.set_field(&[number], &field);
    }

    pub(crate) fn message(&self) -> u8 {
        self.message
    }
}

pub(crate) fn put_number(out: &mut Vec<u8>, number: u32, wire_type: u32, value: u64) {
    wire::put_tag(out, number, wire_type);
    match wire_type {
        wire::BITS_64 => out.extend_from_slice(&value.to_le_bytes()),
        wire::BITS_32 => out.extend_from_slice(&(value as u32).to_le_bytes()),
        wire::VARINT => wire::put_varint(out, value),
        _ => debug_assert_ne!(wire_type, BYTES),
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        let Some((journal, at)) = self.home else { return };
        self.settle();
        let content = match (self.is_removed, self.is_changed) {
            (true, _) => None,
            (false, true) => Some(mem::take(&mut self.bytes).into_owned()),
            (false, false) => return,
        };
        journal.borrow_mut().entries.push(Entry { at, message: self.message, content });
    }
}
