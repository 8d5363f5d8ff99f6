//! Reading OpenAPI schemas.

use serde_json::{Map, Value};

use crate::golang::format::{plain, sorted};
use crate::kubectl::failure::Failure;

/// How far references are followed.
const DEPTH: usize = 64;

/// An OpenAPI document.
pub(super) struct Document<'d> {
    document: &'d Value,
    schemas: Option<&'d Map<String, Value>>,
}

impl<'d> Document<'d> {
    pub(super) fn new(document: &'d Value) -> Self {
        Self {
            document,
            schemas: document
                .pointer("/components/schemas")
                .and_then(Value::as_object),
        }
    }

    /// The schema of a kind.
    pub(super) fn of_kind(&self, group: &str, version: &str, kind: &str) -> Option<&'d Value> {
        let wanted = |schema: &Value| {
            let kinds = schema
                .get("x-kubernetes-group-version-kind")
                .and_then(Value::as_array);
            kinds.into_iter().flatten().any(|known| {
                let text = |key: &str| known.get(key).and_then(Value::as_str).unwrap_or_default();
                text("group") == group && text("version") == version && text("kind") == kind
            })
        };
        sorted(self.schemas?)
            .into_iter()
            .map(|(_, schema)| schema)
            .find(|schema| wanted(schema))
    }

    /// What a schema refers to, or itself.
    pub(super) fn resolve(&self, schema: &'d Value) -> &'d Value {
        reference(schema)
            .and_then(|reference| self.document.pointer(reference.strip_prefix('#')?))
            .unwrap_or(schema)
    }

    /// The descriptions of a schema and of what it is made of.
    pub(super) fn description(&self, schema: &'d Value, depth: usize) -> String {
        let resolved = self.resolve(schema);
        let mut text = match resolved.get("description").and_then(Value::as_str) {
            None | Some("") => String::new(),
            Some(description) => format!("{description}\n"),
        };
        if depth > DEPTH {
            return text;
        }
        for part in parts(resolved) {
            text.push_str(&self.description(part, depth + 1));
        }
        for inner in [resolved.get("items"), map_values(resolved)] {
            if let Some(inner) = inner.filter(|inner| !is_empty(inner)) {
                text.push_str(&self.description(inner, depth + 1));
            }
        }
        text
    }

    /// `[]Container`, `map[string]string`, `Object`
    pub(super) fn type_guess(&self, schema: &'d Value) -> Result<String, Failure> {
        let mut guess = String::new();
        let mut schema = schema;
        for _ in 0..DEPTH {
            if is_empty(schema) {
                break;
            }
            let part = |key: &str| schema.get(key).filter(|part| !is_empty(part));
            let kind = |schema: &Value| {
                let kind = schema.get("type").and_then(Value::as_str);
                kind.unwrap_or_default().to_owned()
            };
            if let Some(items) = part("items") {
                guess.push_str("[]");
                schema = items;
            } else if let Some(values) = map_values(schema) {
                guess.push_str("map[string]");
                schema = values;
            } else if let ([only], None) = (parts(schema), part("properties")) {
                schema = only;
            } else if let Some(reference) = reference(schema) {
                let resolved = self.resolve(schema);
                let known = reference_is_known(resolved, schema);
                let kind = if known { kind(resolved) } else { String::new() };
                let name = reference.rsplit(['/', '.']).next().unwrap_or_default();
                guess.push_str(match (kind.as_str(), name) {
                    ("" | "object", "") => "Object",
                    ("" | "object", name) => name,
                    (kind, _) => kind,
                });
                return Ok(guess);
            } else {
                guess.push_str(match kind(schema).as_str() {
                    "" | "object" => "Object",
                    kind => kind,
                });
                return Ok(guess);
            }
        }
        Err(Failure::not_captured(
            "a schema without a type is not available in this recording",
        ))
    }
}

fn reference_is_known(resolved: &Value, schema: &Value) -> bool {
    !std::ptr::eq(resolved, schema)
}

/// The reference of a schema.
pub(super) fn reference(schema: &Value) -> Option<&str> {
    schema
        .get("$ref")
        .and_then(Value::as_str)
        .filter(|reference| !reference.is_empty())
}

/// What a schema is a sum of.
pub(super) fn parts(schema: &Value) -> &[Value] {
    schema
        .get("allOf")
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The schema of a map's values.
pub(super) fn map_values(schema: &Value) -> Option<&Value> {
    schema
        .get("additionalProperties")
        .filter(|values| !values.is_boolean() && !is_empty(values))
}

/// The fields of a schema by name.
pub(super) fn fields(schema: &Value) -> Vec<(&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .map(sorted)
        .unwrap_or_default()
}

/// Whether a field must be there.
pub(super) fn requires(schema: &Value, name: &str) -> bool {
    schema
        .get("required")
        .and_then(Value::as_array)
        .is_some_and(|required| required.iter().any(|known| known.as_str() == Some(name)))
}

/// The values that a field may have.
pub(super) fn values(schema: &Value) -> Vec<String> {
    schema
        .get("enum")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|value| match value.as_str() {
            Some("") => "\"\"".to_owned(),
            _ => plain(value),
        })
        .collect()
}

/// Nothing, as Go's templates see it.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}
