//! Functions of arrays and objects.

use std::cmp::Ordering;

use super::super::evaluate::{Machine, Raise, failure, missing, not_iterable};
use super::super::value::{Object, Value};
use super::super::{arithmetic, paths};

/// How long a value is.
pub(super) fn length(value: &Value) -> Result<Value, Raise> {
    Ok(Value::Number(match value {
        Value::Null => 0.0,
        Value::Bool(_) => {
            return Err(failure(format!(
                "{} has no length",
                arithmetic::shown(value)
            )));
        }
        Value::Number(number) => number.abs(),
        Value::Text(text) => text.chars().count() as f64,
        Value::Array(values) => values.len() as f64,
        Value::Object(members) => members.len() as f64,
    }))
}

/// The keys of an object or the positions of an array.
pub(super) fn keys(value: &Value, sorted: bool) -> Result<Value, Raise> {
    match value {
        Value::Object(members) if sorted => {
            let sorted = Value::sorted(members).into_iter();
            Ok(Value::array(
                sorted.map(|(key, _)| Value::Text(key.clone())).collect(),
            ))
        }
        Value::Object(members) => Ok(Value::array(
            members.keys().cloned().map(Value::Text).collect(),
        )),
        Value::Array(values) => Ok(Value::array(
            (0..values.len())
                .map(|at| Value::number(at as f64))
                .collect(),
        )),
        value => Err(failure(format!("{} has no keys", arithmetic::shown(value)))),
    }
}

/// Whether there is a member or element.
pub(super) fn has(value: &Value, key: &Value) -> Result<bool, Raise> {
    match (value, key) {
        (Value::Object(members), Value::Text(key)) => Ok(members.contains_key(key)),
        (Value::Array(values), Value::Number(at)) => {
            Ok(*at >= 0.0 && (*at as usize) < values.len())
        }
        (value, key) => Err(failure(format!(
            "Cannot check whether {} has a {} key",
            value.kind(),
            key.kind()
        ))),
    }
}

/// Whether a value holds all that a part of it holds.
pub(super) fn contains(machine: &Machine<'_>, value: &Value, part: &Value) -> Result<bool, Raise> {
    machine.step(value.breadth())?;
    Ok(match (value, part) {
        (Value::Object(members), Value::Object(parts)) => {
            for (key, part) in parts.iter() {
                match members.get(key) {
                    Some(value) if contains(machine, value, part)? => {}
                    _ => return Ok(false),
                }
            }
            true
        }
        (Value::Array(values), Value::Array(parts)) => {
            for part in parts.iter() {
                let mut found = false;
                for value in values.iter().filter(|value| value.kind() == part.kind()) {
                    found |= contains(machine, value, part)?;
                }
                if !found {
                    return Ok(false);
                }
            }
            true
        }
        (Value::Text(text), Value::Text(part)) => text.contains(&**part),
        (value, part) if value.kind() == part.kind() => value.equals(part),
        (value, part) => {
            let (value, part) = (arithmetic::shown(value), arithmetic::shown(part));
            return Err(failure(format!(
                "{value} and {part} cannot have their containment checked"
            )));
        }
    })
}

/// The sum of the elements.
pub(super) fn add(machine: &Machine<'_>, value: &Value) -> Result<Value, Raise> {
    let children = paths::children(value).ok_or_else(|| not_iterable(value))?;
    // Texts and arrays are joined at once: one by one they would be copied each time.
    if children.len() > 1
        && children
            .iter()
            .all(|(_, value)| matches!(value, Value::Text(_)))
    {
        let texts = children.iter().map(|(_, value)| match value {
            Value::Text(text) => &**text,
            _ => "",
        });
        let text: String = texts.collect();
        machine.step(text.len())?;
        return Ok(Value::text(text));
    }
    if children.len() > 1
        && children
            .iter()
            .all(|(_, value)| matches!(value, Value::Array(_)))
    {
        let mut all = Vec::new();
        for (_, value) in children {
            if let Value::Array(values) = value {
                all.extend(values.iter().cloned());
            }
        }
        machine.step(all.len())?;
        return Ok(Value::array(all));
    }
    let mut sum = Value::Null;
    for (_, value) in children {
        sum = arithmetic::compute(jaq_core::ops::Math::Add, &sum, &value, machine)?;
    }
    Ok(sum)
}

/// Adds the elements of arrays within arrays.
pub(super) fn flatten(value: &Value, depth: usize, flat: &mut Vec<Value>) -> Result<(), Raise> {
    let children = paths::children(value).ok_or_else(|| not_iterable(value))?;
    for (_, value) in children {
        match value {
            Value::Array(_) if depth > 0 => flatten(&value, depth - 1, flat)?,
            value => flat.push(value),
        }
    }
    Ok(())
}

/// Rows as columns.
pub(super) fn transpose(value: &Value) -> Result<Value, Raise> {
    let Value::Array(rows) = value else {
        return Err(missing("transpose of anything but an array"));
    };
    let mut columns = 0;
    for row in rows.iter() {
        match row {
            Value::Array(cells) => columns = columns.max(cells.len()),
            _ => return Err(missing("transpose of anything but arrays")),
        }
    }
    let column = |at: usize| {
        let cells = rows.iter().map(|row| match row {
            Value::Array(cells) => cells.get(at).cloned().unwrap_or(Value::Null),
            _ => Value::Null,
        });
        Value::array(cells.collect())
    };
    Ok(Value::array((0..columns).map(column).collect()))
}

/// The members of an object as objects.
pub(in super::super) fn to_entries(value: &Value) -> Result<Vec<Value>, Raise> {
    let Some(children) = paths::children(value) else {
        return Err(failure(format!("{} has no keys", arithmetic::shown(value))));
    };
    let entry = |(key, value): (Value, Value)| {
        let mut entry = Object::new();
        entry.insert("key".into(), key);
        entry.insert("value".into(), value);
        Value::object(entry)
    };
    Ok(children.into_iter().map(entry).collect())
}

/// An object of entries.
pub(in super::super) fn from_entries(value: &Value) -> Result<Value, Raise> {
    let children = paths::children(value).ok_or_else(|| not_iterable(value))?;
    let mut made = Object::new();
    for (_, entry) in children {
        let get = |names: [&str; 4]| -> Result<Value, Raise> {
            let Value::Object(members) = &entry else {
                return Err(missing("from_entries of anything but objects"));
            };
            let found = names.iter().find_map(|name| members.get(*name));
            Ok(found.cloned().unwrap_or(Value::Null))
        };
        let Value::Text(key) = get(["key", "Key", "name", "Name"])? else {
            return Err(missing("from_entries with a key that is no string"));
        };
        made.insert(key, get(["value", "Value", "value", "Value"])?);
    }
    Ok(Value::object(made))
}

/// The error of what can't be sorted.
pub(in super::super) fn not_sortable(value: &Value) -> Raise {
    let shown = arithmetic::shown(value);
    failure(format!("{shown} cannot be sorted, as it is not an array"))
}

/// Elements with their keys, sorted, grouped or chosen.
pub(in super::super) fn by_keys(name: &str, mut keyed: Vec<(Value, Value)>) -> Value {
    match name {
        "min_by" => {
            let least = keyed
                .into_iter()
                .reduce(|best, next| match next.0.order(&best.0) {
                    Ordering::Less => next,
                    _ => best,
                });
            return least.map_or(Value::Null, |(_, value)| value);
        }
        "max_by" => {
            let most = keyed
                .into_iter()
                .reduce(|best, next| match next.0.order(&best.0) {
                    Ordering::Less => best,
                    _ => next,
                });
            return most.map_or(Value::Null, |(_, value)| value);
        }
        _ => {}
    }
    keyed.sort_by(|a, b| a.0.order(&b.0));
    if name == "sort_by" {
        return Value::array(keyed.into_iter().map(|(_, value)| value).collect());
    }
    let mut groups: Vec<(Value, Vec<Value>)> = Vec::new();
    for (key, value) in keyed {
        match groups.last_mut() {
            Some((last, group)) if last.equals(&key) => group.push(value),
            _ => groups.push((key, vec![value])),
        }
    }
    let groups = groups.into_iter().map(|(_, group)| group);
    match name {
        "group_by" => Value::array(groups.map(Value::array).collect()),
        _ => Value::array(
            groups
                .filter_map(|group| group.into_iter().next())
                .collect(),
        ),
    }
}
