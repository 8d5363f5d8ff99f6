//! JSON as kubectl prints it: sorted keys, four spaces, and HTML characters escaped.

use std::fmt::Write;

use serde_json::Value;

use super::golang::format::{json_number, sorted};

/// A value with a line feed at its end.
pub(super) fn print(value: &Value) -> String {
    let mut out = String::new();
    write_value(value, 0, &mut out);
    out.push('\n');
    out
}

/// A value on one line, without spaces.
pub(super) fn compact(value: &Value) -> String {
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

/// The list that kubectl makes of several objects.
pub(super) fn list(items: Vec<Value>) -> Value {
    serde_json::json!({
        "apiVersion": "v1",
        "items": items,
        "kind": "List",
        "metadata": {"resourceVersion": ""}
    })
}

fn write_value(value: &Value, level: usize, out: &mut String) {
    match value {
        Value::Object(fields) if fields.is_empty() => out.push_str("{}"),
        Value::Array(items) if items.is_empty() => out.push_str("[]"),
        Value::Object(fields) => {
            out.push_str("{\n");
            for (position, (key, value)) in sorted(fields).into_iter().enumerate() {
                indent(level + 1, out);
                write_text(key, out);
                out.push_str(": ");
                write_value(value, level + 1, out);
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
                write_value(item, level + 1, out);
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
