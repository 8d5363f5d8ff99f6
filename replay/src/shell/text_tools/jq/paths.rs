//! Reading and changing what is at a path.

use std::rc::Rc;

use super::evaluate::{Raise, failure, missing};
use super::value::{Object, Value};

/// The longest array that an assignment may make.
const ELEMENTS: usize = 1_000_000;

/// The children of an array or object with their keys.
pub(super) fn children(value: &Value) -> Option<Vec<(Value, Value)>> {
    match value {
        Value::Array(values) => {
            let numbered = values.iter().enumerate();
            Some(
                numbered
                    .map(|(at, value)| (Value::number(at as f64), value.clone()))
                    .collect(),
            )
        }
        Value::Object(members) => {
            let members = members.iter();
            Some(
                members
                    .map(|(key, value)| (Value::Text(key.clone()), value.clone()))
                    .collect(),
            )
        }
        _ => None,
    }
}

/// The key of a slice.
pub(super) fn slice_key(from: &Value, to: &Value) -> Value {
    let mut key = Object::new();
    key.insert("start".into(), from.clone());
    key.insert("end".into(), to.clone());
    Value::object(key)
}

/// Roughly what is copied by a change at a path.
pub(super) fn breadth(value: &Value, path: &[Value]) -> usize {
    let Some((key, rest)) = path.split_first() else {
        return 0;
    };
    let below = get(value, key).map_or(0, |below| breadth(&below, rest));
    value.breadth() + below
}

/// `value[key]`.
pub(super) fn get(value: &Value, key: &Value) -> Result<Value, Raise> {
    match (value, key) {
        (Value::Null, Value::Text(_) | Value::Number(_) | Value::Null) => Ok(Value::Null),
        (Value::Object(members), Value::Text(key)) => {
            Ok(members.get(key).cloned().unwrap_or(Value::Null))
        }
        (Value::Array(_), Value::Number(at)) if at.fract() != 0.0 => {
            Err(missing("a position that is no whole number"))
        }
        (Value::Array(values), Value::Number(at)) => Ok(index(*at, values.len())
            .and_then(|at| values.get(at).cloned())
            .unwrap_or(Value::Null)),
        (Value::Array(_) | Value::Text(_) | Value::Null, Value::Object(slice)) => {
            let Some((from, to)) = bounds(slice, length(value))? else {
                return Ok(Value::Null);
            };
            Ok(match value {
                Value::Array(values) => {
                    Value::array(values.get(from..to).unwrap_or_default().to_vec())
                }
                Value::Text(text) => {
                    Value::text(text.chars().skip(from).take(to - from).collect::<String>())
                }
                _ => Value::Null,
            })
        }
        (Value::Array(values), Value::Array(wanted)) => Ok(indices(values, wanted)),
        (value, Value::Text(key)) => Err(failure(format!(
            "Cannot index {} with string \"{key}\"",
            value.kind()
        ))),
        (value, key) => Err(failure(format!(
            "Cannot index {} with {}",
            value.kind(),
            key.kind()
        ))),
    }
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::Array(values) => Some(values.len()),
        Value::Text(text) => Some(text.chars().count()),
        _ => None,
    }
}

fn index(at: f64, length: usize) -> Option<usize> {
    if at.is_nan() {
        return None;
    }
    let at = at.floor();
    let at = if at < 0.0 { at + length as f64 } else { at };
    (at >= 0.0).then_some(at as usize)
}

/// Where a slice starts and ends; none of null.
fn bounds(slice: &Object, length: Option<usize>) -> Result<Option<(usize, usize)>, Raise> {
    let bound = |key: &str| match slice.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(at)) => Ok(Some(*at)),
        Some(_) => Err(failure(
            "Start and end indices of an array slice must be numbers",
        )),
    };
    let (from, to) = (bound("start")?, bound("end")?);
    let Some(length) = length else {
        return Ok(None);
    };
    let clamp = |at: f64| {
        let at = if at < 0.0 { at + length as f64 } else { at };
        at.clamp(0.0, length as f64)
    };
    let from = from.map_or(0, |from| clamp(from).floor() as usize);
    let to = to.map_or(length, |to| clamp(to).ceil() as usize);
    Ok(Some((from, to.max(from))))
}

/// Where a run of elements starts.
pub(super) fn indices(values: &[Value], wanted: &[Value]) -> Value {
    if wanted.is_empty() {
        return Value::Null;
    }
    let starts = values.windows(wanted.len()).enumerate();
    let starts = starts.filter(|(_, run)| run.iter().zip(wanted).all(|(a, b)| a.equals(b)));
    Value::array(starts.map(|(at, _)| Value::number(at as f64)).collect())
}

/// What is at a path; null below null.
pub(super) fn get_path(value: &Value, path: &[Value]) -> Result<Value, Raise> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(value.clone());
    };
    if matches!(value, Value::Null) {
        return Ok(Value::Null);
    }
    get_path(&get(value, key)?, rest)
}

/// The value with another at a path.
pub(super) fn set_path(value: Value, path: &[Value], new: Value) -> Result<Value, Raise> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(new);
    };
    let old = get(&value, key)?;
    let new = set_path(old, rest, new)?;
    set(value, key, new)
}

fn set(value: Value, key: &Value, new: Value) -> Result<Value, Raise> {
    match (value, key) {
        (Value::Object(members), Value::Text(key)) => {
            let mut members = Rc::unwrap_or_clone(members);
            members.insert(key.clone(), new);
            Ok(Value::object(members))
        }
        (Value::Null, Value::Text(key)) => {
            let mut members = Object::new();
            members.insert(key.clone(), new);
            Ok(Value::object(members))
        }
        (value @ (Value::Array(_) | Value::Null), Value::Number(at)) => {
            let mut values = match value {
                Value::Array(values) => Rc::unwrap_or_clone(values),
                _ => Vec::new(),
            };
            let Some(at) = index(*at, values.len()) else {
                return Err(failure("Out of bounds negative array index"));
            };
            if at >= ELEMENTS {
                return Err(missing(&format!(
                    "of arrays of more than {ELEMENTS} elements"
                )));
            }
            if at >= values.len() {
                values.resize(at + 1, Value::Null);
            }
            if let Some(slot) = values.get_mut(at) {
                *slot = new;
            }
            Ok(Value::array(values))
        }
        (value @ (Value::Array(_) | Value::Null), Value::Object(slice)) => {
            let mut values = match value {
                Value::Array(values) => Rc::unwrap_or_clone(values),
                _ => Vec::new(),
            };
            let Value::Array(new) = new else {
                return Err(failure(
                    "A slice of an array can only be assigned another array",
                ));
            };
            let (from, to) = bounds(slice, Some(values.len()))?.unwrap_or((0, 0));
            values.splice(from..to, new.iter().cloned());
            Ok(Value::array(values))
        }
        (value, key) => {
            let shown = match key {
                Value::Text(key) => format!("string \"{key}\""),
                key => key.kind().to_owned(),
            };
            Err(failure(format!(
                "Cannot index {} with {shown}",
                value.kind()
            )))
        }
    }
}

/// The value without what is at the paths.
pub(super) fn delete(value: Value, mut paths: Vec<Vec<Value>>) -> Result<Value, Raise> {
    // From the last on, so that positions stay what they are.
    paths.sort_by(|a, b| Value::array(b.clone()).order(&Value::array(a.clone())));
    let mut value = value;
    for path in paths {
        value = delete_one(value, &path)?;
    }
    Ok(value)
}

fn delete_one(value: Value, path: &[Value]) -> Result<Value, Raise> {
    let Some((key, rest)) = path.split_first() else {
        return Ok(Value::Null);
    };
    if matches!(value, Value::Null) {
        return Ok(Value::Null);
    }
    if !rest.is_empty() {
        let below = get(&value, key)?;
        if matches!(below, Value::Null) {
            return Ok(value);
        }
        let below = delete_one(below, rest)?;
        return set(value, key, below);
    }
    match (value, key) {
        (Value::Object(members), Value::Text(key)) => {
            let mut members = Rc::unwrap_or_clone(members);
            members.shift_remove(key);
            Ok(Value::object(members))
        }
        (Value::Array(values), Value::Number(at)) => {
            let mut values = Rc::unwrap_or_clone(values);
            if let Some(at) = index(*at, values.len()).filter(|at| *at < values.len()) {
                values.remove(at);
            }
            Ok(Value::array(values))
        }
        (Value::Array(values), Value::Object(slice)) => {
            let mut values = Rc::unwrap_or_clone(values);
            if let Some((from, to)) = bounds(slice, Some(values.len()))? {
                values.drain(from..to);
            }
            Ok(Value::array(values))
        }
        _ => Err(missing("del of such a path")),
    }
}
