//! Built-in functions.

use std::rc::Rc;

use super::super::format::{self, SIZE, Size};
use super::super::{date, lacking};
use super::interpreter::{Interpreter, Signal};
use super::program::Expression;
use super::records::Separator;
use super::value::Value;

impl<'p> Interpreter<'p> {
    pub(super) fn builtin(
        &mut self,
        name: &'p str,
        arguments: &'p [Expression],
    ) -> Result<Value, Signal> {
        match (name, arguments) {
            ("length", []) => {
                let record = self.value_of_record()?;
                Ok(Value::Number(record.chars().count() as f64))
            }
            ("length", [Expression::Variable(name)]) if self.is_array(name) => {
                let array = self.array(name)?;
                let length = array.borrow().len();
                Ok(Value::Number(length as f64))
            }
            ("length", [text]) => Ok(Value::Number(self.string(text)?.chars().count() as f64)),
            ("substr", [text, start]) => self.substring(text, start, None),
            ("substr", [text, start, length]) => self.substring(text, start, Some(length)),
            ("index", [text, part]) => {
                let (text, part) = (self.string(text)?, self.string(part)?);
                self.steps_for(text.len())?;
                let before = text.find(&*part).and_then(|at| text.get(..at));
                Ok(Value::Number(
                    before.map_or(0.0, |before| before.chars().count() as f64 + 1.0),
                ))
            }
            ("split", [text, Expression::Variable(array), rest @ ..]) => {
                self.split(text, array, rest.first())
            }
            ("sub" | "gsub", [regex, replacement, rest @ ..]) => {
                self.substitute(name == "gsub", regex, replacement, rest.first())
            }
            ("gensub", [regex, replacement, how, rest @ ..]) => {
                self.general_substitute(regex, replacement, how, rest.first())
            }
            ("match", [text, regex, rest @ ..]) => self.find(text, regex, rest.first()),
            ("sprintf", arguments) if !arguments.is_empty() => {
                Ok(Value::text(self.formatted(arguments)?))
            }
            ("tolower", [text]) => Ok(Value::text(self.string(text)?.to_lowercase())),
            ("toupper", [text]) => Ok(Value::text(self.string(text)?.to_uppercase())),
            ("int", [number]) => Ok(Value::Number(self.value(number)?.number().trunc())),
            ("sqrt", [number]) => Ok(Value::Number(self.value(number)?.number().sqrt())),
            ("exp", [number]) => Ok(Value::Number(self.value(number)?.number().exp())),
            ("log", [number]) => Ok(Value::Number(self.value(number)?.number().ln())),
            ("sin", [number]) => Ok(Value::Number(self.value(number)?.number().sin())),
            ("cos", [number]) => Ok(Value::Number(self.value(number)?.number().cos())),
            ("atan2", [y, x]) => {
                let (y, x) = (self.value(y)?.number(), self.value(x)?.number());
                Ok(Value::Number(y.atan2(x)))
            }
            ("systime", []) => Ok(Value::Number((self.now() / 1_000_000_000) as f64)),
            ("strftime", [format, rest @ ..]) => {
                let format = self.string(format)?;
                let seconds = match rest.first() {
                    Some(seconds) => self.value(seconds)?.number() as i128,
                    None => i128::from(self.now() / 1_000_000_000),
                };
                let moment = seconds.saturating_mul(1_000_000_000);
                Ok(Value::text(date::formatted(moment, &format, "awk")?))
            }
            ("fflush", _) => Ok(Value::Number(0.0)),
            _ => Err(lacking("awk", &format!("{name} with such arguments")).into()),
        }
    }

    fn substring(
        &mut self,
        text: &'p Expression,
        start: &'p Expression,
        length: Option<&'p Expression>,
    ) -> Result<Value, Signal> {
        let text = self.string(text)?;
        let start = self.value(start)?.number();
        let length = match length {
            Some(length) => self.value(length)?.number(),
            None => f64::INFINITY,
        };
        if start.fract() != 0.0 || (length.is_finite() && length.fract() != 0.0) {
            return Err(lacking("awk", "substr with numbers that are not whole").into());
        }
        if start.is_nan() || length.is_nan() {
            return Ok(Value::text(""));
        }
        self.steps_for(text.len())?;
        // Versions differ in what stands before the first character.
        if start < 1.0 {
            return Err(lacking("awk", "substr from before the first character").into());
        }
        let taken = if length > 0.0 {
            length.min(usize::MAX as f64) as usize
        } else {
            0
        };
        let part: String = text.chars().skip(start as usize - 1).take(taken).collect();
        Ok(Value::text(part))
    }

    fn split(
        &mut self,
        text: &'p Expression,
        array: &'p str,
        separator: Option<&'p Expression>,
    ) -> Result<Value, Signal> {
        let text = self.string(text)?;
        let separator = match separator {
            None => Separator::fields(&self.text_named("FS"))?,
            Some(Expression::Regex(regex)) if &**regex == " " => Separator::Text(" ".to_owned()),
            Some(Expression::Regex(regex)) => {
                // A pattern, whatever its length.
                self.pattern(regex)?;
                match regex.chars().count() {
                    1 if !".^$*+?()[]{}|\\".contains(&**regex) => {
                        Separator::Text(regex.to_string())
                    }
                    _ => Separator::fields(&format!("({regex})"))?,
                }
            }
            Some(separator) => {
                let separator = self.string(separator)?;
                Separator::fields(&separator)?
            }
        };
        let parts = separator.split(&text, false);
        self.steps_for(text.len() + parts.len() * 16)?;
        let array = self.array(array)?;
        array.borrow_mut().clear();
        let count = parts.len();
        for (position, part) in parts.into_iter().enumerate() {
            let key = Rc::from((position + 1).to_string());
            self.insert(&array, key, Value::input(&part))?;
        }
        Ok(Value::Number(count as f64))
    }

    fn find(
        &mut self,
        text: &'p Expression,
        regex: &'p Expression,
        array: Option<&'p Expression>,
    ) -> Result<Value, Signal> {
        let text = self.string(text)?;
        let pattern = self.regex(regex)?;
        self.steps_for(text.len())?;
        let groups = pattern.groups_at(&text, 0);
        let count = |end: usize| text.get(..end).unwrap_or_default().chars().count() as f64;
        let found = groups
            .as_ref()
            .and_then(|groups| groups.first().cloned().flatten());
        let (start, length) = match &found {
            None => (0.0, -1.0),
            Some(found) => (
                count(found.start) + 1.0,
                count(found.end) - count(found.start),
            ),
        };
        self.set_variable("RSTART", Value::Number(start))?;
        self.set_variable("RLENGTH", Value::Number(length))?;
        if let Some(array) = array {
            let Expression::Variable(name) = array else {
                return Err(lacking("awk", "match with such an array").into());
            };
            let array = self.array(name)?;
            array.borrow_mut().clear();
            for (position, group) in groups.unwrap_or_default().into_iter().enumerate() {
                let Some(group) = group else { continue };
                let (from, to) = (count(group.start), count(group.end));
                let part = text.get(group).unwrap_or_default();
                self.insert(&array, Rc::from(position.to_string()), Value::input(part))?;
                let subscript = |what: &str| Rc::from(format!("{position}\u{1c}{what}"));
                self.insert(&array, subscript("start"), Value::Number(from + 1.0))?;
                self.insert(&array, subscript("length"), Value::Number(to - from))?;
            }
        }
        Ok(Value::Number(start))
    }

    fn substitute(
        &mut self,
        all: bool,
        regex: &'p Expression,
        replacement: &'p Expression,
        target: Option<&'p Expression>,
    ) -> Result<Value, Signal> {
        let pattern = self.regex(regex)?;
        let replacement = self.string(replacement)?;
        let text = match target {
            None => self.value_of_record()?,
            Some(target) => self.string(target)?,
        };
        let mut out = String::new();
        let (mut copied, mut count) = (0, 0);
        let matches: Vec<_> = match all {
            true => pattern.find_all(&text).collect(),
            false => pattern.find_all(&text).take(1).collect(),
        };
        for found in matches {
            out.push_str(text.get(copied..found.start).unwrap_or_default());
            let matched = text.get(found.clone()).unwrap_or_default();
            push_replacement(&replacement, matched, &mut out);
            copied = found.end;
            count += 1;
            self.steps_for(out.len() / 64)?;
        }
        if count == 0 {
            return Ok(Value::Number(0.0));
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        self.steps_for(out.len())?;
        match target {
            None => self.set_whole_record(out),
            Some(target) => self.assign(target, Value::text(out))?,
        }
        Ok(Value::Number(f64::from(count)))
    }

    fn general_substitute(
        &mut self,
        regex: &'p Expression,
        replacement: &'p Expression,
        how: &'p Expression,
        target: Option<&'p Expression>,
    ) -> Result<Value, Signal> {
        let pattern = self.regex(regex)?;
        let replacement = self.string(replacement)?;
        let how = self.value(how)?;
        let text = match target {
            None => self.value_of_record()?,
            Some(target) => self.string(target)?,
        };
        let how_text = how.string("%.6g");
        let all = how_text.starts_with(['g', 'G']);
        let wanted = if all {
            0
        } else {
            (how.number().max(1.0)) as usize
        };
        let mut out = String::new();
        let (mut copied, mut count) = (0, 0);
        let matches: Vec<_> = pattern.find_all(&text).collect();
        for found in matches {
            count += 1;
            if !all && count != wanted {
                continue;
            }
            let Some(groups) = pattern.groups_at(&text, found.start) else {
                break;
            };
            out.push_str(text.get(copied..found.start).unwrap_or_default());
            let mut chars = replacement.chars();
            let group = |number: usize| {
                let range = groups.get(number).cloned().flatten();
                range.and_then(|range| text.get(range)).unwrap_or_default()
            };
            while let Some(c) = chars.next() {
                match c {
                    '&' => out.push_str(group(0)),
                    '\\' => match chars.next() {
                        Some(digit @ '0'..='9') => {
                            out.push_str(group(digit.to_digit(10).unwrap_or(0) as usize));
                        }
                        Some(other) => out.push(other),
                        None => out.push('\\'),
                    },
                    c => out.push(c),
                }
            }
            copied = found.end;
            self.steps_for(out.len() / 64)?;
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        self.steps_for(out.len())?;
        Ok(Value::text(out))
    }

    /// `printf` and `sprintf`.
    pub(super) fn formatted(&mut self, arguments: &'p [Expression]) -> Result<String, Signal> {
        let Some((first, rest)) = arguments.split_first() else {
            return Ok(String::new());
        };
        let format_text = self.string(first)?;
        let mut values = Vec::new();
        for argument in rest {
            values.push(self.value(argument)?);
        }
        let mut values = values.into_iter();
        let mut out = String::new();
        let mut text: &str = &format_text;
        while let Some(at) = text.find('%') {
            let (before, after) = text.split_at(at);
            out.push_str(before);
            if after.starts_with("%%") {
                out.push('%');
                text = after.get(2..).unwrap_or_default();
                continue;
            }
            let parsed = format::parse(after);
            let mut conversion = parsed.conversion;
            let mut sizes = [None, None];
            for (slot, size) in sizes.iter_mut().zip([parsed.width, parsed.precision]) {
                *slot = match size {
                    None => None,
                    Some(Size::Number(number)) => Some(number as i64),
                    Some(Size::Argument) => {
                        Some(self.argument_value(&mut values, after)?.number() as i64)
                    }
                };
            }
            let [width, precision] = sizes;
            conversion.left |= width.is_some_and(|width| width < 0);
            conversion.width = width.map(|width| width.unsigned_abs() as usize);
            conversion.precision = precision.and_then(|precision| usize::try_from(precision).ok());
            if conversion.width.max(conversion.precision) > Some(SIZE) {
                return Err(lacking("awk", "of such wide fields").into());
            }
            let spec = after.get(..parsed.length).unwrap_or(after);
            text = after.get(parsed.length..).unwrap_or_default();
            match conversion.letter {
                Some('d' | 'i') => {
                    let number = self.argument_value(&mut values, spec)?.number();
                    out.push_str(&match number.is_finite() {
                        true => conversion.signed(number.trunc() as i128),
                        false => return Err(lacking("awk", "%d of no number").into()),
                    });
                }
                Some('o' | 'x' | 'X' | 'u') => {
                    let number = self.argument_value(&mut values, spec)?.number();
                    if number < 0.0 || !number.is_finite() || number >= 1.8e19 {
                        return Err(lacking("awk", &format!("{spec} of such a number")).into());
                    }
                    out.push_str(&conversion.unsigned(number as u128));
                }
                Some('e' | 'f' | 'g' | 'E' | 'F' | 'G') => {
                    let number = self.argument_value(&mut values, spec)?.number();
                    if !number.is_finite() {
                        return Err(lacking("awk", &format!("{spec} of no number")).into());
                    }
                    out.push_str(&conversion.float(number));
                }
                Some('c') => {
                    let value = self.argument_value(&mut values, spec)?;
                    let c = match &value {
                        Value::Number(code) | Value::Numeric(_, code) => {
                            char::from_u32(*code as u32)
                                .unwrap_or('\u{fffd}')
                                .to_string()
                        }
                        other => other.string("%.6g").chars().take(1).collect(),
                    };
                    if c.is_empty() || c == "\0" {
                        return Err(lacking("awk", "that prints zero bytes").into());
                    }
                    conversion.precision = None;
                    out.push_str(&conversion.text(&c));
                }
                Some('s') => {
                    let format = self.text_named("CONVFMT");
                    let value = self.argument_value(&mut values, spec)?.string(&format);
                    out.push_str(&conversion.text(&value));
                }
                _ => return Err(lacking("awk", &format!("{spec} in a format")).into()),
            }
            self.steps_for(out.len() / 256)?;
        }
        out.push_str(text);
        self.steps_for(out.len())?;
        Ok(out)
    }

    fn argument_value(
        &self,
        values: &mut impl Iterator<Item = Value>,
        _spec: &str,
    ) -> Result<Value, Signal> {
        match values.next() {
            Some(value) => Ok(value),
            None => Err(lacking("awk", "with fewer arguments than its format has").into()),
        }
    }
}

/// A replacement with `&` for what was matched and `\&` for an ampersand.
fn push_replacement(replacement: &str, matched: &str, out: &mut String) {
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '&' => out.push_str(matched),
            '\\' => match chars.peek() {
                Some('&') => {
                    chars.next();
                    out.push('&');
                }
                Some('\\') => {
                    chars.next();
                    out.push('\\');
                }
                _ => out.push('\\'),
            },
            c => out.push(c),
        }
    }
}
