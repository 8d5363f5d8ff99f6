//! JSON values as Go's `fmt` and `encoding/json` print the maps, slices and scalars that they are
//! decoded into.

use std::cmp::Ordering;
use std::fmt::Write;

use serde_json::{Map, Number, Value};

use super::quote::quote;

/// `%v`: `map[a:1 b:[x y]]`, text bare, null as `<nil>`.
pub(crate) fn plain(value: &Value) -> String {
    let mut out = String::new();
    write_plain(value, &mut out);
    out
}

fn write_plain(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("<nil>"),
        Value::String(text) => out.push_str(text),
        Value::Bool(flag) => {
            let _ = write!(out, "{flag}");
        }
        Value::Number(number) => out.push_str(&number_text(number)),
        Value::Array(items) => {
            out.push('[');
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position > 0 { " " } else { "" });
                write_plain(item, out);
            }
            out.push(']');
        }
        Value::Object(fields) => {
            out.push_str("map[");
            for (position, (key, value)) in sorted(fields).into_iter().enumerate() {
                out.push_str(if position > 0 { " " } else { "" });
                out.push_str(key);
                out.push(':');
                write_plain(value, out);
            }
            out.push(']');
        }
    }
}

/// `%#v`: `map[string]interface {}{"a":1}`.
pub(crate) fn syntax(value: &Value) -> String {
    let mut out = String::new();
    write_syntax(value, &mut out);
    out
}

fn write_syntax(value: &Value, out: &mut String) {
    match value {
        Value::Null => out.push_str("interface {}(nil)"),
        Value::String(text) => out.push_str(&quote(text)),
        Value::Array(items) => {
            out.push_str("[]interface {}{");
            for (position, item) in items.iter().enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                write_syntax(item, out);
            }
            out.push('}');
        }
        Value::Object(fields) => {
            out.push_str("map[string]interface {}{");
            for (position, (key, value)) in sorted(fields).into_iter().enumerate() {
                out.push_str(if position > 0 { ", " } else { "" });
                out.push_str(&quote(key));
                out.push(':');
                write_syntax(value, out);
            }
            out.push('}');
        }
        scalar => write_plain(scalar, out),
    }
}

/// The Go type that a value is decoded into.
pub(crate) fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(number) if number.as_i64().is_some() => "int64",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// Fields in the order of their keys.
pub(crate) fn sorted(fields: &Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut sorted: Vec<(&String, &Value)> = fields.iter().collect();
    sorted.sort_by(|one, other| one.0.cmp(other.0));
    sorted
}

/// A number by `%v`: whole ones as they are, others with as few digits as tell them apart.
pub(crate) fn number_text(number: &Number) -> String {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(float)) => float_text(float, -4, 6),
        (None, None) => number.to_string(),
    }
}

/// A number as `encoding/json` writes it.
pub(crate) fn json_number(number: &Number) -> String {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => whole.to_string(),
        (None, Some(float)) => {
            let text = float_text(float, -6, 21);
            // encoding/json writes e-9 where fmt writes e-09.
            match text.split_once("e-0") {
                Some((digits, exponent)) => format!("{digits}e-{exponent}"),
                None => text,
            }
        }
        (None, None) => number.to_string(),
    }
}

/// Decimal within the exponents (from included, to excluded), else scientific.
fn float_text(float: f64, from: i32, to: i32) -> String {
    if float == 0.0 {
        return if float.is_sign_negative() { "-0" } else { "0" }.to_owned();
    }
    let scientific = format!("{float:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match (exponent < from, exponent.cmp(&to)) {
        (false, Ordering::Less) => format!("{float}"),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{digits}e{sign}{:02}", exponent.abs())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_print_as_go_prints_them() {
        let value = json!({"b": [1, "x", null, 1.5], "a": {"n": true, "e": {}}});
        assert_eq!(
            plain(&value),
            "map[a:map[e:map[] n:true] b:[1 x <nil> 1.5]]"
        );
        assert_eq!(
            syntax(&value),
            "map[string]interface {}{\"a\":map[string]interface {}{\"e\":map[string]interface {}{}, \
             \"n\":true}, \"b\":[]interface {}{1, \"x\", interface {}(nil), 1.5}}"
        );
    }

    #[test]
    fn numbers_print_as_go_prints_them() {
        for (text, plain, in_json) in [
            ("1.0", "1", "1"),
            ("-7", "-7", "-7"),
            ("1e6", "1e+06", "1000000"),
            ("0.00001", "1e-05", "0.00001"),
            ("1e-9", "1e-09", "1e-9"),
            ("1e21", "1e+21", "1e+21"),
            ("123456.5", "123456.5", "123456.5"),
            ("12345678.5", "1.23456785e+07", "12345678.5"),
        ] {
            let number: Number = serde_json::from_str(text).unwrap();
            assert_eq!(number_text(&number), plain, "{text}");
            assert_eq!(json_number(&number), in_json, "{text}");
        }
    }
}
