//! Going through a payload to every message of a level: all spans, all scopes, all data points.

use crate::schema::{ANY_VALUE, KEY_VALUE, Level, MESSAGES, Message};
use crate::splice::{Frame, Splice};
use crate::wire::{self, BYTES};

/// Why a walk ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The bytes are not what a protobuf decoder takes.
    Broken,
    /// A field that holds one message is there more than once: `merge` makes one of them.
    Repeated,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Stays,
    Goes,
}

/// What is done with each message of a level: the last of the frames. Its frame is empty where a
/// resource or a scope is absent.
pub(crate) trait Visit {
    fn visit(&mut self, splice: &mut Splice<'_>, frames: &[Frame]) -> Result<Fate, Stop>;
}

impl<F: FnMut(&mut Splice<'_>, &[Frame]) -> Result<Fate, Stop>> Visit for F {
    fn visit(&mut self, splice: &mut Splice<'_>, frames: &[Frame]) -> Result<Fate, Stop> {
        self(splice, frames)
    }
}

/// Visits every message of the level. What becomes of the message itself; and its new bytes, if
/// anything was changed.
pub(crate) fn walk(
    bytes: &[u8],
    message: u8,
    level: &Level,
    visit: &mut impl Visit,
) -> Result<(Fate, Option<Vec<u8>>), Stop> {
    let mut frames = Vec::with_capacity(8);
    frames.push(Frame { at: 0, data: 0, end: bytes.len(), number: 0, message });
    let mut walk = Walk { bytes, level, frames, splice: Splice::new(bytes), visit };
    let fate = walk.inside()?;
    Ok((fate, walk.splice.finish()))
}

struct Walk<'a, V> {
    bytes: &'a [u8],
    level: &'a Level,
    frames: Vec<Frame>,
    splice: Splice<'a>,
    visit: &'a mut V,
}

impl<V: Visit> Walk<'_, V> {
    /// Goes through what is in the last frame. It goes, too, where it is there for what it holds
    /// and the last of that goes, or where what describes it goes.
    fn inside(&mut self) -> Result<Fate, Stop> {
        let frame = self.frames[self.frames.len() - 1];
        let message = &MESSAGES[usize::from(frame.message)];
        let wanted = self.level.descend[usize::from(frame.message)];
        let bytes = &self.bytes[..frame.end];
        let (mut at, mut seen, mut lost, mut kept) = (frame.data, 0u32, 0u32, 0u32);
        while at < frame.end {
            let field = wire::read_field(bytes, at).ok_or(Stop::Broken)?;
            at = field.end;
            if field.wire != BYTES || field.number > 31 {
                continue;
            }
            let bit = 1 << field.number;
            if message.singles & bit != 0 {
                let same = if message.choices & bit != 0 { message.choices } else { bit };
                if seen & same != 0 {
                    return Err(Stop::Repeated);
                }
                seen |= bit;
            }
            if wanted & bit == 0 {
                continue;
            }
            let Some(inner) = message.inner(field.number) else { continue };
            let (start, data, end) = (field.start, field.data, field.end);
            self.frames.push(Frame { at: start, data, end, number: field.number, message: inner });
            let fate = self.visited()?;
            self.frames.pop();
            if fate == Fate::Stays {
                kept |= bit;
                continue;
            }
            if self.takes_all(message.is_container, message.singles & bit != 0, inner) {
                return Ok(Fate::Goes);
            }
            self.splice.put(&self.frames, start, end, &[]);
            lost |= bit;
        }
        if self.absent(&frame, wanted & message.singles & !seen)? == Fate::Goes {
            return Ok(Fate::Goes);
        }
        let is_emptied = message.is_container && lost & !kept != 0;
        Ok(if is_emptied { Fate::Goes } else { Fate::Stays })
    }

    /// Whether a resource or a scope that goes takes along all that it describes.
    fn takes_all(&self, is_in_container: bool, is_single: bool, inner: u8) -> bool {
        is_in_container && is_single && self.level.is_target(inner)
    }

    fn visited(&mut self) -> Result<Fate, Stop> {
        let message = self.frames[self.frames.len() - 1].message;
        let is_target = self.level.is_target(message);
        let has_more = self.level.descend[usize::from(message)] != 0;
        if is_target {
            self.splice.waits = has_more;
            let fate = self.visit.visit(&mut self.splice, &self.frames);
            self.splice.waits = false;
            if fate? == Fate::Goes {
                return Ok(Fate::Goes);
            }
        }
        if !has_more {
            return Ok(Fate::Stays);
        }
        let fate = self.inside()?;
        self.splice.finish_last(&self.frames);
        Ok(fate)
    }

    /// A resource or a scope is visited even where it is absent.
    fn absent(&mut self, frame: &Frame, mut numbers: u32) -> Result<Fate, Stop> {
        while numbers != 0 {
            let number = numbers.trailing_zeros();
            numbers &= numbers - 1;
            let message = &MESSAGES[usize::from(frame.message)];
            let Some(inner) = message.inner(number) else { continue };
            if !self.level.is_target(inner) {
                continue;
            }
            let end = frame.end;
            self.frames.push(Frame { at: end, data: end, end, number, message: inner });
            let fate = self.visit.visit(&mut self.splice, &self.frames)?;
            self.frames.pop();
            if fate == Fate::Goes {
                return Ok(Fate::Goes);
            }
        }
        Ok(Fate::Stays)
    }
}

/// Makes one of what is repeated though it should not be, as protobuf's decoder does: messages are
/// joined, and of those that exclude each other the last stays.
pub(crate) fn merged(bytes: &[u8], message: u8) -> Result<Vec<u8>, wire::Broken> {
    let shape = &MESSAGES[usize::from(message)];
    let mut out = Vec::with_capacity(bytes.len());
    let mut written = 0u32;
    for field in wire::fields(bytes) {
        let field = field?;
        let inner = if field.wire == BYTES { shape.inner(field.number) } else { None };
        let Some(inner) = inner else {
            out.extend_from_slice(&bytes[field.start..field.end]);
            continue;
        };
        let bit = 1 << field.number;
        let mut content = bytes[field.data..field.end].to_vec();
        if shape.singles & bit != 0 {
            if written & bit != 0 {
                continue;
            }
            written |= bit;
            let Some(joined) = joined(bytes, shape, field.number)? else { continue };
            content = joined;
        }
        // Reading a value does the same with what is in it.
        if inner != KEY_VALUE && inner != ANY_VALUE {
            content = merged(&content, inner)?;
        }
        wire::put_bytes(&mut out, field.number, &content);
    }
    Ok(out)
}

/// What all occurrences of a field hold, less those that another choice took the place of; `None`
/// where the last choice is another one.
fn joined(bytes: &[u8], shape: &Message, number: u32) -> Result<Option<Vec<u8>>, wire::Broken> {
    let mut content = None;
    for field in wire::fields(bytes) {
        let field = field?;
        if field.is(number, BYTES) {
            let content: &mut Vec<u8> = content.get_or_insert_default();
            content.extend_from_slice(&bytes[field.data..field.end]);
        } else if field.wire == BYTES
            && field.number < 32
            && shape.choices >> number & 1 != 0
            && shape.choices >> field.number & 1 != 0
        {
            content = None;
        }
    }
    Ok(content)
}
