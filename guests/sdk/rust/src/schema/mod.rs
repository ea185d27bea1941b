//! What OTLP's messages look like.

mod tables;

pub(crate) use tables::*;

/// What the bytes of a field have to be; from `MESSAGE` on, that plus a place in `MESSAGES`.
pub(crate) const UTF8: u8 = 1;
pub(crate) const PACKED_64BIT: u8 = 2;
pub(crate) const PACKED_32BIT: u8 = 3;
pub(crate) const PACKED_VARINT: u8 = 4;
pub(crate) const MESSAGE: u8 = 16;

/// The places of two messages in `MESSAGES`.
pub(crate) const KEY_VALUE: u8 = 3;
pub(crate) const ANY_VALUE: u8 = 4;

pub(crate) struct Message {
    pub name: &'static str,
    /// By number: the field's name, and what its bytes have to be.
    pub fields: &'static [(&'static str, u8)],
    /// The number of its repeated KeyValue field, or 0.
    pub attributes: u8,
    /// Exists for what it holds: goes when the last of it is dropped.
    pub is_container: bool,
    /// Bit n: field n holds a message, and one only.
    pub singles: u32,
    /// Those of them of which only the last one given counts.
    pub choices: u32,
}

impl Message {
    /// The place of the message that a field holds, if it holds one.
    pub(crate) fn inner(&self, number: u32) -> Option<u8> {
        let &(_, check) = self.fields.get(number as usize)?;
        check.checked_sub(MESSAGE)
    }
}

/// A kind of message that operations and iterations are about, and the way there.
pub(crate) struct Level {
    /// Bit n: `MESSAGES[n]` is one.
    pub targets: u64,
    /// By message: bit n: field n is one or leads to one.
    pub descend: [u32; MESSAGES.len()],
}

impl Level {
    pub(crate) fn is_target(&self, message: u8) -> bool {
        self.targets >> message & 1 == 1
    }
}
