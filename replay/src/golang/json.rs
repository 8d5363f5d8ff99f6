//! JSON as `encoding/json` writes it for kubectl: sorted keys, four spaces, and HTML characters
//! escaped.

use std::fmt::Write;

use serde_json::Value;

use super::format::{json_number, sorted};

/// A value with a line feed at its end.
pub(crate) fn print(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, 0, &mut out);
    out.push('\n');
    out
}

/// A value whose fields are written in the order of the list for their object, others after them
/// by name.
pub(crate) fn print_in_order(
    value: &Value,
    order: &dyn Fn(&Fields) -> &'static [&'static str],
) -> String {
    let mut out = String::new();
    write_ordered(&in_order(value, order), 0, &mut out);
    out.push('\n');
    out
}

/// A value whose fields stay in the order in which they are.
pub(crate) fn print_as_is(value: &Value) -> String {
    let mut out = String::new();
    write_ordered(value, 0, &mut out);
    out.push('\n');
    out
}

fn in_order(value: &Value, order: &dyn Fn(&Fields) -> &'static [&'static str]) -> Value {
    match value {
        Value::Object(fields) => {
            let names = order(fields);
            let rank = |name: &str| names.iter().position(|known| *known == name);
            let mut fields = sorted(fields);
            fields.sort_by_key(|(name, _)| rank(name).unwrap_or(names.len()));
            fields
                .into_iter()
                .map(|(name, value)| (name.clone(), in_order(value, order)))
                .collect()
        }
        Value::Array(items) => items.iter().map(|item| in_order(item, order)).collect(),
        scalar => scalar.clone(),
    }
}

/// A value on one line, without spaces.
pub(crate) fn compact(value: &Value) -> String {
    let mut out = String::new();
    write_compact(value, &mut out);
    out
}

fn write_compact(value: &Value, out: &mut String) {
    match value {
        Value::Object(fields) => {
            out.push('{');
            for (position, (key, value)) in sorted(fields).into_iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                write_text(key, out);
                out.push(':');
                write_compact(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position > 0 { "," } else { "" });
                write_compact(item, out);
            }
            out.push(']');
        }
        scalar => write_value(scalar, 0, out),
    }
}

fn write_value(value: &Value, level: usize, out: &mut String) {
    write_with(value, level, out, &|fields| sorted(fields));
}

fn write_ordered(value: &Value, level: usize, out: &mut String) {
    write_with(value, level, out, &|fields| fields.iter().collect());
}

/// The fields of an object.
pub(crate) type Fields = serde_json::Map<String, Value>;

/// Writes a value, the fields of each object as `order` has them.
fn write_with(
    value: &Value,
    level: usize,
    out: &mut String,
    order: &dyn Fn(&Fields) -> Vec<(&String, &Value)>,
) {
    match value {
        Value::Object(fields) if fields.is_empty() => out.push_str("{}"),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Object(fields) => {
            out.push_str("{\n");
            for (position, (key, value)) in order(fields).into_iter().enumerate() {
                indent(level + 1, out);
                write_text(key, out);
                out.push_str(": ");
                write_with(value, level + 1, out, order);
                out.push_str(if position + 1 < fields.len() {
                    ",\n"
                } else {
                    "\n"
                });
            }
            indent(level, out);
            out.push('}');
        }
        Value::Array(items) => {
            out.push_str("[\n");
            for (position, item) in items.iter().enumerate() {
                indent(level + 1, out);
                write_with(item, level + 1, out, order);
                out.push_str(if position + 1 < items.len() {
                    ",\n"
                } else {
                    "\n"
                });
            }
            indent(level, out);
            out.push(']');
        }
        Value::String(text) => write_text(text, out),
        Value::Number(number) => out.push_str(&json_number(number)),
        other => {
            let _ = write!(out, "{other}");
        }
    }
}

fn indent(level: usize, out: &mut String) {
    out.extend(std::iter::repeat_n("    ", level));
}

fn write_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' | '\0'..='\u{1f}' => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_sorted_and_html_is_escaped() {
        let value = serde_json::json!({"b": [1, {}], "a": "<x> & \"y\"\n"});
        assert_eq!(
            print(&value),
            "{\n    \"a\": \"\\u003cx\\u003e \\u0026 \\\"y\\\"\\n\",\n    \"b\": [\n        1,\n        {}\n    ]\n}\n"
        );
    }
}
