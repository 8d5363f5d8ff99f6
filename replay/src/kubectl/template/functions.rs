//! The functions of templates.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use super::execute::Data;
use super::{Unsupported, printf};
use crate::golang::format::plain;

type Result<T> = std::result::Result<T, Unsupported>;

/// Calls a function.
pub(super) fn call<'d>(name: &str, arguments: &[Data<'d>]) -> Result<Data<'d>> {
    let made = |value: Value| Ok(Cow::Owned(value));
    match (name, arguments) {
        ("not", [value]) => made((!truth(value)).into()),
        ("len", [value]) => made(match value.as_ref() {
            Value::String(text) => text.len().into(),
            Value::Array(items) => items.len().into(),
            Value::Object(fields) => fields.len().into(),
            _ => return Err(Unsupported("the length of what has none")),
        }),
        ("index", [first, ..]) if first.is_null() => Err(Unsupported("an index of nothing")),
        ("index", [first, keys @ ..]) => index(first.clone(), keys),
        ("exists", [first, keys @ ..]) => made(exists(first.as_ref(), keys).into()),
        ("eq", [first, others @ ..]) if !others.is_empty() => {
            for other in others {
                if equal(first, other)? {
                    return made(true.into());
                }
            }
            made(false.into())
        }
        ("ne", [one, other]) => made((!equal(one, other)?).into()),
        ("lt", [one, other]) => made((order(one, other)? == Ordering::Less).into()),
        ("le", [one, other]) => made((order(one, other)? != Ordering::Greater).into()),
        ("gt", [one, other]) => made((order(one, other)? == Ordering::Greater).into()),
        ("ge", [one, other]) => made((order(one, other)? != Ordering::Less).into()),
        ("print", values) => made(print(values).into()),
        ("println", values) => {
            let texts: Vec<String> = values.iter().map(|value| plain(value)).collect();
            made(format!("{}\n", texts.join(" ")).into())
        }
        ("printf", [format, values @ ..]) => match format.as_str() {
            Some(format) => made(printf::printf(format, values)?.into()),
            None => Err(Unsupported("a format that is no text")),
        },
        ("base64decode", [value]) => match value.as_str().and_then(decode) {
            Some(text) => made(text.into()),
            None => Err(Unsupported("base64 that can't be decoded")),
        },
        _ => Err(Unsupported("a function that is not known here")),
    }
}

/// Go's truth: not zero, not empty, not nothing.
pub(super) fn truth(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(flag) => *flag,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}

fn index<'d>(mut value: Data<'d>, keys: &[Data<'d>]) -> Result<Data<'d>> {
    for key in keys {
        let at = key.as_u64().and_then(|at| usize::try_from(at).ok());
        let outside = Unsupported("an index that is outside");
        value = match (value, key.as_ref(), at) {
            (Cow::Borrowed(Value::Object(fields)), Value::String(key), _) => fields
                .get(key)
                .map_or(Cow::Owned(Value::Null), Cow::Borrowed),
            (Cow::Owned(Value::Object(fields)), Value::String(key), _) => {
                Cow::Owned(fields.get(key).cloned().unwrap_or_default())
            }
            (Cow::Borrowed(Value::Array(items)), _, Some(at)) => {
                Cow::Borrowed(items.get(at).ok_or(outside)?)
            }
            (Cow::Owned(Value::Array(items)), _, Some(at)) => {
                Cow::Owned(items.get(at).cloned().ok_or(outside)?)
            }
            _ => return Err(Unsupported("an index of what has none")),
        };
    }
    Ok(value)
}

fn exists(value: &Value, keys: &[Data<'_>]) -> bool {
    if keys.is_empty() {
        // Even nothing exists, if nothing is asked of it.
        return true;
    }
    let mut found = value;
    for (position, key) in keys.iter().enumerate() {
        let at = key.as_u64().and_then(|at| usize::try_from(at).ok());
        let next = match (found, key.as_ref(), at) {
            (Value::Object(fields), Value::String(key), _) => fields.get(key),
            (Value::Array(items), _, Some(at)) => items.get(at),
            // A byte has nothing inside.
            (Value::String(text), _, Some(at)) => {
                return at < text.len() && position + 1 == keys.len();
            }
            _ => None,
        };
        match next {
            Some(next) => found = next,
            None => return false,
        }
    }
    !found.is_null()
}

fn order(one: &Value, other: &Value) -> Result<Ordering> {
    match (one, other) {
        (Value::String(one), Value::String(other)) => Ok(one.cmp(other)),
        (Value::Number(one), Value::Number(other)) => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => Ok(one.cmp(&other)),
            (None, None) => one
                .as_f64()
                .partial_cmp(&other.as_f64())
                .ok_or(INCOMPATIBLE),
            _ => Err(INCOMPATIBLE),
        },
        _ => Err(INCOMPATIBLE),
    }
}

const INCOMPATIBLE: Unsupported = Unsupported("a comparison of different types");

fn equal(one: &Value, other: &Value) -> Result<bool> {
    match (one, other) {
        (Value::Null, other) | (other, Value::Null) => Ok(other.is_null()),
        (Value::Bool(one), Value::Bool(other)) => Ok(one == other),
        (one, other) => Ok(order(one, other)? == Ordering::Equal),
    }
}

/// Spaces only between values of which neither is a text.
fn print(values: &[Data<'_>]) -> String {
    let mut out = String::new();
    for (position, value) in values.iter().enumerate() {
        let before = position.checked_sub(1).and_then(|at| values.get(at));
        if before.is_some_and(|before| !before.is_string() && !value.is_string()) {
            out.push(' ');
        }
        out.push_str(&plain(value));
    }
    out
}

/// Text behind standard base64 with padding; line breaks are skipped.
pub(super) fn decode(base64: &str) -> Option<String> {
    let bytes: Vec<u8> = base64.bytes().filter(|b| !b"\r\n".contains(b)).collect();
    let digits = bytes.iter().take_while(|byte| **byte != b'=').count();
    let padding = bytes.len() - digits;
    if !bytes.len().is_multiple_of(4)
        || padding > 2
        || bytes[digits..].iter().any(|byte| *byte != b'=')
    {
        return None;
    }
    let mut decoded = Vec::new();
    let (mut bits, mut count) = (0u32, 0);
    for byte in &bytes[..digits] {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            decoded.push(u8::try_from((bits >> count) & 0xff).ok()?);
        }
    }
    String::from_utf8(decoded).ok()
}
