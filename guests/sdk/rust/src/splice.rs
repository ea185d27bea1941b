//! Writing a changed payload: what stays is copied in as few pieces as there are changes.
//!
//! ```text
//!     payload  |tag len| resource_spans: |tag len| scope_spans: |tag len| span |tag len| span
//!                 └─ open ──────────────────┴─ open ───────────────┴─ open ──▲ put here
//! ```
//!
//! Changes come in the order of the bytes. A message that has one is opened: its tag and room for
//! its length are written, and when the changes have moved on, the length is. There is no output
//! before the first change.
//!
//! Changes of a message's own fields may be found before those of what is in it, and stand behind:
//! such wait for their turn.

use std::cmp::Reverse;

use crate::wire::{self, Mark};

/// A message on the way to a change, by its offsets in the payload.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Frame {
    /// Of its field, tag and all; where it would be, of one that is absent.
    pub at: usize,
    /// Of its content.
    pub data: usize,
    pub end: usize,
    /// Of its field.
    pub number: u32,
    /// Its type: a place in the schema's `MESSAGES`.
    pub message: u8,
}

struct Open {
    at: usize,
    end: usize,
    number: u32,
    /// Where in the output its tag is.
    start: usize,
    mark: Mark,
}

/// A change that waits for its turn.
struct Waiting {
    /// How many frames lead to the message that it is in.
    depth: usize,
    at: usize,
    until: usize,
    with: Vec<u8>,
}

impl Waiting {
    /// In the order of the bytes; where two are at one place, what is further in comes first.
    fn turn(&self) -> (usize, Reverse<usize>) {
        (self.at, Reverse(self.depth))
    }
}

pub(crate) struct Splice<'a> {
    bytes: &'a [u8],
    out: Vec<u8>,
    /// How much of the payload is in the output, or is to be left out of it.
    copied: usize,
    open: Vec<Open>,
    is_changed: bool,
    /// Whether changes are to wait; and those that do, the first to come last.
    pub(crate) waits: bool,
    waiting: Vec<Waiting>,
}

impl<'a> Splice<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Splice {
            bytes,
            out: Vec::new(),
            copied: 0,
            open: Vec::new(),
            is_changed: false,
            waits: false,
            waiting: Vec::new(),
        }
    }

    /// The payload as it was.
    pub(crate) fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Puts *with* in the place of the bytes from *at* to *until*, whole fields of the last frame.
    ///
    /// The first frame is the payload. What was put into a message that is taken out is lost.
    pub(crate) fn put(&mut self, frames: &[Frame], at: usize, until: usize, with: &[u8]) {
        if self.waits {
            let waiting = Waiting { depth: frames.len(), at, until, with: with.to_vec() };
            let place = self.waiting.partition_point(|other| other.turn() > waiting.turn());
            return self.waiting.insert(place, waiting);
        }
        self.catch_up(frames, at);
        self.waiting.retain(|waiting| waiting.at >= until);
        self.put_now(frames, at, until, with);
    }

    /// Puts what waits in the place of bytes before *until*; the frames lead there.
    pub(crate) fn catch_up(&mut self, frames: &[Frame], until: usize) {
        while let Some(Waiting { depth, at, until, with }) =
            self.waiting.pop_if(|waiting| waiting.at < until)
        {
            self.put_now(&frames[..depth], at, until, &with);
        }
    }

    /// Puts what waits in the last frame, which nothing more is put into.
    pub(crate) fn finish_last(&mut self, frames: &[Frame]) {
        let (depth, end) = (frames.len(), frames[frames.len() - 1].end);
        self.catch_up(frames, end);
        while let Some(Waiting { at, until, with, .. }) =
            self.waiting.pop_if(|waiting| waiting.at == end && waiting.depth == depth)
        {
            self.put_now(frames, at, until, &with);
        }
    }

    fn put_now(&mut self, frames: &[Frame], at: usize, until: usize, with: &[u8]) {
        if &self.bytes[at..until] == with && !self.has_put_in(at, until) {
            return;
        }
        if !self.is_changed {
            self.is_changed = true;
            self.out.reserve(self.bytes.len() + self.bytes.len() / 4 + with.len());
        }
        let inner = &frames[1..];
        let shared = inner
            .iter()
            .zip(&self.open)
            .take_while(|(frame, open)| frame.at == open.at && frame.number == open.number)
            .count();
        while self.open.len() > shared {
            self.close(at, until);
        }
        for (depth, frame) in inner.iter().enumerate().skip(shared) {
            self.copy(frame.at);
            let start = self.out.len();
            let mut expected = frame.end - frame.data;
            if depth + 1 == inner.len() {
                expected = expected + with.len() - (until - at);
            } else {
                // It may hold many more that change.
                expected += expected / 10;
            }
            let mark = wire::begin(&mut self.out, frame.number, expected);
            self.open.push(Open {
                at: frame.at,
                end: frame.end,
                number: frame.number,
                start,
                mark,
            });
            self.copied = frame.data;
        }
        self.copy(at);
        wire::put_all(&mut self.out, with);
        self.copied = until;
    }

    /// The new payload, if anything was changed.
    pub(crate) fn finish(mut self) -> Option<Vec<u8>> {
        if !self.is_changed {
            return None;
        }
        while !self.open.is_empty() {
            self.close(usize::MAX, 0);
        }
        self.copy(self.bytes.len());
        Some(self.out)
    }

    fn has_put_in(&self, at: usize, until: usize) -> bool {
        self.open.iter().any(|open| at <= open.at && open.end <= until)
    }

    fn copy(&mut self, until: usize) {
        wire::put_all(&mut self.out, &self.bytes[self.copied..until]);
        self.copied = until;
    }

    /// Closes the innermost message, or forgets it where it is among what is taken out.
    fn close(&mut self, at: usize, until: usize) {
        let Some(open) = self.open.pop() else { return };
        if at <= open.at && open.end <= until && at < until {
            self.out.truncate(open.start);
            self.copied = open.at;
        } else {
            self.copy(open.end);
            wire::end(&mut self.out, open.mark);
        }
    }
}
