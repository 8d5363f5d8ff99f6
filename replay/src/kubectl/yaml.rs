//! YAML as kubectl prints it: sorted keys, lists at the indentation of their key, quotes only
//! where a reader would take the text for something else, long text folded at 80 columns.

use std::cmp::Ordering;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

const WIDTH: usize = 80;

/// A document.
pub(super) fn print(value: &Value) -> String {
    let mut emitter = Emitter {
        out: String::new(),
        column: 0,
    };
    match value {
        Value::Object(fields) if !fields.is_empty() => emitter.map(fields, 0, false),
        Value::Array(items) if !items.is_empty() => emitter.list(items, 0, false),
        scalar => {
            emitter.scalar(scalar, 0, false);
            emitter.newline();
        }
    }
    emitter.out
}

struct Emitter {
    out: String,
    column: usize,
}

impl Emitter {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn newline(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn indent(&mut self, indent: usize) {
        self.out.extend(std::iter::repeat_n(' ', indent));
        self.column += indent;
    }

    /// Entries of a map; the first one continues a line if the map is an item of a list.
    fn map(&mut self, fields: &serde_json::Map<String, Value>, indent: usize, inline: bool) {
        let mut keys: Vec<&String> = fields.keys().collect();
        keys.sort_by(|a, b| natural(a, b));
        for (position, key) in keys.into_iter().enumerate() {
            if position > 0 || !inline {
                self.indent(indent);
            }
            self.text(key, indent, true);
            self.put(":");
            match &fields[key] {
                Value::Object(inner) if !inner.is_empty() => {
                    self.newline();
                    self.map(inner, indent + 2, false);
                }
                Value::Array(items) if !items.is_empty() => {
                    self.newline();
                    self.list(items, indent, false);
                }
                scalar => {
                    self.put(" ");
                    self.scalar(scalar, indent, false);
                    self.newline();
                }
            }
        }
    }

    fn list(&mut self, items: &[Value], indent: usize, inline: bool) {
        for (position, item) in items.iter().enumerate() {
            if position > 0 || !inline {
                self.indent(indent);
            }
            self.put("- ");
            match item {
                Value::Object(fields) if !fields.is_empty() => self.map(fields, indent + 2, true),
                Value::Array(inner) if !inner.is_empty() => self.list(inner, indent + 2, true),
                scalar => {
                    self.scalar(scalar, indent, false);
                    self.newline();
                }
            }
        }
    }

    fn scalar(&mut self, value: &Value, indent: usize, key: bool) {
        match value {
            Value::String(text) => self.text(text, indent, key),
            Value::Null => self.put("null"),
            Value::Object(_) => self.put("{}"),
            Value::Array(_) => self.put("[]"),
            other => self.put(&other.to_string()),
        }
    }

    fn text(&mut self, text: &str, indent: usize, key: bool) {
        let shape = Shape::of(text);
        match style(text, &shape, key) {
            Style::Plain => self.folded(text, indent + 2, key, false),
            Style::Single => {
                self.put("'");
                self.folded(text, indent + 2, key, true);
                self.put("'");
            }
            Style::Double => self.double_quoted(text, indent + 2, key),
            Style::Literal => self.literal(text, indent + 2),
        }
    }

    /// Writes text, breaking lines at single spaces beyond the width; quotes are doubled.
    fn folded(&mut self, text: &str, indent: usize, key: bool, quoted: bool) {
        let chars: Vec<char> = text.chars().collect();
        let mut spaces = false;
        let mut breaks = false;
        for (position, &c) in chars.iter().enumerate() {
            let next = chars.get(position + 1);
            if c == ' ' {
                let inside = !quoted || (position > 0 && next.is_some());
                if !key && !spaces && inside && self.column > WIDTH && next != Some(&' ') {
                    self.newline();
                    self.indent(indent);
                } else {
                    self.put(" ");
                }
                spaces = true;
            } else if c == '\n' {
                if !breaks {
                    self.newline();
                }
                self.newline();
                breaks = true;
            } else {
                if breaks {
                    self.indent(indent);
                }
                if quoted && c == '\'' {
                    self.put("'");
                }
                self.put(c.encode_utf8(&mut [0; 4]));
                spaces = false;
                breaks = false;
            }
        }
    }

    fn double_quoted(&mut self, text: &str, indent: usize, key: bool) {
        self.put("\"");
        let chars: Vec<char> = text.chars().collect();
        let mut spaces = false;
        for (position, &c) in chars.iter().enumerate() {
            if !is_printable(c) || c == '\n' || c == '"' || c == '\\' {
                self.put(&escaped(c));
                spaces = false;
            } else if c == ' ' {
                let inside = position > 0 && position + 1 < chars.len();
                if !key && !spaces && inside && self.column > WIDTH {
                    self.newline();
                    self.indent(indent);
                    if chars[position + 1] == ' ' {
                        self.put("\\");
                    }
                } else {
                    self.put(" ");
                }
                spaces = true;
            } else {
                self.put(c.encode_utf8(&mut [0; 4]));
                spaces = false;
            }
        }
        self.put("\"");
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        if !text.ends_with('\n') {
            self.put("-");
        } else if text == "\n" || text.ends_with("\n\n") {
            self.put("+");
        }
        // The caller ends the last line.
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            self.newline();
            if !line.is_empty() {
                self.indent(indent);
                self.put(line);
            }
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// What forbids a style.
struct Shape {
    plain: bool,
    single: bool,
    literal: bool,
    multiline: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let mut indicators = text.starts_with("---") || text.starts_with("...");
        let (mut special, mut space_break, mut break_space) = (false, false, false);
        let chars: Vec<char> = text.chars().collect();
        for (position, &c) in chars.iter().enumerate() {
            let next_blank = chars
                .get(position + 1)
                .is_none_or(|next| matches!(next, ' ' | '\t' | '\n'));
            let after_blank = position == 0 || matches!(chars[position - 1], ' ' | '\t' | '\n');
            if position == 0 {
                indicators |= "#,[]{}&*!|>'\"%@`".contains(c);
                indicators |= "?:-".contains(c) && next_blank;
            } else {
                indicators |= (c == ':' && next_blank) || (c == '#' && after_blank);
            }
            special |= !is_printable(c);
            if position > 0 {
                break_space |= c == ' ' && chars[position - 1] == '\n';
                space_break |= c == '\n' && chars[position - 1] == ' ';
            }
        }
        let edge = |c: Option<&char>| c.is_some_and(|c| matches!(c, ' ' | '\n'));
        let multiline = text.contains('\n');
        Self {
            plain: !(indicators
                || special
                || multiline
                || edge(chars.first())
                || edge(chars.last())),
            single: !(special || space_break || break_space),
            literal: !(special || space_break || chars.last() == Some(&' ')),
            multiline,
        }
    }
}

fn style(text: &str, shape: &Shape, key: bool) -> Style {
    if key && shape.multiline {
        return Style::Double;
    }
    if shape.multiline {
        return if shape.literal {
            Style::Literal
        } else {
            Style::Double
        };
    }
    if resolves_to_other(text) {
        return Style::Double;
    }
    if text.is_empty() {
        return Style::Double;
    }
    match (shape.plain, shape.single) {
        (true, _) => Style::Plain,
        (false, true) => Style::Single,
        (false, false) => Style::Double,
    }
}

/// Whether a YAML 1.1 reader would take plain text for a truth value, null, number or time.
fn resolves_to_other(text: &str) -> bool {
    static NUMBER: LazyLock<Option<Regex>> = LazyLock::new(|| {
        Regex::new(concat!(
            r"^([-+]?(0b[01]+|0o?[0-7]+|0x[0-9a-fA-F]+|[0-9]+)",
            r"|[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?",
            r"|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?",
            r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)",
            r"|[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}",
            r"([Tt][0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?(Z|[-+][0-9]{2}:[0-9]{2})",
            r"| [0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}(\.[0-9]+)?)?)$",
        ))
        .ok()
    });
    const WORDS: [&str; 8] = ["y", "yes", "true", "on", "n", "no", "false", "off"];
    let is_case_of = |word: &str| {
        let mut title = word.to_owned();
        title[..1].make_ascii_uppercase();
        text == word || text == title || text == word.to_uppercase()
    };
    if text.is_empty() || text == "~" || text == "<<" || is_case_of("null") {
        return true;
    }
    if WORDS.iter().any(|word| is_case_of(word)) {
        return true;
    }
    if !text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c)) {
        return false;
    }
    let plain = text.replace('_', "");
    NUMBER
        .as_ref()
        .is_some_and(|number| number.is_match(&plain) || number.is_match(text))
}

fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{fffd}') && c != '\u{feff}'
}

fn escaped(c: char) -> String {
    match c {
        '\0' => "\\0".to_owned(),
        '\x07' => "\\a".to_owned(),
        '\x08' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\x0b' => "\\v".to_owned(),
        '\x0c' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\x1b' => "\\e".to_owned(),
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\u{85}' => "\\N".to_owned(),
        other => match u32::from(other) {
            code @ 0..=0xff => format!("\\x{code:02X}"),
            code @ 0x100..=0xffff => format!("\\u{code:04X}"),
            code => format!("\\U{code:08X}"),
        },
    }
}

/// The order of keys: letters after anything else, runs of digits by their number.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
    let (x, y) = (a[at], b[at]);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // Zeros count as digits of a number that has begun before them.
    let inside_number = (x == '0' || y == '0')
        && a[..at]
            .iter()
            .rev()
            .take_while(|c| c.is_ascii_digit())
            .any(|c| *c != '0');
    let number = |chars: &[char]| {
        let digits: String = chars[at..]
            .iter()
            .take_while(|c| c.is_ascii_digit())
            .take(17)
            .collect();
        let value: i64 = digits.parse().unwrap_or(0);
        let lead = if inside_number {
            10i64.pow(digits.len() as u32)
        } else {
            0
        };
        (lead + value, digits.len())
    };
    number(&a).cmp(&number(&b)).then(x.cmp(&y))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn text_is_quoted_only_where_needed() {
        for (text, expected) in [
            ("plain text", "plain text"),
            ("true", "\"true\""),
            ("No", "\"No\""),
            ("1", "\"1\""),
            ("1.5", "\"1.5\""),
            ("0x1f", "\"0x1f\""),
            ("1e3", "\"1e3\""),
            ("12:30", "\"12:30\""),
            ("1.2.3", "1.2.3"),
            ("10.0.0.1", "10.0.0.1"),
            ("250m", "250m"),
            ("2026-11-22T04:40:44Z", "\"2026-11-22T04:40:44Z\""),
            ("", "\"\""),
            ("~", "\"~\""),
            ("a: b", "'a: b'"),
            ("a:b", "a:b"),
            ("it's # not", "'it''s # not'"),
            ("*", "'*'"),
            ("{}", "'{}'"),
            ("-", "'-'"),
            ("-x", "-x"),
            ("a\tb", "\"a\\tb\""),
            (" a", "' a'"),
        ] {
            assert_eq!(
                print(&json!({"k": text})),
                format!("k: {expected}\n"),
                "{text:?}"
            );
        }
    }

    #[test]
    fn structure_follows_kubectl() {
        let value = json!({
            "spec": {"ports": [{"port": 80, "name": "http"}, {"port": 81}], "args": ["a", "b"]},
            "empty": {}, "none": [], "nothing": null, "nested": [["a"], [1]],
            "a10": 1, "a9": true
        });
        assert_eq!(
            print(&value),
            "a9: true\na10: 1\nempty: {}\nnested:\n- - a\n- - 1\nnone: []\nnothing: null\n\
             spec:\n  args:\n  - a\n  - b\n  ports:\n  - name: http\n    port: 80\n  - port: 81\n"
        );
    }

    #[test]
    fn lines_are_kept_and_long_ones_folded() {
        assert_eq!(print(&json!({"k": "a\nb\n"})), "k: |\n  a\n  b\n");
        assert_eq!(print(&json!({"k": "a\n\nb"})), "k: |-\n  a\n\n  b\n");
        assert_eq!(print(&json!({"k": ["a\nb\n\n"]})), "k:\n- |+\n  a\n  b\n\n");
        assert_eq!(print(&json!({"k": "a \nb"})), "k: \"a \\nb\"\n");
        let long = format!("{} tail of it", "x".repeat(85));
        assert_eq!(
            print(&json!({"k": long})),
            format!("k: {}\n  tail of it\n", "x".repeat(85))
        );
    }
}
