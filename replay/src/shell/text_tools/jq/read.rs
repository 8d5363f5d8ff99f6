//! Reading JSON texts, one value after the other, with jq's error texts.

use std::rc::Rc;

use super::value::{Object, Value};

/// The deepest nesting of a text.
const DEPTH: usize = 256;

/// Bytes that are read at a time; positions in errors count lines that were read.
const CHUNK_BYTES: usize = 65_535;

/// The inputs of a program.
pub(super) struct Inputs<'a> {
    ready: std::vec::IntoIter<Value>,
    parser: Option<Parser<'a>>,
    slurp: bool,
    line: usize,
}

impl<'a> Inputs<'a> {
    pub(super) fn values(values: Vec<Value>) -> Self {
        Self {
            ready: values.into_iter(),
            parser: None,
            slurp: false,
            line: 0,
        }
    }

    pub(super) fn json(text: &'a str, slurp: bool) -> Self {
        Self {
            ready: Vec::new().into_iter(),
            parser: Some(Parser::new(text)),
            slurp,
            line: 0,
        }
    }

    /// The next value; an error ends the inputs.
    pub(super) fn next(&mut self) -> Option<Result<Value, String>> {
        if let Some(value) = self.ready.next() {
            self.line += 1;
            return Some(Ok(value));
        }
        if !self.slurp {
            let next = self.parser.as_mut()?.next();
            self.line = self.parser.as_ref().map_or(0, Parser::lines_read);
            if !matches!(next, Some(Ok(_))) {
                self.parser = None;
            }
            return next;
        }
        let mut parser = self.parser.take()?;
        let mut all = Vec::new();
        while let Some(next) = parser.next() {
            match next {
                Ok(value) => all.push(value),
                Err(error) => return Some(Err(error)),
            }
        }
        self.line = parser.lines_read();
        Some(Ok(Value::array(all)))
    }

    /// Lines that were read so far.
    pub(super) fn line(&self) -> usize {
        self.line
    }
}

/// A text that is one value.
pub(super) fn value(text: &str) -> Result<Value, String> {
    let mut parser = Parser::new(text);
    match parser.next() {
        None => Err("Expected JSON value".to_owned()),
        Some(Err(error)) => Err(error),
        Some(Ok(value)) => match parser.next() {
            None => Ok(value),
            Some(Err(error)) => Err(error),
            Some(Ok(_)) => Err("Unexpected extra JSON values".to_owned()),
        },
    }
}

/// An array, object or key that is not closed.
enum Open {
    Array(Vec<Value>),
    Object(Object),
    Key(Rc<str>),
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    line: usize,
    column: usize,
    token: String,
    open: Vec<Open>,
    next: Option<Value>,
    finished: bool,
}

impl<'a> Parser<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            line: 1,
            column: 0,
            token: String::new(),
            open: Vec::new(),
            next: None,
            finished: false,
        }
    }

    fn lines_read(&self) -> usize {
        // A line is read at once, a long one in chunks.
        let bytes = self.text.as_bytes();
        let read = bytes.get(..self.at).unwrap_or_default();
        let start = read
            .iter()
            .rposition(|byte| *byte == b'\n')
            .map_or(0, |end| end + 1);
        let in_line = self.at.saturating_sub(start).max(1);
        let chunk_end = start + in_line.div_ceil(CHUNK_BYTES) * CHUNK_BYTES;
        let rest = bytes
            .get(start..chunk_end.min(bytes.len()))
            .unwrap_or_default();
        let lines = read.iter().filter(|byte| **byte == b'\n').count();
        let ended = self.at > start && rest.contains(&b'\n');
        lines + usize::from(ended)
    }

    fn error<T>(&self, message: &str) -> Result<T, String> {
        Err(format!(
            "{message} at line {}, column {}",
            self.line, self.column
        ))
    }

    fn next(&mut self) -> Option<Result<Value, String>> {
        if self.finished {
            return None;
        }
        while let Some(c) = self
            .text
            .get(self.at..)
            .and_then(|rest| rest.chars().next())
        {
            self.at += c.len_utf8();
            if c == '\n' {
                self.line += 1;
                self.column = 0;
            } else {
                self.column += c.len_utf8();
            }
            match self.character(c) {
                Ok(None) => {}
                Ok(Some(value)) => return Some(Ok(value)),
                Err(error) => {
                    self.finished = true;
                    return Some(Err(error));
                }
            }
        }
        self.finished = true;
        let ended = self.end();
        ended.transpose()
    }

    fn end(&mut self) -> Result<Option<Value>, String> {
        let at_end = |message: &str, line: usize, column: usize| {
            format!("{message} at EOF at line {line}, column {column}")
        };
        let (line, column) = (self.line, self.column);
        self.literal()
            .map_err(|message| at_end(message, line, column))?;
        if !self.open.is_empty() {
            return Err(at_end("Unfinished JSON term", line, column));
        }
        Ok(self.next.take())
    }

    /// Takes a character; gives a value when one is complete.
    fn character(&mut self, c: char) -> Result<Option<Value>, String> {
        match c {
            ' ' | '\t' | '\r' | '\n' | '[' | ']' | '{' | '}' | ',' | ':' | '"' => {
                if let Err(message) = self.literal() {
                    return self.error(message);
                }
                // A complete value is given before what follows is looked at.
                let done = match (self.open.is_empty(), self.next.is_some()) {
                    (true, true) => self.next.take(),
                    _ => None,
                };
                let result = match c {
                    '"' => self.string(),
                    ' ' | '\t' | '\r' | '\n' => Ok(()),
                    structure => match self.structure(structure) {
                        Ok(()) => Ok(()),
                        Err(message) => self.error(message),
                    },
                };
                if done.is_some() {
                    // An error waits for its turn.
                    if result.is_err() {
                        self.at -= c.len_utf8();
                        self.column = self.column.saturating_sub(1);
                    }
                    return Ok(done);
                }
                result?;
                let complete = self.open.is_empty() && matches!(c, ']' | '}' | '"');
                Ok(if complete { self.next.take() } else { None })
            }
            other => {
                self.token.push(other);
                Ok(None)
            }
        }
    }

    fn value(&mut self, value: Value) -> Result<(), &'static str> {
        match self.next.replace(value) {
            None => Ok(()),
            Some(_) => Err("Expected separator between values"),
        }
    }

    fn literal(&mut self) -> Result<(), &'static str> {
        if self.token.is_empty() {
            return Ok(());
        }
        let token = std::mem::take(&mut self.token);
        let value = match token.as_str() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            "null" => Value::Null,
            "nan" => Value::Number(f64::NAN),
            other if other.starts_with(['t', 'f', 'n']) => return Err("Invalid literal"),
            other => number(other).ok_or("Invalid numeric literal")?,
        };
        self.value(value)
    }

    fn structure(&mut self, c: char) -> Result<(), &'static str> {
        match c {
            '[' | '{' => {
                if self.open.len() >= DEPTH {
                    return Err("Exceeds depth limit for parsing");
                }
                if self.next.is_some() {
                    return Err("Expected separator between values");
                }
                self.open.push(match c {
                    '[' => Open::Array(Vec::new()),
                    _ => Open::Object(Object::new()),
                });
                Ok(())
            }
            ':' => {
                if self.open.is_empty() {
                    return Err("':' not as part of an object");
                }
                let Some(next) = self.next.take() else {
                    return Err("Expected string key before ':'");
                };
                match (self.open.last(), next) {
                    (Some(Open::Object(_)), Value::Text(key)) => {
                        self.open.push(Open::Key(key));
                        Ok(())
                    }
                    (Some(Open::Object(_)), _) => Err("Object keys must be strings"),
                    _ => Err("':' not as part of an object"),
                }
            }
            ',' => {
                let Some(next) = self.next.take() else {
                    return Err("Expected value before ','");
                };
                match self.open.pop() {
                    None => Err("',' not as part of an object or array"),
                    Some(Open::Array(mut values)) => {
                        values.push(next);
                        self.open.push(Open::Array(values));
                        Ok(())
                    }
                    Some(Open::Key(key)) => self.member(key, next),
                    Some(Open::Object(_)) => Err("Objects must consist of key:value pairs"),
                }
            }
            ']' => {
                let Some(Open::Array(mut values)) = self.open.pop() else {
                    return Err("Unmatched ']'");
                };
                match self.next.take() {
                    Some(next) => values.push(next),
                    None if !values.is_empty() => return Err("Expected another array element"),
                    None => {}
                }
                self.next = Some(Value::array(values));
                Ok(())
            }
            _ => {
                match (self.open.pop(), self.next.take()) {
                    (Some(Open::Key(key)), Some(next)) => self.member(key, next)?,
                    (Some(Open::Object(_)), Some(_)) => {
                        return Err("Objects must consist of key:value pairs");
                    }
                    (Some(Open::Object(members)), None) if members.is_empty() => {
                        self.open.push(Open::Object(members));
                    }
                    (Some(Open::Object(_)), None) => return Err("Expected another key-value pair"),
                    (Some(Open::Array(_)), Some(_)) => {
                        return Err("Objects must consist of key:value pairs");
                    }
                    _ => return Err("Unmatched '}'"),
                }
                if let Some(Open::Object(members)) = self.open.pop() {
                    self.next = Some(Value::object(members));
                }
                Ok(())
            }
        }
    }

    fn member(&mut self, key: Rc<str>, value: Value) -> Result<(), &'static str> {
        if let Some(Open::Object(members)) = self.open.last_mut() {
            members.insert(key, value);
        }
        Ok(())
    }

    /// A string, from behind its opening quote.
    fn string(&mut self) -> Result<(), String> {
        let mut out = String::new();
        let rest = self.text.get(self.at..).unwrap_or_default();
        let mut chars = rest.char_indices();
        let mut finished = None;
        while let Some((at, c)) = chars.next() {
            if c == '\n' {
                self.line += 1;
                self.column = 0;
            } else {
                self.column += c.len_utf8();
            }
            match c {
                '"' => {
                    finished = Some(at + 1);
                    break;
                }
                '\\' => {
                    let Some((at, escaped)) = chars.next() else {
                        break;
                    };
                    self.column += escaped.len_utf8();
                    let control = match escaped {
                        '"' | '\\' | '/' => escaped,
                        'b' => '\u{8}',
                        'f' => '\u{c}',
                        'n' => '\n',
                        'r' => '\r',
                        't' => '\t',
                        'u' => {
                            let digits = rest.get(at + 1..).unwrap_or_default();
                            let Some((c, length)) = unicode(digits) else {
                                return self.error("Invalid escape");
                            };
                            for _ in 0..length {
                                chars.next();
                            }
                            self.column += length;
                            c
                        }
                        _ => return self.error("Invalid escape"),
                    };
                    out.push(control);
                }
                c => out.push(c),
            }
        }
        let Some(length) = finished else {
            let (line, column) = (self.line, self.column);
            return Err(format!(
                "Unfinished string at EOF at line {line}, column {column}"
            ));
        };
        self.at += length;
        match self.value(Value::text(out)) {
            Ok(()) => Ok(()),
            Err(message) => self.error(message),
        }
    }
}

/// A character of `\u` from its digits, with their length; a lone surrogate is none.
fn unicode(text: &str) -> Option<(char, usize)> {
    let unit = |text: &str| {
        let digits = text
            .get(..4)
            .filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
        u32::from_str_radix(digits, 16).ok()
    };
    let high = unit(text)?;
    if (0xd800..0xdc00).contains(&high)
        && let Some(low) = text
            .get(4..)
            .and_then(|rest| rest.strip_prefix("\\u"))
            .and_then(unit)
        && (0xdc00..0xe000).contains(&low)
    {
        let code = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
        return Some((char::from_u32(code)?, 10));
    }
    Some((char::from_u32(high).unwrap_or('\u{fffd}'), 4))
}

/// A number as C reads it, in decimal.
pub(super) fn number(text: &str) -> Option<Value> {
    let plain = |c: char| c.is_ascii_digit() || "+-.eE".contains(c);
    let length = super::super::format::float_length(text);
    (length == text.len() && length > 0 && text.chars().all(plain))
        .then(|| text.parse().ok().map(Value::Number))
        .flatten()
}
