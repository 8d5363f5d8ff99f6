//! Values as OTLP's JSON has them: numbers that may be texts, enums that may be names, values of any type.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::import::engine::defects::{Notes, rules};
use crate::import::engine::time::{Unit, since_epoch};

/// `KeyValue`.
#[derive(Deserialize, Default)]
#[serde(default)]
pub(super) struct KeyValue {
    pub(super) key: String,
    /// An `AnyValue`.
    pub(super) value: Value,
}

/// Reads a 64-bit number, which may be a text, as its digits.
pub(super) fn digits<'de, D: Deserializer<'de>>(input: D) -> Result<String, D::Error> {
    match Value::deserialize(input)? {
        Value::String(text) => Ok(text),
        Value::Number(number) => Ok(number.to_string()),
        Value::Null => Ok(String::new()),
        other => Err(serde::de::Error::custom(format!("{other} is no number"))),
    }
}

/// A time; one that is not told is 0 on the wire.
pub(super) fn time(text: &str, field: &str, notes: &mut Notes) -> Result<Option<i64>, String> {
    if matches!(text, "" | "0") {
        return Ok(None);
    }
    let time = since_epoch(text, Unit::Nanoseconds, notes);
    time.map(Some).map_err(|cause| format!("{field}: {cause}"))
}

/// A number, which may be a text; proto3 writes what JSON has no numbers for as texts too, and leaves out 0.
pub(super) fn number(value: &Value, field: &str) -> Result<f64, String> {
    let number = match value {
        Value::Null => Some(0.0),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            text => text.parse().ok(),
        },
        _ => None,
    };
    number.ok_or_else(|| format!("{field}: {value} is no number"))
}

/// An enum's value: by its number, or by its name without the prefix. Nothing is the first.
pub(super) fn one_of(
    value: &Value,
    field: &str,
    prefix: &str,
    names: &[&'static str],
) -> Result<&'static str, String> {
    let found = match value {
        Value::Null => names.first(),
        Value::Number(number) => {
            let index = number
                .as_u64()
                .and_then(|index| usize::try_from(index).ok());
            index.and_then(|index| names.get(index))
        }
        Value::String(text) => {
            let name = text.strip_prefix(prefix).unwrap_or(text).to_lowercase();
            names.iter().find(|one| **one == name)
        }
        _ => None,
    };
    let found = found.copied();
    found.ok_or_else(|| format!("{field}: {value} is none of {}", names.join(", ")))
}

/// An `AnyValue`: its type and value, in the words of the table. Lists are texts of JSON there, as Jaeger has them.
fn typed(value: &Value) -> Result<(&'static str, Value), String> {
    let wrong = || format!("{value} is no value");
    let Value::Object(fields) = value else {
        return match value {
            Value::Null => Ok(("string", json!(""))),
            _ => Err(wrong()),
        };
    };
    let Some((kind, inner)) = fields.iter().next() else {
        return Ok(("string", json!("")));
    };
    let typed = match (kind.as_str(), inner) {
        ("stringValue", Value::String(_)) => Some(("string", inner.clone())),
        ("boolValue", Value::Bool(_)) => Some(("bool", inner.clone())),
        ("intValue", Value::Number(_)) => Some(("int64", inner.clone())),
        ("intValue", Value::String(text)) => text
            .parse::<i64>()
            .ok()
            .map(|number| ("int64", json!(number))),
        // What JSON has no number for stays a text.
        ("doubleValue", Value::Number(_) | Value::String(_)) => Some(("float64", inner.clone())),
        ("bytesValue", Value::String(_)) => Some(("binary", inner.clone())),
        ("arrayValue" | "kvlistValue", Value::Object(_)) => {
            Some(("string", json!(plain(value)?.to_string())))
        }
        _ => None,
    };
    typed.ok_or_else(wrong)
}

/// An `AnyValue` as JSON without types.
fn plain(value: &Value) -> Result<Value, String> {
    let list = |name: &str| {
        let list = value.pointer(name).and_then(Value::as_array);
        list.map_or(&[][..], Vec::as_slice)
    };
    if value.get("arrayValue").is_some() {
        return list("/arrayValue/values").iter().map(plain).collect();
    }
    if value.get("kvlistValue").is_some() {
        let fields = list("/kvlistValue/values").iter().map(|field| {
            let key = field.get("key").and_then(Value::as_str);
            let value = plain(field.get("value").unwrap_or(&Value::Null))?;
            Ok((key.unwrap_or_default().to_owned(), value))
        });
        let fields: Result<serde_json::Map<_, _>, String> = fields.collect();
        return fields.map(Value::Object);
    }
    typed(value).map(|(_, value)| value)
}

/// An `AnyValue` as text: a text as it is, anything else as JSON; none where it is no value.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match typed(value).ok()?.1 {
        Value::String(text) => Some(text),
        other => Some(other.to_string()),
    }
}

/// `{"key","type","value"}` of each.
pub(super) fn attributes<'a>(
    all: impl Iterator<Item = &'a KeyValue>,
) -> Result<Vec<Value>, String> {
    all.map(|one| {
        let (kind, value) = typed(&one.value).map_err(|cause| format!("{}: {cause}", one.key))?;
        Ok(json!({"key": one.key, "type": kind, "value": value}))
    })
    .collect()
}

/// Notes fields that are none of those that are known.
pub(super) fn note_unknown(row: &Value, known: &[&str], notes: &mut Notes) {
    let fields = row.as_object().into_iter().flatten();
    let mut names = fields.map(|(name, _)| name.as_str());
    if names.any(|name| !known.contains(&name)) {
        notes.note_once(&rules::FIELDS_LEFT_OUT);
    }
}
