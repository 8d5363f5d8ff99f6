//! `--sort-by`: order by what a JSONPath expression finds in each object.

use serde_json::Value;

use super::custom_columns::relaxed;
use super::failure::Failure;
use super::object;
use super::output::not_evaluated;
use super::quantity::Quantity;
use crate::golang;
use crate::golang::sort::sort as go_sort;
use crate::kubernetes::jsonpath::{Error, JsonPath, Missing};

/// Sorts by the first value that an expression finds. `object` gives the JSON of an item.
pub(super) fn sort<T>(
    items: &mut Vec<T>,
    expression: &str,
    object: impl Fn(&T) -> &Value,
) -> Result<(), Failure> {
    let stopped = |failure: Error| match failure {
        Error::Message(cause) => Failure::invalid(format!("error: {cause}")),
        Error::NotCaptured(what) => not_evaluated(what),
    };
    if items.is_empty() {
        return Ok(());
    }
    let field = relaxed(expression)?;
    let path = JsonPath::parse(&field).map_err(stopped)?;
    let mut keys: Vec<Option<Value>> = Vec::with_capacity(items.len());
    for item in items.iter() {
        let found = path.find(object(item), Missing::Allowed).map_err(stopped)?;
        let first = found.first().and_then(|results| results.first());
        keys.push(first.map(|item| item.value().clone()));
    }
    if keys.iter().all(Option::is_none) {
        return Err(Failure::invalid(format!(
            "error: couldn't find any field with path {} in the list of objects",
            golang::quote::quote(&field)
        )));
    }
    if !comparable(&keys) {
        // kubectl ends with a log line that carries its process id.
        return Err(Failure::not_captured(format!(
            "--sort-by={expression}: what kubectl says of unsortable values is not available in this recording"
        )));
    }
    let mut keyed: Vec<(Option<Value>, T)> = keys.into_iter().zip(items.drain(..)).collect();
    go_sort(&mut keyed, |one, other| less(&one.0, &other.0));
    items.extend(keyed.into_iter().map(|(_, item)| item));
    Ok(())
}

/// Whether kubectl knows an order of these values: all texts, all whole or all other numbers.
fn comparable(keys: &[Option<Value>]) -> bool {
    let kind = |value: &Value| match value {
        Value::String(_) => Some(0),
        Value::Number(number) if number.as_i64().is_some() => Some(1),
        Value::Number(_) => Some(2),
        _ => None,
    };
    let mut kinds = keys
        .iter()
        .flatten()
        .filter(|value| !value.is_null())
        .map(kind);
    let Some(first) = kinds.next() else {
        return true;
    };
    let mut rest = kinds.peekable();
    rest.peek().is_none() || (first.is_some() && rest.all(|kind| kind == first))
}

/// Absent is less than anything, even than absent; then null; texts that are both quantities by
/// amount.
fn less(one: &Option<Value>, other: &Option<Value>) -> bool {
    let (Some(one), Some(other)) = (one, other) else {
        return one.is_none();
    };
    match (one, other) {
        (_, Value::Null) => false,
        (Value::Null, _) => true,
        (Value::String(one), Value::String(other)) => {
            match (Quantity::parse(one), Quantity::parse(other)) {
                (Some(one), Some(other)) => one.compare(other).is_lt(),
                _ => one < other,
            }
        }
        _ => match (one.as_i64(), other.as_i64()) {
            (Some(one), Some(other)) => one < other,
            _ => one.as_f64() < other.as_f64(),
        },
    }
}

/// Whether an expression finds something in the table that the server printed instead of in the
/// objects in it: kubectl looks there when several tables were asked for.
pub(super) fn finds_in_tables(expression: &str) -> bool {
    let path = relaxed(expression).unwrap_or_default();
    let table = serde_json::json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": {"resourceVersion": "1"},
        "columnDefinitions": [{"name": "", "type": "", "format": "", "description": "", "priority": 0}],
        "rows": [{"cells": [""], "object": {"kind": "", "apiVersion": "", "metadata": {}}}]
    });
    match JsonPath::parse(&path).and_then(|path| {
        let found = path.find(&table, Missing::Allowed)?;
        Ok(found.first().is_some_and(|results| !results.is_empty()))
    }) {
        Ok(finds) => finds,
        Err(_) => !object::text(&table, "/kind").is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(expression: &str, values: &[Value]) -> Result<Vec<usize>, String> {
        let mut items: Vec<(usize, Value)> = values.iter().cloned().enumerate().collect();
        match sort(&mut items, expression, |item| &item.1) {
            Ok(()) => Ok(items.into_iter().map(|(at, _)| at).collect()),
            Err(Failure::Message { text, .. }) => Err(text),
            Err(other) => Err(format!("{other:?}")),
        }
    }

    #[test]
    fn objects_are_sorted_by_field() {
        let values = [
            json!({"v": "10", "n": 3, "l": [{"a.b": 1}]}),
            json!({"v": "9", "n": 1}),
            json!({"v": null, "n": 2}),
        ];
        for (expression, expected) in [
            (".v", Ok(vec![2, 1, 0])),
            ("{.n}", Ok(vec![1, 2, 0])),
            ("n", Ok(vec![1, 2, 0])),
            (r"{.l[0].a\.b}", Ok(vec![2, 1, 0])),
            (
                "metadata.nope",
                Err("error: couldn't find any field with path \"{.metadata.nope}\" in the list of objects".to_owned()),
            ),
            (".l[", Err("error: unterminated array".to_owned())),
        ] {
            assert_eq!(order(expression, &values), expected, "{expression}");
        }
        assert!(finds_in_tables(".kind") && !finds_in_tables(".metadata.name"));
    }
}
