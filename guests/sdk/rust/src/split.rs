//! Making several batches of one, by a key of each item.

use std::collections::HashMap;
use std::hash::Hash;

use crate::schema::{Level, MESSAGES};
use crate::splice::{Frame, Splice};
use crate::walk::{self, Fate, Stop};
use crate::wire::{self, Mark};

/// An item: the messages around it, as a place in `Parts::ways`, and its field.
struct Located {
    way: usize,
    start: usize,
    end: usize,
}

struct Parts<'a> {
    bytes: &'a [u8],
    level: &'static Level,
    ways: Vec<Vec<Frame>>,
    items: Vec<Located>,
}

/// A payload for each key, in the order in which they first come; *keys* has one for each item of
/// the level. Each item is copied, with all that is around it.
pub(crate) fn split<K: Hash + Eq + Clone>(
    bytes: &[u8],
    message: u8,
    level: &'static Level,
    keys: &[K],
) -> Result<Vec<(K, Vec<u8>)>, Stop> {
    let mut parts = Parts { bytes, level, ways: Vec::new(), items: Vec::new() };
    let mut visit = |_: &mut Splice<'_>, frames: &[Frame]| {
        let (item, way) = (frames[frames.len() - 1], &frames[..frames.len() - 1]);
        let at = |frames: &[Frame]| frames.last().map(|frame| frame.at);
        if parts.ways.last().is_none_or(|last| at(last) != at(way)) {
            parts.ways.push(way.to_vec());
        }
        let way = parts.ways.len() - 1;
        parts.items.push(Located { way, start: item.at, end: item.end });
        Ok(Fate::Stays)
    };
    walk::walk(bytes, message, level, &mut visit)?;
    let mut places = HashMap::new();
    let mut found: Vec<(K, Vec<&Located>)> = Vec::new();
    for (key, item) in keys.iter().zip(&parts.items) {
        let place = *places.entry(key).or_insert_with(|| {
            found.push((key.clone(), Vec::new()));
            found.len() - 1
        });
        found[place].1.push(item);
    }
    Ok(found.into_iter().map(|(key, items)| (key, parts.written(&items))).collect())
}

impl Parts<'_> {
    fn written(&self, items: &[&Located]) -> Vec<u8> {
        let mut out = Vec::new();
        let mut open: Vec<(usize, Mark)> = Vec::new();
        if let Some(request) = self.ways.first().and_then(|way| way.first()) {
            self.put_shell(&mut out, request);
        }
        for item in items {
            let way = &self.ways[item.way][1..];
            let shared =
                way.iter().zip(&open).take_while(|(frame, (at, _))| frame.at == *at).count();
            close(&mut out, &mut open, shared);
            let field = &self.bytes[item.start..item.end];
            for frame in &way[shared..] {
                open.push((frame.at, wire::begin(&mut out, frame.number, field.len())));
                self.put_shell(&mut out, frame);
            }
            out.extend_from_slice(field);
        }
        close(&mut out, &mut open, 0);
        out
    }

    /// What a message holds besides what leads to items.
    fn put_shell(&self, out: &mut Vec<u8>, frame: &Frame) {
        let content = &self.bytes[frame.data..frame.end];
        let leads = self.level.descend[usize::from(frame.message)];
        debug_assert_ne!(leads, 0, "{}", MESSAGES[usize::from(frame.message)].name);
        for field in wire::fields(content).map_while(Result::ok) {
            if field.number > 31 || leads >> field.number & 1 == 0 {
                out.extend_from_slice(&content[field.start..field.end]);
            }
        }
    }
}

fn close(out: &mut Vec<u8>, open: &mut Vec<(usize, Mark)>, left: usize) {
    while open.len() > left {
        if let Some((_, mark)) = open.pop() {
            wire::end(out, mark);
        }
    }
}
