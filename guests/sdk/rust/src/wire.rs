//! Reading and writing protobuf's wire format: bytes in, fields out, nothing kept.

/// How deep messages and groups may nest below a payload, as in protobuf's decoders.
pub(crate) const MAX_DEPTH: u32 = 99;

pub(crate) const VARINT: u32 = 0;
pub(crate) const BITS_64: u32 = 1;
pub(crate) const BYTES: u32 = 2;
pub(crate) const GROUP: u32 = 3;
pub(crate) const GROUP_END: u32 = 4;
pub(crate) const BITS_32: u32 = 5;

/// One field of a message, by its offsets.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Field {
    /// Of the tag.
    pub start: usize,
    /// Of the value: behind the length, where there is one.
    pub data: usize,
    pub end: usize,
    pub number: u32,
    pub wire: u32,
    /// Of a varint or a fixed number.
    pub value: u64,
}

impl Field {
    pub(crate) fn is(&self, number: u32, wire: u32) -> bool {
        self.number == number && self.wire == wire
    }
}

/// Goes through the fields of a message; after broken bytes it gives `Err` once.
pub(crate) struct Fields<'a> {
    bytes: &'a [u8],
    at: usize,
}

pub(crate) fn fields(bytes: &[u8]) -> Fields<'_> {
    Fields { bytes, at: 0 }
}

/// The bytes are no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Broken;

impl Iterator for Fields<'_> {
    type Item = Result<Field, Broken>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.bytes.len() {
            return None;
        }
        let field = read_field(self.bytes, self.at);
        self.at = field.map_or(self.bytes.len(), |field| field.end);
        Some(field.ok_or(Broken))
    }
}

/// A number, and where it ends.
pub(crate) fn read_varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    // Nearly every tag, length and number has one byte.
    let first = *bytes.get(at)?;
    if first < 0x80 {
        return Some((first.into(), at + 1));
    }
    read_long_varint(bytes, at)
}

#[cold]
fn read_long_varint(bytes: &[u8], at: usize) -> Option<(u64, usize)> {
    let mut value = 0;
    for (place, &byte) in bytes.get(at..)?.iter().take(10).enumerate() {
        // Of the tenth byte only one bit counts, as in protobuf's decoder.
        value |= u64::from(byte & 0x7f) << (7 * place);
        if byte < 0x80 {
            return Some((value, at + place + 1));
        }
    }
    None
}

/// A tag, and where it ends: at most five bytes, and field 0 is none.
pub(crate) fn read_tag(bytes: &[u8], at: usize) -> Option<(u32, usize)> {
    let (tag, end) = read_varint(bytes, at)?;
    let tag = u32::try_from(tag).ok()?;
    (tag >= 8 && end - at <= 5).then_some((tag, end))
}

/// Where what follows a length begins and ends; all of it is there.
pub(crate) fn read_length(bytes: &[u8], at: usize) -> Option<(usize, usize)> {
    let (length, data) = read_varint(bytes, at)?;
    let length = usize::try_from(length).ok()?;
    (data - at <= 5 && length <= bytes.len() - data).then(|| (data, data + length))
}

pub(crate) fn read_field(bytes: &[u8], start: usize) -> Option<Field> {
    let (tag, at) = read_tag(bytes, start)?;
    let (wire, number) = (tag & 7, tag >> 3);
    let mut field = Field { start, data: at, end: at, number, wire, value: 0 };
    match wire {
        BYTES => (field.data, field.end) = read_length(bytes, at)?,
        VARINT => (field.value, field.end) = read_varint(bytes, at)?,
        BITS_64 => {
            field.value = u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?);
            field.end = at + 8;
        }
        BITS_32 => {
            field.value = u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?).into();
            field.end = at + 4;
        }
        GROUP => field.end = skip_group(bytes, at, number, MAX_DEPTH - 1)?,
        _ => return None,
    }
    Some(field)
}

/// OTLP has no groups, but an unknown field may be one: everything up to its end tag.
pub(crate) fn skip_group(bytes: &[u8], mut at: usize, number: u32, depth: u32) -> Option<usize> {
    loop {
        let (tag, data) = read_tag(bytes, at)?;
        at = match tag & 7 {
            GROUP_END => return (tag >> 3 == number).then_some(data),
            GROUP => skip_group(bytes, data, tag >> 3, depth.checked_sub(1)?)?,
            _ => read_field(bytes, at)?.end,
        };
    }
}

/// The first four bytes of the field that the bytes begin with, and how many it has, if its tag and
/// its length or number have one byte each, as nearly all have; `None` for any other, and for what
/// is cut off.
#[inline]
pub(crate) fn short_field(bytes: &[u8]) -> Option<(u32, usize)> {
    let head = u32::from_le_bytes(*bytes.first_chunk()?);
    let size = if head & 0x8087 == BYTES {
        2 + (head >> 8 & 0x7f) as usize
    } else if head & 0x87 == BITS_64 {
        9
    } else if head & 0x8087 == VARINT {
        2
    } else {
        return None;
    };
    // Field 0 is none.
    (size <= bytes.len() && head & 0xf8 != 0).then_some((head, size))
}

pub(crate) fn varint_size(value: u64) -> usize {
    (63 - (value | 1).leading_zeros() as usize) / 7 + 1
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(crate) fn put_tag(out: &mut Vec<u8>, number: u32, wire: u32) {
    put_varint(out, u64::from(number << 3 | wire));
}

/// A field of bytes: tag, length, content.
pub(crate) fn put_bytes(out: &mut Vec<u8>, number: u32, content: &[u8]) {
    put_tag(out, number, BYTES);
    put_varint(out, content.len() as u64);
    put_all(out, content);
}

/// The bytes as they are. Most pieces are short, and WebAssembly's own copying is costly to begin.
#[inline]
pub(crate) fn put_all(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() > 64 {
        return out.extend_from_slice(bytes);
    }
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        out.extend_from_slice(word);
    }
    for &byte in rest {
        out.push(byte);
    }
}

/// A field whose content is written by *write*.
pub(crate) fn put_message(out: &mut Vec<u8>, number: u32, write: impl FnOnce(&mut Vec<u8>)) {
    let mark = begin(out, number, 0);
    write(out);
    end(out, mark);
}

/// Where a message was begun: behind its length, which has room for so many bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    at: usize,
    room: usize,
}

/// Begins a field whose length is not known yet, but *expected* to be about so much.
pub(crate) fn begin(out: &mut Vec<u8>, number: u32, expected: usize) -> Mark {
    put_tag(out, number, BYTES);
    let room = varint_size(expected as u64);
    for _ in 0..room {
        out.push(0);
    }
    Mark { at: out.len(), room }
}

/// Writes the length of what was begun at *mark*; where it needs other room, all is moved.
pub(crate) fn end(out: &mut Vec<u8>, mark: Mark) {
    let size = out.len() - mark.at;
    let (before, needed) = (mark.at - mark.room, varint_size(size as u64));
    if needed > mark.room {
        out.resize(out.len() + needed - mark.room, 0);
    }
    if needed != mark.room {
        out.copy_within(mark.at..mark.at + size, before + needed);
        out.truncate(before + needed + size);
    }
    let mut rest = size;
    for place in &mut out[before..before + needed] {
        *place = rest as u8 | 0x80;
        rest >>= 7;
    }
    out[before + needed - 1] &= 0x7f;
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A length that needs another size than was expected moves what it stands before.
    #[test]
    fn lengths_are_written_in_as_few_bytes_as_they_need() {
        for (expected, size) in [(0, 5), (0, 127), (0, 128), (500, 3), (100_000, 20_000)] {
            let mut out = vec![7];
            let mark = begin(&mut out, 1, expected);
            out.extend((0..size).map(|n| n as u8));
            end(&mut out, mark);
            let mut wanted = vec![7];
            put_bytes(&mut wanted, 1, &(0..size).map(|n| n as u8).collect::<Vec<_>>());

            assert_eq!(wanted, out);
        }
    }
}
