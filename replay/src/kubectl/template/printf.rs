//! `printf` with the verbs that print texts, numbers and truth values.

use serde_json::Value;

use super::Unsupported;
use super::execute::Data;
use crate::golang::format::plain;
use crate::golang::quote::quote;

/// How wide a field may be made.
const WIDTH: usize = 10_000;

/// Formats values.
pub(super) fn printf(format: &str, values: &[Data<'_>]) -> Result<String, Unsupported> {
    let mut out = String::new();
    let mut values = values.iter();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once('%') {
        out.push_str(before);
        let specification = Specification::read(after)?;
        rest = specification.rest;
        if specification.verb == '%' {
            out.push('%');
            continue;
        }
        let value = values
            .next()
            .ok_or(Unsupported("a format that lacks a value"))?;
        out.push_str(&specification.print(value)?);
    }
    out.push_str(rest);
    if values.next().is_some() {
        return Err(Unsupported("a value that no format wants"));
    }
    Ok(out)
}

/// `%-10.3s`
struct Specification<'f> {
    left: bool,
    zeros: bool,
    plus: bool,
    width: usize,
    precision: Option<usize>,
    verb: char,
    rest: &'f str,
}

impl<'f> Specification<'f> {
    fn read(text: &'f str) -> Result<Self, Unsupported> {
        let flags = text
            .find(|c| !"-0+".contains(c))
            .ok_or(Unsupported("an unfinished format"))?;
        let (flags, rest) = text.split_at(flags);
        let (width, rest) = number(rest)?;
        let (precision, rest) = match rest.strip_prefix('.') {
            Some(rest) => {
                let (precision, rest) = number(rest)?;
                (Some(precision.unwrap_or(0)), rest)
            }
            None => (None, rest),
        };
        let verb = rest
            .chars()
            .next()
            .ok_or(Unsupported("an unfinished format"))?;
        Ok(Self {
            left: flags.contains('-'),
            zeros: flags.contains('0') && !flags.contains('-'),
            plus: flags.contains('+'),
            width: width.unwrap_or(0),
            precision,
            verb,
            rest: &rest[verb.len_utf8()..],
        })
    }

    fn print(&self, value: &Value) -> Result<String, Unsupported> {
        let numeric = value.is_number();
        let text = match (self.verb, value) {
            ('s' | 'v', Value::String(text)) => self.cut(text),
            ('q', Value::String(text)) => quote(&self.cut(text)),
            ('v', Value::Null) => "<nil>".to_owned(),
            ('s' | 'd', Value::Null) => format!("%!{}(<nil>)", self.verb),
            ('d' | 'v', Value::Number(number))
                if number.as_i64().is_some() && self.precision.is_none() =>
            {
                plain(value)
            }
            ('f', Value::Number(number)) if number.as_i64().is_none() => {
                let float = number.as_f64().unwrap_or_default();
                format!("{float:.*}", self.precision.unwrap_or(6).min(100))
            }
            ('t' | 'v', Value::Bool(flag)) => flag.to_string(),
            ('v', other) if self.width == 0 && self.precision.is_none() => plain(other),
            _ => return Err(Unsupported("a format for another type")),
        };
        let text = if self.plus && numeric && !text.starts_with('-') {
            format!("+{text}")
        } else if self.plus && !numeric {
            return Err(Unsupported("a plus before what is no number"));
        } else {
            text
        };
        let missing = self.width.saturating_sub(text.chars().count());
        Ok(match (self.left, self.zeros) {
            (true, _) => text + &" ".repeat(missing),
            (false, true) if numeric => match text.strip_prefix(['-', '+']) {
                Some(digits) => format!("{}{}{digits}", &text[..1], "0".repeat(missing)),
                None => "0".repeat(missing) + &text,
            },
            (false, true) if missing > 0 => {
                return Err(Unsupported("zeros before what is no number"));
            }
            (false, _) => " ".repeat(missing) + &text,
        })
    }

    /// As many characters as the precision says.
    fn cut(&self, text: &str) -> String {
        match self.precision {
            Some(precision) => text.chars().take(precision).collect(),
            None => text.to_owned(),
        }
    }
}

fn number(text: &str) -> Result<(Option<usize>, &str), Unsupported> {
    let length = text
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(text.len());
    let (digits, rest) = text.split_at(length);
    if digits.is_empty() {
        return Ok((None, rest));
    }
    match digits.parse() {
        Ok(number) if number <= WIDTH => Ok((Some(number), rest)),
        _ => Err(Unsupported("a field this wide")),
    }
}
