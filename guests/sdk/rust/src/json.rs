//! Values as JSON, byte for byte as Python's `json.dumps(value, sort_keys=True)` writes them: equal
//! values have equal hashes in every language that a plugin can be written in.

use std::collections::BTreeMap;
use std::fmt::Write;

use crate::value::Value;

pub(crate) fn text(value: &Value<'_>) -> String {
    let mut out = String::new();
    put(&mut out, value);
    out
}

fn put(out: &mut String, value: &Value<'_>) {
    match value {
        Value::Empty => out.push_str("null"),
        Value::Str(text) => put_text(out, text),
        Value::Bool(truth) => out.push_str(if *truth { "true" } else { "false" }),
        Value::Int(number) => _ = write!(out, "{number}"),
        Value::Double(number) => put_double(out, *number),
        Value::Bytes(bytes) => {
            out.push('"');
            for byte in bytes.iter() {
                _ = write!(out, "{byte:02x}");
            }
            out.push('"');
        }
        Value::List(members) => {
            out.push('[');
            for (place, member) in members.iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                put(out, member);
            }
            out.push(']');
        }
        Value::Map(members) => {
            // The last of equal keys counts, as in a dict.
            let sorted: BTreeMap<&str, &Value<'_>> =
                members.iter().map(|(key, member)| (key.as_ref(), member)).collect();
            out.push('{');
            for (place, (key, member)) in sorted.into_iter().enumerate() {
                out.push_str(if place == 0 { "" } else { ", " });
                put_text(out, key);
                out.push_str(": ");
                put(out, member);
            }
            out.push('}');
        }
    }
}

fn put_text(out: &mut String, text: &str) {
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
            ' '..='~' => out.push(character),
            _ => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
}

/// As few digits as tell the number apart, with an exponent from 1e16 and below 1e-4 on.
fn put_double(out: &mut String, number: f64) {
    if number.is_nan() {
        return out.push_str("NaN");
    }
    if number.is_infinite() {
        return out.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" });
    }
    let size = number.abs();
    if size != 0.0 && !(1e-4..1e16).contains(&size) {
        let text = format!("{number:e}");
        let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
        let sign = if exponent.starts_with('-') { '-' } else { '+' };
        _ = write!(out, "{digits}e{sign}{:0>2}", exponent.trim_start_matches('-'));
    } else {
        _ = write!(out, "{number:?}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers have Python's form.
    #[test]
    fn doubles_are_written_as_python_writes_them() {
        let cases = [
            (1.0, "1.0"),
            (-0.0, "-0.0"),
            (0.1, "0.1"),
            (1e15, "1000000000000000.0"),
            (1e16, "1e+16"),
            (1.5e300, "1.5e+300"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (-2.5e-7, "-2.5e-07"),
            (f64::INFINITY, "Infinity"),
        ];
        for (number, wanted) in cases {
            assert_eq!(wanted, text(&Value::Double(number)));
        }
    }

    /// Keys are sorted, the last of equal ones counts, and what is not ASCII is escaped.
    #[test]
    fn maps_are_written_as_python_writes_them() {
        let map = Value::Map(vec![
            ("b".into(), Value::List(vec![1.into(), Value::Empty, true.into()])),
            ("a".into(), "x".into()),
            ("a".into(), "ü😀\u{7f}\n".into()),
            ("c".into(), vec![0u8, 255].into()),
        ]);

        let wanted = r#"{"a": "\u00fc\ud83d\ude00\u007f\n", "b": [1, null, true], "c": "00ff"}"#;
        assert_eq!(wanted, text(&map));
    }
}
