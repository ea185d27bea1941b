//! Reading JSON that anybody may have sent.

use otelwasm_sdk::Value;
use otelwasm_sdk::otlp::common::v1::AnyValue;
use serde::Deserialize;
use serde_json::{Deserializer, Map, Value as Json};

use crate::Refusal;

/// Lists in lists without end would use up the stack.
const MOST_NESTING: usize = 200;
/// OTLP's messages nest a hundred deep at most: the SDKs write values of so many levels.
const MOST_NESTING_IN_OTLP: usize = 30;

pub fn object(body: &[u8]) -> Result<Map<String, Json>, Refusal> {
    let refused = |reason| Refusal::new(400, format!("the body is no JSON: {reason}"));
    if nesting(body) > MOST_NESTING {
        return Err(refused(format!("it nests more than {MOST_NESTING} levels")));
    }
    let mut reader = Deserializer::from_slice(body);
    reader.disable_recursion_limit();
    let read = Json::deserialize(&mut reader).and_then(|json| reader.end().map(|()| json));
    match read.map_err(|error| refused(error.to_string()))? {
        Json::Object(members) => Ok(members),
        _ => Err(Refusal::new(400, "the body is no JSON object")),
    }
}

fn nesting(body: &[u8]) -> usize {
    let (mut depth, mut most) = (0_usize, 0);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in body {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            b'[' | b'{' if !is_text => depth += 1,
            b']' | b'}' if !is_text => depth = depth.saturating_sub(1),
            _ => {}
        }
        most = most.max(depth);
    }
    most
}

/// The text at the end of a path of names, if there is one.
pub fn member<'j>(object: &'j Map<String, Json>, path: &[&str]) -> Option<&'j str> {
    let (first, rest) = path.split_first()?;
    let found = object.get(*first)?;
    rest.iter()
        .try_fold(found, |value, name| value.get(name))?
        .as_str()
}

/// The same in OTLP; as a text, where it nests deeper, or has a larger number, than that can hold.
pub fn value(object: Map<String, Json>) -> AnyValue {
    let json = Json::Object(object);
    AnyValue::from(converted(&json, 0).unwrap_or_else(|| Value::from(json.to_string())))
}

fn converted(json: &Json, nesting: usize) -> Option<Value<'_>> {
    Some(match json {
        Json::Null => Value::Empty,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) if number.is_f64() => Value::Double(number.as_f64()?),
        Json::Number(number) => Value::Int(number.as_i64()?),
        Json::String(text) => Value::from(text),
        Json::Array(_) | Json::Object(_) if nesting == MOST_NESTING_IN_OTLP => return None,
        Json::Array(members) => {
            let members = members.iter().map(|member| converted(member, nesting + 1));
            Value::List(members.collect::<Option<_>>()?)
        }
        Json::Object(members) => {
            let members = members.iter();
            let members =
                members.map(|(key, value)| Some((key.into(), converted(value, nesting + 1)?)));
            Value::Map(members.collect::<Option<_>>()?)
        }
    })
}
