//! Values as texts, as the Collector writes them (its `AsString`), whatever a plugin is written in.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write;

use crate::value::Value;

pub(crate) fn text_of<'a>(value: &'a Value<'_>) -> Cow<'a, str> {
    match value {
        Value::Str(text) => text.as_ref().into(),
        Value::Empty => "".into(),
        Value::Bool(truth) => if *truth { "true" } else { "false" }.into(),
        Value::Int(number) => number.to_string().into(),
        Value::Double(number) => double(*number).into(),
        Value::Bytes(bytes) => base64(bytes).into(),
        Value::List(_) | Value::Map(_) => {
            let mut out = String::new();
            // As by the Collector: JSON has no way to say NaN or an infinity.
            let is_written = put(&mut out, value).is_some();
            if is_written { out.into() } else { "".into() }
        }
    }
}

/// Writes JSON; None if there is a number that it cannot say.
fn put(out: &mut String, value: &Value<'_>) -> Option<()> {
    match value {
        Value::Empty => out.push_str("null"),
        Value::Bytes(bytes) if bytes.is_empty() => out.push_str("null"),
        Value::Str(_) | Value::Bytes(_) => put_quoted(out, &text_of(value)),
        Value::Double(number) if !number.is_finite() => return None,
        Value::Bool(_) | Value::Int(_) | Value::Double(_) => out.push_str(&text_of(value)),
        Value::List(members) => {
            out.push('[');
            for (place, member) in members.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                put(out, member)?;
            }
            out.push(']');
        }
        Value::Map(members) => {
            // The last of equal keys counts.
            let sorted: BTreeMap<&str, &Value<'_>> =
                members.iter().map(|(key, member)| (key.as_ref(), member)).collect();
            out.push('{');
            for (place, (key, member)) in sorted.into_iter().enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                put_quoted(out, key);
                out.push(':');
                put(out, member)?;
            }
            out.push('}');
        }
    }
    Some(())
}

fn put_quoted(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..' ' | '\u{2028}' | '\u{2029}' => {
                _ = write!(out, "\\u{:04x}", u32::from(character));
            }
            _ => out.push(character),
        }
    }
    out.push('"');
}

/// As few digits as tell the number apart, with an exponent below 1e-6 and from 1e21 on.
fn double(number: f64) -> String {
    if number.is_infinite() {
        return if number > 0.0 { "Infinity" } else { "-Infinity" }.to_owned();
    }
    let size = number.abs();
    if size == 0.0 || size.is_nan() || (1e-6..1e21).contains(&size) {
        return number.to_string();
    }
    let text = format!("{number:e}");
    if size < 1.0 { text } else { text.replace('e', "e+") }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
        let bits = bits << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit = DIGITS[(bits >> (18 - 6 * place) & 63) as usize];
            out.push(if place > chunk.len() { '=' } else { digit.into() });
        }
    }
    out
}
