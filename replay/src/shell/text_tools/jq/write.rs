//! Values as text.

use super::value::Value;

/// How values are printed.
#[derive(Debug, Clone, Default)]
pub(super) struct Style {
    /// What a level is indented by; nothing for a single line.
    pub(super) indent: String,
    pub(super) sorted: bool,
    pub(super) ascii: bool,
}

/// A value in one line.
pub(super) fn compact(value: &Value) -> String {
    text(value, &Style::default())
}

/// A value in a style.
pub(super) fn text(value: &Value, style: &Style) -> String {
    let mut out = String::new();
    push(value, style, 0, &mut out);
    out
}

fn push(value: &Value, style: &Style, depth: usize, out: &mut String) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(value) => out.push_str(&number(*value)),
        Value::Text(value) => quoted(value, style.ascii, out),
        Value::Array(values) if values.is_empty() => out.push_str("[]"),
        Value::Array(values) => {
            out.push('[');
            for (position, value) in values.iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                line(style, depth + 1, out);
                push(value, style, depth + 1, out);
            }
            line(style, depth, out);
            out.push(']');
        }
        Value::Object(members) if members.is_empty() => out.push_str("{}"),
        Value::Object(members) => {
            out.push('{');
            let members = match style.sorted {
                true => Value::sorted(members),
                false => members.iter().collect(),
            };
            for (position, (key, value)) in members.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                line(style, depth + 1, out);
                quoted(key, style.ascii, out);
                out.push(':');
                if !style.indent.is_empty() {
                    out.push(' ');
                }
                push(value, style, depth + 1, out);
            }
            line(style, depth, out);
            out.push('}');
        }
    }
}

fn line(style: &Style, depth: usize, out: &mut String) {
    if !style.indent.is_empty() {
        out.push('\n');
        for _ in 0..depth {
            out.push_str(&style.indent);
        }
    }
}

fn quoted(text: &str, ascii: bool, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            c if u32::from(c) < 32 || c == '\u{7f}' || (ascii && !c.is_ascii()) => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

/// A number: the shortest digits that read back the same.
pub(super) fn number(number: f64) -> String {
    if number.is_nan() {
        return "null".to_owned();
    }
    let number = number.clamp(f64::MIN, f64::MAX);
    let sign = if number.is_sign_negative() { "-" } else { "" };
    if number == 0.0 {
        return format!("{sign}0");
    }
    let scientific = format!("{:e}", number.abs());
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let digits: String = digits.chars().filter(|c| *c != '.').collect();
    let exponent: i32 = exponent.parse().unwrap_or(0);
    // The position of the point, counted from the first digit.
    let point = exponent + 1;
    let length = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    if point <= -4 || point > length + 15 {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign_of = if exponent < 0 { '-' } else { '+' };
        return format!("{sign}{first}{point}{rest}e{sign_of}{:02}", exponent.abs());
    }
    if point <= 0 {
        let zeros = "0".repeat(point.unsigned_abs() as usize);
        return format!("{sign}0.{zeros}{digits}");
    }
    let point = point as usize;
    match digits.split_at_checked(point) {
        Some((whole, "")) => format!("{sign}{whole}"),
        Some((whole, part)) => format!("{sign}{whole}.{part}"),
        None => format!("{sign}{digits}{}", "0".repeat(point - digits.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let check = |value: f64, expected: &str| assert_eq!(number(value), expected);
        check(1.0, "1");
        check(1e17, "1e+17");
        check(123_456_789_012_345_680.0, "123456789012345680");
        check(0.1 + 0.2, "0.30000000000000004");
        check(1e-5, "1e-05");
        check(0.0001, "0.0001");
        check(1.5e300, "1.5e+300");
        check(f64::INFINITY, "1.7976931348623157e+308");
        check(-0.0, "-0");
        check(f64::NAN, "null");
    }
}
