//! Operators.

use std::rc::Rc;

use jaq_core::ops::{Cmp, Math};

use super::super::steps::TEXT_BYTES;
use super::evaluate::{Machine, Raise, failure, missing};
use super::value::{Object, Value};
use super::write;

/// A value in an error: its type and the beginning of its text.
pub(super) fn shown(value: &Value) -> String {
    format!(
        "{} ({})",
        value.kind(),
        truncated(&write::compact(value), 10)
    )
}

/// A text of at most some bytes, three of which are dots if it is cut.
pub(super) fn truncated(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let mut end = bytes.saturating_sub(3);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    format!("{}...", text.get(..end).unwrap_or_default())
}

/// `left OP right`.
pub(super) fn compute(
    op: Math,
    left: &Value,
    right: &Value,
    machine: &Machine<'_>,
) -> Result<Value, Raise> {
    machine.step((left.breadth() + right.breadth()) / 8)?;
    let refused = |what: &str| {
        Err(failure(format!(
            "{} and {} cannot be {what}",
            shown(left),
            shown(right)
        )))
    };
    match op {
        Math::Add => match (left, right) {
            (Value::Null, other) | (other, Value::Null) => Ok(other.clone()),
            (Value::Number(a), Value::Number(b)) => Ok(Value::Number(a + b)),
            (Value::Text(a), Value::Text(b)) => bounded(format!("{a}{b}")),
            (Value::Array(a), Value::Array(b)) => {
                Ok(Value::array(a.iter().chain(b.iter()).cloned().collect()))
            }
            (Value::Object(a), Value::Object(b)) => {
                let mut members = (**a).clone();
                members.extend(b.iter().map(|(key, value)| (key.clone(), value.clone())));
                Ok(Value::object(members))
            }
            _ => refused("added"),
        },
        Math::Sub => match (left, right) {
            (Value::Number(a), Value::Number(b)) => Ok(Value::Number(a - b)),
            (Value::Array(a), Value::Array(b)) => {
                machine.step(a.len().saturating_mul(b.len()))?;
                let kept = a
                    .iter()
                    .filter(|value| !b.iter().any(|other| value.equals(other)));
                Ok(Value::array(kept.cloned().collect()))
            }
            _ => refused("subtracted"),
        },
        Math::Mul => match (left, right) {
            (Value::Number(a), Value::Number(b)) => Ok(Value::Number(a * b)),
            (Value::Text(text), Value::Number(times))
            | (Value::Number(times), Value::Text(text)) => {
                if times.is_nan() || *times <= 0.0 {
                    return Ok(Value::Null);
                }
                let times = ((times - 1.0).trunc().max(0.0) as usize).saturating_add(1);
                if text.len().saturating_mul(times) > TEXT_BYTES {
                    return Err(missing(&format!("of texts above {TEXT_BYTES} bytes")));
                }
                Ok(Value::text(text.repeat(times)))
            }
            (Value::Object(a), Value::Object(b)) => Ok(Value::object(merged(a, b))),
            _ => refused("multiplied"),
        },
        Math::Div => match (left, right) {
            (Value::Number(_), Value::Number(b)) if *b == 0.0 => {
                refused("divided because the divisor is zero")
            }
            (Value::Number(a), Value::Number(b)) => Ok(Value::Number(a / b)),
            (Value::Text(a), Value::Text(b)) => Ok(split(a, b)),
            _ => refused("divided"),
        },
        Math::Rem => match (left, right) {
            (Value::Number(a), Value::Number(b)) => {
                if a.is_nan() || b.is_nan() {
                    return Err(missing("% of nan"));
                }
                let (a, b) = (*a as i64, (*b as i64).unsigned_abs() as i128);
                if b == 0 {
                    return refused("divided (remainder) because the divisor is zero");
                }
                Ok(Value::Number((i128::from(a) % b) as f64))
            }
            _ => refused("divided"),
        },
    }
}

fn bounded(text: String) -> Result<Value, Raise> {
    match text.len() > TEXT_BYTES {
        true => Err(missing(&format!("of texts above {TEXT_BYTES} bytes"))),
        false => Ok(Value::text(text)),
    }
}

/// Members of both; where both have an object, those are merged, too.
fn merged(a: &Object, b: &Object) -> Object {
    let mut members = a.clone();
    for (key, value) in b {
        let value = match (members.get(key), value) {
            (Some(Value::Object(old)), Value::Object(new)) => Value::object(merged(old, new)),
            _ => value.clone(),
        };
        members.insert(key.clone(), value);
    }
    members
}

/// The parts of a text between separators; its characters if the separator is empty.
pub(super) fn split(text: &str, separator: &str) -> Value {
    let parts: Vec<Value> = match (text, separator) {
        ("", _) => Vec::new(),
        (text, "") => text.chars().map(|c| Value::text(c.to_string())).collect(),
        (text, separator) => text.split(separator).map(Value::text).collect(),
    };
    Value::Array(Rc::new(parts))
}

/// Whether a comparison holds.
pub(super) fn holds(op: Cmp, left: &Value, right: &Value) -> bool {
    match op {
        Cmp::Eq => left.equals(right),
        Cmp::Ne => !left.equals(right),
        Cmp::Lt => left.order(right).is_lt(),
        Cmp::Le => left.order(right).is_le(),
        Cmp::Gt => left.order(right).is_gt(),
        Cmp::Ge => left.order(right).is_ge(),
    }
}
