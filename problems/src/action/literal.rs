//! Python literals, as agents write them in calls: enough of the language for arguments, and nothing that runs.

use serde_json::{Map, Number, Value};

/// How deep lists and dictionaries may nest.
const MAX_DEPTH: usize = 64;

/// Arguments of a call, and what follows its closing parenthesis.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Arguments<'a> {
    pub(super) positional: Vec<Value>,
    pub(super) keywords: Vec<(String, Value)>,
    pub(super) rest: &'a str,
}

/// Reads the arguments of a call, from after its opening parenthesis on.
///
/// `plain` leaves out what AIOpsLab's parser leaves out: signs and tuples in other values.
pub(super) fn arguments(text: &str, plain: bool) -> Result<Arguments<'_>, String> {
    let mut reader = Reader { text, at: 0, plain };
    let mut arguments = Arguments {
        positional: Vec::new(),
        keywords: Vec::new(),
        rest: "",
    };
    loop {
        reader.skip_blank();
        if reader.take(')') {
            arguments.rest = &text[reader.at..];
            return Ok(arguments);
        }
        match reader.keyword() {
            Some(name) => {
                if arguments.keywords.iter().any(|(known, _)| *known == name) {
                    return Err(format!("argument {name} is given twice"));
                }
                let value = reader.value(0)?;
                arguments.keywords.push((name, value));
            }
            None if arguments.keywords.is_empty() => arguments.positional.push(reader.value(0)?),
            None => return Err("a positional argument follows a keyword argument".to_owned()),
        }
        reader.skip_blank();
        if !reader.take(',') && reader.peek() != Some(')') {
            return Err(reader.unexpected("a comma or a closing parenthesis"));
        }
    }
}

/// Tells whether a text is nothing but blanks, comments and semicolons.
pub(super) fn is_blank(text: &str) -> bool {
    let mut reader = Reader {
        text,
        at: 0,
        plain: false,
    };
    loop {
        reader.skip_blank();
        if !reader.take(';') {
            return reader.peek().is_none();
        }
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    plain: bool,
}

impl<'a> Reader<'a> {
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let letter = self.peek()?;
        self.at += letter.len_utf8();
        Some(letter)
    }

    fn take(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn skip_blank(&mut self) {
        while let Some(letter) = self.peek() {
            if letter == '#' {
                let line = self.rest().find('\n').unwrap_or(self.rest().len());
                self.at += line;
            } else if letter.is_whitespace() {
                self.at += letter.len_utf8();
            } else if self.rest().starts_with("\\\n") {
                self.at += 2;
            } else {
                return;
            }
        }
    }

    fn unexpected(&self, wanted: &str) -> String {
        match self.peek() {
            Some(letter) => format!("found {letter:?} where {wanted} was expected"),
            None => format!("the call ends where {wanted} was expected"),
        }
    }

    fn word(&self) -> &'a str {
        let rest = self.rest();
        let end = rest.find(|letter: char| !(letter.is_alphanumeric() || letter == '_'));
        &rest[..end.unwrap_or(rest.len())]
    }

    /// Takes `name =`, if that comes next.
    fn keyword(&mut self) -> Option<String> {
        let start = self.at;
        let word = self.word();
        if word.starts_with(|letter: char| letter.is_alphabetic() || letter == '_') {
            self.at += word.len();
            self.skip_blank();
            if self.take('=') && self.peek() != Some('=') {
                self.skip_blank();
                return Some(word.to_owned());
            }
        }
        self.at = start;
        None
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth >= MAX_DEPTH {
            return Err(format!(
                "lists and dictionaries nest deeper than {MAX_DEPTH}"
            ));
        }
        self.skip_blank();
        match self.peek() {
            Some('"' | '\'') => self.strings(false),
            Some('[') => {
                self.next();
                self.items(']', depth).map(|(items, _)| Value::Array(items))
            }
            Some('(') => self.parenthesis(depth),
            Some('{') => self.dictionary(depth),
            Some('-' | '+') if !self.plain => {
                let negative = self.next() == Some('-');
                self.skip_blank();
                self.number(negative)
            }
            Some(letter) if letter.is_ascii_digit() || letter == '.' => self.number(false),
            _ => self.named(),
        }
    }

    fn named(&mut self) -> Result<Value, String> {
        let word = self.word();
        if matches!(word, "r" | "R" | "u" | "U")
            && self.rest()[word.len()..].starts_with(['"', '\''])
        {
            self.at += word.len();
            return self.strings(word.eq_ignore_ascii_case("r"));
        }
        let value = match word {
            "True" => Value::Bool(true),
            "False" => Value::Bool(false),
            "None" => Value::Null,
            "true" if !self.plain => Value::Bool(true),
            "false" if !self.plain => Value::Bool(false),
            "null" if !self.plain => Value::Null,
            "" => return Err(self.unexpected("a value")),
            other => return Err(format!("{other} is no value; texts need quotes")),
        };
        self.at += word.len();
        Ok(value)
    }

    /// Items up to a closing bracket, and whether a comma came last.
    fn items(&mut self, close: char, depth: usize) -> Result<(Vec<Value>, bool), String> {
        let mut items = Vec::new();
        let mut comma = false;
        loop {
            self.skip_blank();
            if self.take(close) {
                return Ok((items, comma));
            }
            if !items.is_empty() && !comma {
                return Err(self.unexpected(&format!("a comma or {close:?}")));
            }
            items.push(self.value(depth + 1)?);
            self.skip_blank();
            comma = self.take(',');
        }
    }

    fn parenthesis(&mut self, depth: usize) -> Result<Value, String> {
        self.next();
        let (mut items, comma) = self.items(')', depth)?;
        if items.len() == 1 && !comma {
            return Ok(items.remove(0));
        }
        if self.plain && depth > 0 {
            return Err("a tuple can't be part of another value".to_owned());
        }
        Ok(Value::Array(items))
    }

    fn dictionary(&mut self, depth: usize) -> Result<Value, String> {
        self.next();
        let mut fields = Map::new();
        loop {
            self.skip_blank();
            if self.take('}') {
                return Ok(Value::Object(fields));
            }
            let key = match self.value(depth + 1)? {
                Value::String(key) => key,
                key @ (Value::Number(_) | Value::Bool(_) | Value::Null) => key.to_string(),
                Value::Array(_) | Value::Object(_) => {
                    return Err("a dictionary's key has to be a text".to_owned());
                }
            };
            self.skip_blank();
            if !self.take(':') {
                return Err(self.unexpected("a colon"));
            }
            let value = self.value(depth + 1)?;
            fields.insert(key, value);
            self.skip_blank();
            if !self.take(',') && self.peek() != Some('}') {
                return Err(self.unexpected("a comma or '}'"));
            }
        }
    }

    fn number(&mut self, negative: bool) -> Result<Value, String> {
        let rest = self.rest();
        let is_part = |(at, letter): (usize, char)| {
            letter.is_ascii_alphanumeric()
                || matches!(letter, '.' | '_')
                || (matches!(letter, '+' | '-')
                    && at > 0
                    && rest.as_bytes()[at - 1].eq_ignore_ascii_case(&b'e')
                    && !rest.starts_with("0x"))
        };
        let length = rest
            .char_indices()
            .take_while(|part| is_part(*part))
            .map(|(_, letter)| letter.len_utf8())
            .sum();
        let written = &rest[..length];
        self.at += length;
        let text = format!(
            "{}{}",
            if negative { "-" } else { "" },
            written.replace('_', "")
        );
        let hexadecimal = written
            .strip_prefix("0x")
            .and_then(|digits| i64::from_str_radix(digits, 16).ok());
        hexadecimal
            .map(|number| if negative { -number } else { number })
            .or_else(|| text.parse::<i64>().ok())
            .map(Value::from)
            .or_else(|| {
                text.parse::<f64>()
                    .ok()
                    .and_then(Number::from_f64)
                    .map(Value::Number)
            })
            .ok_or_else(|| format!("{written:?} is no number"))
    }

    /// One or several adjacent texts, which Python joins.
    fn strings(&mut self, raw: bool) -> Result<Value, String> {
        let mut text = String::new();
        while matches!(self.peek(), Some('"' | '\'')) {
            self.string(raw, &mut text)?;
            self.skip_blank();
        }
        Ok(Value::String(text))
    }

    fn string(&mut self, raw: bool, text: &mut String) -> Result<(), String> {
        let quote = self.next().unwrap_or('"');
        let triple = self.rest().starts_with(&quote.to_string().repeat(2));
        let close = quote.to_string().repeat(if triple { 3 } else { 1 });
        if triple {
            self.at += 2;
        }
        loop {
            if self.rest().starts_with(&close) {
                self.at += close.len();
                return Ok(());
            }
            // A text of two quotes is empty, not the start of a longer one.
            match self.next() {
                None if triple && self.text[..self.at].ends_with(&close[1..]) => return Ok(()),
                None => return Err("a text has no closing quote".to_owned()),
                Some('\n') if !triple => {
                    return Err("a text has no closing quote on its line".to_owned());
                }
                Some('\\') if raw => {
                    text.push('\\');
                    text.extend(self.next());
                }
                Some('\\') => self.escape(text)?,
                Some(letter) => text.push(letter),
            }
        }
    }

    fn escape(&mut self, text: &mut String) -> Result<(), String> {
        let letter = self
            .next()
            .ok_or_else(|| "a text has no closing quote".to_owned())?;
        let digits = match letter {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        if digits > 0 {
            let code = self
                .rest()
                .get(..digits)
                .and_then(|digits| u32::from_str_radix(digits, 16).ok());
            let escaped = code
                .and_then(char::from_u32)
                .ok_or_else(|| format!("malformed escape \\{letter}"))?;
            self.at += digits;
            text.push(escaped);
            return Ok(());
        }
        match letter {
            '\n' => {}
            'n' => text.push('\n'),
            't' => text.push('\t'),
            'r' => text.push('\r'),
            '0' => text.push('\0'),
            'a' => text.push('\x07'),
            'b' => text.push('\x08'),
            'f' => text.push('\x0c'),
            'v' => text.push('\x0b'),
            '\\' | '\'' | '"' => text.push(letter),
            other => text.extend(['\\', other]),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// As Python reads them, and as JSON writes some of them.
    #[test]
    fn control_characters_are_escaped() {
        let read = |text: &str| arguments(text, false).map(|read| read.positional);
        let expected = json!(["\u{7}\u{8}\u{c}\u{b}\r"]);
        assert_eq!(json!(read(r#""\a\b\f\v\r")"#).unwrap()), expected);
    }

    fn read(text: &str) -> Result<Vec<Value>, String> {
        arguments(&format!("{text})"), false).map(|arguments| arguments.positional)
    }

    #[test]
    fn literals_are_read() {
        assert_eq!(
            read("'a', \"b\\n\" 'c', 5, -1.5, True, None").unwrap(),
            [
                json!("a"),
                json!("b\nc"),
                json!(5),
                json!(-1.5),
                json!(true),
                json!(null)
            ]
        );
        assert_eq!(
            read("[1, [2,], ()], {'a': {'b': 1e3}}").unwrap(),
            [json!([1, [2], []]), json!({"a": {"b": 1000.0}})]
        );
        assert_eq!(
            read("'', \"\"\"x\"y\n\"\"\", ('a'), ('a',), r'\\d', 0x1f, 1_000").unwrap(),
            [
                json!(""),
                json!("x\"y\n"),
                json!("a"),
                json!(["a"]),
                json!("\\d"),
                json!(31),
                json!(1000)
            ]
        );
        assert_eq!(
            read("'it\\'s', '\\x41\\u00e9', '\\d' # comment\n").unwrap(),
            [json!("it's"), json!("Aé"), json!("\\d")]
        );
    }

    #[test]
    fn what_is_no_literal_is_refused() {
        for text in [
            "a",
            "f'x'",
            "1 + 1",
            "{1, 2}",
            "'a",
            "[1",
            "1 2",
            "'\n'",
            "g()",
            "[[1] [2]]",
            "0xzz",
            "a=1, a=2",
            "a=1, 2",
            "'\\x4'",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
        assert!(read(&"[".repeat(100_000)).is_err());
    }

    #[test]
    fn the_rest_is_kept() {
        assert_eq!(arguments("a=1) # x", false).unwrap().rest, " # x");
        assert!(is_blank(" # x\n;"));
        assert!(!is_blank("# x\ny"));
    }
}
