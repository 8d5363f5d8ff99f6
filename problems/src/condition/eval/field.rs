//! Tests of a field of an object.

use serde_json::Value;

use super::holds_or;
use crate::condition::{FieldTest, Outcome};
use crate::path;

pub(super) fn eval_field(test: &FieldTest, object: &Value) -> Outcome {
    let FieldTest { field, .. } = test;
    if object.is_null() {
        return holds_or(test.exists == Some(false), || {
            format!("{field} does not exist")
        });
    }
    let found = match values(test, object) {
        Ok(found) => found,
        Err(because) => return Outcome::Unknown(because),
    };
    let path = path_of(test);
    if test.exists == Some(false) {
        return match found.first() {
            Some(value) => Outcome::Fails(format!("{path} of {field} is {value}, wanted none")),
            None => Outcome::Holds,
        };
    }
    if found.is_empty() {
        return Outcome::Fails(format!("{field} has no {path}"));
    }
    for value in found {
        if let Some(wanted) = test
            .equals
            .as_ref()
            .filter(|wanted| !path::same(&value, wanted))
        {
            return Outcome::Fails(format!("{path} of {field} is {value}, wanted {wanted}"));
        }
        if let Some(bound) = test.at_least
            && !value.as_f64().is_some_and(|number| number >= bound)
        {
            return Outcome::Fails(format!(
                "{path} of {field} is {value}, wanted at least {bound}"
            ));
        }
        if let Some(wanted) = test
            .contains
            .as_ref()
            .filter(|wanted| !contains(&value, wanted))
        {
            return Outcome::Fails(format!(
                "{path} of {field} is {value}, wanted {wanted} in it"
            ));
        }
    }
    Outcome::Holds
}

/// The values that a test of a field is about.
fn values(test: &FieldTest, object: &Value) -> Result<Vec<Value>, String> {
    let read = |value: &Value, path: &str| -> Result<Vec<Value>, String> {
        let found = path::get(value, path).map_err(|error| error.to_string())?;
        Ok(found.into_iter().cloned().collect())
    };
    let found = read(object, &test.path)?;
    let Some(inner) = &test.json else {
        return Ok(found);
    };
    let mut inside = Vec::new();
    for value in found {
        let text = value.as_str().unwrap_or_default();
        let parsed: Value = serde_json::from_str(text)
            .map_err(|_| format!("{} of {} is no JSON", test.path, test.field))?;
        inside.extend(read(&parsed, inner)?);
    }
    Ok(inside)
}

/// Whether a list has an item, or a text has a text in it.
pub(crate) fn contains(value: &Value, wanted: &Value) -> bool {
    match (value, wanted) {
        (Value::Array(items), wanted) => items.iter().any(|item| path::same(item, wanted)),
        (Value::String(text), Value::String(wanted)) => text.contains(wanted),
        _ => false,
    }
}

/// The path, with the one inside the text of JSON.
fn path_of(test: &FieldTest) -> String {
    match &test.json {
        Some(inner) => format!("{inner} in {}", test.path),
        None => test.path.clone(),
    }
}

pub(super) fn describe_field(test: &FieldTest) -> String {
    let asked = match (&test.equals, test.exists, test.at_least, &test.contains) {
        (Some(value), _, _, _) => format!("equals {value}"),
        (_, _, Some(bound), _) => format!("at least {bound}"),
        (_, _, _, Some(value)) => format!("contains {value}"),
        (_, Some(false), _, _) => "absent".to_owned(),
        _ => "present".to_owned(),
    };
    format!("{} of {} {asked}", path_of(test), test.field)
}
