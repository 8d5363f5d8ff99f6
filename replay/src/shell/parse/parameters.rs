//! `$name` and `${…}`, and the left side of assignments.

use super::Parsed;
use super::error::SyntaxError;
use super::scanner::Parser;
use super::words::Mode;
use crate::shell::ast::{
    DefaultAction, Operator, Parameter, ParameterName, Part, ReplacePlace, Word,
};

impl Parser<'_> {
    /// `$name`, `$1`, `$?`; none if `$` is only a character here.
    pub(super) fn plain_parameter(&mut self) -> Option<Parameter> {
        let rest = self.rest().strip_prefix('$')?;
        let first = rest.chars().next()?;
        let (name, length) = if first.is_ascii_digit() && first != '0' {
            let digit = usize::try_from(first.to_digit(10)?).ok()?;
            (ParameterName::Positional(digit), 1)
        } else if let Some(special) = special(first) {
            (special, 1)
        } else {
            let name = name_prefix(rest)?;
            (ParameterName::Variable(name.to_owned()), name.len())
        };
        self.position += 1 + length;
        Some(Parameter {
            source: format!("${}", rest.get(..length).unwrap_or_default()),
            name,
            indirect: false,
            operator: Operator::Value,
        })
    }

    /// `${…}`; within double quotes, single quotes are ordinary in the word of a default.
    pub(super) fn braced_parameter(&mut self, quoted: bool) -> Parsed<Parameter> {
        let start = self.position;
        self.position += 2;
        let mut parameter = self.parameter_inside(quoted)?;
        if self.peek_char() != Some('}') {
            // bash finds out when it expands it.
            parameter.operator = Operator::Bad;
            self.parts(Mode::Braces {
                quoted: false,
                to_slash: false,
            })?;
        }
        self.position += 1;
        let source = self.text.get(start..self.position).unwrap_or_default();
        source.clone_into(&mut parameter.source);
        Ok(parameter)
    }

    fn parameter_inside(&mut self, quoted: bool) -> Parsed<Parameter> {
        let rest = self.rest();
        let is_length = rest.starts_with('#')
            && !rest.starts_with("#}")
            && rest
                .chars()
                .nth(1)
                .is_some_and(|c| c.is_ascii_alphanumeric() || "_@*?#$!".contains(c));
        let indirect = rest.starts_with('!')
            && rest.chars().nth(1).is_some_and(|c| {
                c.is_ascii_alphanumeric() || c == '_' || c == '@' || c == '*' || c == '#'
            });
        if is_length || indirect {
            self.position += 1;
        }
        let mut parameter = Parameter {
            source: String::new(),
            name: ParameterName::Special('?'),
            indirect,
            operator: Operator::Bad,
        };
        let Some(name) = self.parameter_name()? else {
            return Ok(parameter);
        };
        parameter.name = name;
        if is_length {
            if self.peek_char() == Some('}') {
                parameter.operator = Operator::Length;
            }
            return Ok(parameter);
        }
        if indirect && matches!(self.rest().get(..2), Some("*}" | "@}")) {
            self.position += 1;
            parameter.operator = Operator::Names;
            return Ok(parameter);
        }
        if indirect
            && self.peek_char() == Some('}')
            && matches!(parameter.name, ParameterName::Array { .. })
        {
            parameter.operator = Operator::Keys;
            return Ok(parameter);
        }
        parameter.operator = self.operator(quoted)?;
        Ok(parameter)
    }

    fn parameter_name(&mut self) -> Parsed<Option<ParameterName>> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else {
            return Err(self.unclosed('}'));
        };
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        if digits > 0 {
            let number = rest.get(..digits).unwrap_or_default();
            self.position += digits;
            return Ok(Some(match number.parse() {
                Ok(0) => ParameterName::Special('0'),
                Ok(number) => ParameterName::Positional(number),
                Err(_) => ParameterName::Positional(usize::MAX),
            }));
        }
        if let Some(special) = special(first) {
            self.position += 1;
            return Ok(Some(special));
        }
        let Some(name) = name_prefix(rest) else {
            return Ok(None);
        };
        self.position += name.len();
        if self.peek_char() != Some('[') {
            return Ok(Some(ParameterName::Variable(name.to_owned())));
        }
        if let Some(joined @ ("[@]" | "[*]")) = self.rest().get(..3) {
            self.position += 3;
            return Ok(Some(ParameterName::Array {
                name: name.to_owned(),
                joined: joined == "[*]",
            }));
        }
        Ok(self
            .element_bracket()?
            .map(|index| ParameterName::Element(name.to_owned(), index)))
    }

    /// Bytes of `[index]` at the cursor; none if the bracket is not closed on the line.
    fn bracket_length(&self) -> Option<usize> {
        let mut depth = 0usize;
        for (at, character) in self.rest().char_indices() {
            match character {
                '[' => depth += 1,
                ']' if depth == 1 => return Some(at + 1),
                ']' => depth = depth.saturating_sub(1),
                '\n' => return None,
                _ => {}
            }
        }
        None
    }

    /// `[index]`; none if the bracket is not closed.
    fn element_bracket(&mut self) -> Parsed<Option<Word>> {
        let Some(length) = self.bracket_length() else {
            return Ok(None);
        };
        let inside = self.rest().get(1..length - 1).unwrap_or_default();
        let index = self.nested(inside)?.index_text()?;
        self.position += length;
        Ok(Some(index))
    }

    /// An index is text in which quotes are removed.
    fn index_text(&mut self) -> Parsed<Word> {
        let mut word = self.word()?;
        while !self.at_end() {
            let at = self.position;
            self.position += self.peek_char().map_or(0, char::len_utf8);
            let skipped = self.text.get(at..self.position).unwrap_or_default();
            word.parts.push(Part::Literal(skipped.to_owned()));
            word.parts.extend(self.word()?.parts);
        }
        self.text.clone_into(&mut word.source);
        Ok(word)
    }

    fn operator(&mut self, quoted: bool) -> Parsed<Operator> {
        let rest = self.rest();
        if rest.starts_with('}') {
            return Ok(Operator::Value);
        }
        const DEFAULTS: [(&str, DefaultAction); 8] = [
            (":-", DefaultAction::Use),
            (":=", DefaultAction::Assign),
            (":?", DefaultAction::Fail),
            (":+", DefaultAction::Alternative),
            ("-", DefaultAction::Use),
            ("=", DefaultAction::Assign),
            ("?", DefaultAction::Fail),
            ("+", DefaultAction::Alternative),
        ];
        for (text, action) in DEFAULTS {
            if rest.starts_with(text) {
                self.position += text.len();
                let word = self.braces_word(false, quoted)?;
                return Ok(Operator::Default {
                    on_empty: text.starts_with(':'),
                    action,
                    word,
                });
            }
        }
        for (text, suffix, longest) in [
            ("##", false, true),
            ("#", false, false),
            ("%%", true, true),
            ("%", true, false),
        ] {
            if rest.starts_with(text) {
                self.position += text.len();
                let pattern = self.braces_word(false, false)?;
                return Ok(Operator::Remove {
                    suffix,
                    longest,
                    pattern,
                });
            }
        }
        if rest.starts_with('/') {
            return self.replace();
        }
        if rest.starts_with(':') {
            return self.slice();
        }
        for (text, upper, all) in [
            ("^^", true, true),
            ("^", true, false),
            (",,", false, true),
            (",", false, false),
        ] {
            if rest.starts_with(text) {
                self.position += text.len();
                let pattern = self.braces_word(false, false)?;
                let pattern = (!pattern.parts.is_empty()).then_some(pattern);
                return Ok(Operator::Case {
                    upper,
                    all,
                    pattern,
                });
            }
        }
        if let Some(transform) = rest.strip_prefix('@').and_then(|rest| rest.chars().next())
            && "QULuEPAKka".contains(transform)
        {
            self.position += 2;
            return Ok(Operator::Transform(transform));
        }
        if rest.starts_with('~') {
            return Err(SyntaxError::unsupported("${parameter~}"));
        }
        Ok(Operator::Bad)
    }

    fn braces_word(&mut self, to_slash: bool, quoted: bool) -> Parsed<Word> {
        self.word_in(Mode::Braces { quoted, to_slash })
    }

    fn replace(&mut self) -> Parsed<Operator> {
        self.position += 1;
        let place = match self.peek_char() {
            Some('/') => ReplacePlace::All,
            Some('#') => ReplacePlace::Start,
            Some('%') => ReplacePlace::End,
            _ => ReplacePlace::First,
        };
        if place != ReplacePlace::First {
            self.position += 1;
        }
        let pattern = self.braces_word(true, false)?;
        let replacement = if self.peek_char() == Some('/') {
            self.position += 1;
            self.braces_word(false, false)?
        } else {
            Word::default()
        };
        Ok(Operator::Replace {
            place,
            pattern,
            replacement,
        })
    }

    /// `:offset` and `:offset:length`, arithmetic expressions both.
    fn slice(&mut self) -> Parsed<Operator> {
        self.position += 1;
        let offset = self.slice_expression()?;
        let length = if self.peek_char() == Some(':') {
            self.position += 1;
            Some(self.slice_expression()?)
        } else {
            None
        };
        Ok(Operator::Slice { offset, length })
    }

    fn slice_expression(&mut self) -> Parsed<Word> {
        let rest = self.rest();
        let mut depth = 0usize;
        let mut choices = 0usize;
        let mut end = None;
        for (at, character) in rest.char_indices() {
            match character {
                '{' | '(' | '[' => depth += 1,
                ')' | ']' => depth = depth.saturating_sub(1),
                '}' if depth > 0 => depth -= 1,
                '?' if depth == 0 => choices += 1,
                ':' if depth == 0 && choices > 0 => choices -= 1,
                ':' if depth == 0 => end = Some(at),
                '}' => end = Some(at),
                _ => {}
            }
            if end.is_some() {
                break;
            }
        }
        let Some(end) = end else {
            return Err(self.unclosed('}'));
        };
        let inside = rest.get(..end).unwrap_or_default();
        let expression = self.nested(inside)?.here_text()?;
        self.position += end;
        Ok(expression)
    }

    /// `name=`, `name+=` or `name[index]=` at the cursor: passes it.
    pub(super) fn assignment_start(&mut self) -> Parsed<Option<(String, Option<Word>, bool)>> {
        let rest = self.rest();
        let Some(name) = name_prefix(rest) else {
            return Ok(None);
        };
        let start = self.position;
        self.position += name.len();
        let bracket = if self.peek_char() == Some('[') {
            self.bracket_length()
        } else {
            Some(0)
        };
        let after = bracket.and_then(|length| self.rest().get(length..));
        let equals = ["=", "+="]
            .into_iter()
            .find(|text| after.is_some_and(|after| after.starts_with(text)));
        let Some(equals) = equals else {
            self.position = start;
            return Ok(None);
        };
        let index = if bracket == Some(0) {
            None
        } else {
            self.element_bracket()?
        };
        self.position += equals.len();
        Ok(Some((name.to_owned(), index, equals == "+=")))
    }

    /// `[index]=` before an element of an array.
    pub(super) fn element_index(&mut self) -> Parsed<Option<Word>> {
        let is_indexed = self.peek_char() == Some('[')
            && self
                .bracket_length()
                .and_then(|length| self.rest().get(length..))
                .is_some_and(|after| after.starts_with('='));
        if !is_indexed {
            return Ok(None);
        }
        let index = self.element_bracket()?;
        self.position += 1;
        Ok(index)
    }
}

fn special(character: char) -> Option<ParameterName> {
    match character {
        '@' => Some(ParameterName::AllPositional { joined: false }),
        '*' => Some(ParameterName::AllPositional { joined: true }),
        '#' | '?' | '-' | '$' | '!' | '0' => Some(ParameterName::Special(character)),
        _ => None,
    }
}

/// The name of a variable at the start of a text.
pub(super) fn name_prefix(text: &str) -> Option<&str> {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
        .unwrap_or(text.len());
    let name = text.get(..end)?;
    (!name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit())).then_some(name)
}
