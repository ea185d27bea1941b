//! Hashes of values, for what should be told apart but not known.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use crate::value::Value;

/// The SHA-256 of an attribute's value in hexadecimal; empty values stay empty.
///
/// Without *salt* it equals what the Collector's attributes processor makes of texts, numbers and
/// truth values. Values that can be guessed, as e-mail addresses can, need a secret salt.
pub fn hashed(value: &Value<'_>, salt: &str) -> String {
    let bytes: Cow<'_, [u8]> = match value {
        Value::Empty => Cow::default(),
        Value::Str(text) => text.as_bytes().into(),
        Value::Bool(truth) => vec![u8::from(*truth)].into(),
        Value::Int(number) => number.to_le_bytes().to_vec().into(),
        Value::Double(number) => number.to_le_bytes().to_vec().into(),
        Value::Bytes(bytes) => bytes.as_ref().into(),
        Value::List(_) | Value::Map(_) => value.to_string().into_bytes().into(),
    };
    if bytes.is_empty() {
        return String::new();
    }
    let hash = Sha256::new().chain_update(salt).chain_update(bytes).finalize();
    hash.iter().flat_map(|byte| [byte >> 4, byte & 15]).map(hexadecimal).collect()
}

fn hexadecimal(digit: u8) -> char {
    char::from(b"0123456789abcdef"[usize::from(digit)])
}
