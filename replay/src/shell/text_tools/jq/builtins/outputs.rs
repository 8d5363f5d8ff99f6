//! Functions with several outputs.

use super::super::evaluate::{Flow, Machine, failure, missing, not_iterable};
use super::super::paths;
use super::super::value::Value;

/// Elements of an array that is made.
const ELEMENTS: usize = 2_000_000;

/// Numbers from one to another.
pub(super) fn range(
    machine: &Machine<'_>,
    arguments: &[Value],
    out: &mut dyn FnMut(Value) -> Flow,
) -> Flow {
    let mut numbers = Vec::new();
    for value in arguments {
        let Value::Number(number) = value else {
            return Err(failure("Range bounds must be numeric"));
        };
        numbers.push(*number);
    }
    let (from, to, by) = match numbers.as_slice() {
        [to] => (0.0, *to, 1.0),
        [from, to] => (*from, *to, 1.0),
        [from, to, by] => (*from, *to, *by),
        _ => return Ok(()),
    };
    if by == 0.0 && arguments.len() == 3 {
        return Err(missing("range by zero"));
    }
    let mut number = from;
    let mut made = 0;
    while if by > 0.0 { number < to } else { number > to } {
        machine.step(0)?;
        made += 1;
        if made > ELEMENTS {
            return Err(missing(&format!("range of more than {ELEMENTS} numbers")));
        }
        out(Value::Number(number))?;
        number += by;
    }
    Ok(())
}

/// The paths of what is no array or object.
pub(super) fn leaf_paths(
    value: &Value,
    path: &mut Vec<Value>,
    out: &mut dyn FnMut(Value) -> Flow,
) -> Flow {
    match paths::children(value) {
        None if path.is_empty() || !value.is_true() => Ok(()),
        None => out(Value::array(path.clone())),
        Some(children) => children.into_iter().try_for_each(|(key, value)| {
            path.push(key);
            let flow = leaf_paths(&value, path, out);
            path.pop();
            flow
        }),
    }
}

/// One element of each array, in every way.
pub(super) fn combinations(
    value: &Value,
    chosen: &mut Vec<Value>,
    position: usize,
    out: &mut dyn FnMut(Value) -> Flow,
) -> Flow {
    let Value::Array(lists) = value else {
        return Err(missing("combinations of anything but an array"));
    };
    let Some(list) = lists.get(position) else {
        return out(Value::array(chosen.clone()));
    };
    let children = paths::children(list).ok_or_else(|| not_iterable(list))?;
    children.into_iter().try_for_each(|(_, element)| {
        chosen.push(element);
        let flow = combinations(value, chosen, position + 1, out);
        chosen.pop();
        flow
    })
}

/// Paths with their values, as `tostream` prints them.
pub(super) fn stream(
    value: &Value,
    path: &mut Vec<Value>,
    out: &mut dyn FnMut(Value) -> Flow,
) -> Flow {
    let children = paths::children(value).unwrap_or_default();
    let Some((last, _)) = children.last().cloned() else {
        return out(Value::array(vec![
            Value::array(path.clone()),
            value.clone(),
        ]));
    };
    for (key, child) in children {
        path.push(key);
        stream(&child, path, out)?;
        path.pop();
    }
    path.push(last);
    out(Value::array(vec![Value::array(path.clone())]))?;
    path.pop();
    Ok(())
}
