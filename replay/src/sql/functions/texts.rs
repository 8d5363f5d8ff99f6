//! Functions of texts: log lines, attributes, quantities, what kubectl prints.

use std::sync::Arc;

use arrow::array::{ArrayRef, Float64Array, StringArray};
use arrow::datatypes::DataType;
use datafusion::error::Result;
use serde::Deserialize;
use serde_json::Value;

use super::{Function, Kind, moments, of_text, texts};
use crate::kubernetes::object;
use crate::kubernetes::printers::printer;
use crate::kubernetes::quantity::Quantity;
use crate::log_template;

pub(super) fn functions() -> [Function; 5] {
    const TEXT: Kind = Kind::Text;
    [
        Function::new("template", &[&[TEXT]], DataType::Utf8, |given| {
            of_text(given, |line| Some(log_template::template(line)))
        }),
        Function::new("attribute", &[&[TEXT, TEXT]], DataType::Utf8, |given| {
            of_two_texts(given, attribute)
        }),
        Function::new("condition", &[&[TEXT, TEXT]], DataType::Utf8, |given| {
            of_two_texts(given, condition)
        }),
        Function::new("quantity", &[&[TEXT]], DataType::Float64, |given| {
            let numbers: Float64Array = texts(given, 0)?
                .iter()
                .map(|text| Some(Quantity::parse(text?)?.number()))
                .collect();
            Ok(Arc::new(numbers) as ArrayRef)
        }),
        Function::new(
            "printed",
            &[&[TEXT, TEXT, TEXT, Kind::Time]],
            DataType::Utf8,
            |given| {
                let (resources, objects) = (texts(given, 0)?, texts(given, 1)?);
                let (columns, nows) = (texts(given, 2)?, moments(given, 3)?);
                let rows = resources.iter().zip(objects).zip(columns).zip(nows);
                let cells: StringArray = rows
                    .map(|(((resource, object), column), now)| {
                        printed(resource?, object?, column?, now?)
                    })
                    .collect();
                Ok(Arc::new(cells) as ArrayRef)
            },
        ),
    ]
}

fn of_two_texts(
    given: &[ArrayRef],
    function: impl Fn(&str, &str) -> Option<String>,
) -> Result<ArrayRef> {
    let pairs = texts(given, 0)?.iter().zip(texts(given, 1)?);
    let results: StringArray = pairs.map(|(one, other)| function(one?, other?)).collect();
    Ok(Arc::new(results))
}

/// The status of the condition of this type.
fn condition(json: &str, kind: &str) -> Option<String> {
    let parsed: Value = serde_json::from_str(json).ok()?;
    let conditions = object::list(&parsed, "/status/conditions").iter();
    let mut of_kind = conditions.filter(|one| object::text(one, "/type") == kind);
    of_kind
        .next()
        .map(|one| object::text(one, "/status").to_owned())
}

/// One of a span's attributes, which are an array of `{"key","type","value"}`.
#[derive(Deserialize)]
struct Attribute<'a> {
    #[serde(borrow)]
    key: std::borrow::Cow<'a, str>,
    value: Value,
}

/// The value of the first attribute of this key.
fn attribute(attributes: &str, key: &str) -> Option<String> {
    // Most spans lack most attributes.
    if !attributes.contains(key) {
        return None;
    }
    let all: Vec<Attribute<'_>> = serde_json::from_str(attributes).ok()?;
    all.into_iter()
        .find(|one| one.key == key)
        .map(|one| object::plain(&one.value))
}

/// The cell that kubectl shows for an object; none where it has no such column.
fn printed(resource: &str, json: &str, column: &str, now: i64) -> Option<String> {
    let parsed: Value = serde_json::from_str(json).ok()?;
    let group = match object::text(&parsed, "/apiVersion").split_once('/') {
        Some((group, _)) => group,
        None => "",
    };
    let printer = printer(group, resource)?;
    let columns = printer.columns();
    let at = columns
        .iter()
        .position(|one| one.name.eq_ignore_ascii_case(column))?;
    printer.cells(&parsed, now).get(at).map(object::plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_and_cells_are_found() {
        let attributes = r#"[{"key":"http.url","type":"string","value":"/a"},{"key":"code","type":"int64","value":200}]"#;
        assert_eq!(attribute(attributes, "code").unwrap(), "200");
        assert_eq!(attribute(attributes, "http.url").unwrap(), "/a");
        assert_eq!(attribute(attributes, "http"), None);
        let pod = r#"{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"status":{"phase":"Pending"}}"#;
        assert_eq!(printed("pods", pod, "status", 0).unwrap(), "Pending");
        assert_eq!(printed("pods", pod, "colour", 0), None);
        assert_eq!(printed("pods", "no object", "status", 0), None);
    }
}
