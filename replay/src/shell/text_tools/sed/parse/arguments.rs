//! Addresses, patterns, `s` and `y`.

use super::super::super::pattern::{Flags, Pattern, PatternError, Syntax};
use super::super::super::{Halt, lacking};
use super::super::script::{Action, Address, Part, Substitution};
use super::Parser;
use crate::shell::escapes;

impl Parser {
    pub(super) fn number(&mut self) -> Option<u64> {
        let mut number = None;
        while let Some(digit) = self.peek().and_then(|c| c.to_digit(10)) {
            let before: u64 = number.unwrap_or(0);
            number = Some(before.saturating_mul(10).saturating_add(u64::from(digit)));
            self.at += 1;
        }
        number
    }

    pub(super) fn address(&mut self) -> Result<Option<Address>, Halt> {
        match self.peek() {
            Some('$') => {
                self.at += 1;
                Ok(Some(Address::Last))
            }
            Some(c) if c.is_ascii_digit() => {
                let line = self.number().unwrap_or(0);
                self.skip(|c| c == ' ' || c == '\t');
                if self.peek() == Some('~') {
                    self.at += 1;
                    let step = self.number().unwrap_or(0);
                    return Ok(Some(Address::Step(line, step)));
                }
                Ok(Some(match line {
                    0 => Address::BeforeFirst,
                    line => Address::Line(line),
                }))
            }
            Some('/') => {
                self.at += 1;
                self.pattern_address('/').map(Some)
            }
            Some('\\') => {
                self.at += 1;
                match self.next() {
                    None | Some('\n' | '\\') => Err(self.error("unexpected `,'")),
                    Some(delimiter) => self.pattern_address(delimiter).map(Some),
                }
            }
            _ => Ok(None),
        }
    }

    pub(super) fn second_address(&mut self) -> Result<Option<Address>, Halt> {
        match self.peek() {
            Some(sign @ ('+' | '~')) => {
                self.at += 1;
                let number = self.number().unwrap_or(0);
                Ok(Some(match sign {
                    '+' => Address::Following(number),
                    _ => Address::Multiple(number),
                }))
            }
            _ => Ok(match self.address()? {
                Some(Address::BeforeFirst) => Some(Address::Line(0)),
                Some(Address::Step(line, _)) => Some(Address::Line(line)),
                address => address,
            }),
        }
    }

    fn pattern_address(&mut self, delimiter: char) -> Result<Address, Halt> {
        let Some(pattern) = self.delimited(delimiter, true) else {
            return Err(self.error("unterminated address regex"));
        };
        let mut flags = Flags::default();
        loop {
            match self.peek() {
                Some('I') => flags.ignore_case = true,
                Some('M') => flags.multi_line = true,
                _ => break,
            }
            self.at += 1;
        }
        Ok(Address::Matching(
            self.compile(&pattern, flags)?.map(Box::new),
        ))
    }

    /// A pattern; an empty one is the last that was used.
    fn compile(&self, pattern: &str, flags: Flags) -> Result<Option<Pattern>, Halt> {
        if pattern.is_empty() {
            if flags.ignore_case || flags.multi_line {
                return Err(self.error("cannot specify modifiers on empty regexp"));
            }
            return Ok(None);
        }
        let syntax = match self.extended {
            true => Syntax::SedExtended,
            false => Syntax::SedBasic,
        };
        match Pattern::new(pattern, syntax, flags) {
            Ok(pattern) => Ok(Some(pattern)),
            Err(PatternError::Refused(message)) => Err(self.error(message)),
            Err(PatternError::Lacking(what)) => Err(lacking("sed", &format!("{pattern} ({what})"))),
        }
    }

    /// The text up to the next delimiter; none if there is none. In a pattern, a delimiter within
    /// a bracket expression is an ordinary character.
    fn delimited(&mut self, delimiter: char, is_pattern: bool) -> Option<String> {
        let mut out = String::new();
        loop {
            let c = self.next()?;
            match c {
                c if c == delimiter => return Some(out),
                '\n' if is_pattern => {
                    self.at -= 1;
                    return None;
                }
                '\\' => match self.next()? {
                    'n' if is_pattern => out.push('\n'),
                    '\n' if is_pattern => out.push('\n'),
                    escaped if escaped == delimiter && (is_pattern || escaped != '&') => {
                        out.push(escaped);
                    }
                    escaped => {
                        out.push('\\');
                        out.push(escaped);
                    }
                },
                '[' if is_pattern => {
                    out.push('[');
                    self.bracket(&mut out)?;
                }
                c => out.push(c),
            }
        }
    }

    /// Copies a bracket expression from behind its opening.
    fn bracket(&mut self, out: &mut String) -> Option<()> {
        if self.peek() == Some('^') {
            self.at += 1;
            out.push('^');
        }
        if self.peek() == Some(']') {
            self.at += 1;
            out.push(']');
        }
        loop {
            match self.next()? {
                ']' => {
                    out.push(']');
                    return Some(());
                }
                '\n' => {
                    self.at -= 1;
                    return None;
                }
                '\\' => match self.peek().and_then(escapes::control) {
                    Some(control) if self.peek() != Some('b') => {
                        self.at += 1;
                        out.push(control);
                    }
                    _ => out.push('\\'),
                },
                '[' if matches!(self.peek(), Some(':' | '.' | '=')) => {
                    let kind = self.next()?;
                    out.push('[');
                    out.push(kind);
                    loop {
                        let c = self.next()?;
                        out.push(c);
                        if c == kind && self.peek() == Some(']') {
                            self.at += 1;
                            out.push(']');
                            break;
                        }
                    }
                }
                c => out.push(c),
            }
        }
    }

    pub(super) fn substitution(&mut self) -> Result<Action, Halt> {
        let unterminated = "unterminated `s' command";
        let delimiter = match self.next() {
            Some(delimiter) if delimiter != '\n' && delimiter != '\\' => delimiter,
            _ => return Err(self.error(unterminated)),
        };
        let pattern = self.delimited(delimiter, true);
        let Some(pattern) = pattern else {
            return Err(self.error(unterminated));
        };
        let Some(replacement) = self.delimited(delimiter, false) else {
            return Err(self.error(unterminated));
        };
        let mut substitution = Substitution {
            pattern: None,
            replacement: self.replacement(&replacement)?,
            everywhere: false,
            from: 0,
            print: 0,
            write: None,
        };
        let flags = self.substitution_flags(&mut substitution)?;
        substitution.pattern = self.compile(&pattern, flags)?;
        substitution.from = substitution.from.max(1);
        let groups = substitution.pattern.as_ref().map(Pattern::group_count);
        let highest = substitution.replacement.iter().map(|part| match part {
            Part::Group(group) => *group,
            _ => 0,
        });
        if let (Some(groups), Some(highest)) = (groups, highest.max())
            && highest > groups
        {
            let message = format!("invalid reference \\{highest} on `s' command's RHS");
            return Err(self.error(&message));
        }
        Ok(Action::Substitute(Box::new(substitution)))
    }

    fn substitution_flags(&mut self, substitution: &mut Substitution) -> Result<Flags, Halt> {
        let mut flags = Flags::default();
        loop {
            let Some(flag) = self.next() else {
                return Ok(flags);
            };
            match flag {
                'i' | 'I' => flags.ignore_case = true,
                'm' | 'M' => flags.multi_line = true,
                'g' if substitution.everywhere => {
                    return Err(self.error("multiple `g' options to `s' command"));
                }
                'g' => substitution.everywhere = true,
                'p' if substitution.print > 0 => {
                    return Err(self.error("multiple `p' options to `s' command"));
                }
                'p' => substitution.print += 1,
                'e' => return Err(lacking("sed", "s///e")),
                'w' => {
                    substitution.write = Some(self.file_name()?);
                    return Ok(flags);
                }
                digit if digit.is_ascii_digit() => {
                    if substitution.from > 0 {
                        return Err(self.error("multiple number options to `s' command"));
                    }
                    self.at -= 1;
                    let number = self.number().unwrap_or(0);
                    if number == 0 {
                        return Err(self.error("number option to `s' command may not be zero"));
                    }
                    substitution.from = usize::try_from(number).unwrap_or(usize::MAX);
                }
                '}' | '#' => {
                    self.at -= 1;
                    return Ok(flags);
                }
                ';' | '\n' => return Ok(flags),
                ' ' | '\t' | '\r' => {}
                _ => return Err(self.error("unknown option to `s'")),
            }
        }
    }

    fn replacement(&self, text: &str) -> Result<Vec<Part>, Halt> {
        let mut parts: Vec<Part> = Vec::new();
        let push = |parts: &mut Vec<Part>, c: char| match parts.last_mut() {
            Some(Part::Text(text)) => text.push(c),
            _ => parts.push(Part::Text(c.to_string())),
        };
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            match c {
                '&' => parts.push(Part::Group(0)),
                '\\' => match chars.next() {
                    None => push(&mut parts, '\\'),
                    Some(digit @ '0'..='9') => {
                        parts.push(Part::Group(digit.to_digit(10).unwrap_or(0) as usize));
                    }
                    Some(case @ ('U' | 'L' | 'u' | 'l' | 'E')) => parts.push(Part::Case(case)),
                    Some('x' | 'd' | 'o' | 'c') => {
                        return Err(lacking("sed", "a character by its number"));
                    }
                    Some(escaped) => match escapes::control(escaped).filter(|_| escaped != 'b') {
                        Some(control) => push(&mut parts, control),
                        None => push(&mut parts, escaped),
                    },
                },
                c => push(&mut parts, c),
            }
        }
        Ok(parts)
    }

    pub(super) fn translation(&mut self) -> Result<Action, Halt> {
        let unterminated = "unterminated `y' command";
        let delimiter = match self.next() {
            Some(delimiter) if delimiter != '\n' && delimiter != '\\' => delimiter,
            _ => return Err(self.error(unterminated)),
        };
        let mut sides = Vec::new();
        for _ in 0..2 {
            let Some(side) = self.delimited(delimiter, false) else {
                return Err(self.error(unterminated));
            };
            sides.push(self.translated(&side)?);
        }
        let (to, from) = (
            sides.pop().unwrap_or_default(),
            sides.pop().unwrap_or_default(),
        );
        if from.len() != to.len() {
            return Err(self.error("strings for `y' command are different lengths"));
        }
        self.end_of_command()?;
        let pairs: Vec<(char, char)> = from.into_iter().zip(to).collect();
        Ok(Action::Translate(pairs))
    }

    fn translated(&self, text: &str) -> Result<Vec<char>, Halt> {
        let mut out = Vec::new();
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '\\' {
                out.push(c);
                continue;
            }
            match chars.next() {
                Some('\\') | None => out.push('\\'),
                Some('\n') => out.push('\n'),
                Some('&') => out.push('&'),
                Some(escaped) => match escapes::control(escaped).filter(|_| escaped != 'b') {
                    Some(control) => out.push(control),
                    None => {
                        return Err(lacking("sed", "y with an unknown escape"));
                    }
                },
            }
        }
        Ok(out)
    }
}
