//! Words: quotes, escapes and what starts with `$`.

use std::sync::Arc;

use super::Parsed;
use super::error::SyntaxError;
use super::scanner::{Parser, is_metacharacter};
use crate::shell::ast::{List, Part, Word};
use crate::shell::escapes;

/// Where the text of a word ends, and what is special in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// An ordinary word: to a blank or operator.
    Word,
    /// The right side of `=~`: brackets and bars are part of it.
    Regex,
    /// Within `"…"`.
    Double,
    /// A here-document or an arithmetic expression: to the end, quotes are ordinary.
    Text,
    /// Within `${…}`: to the bracket, or to a slash.
    Braces { quoted: bool, to_slash: bool },
}

impl Mode {
    /// Whether quotes other than the double ones are ordinary here.
    fn is_quoted(self) -> bool {
        matches!(
            self,
            Self::Double | Self::Text | Self::Braces { quoted: true, .. }
        )
    }
}

impl Parser<'_> {
    /// A word; it is empty if none starts here.
    pub(super) fn word(&mut self) -> Parsed<Word> {
        self.word_in(Mode::Word)
    }

    pub(super) fn word_in(&mut self, mode: Mode) -> Parsed<Word> {
        let start = self.position;
        let parts = self.parts(mode)?;
        let source = self.text.get(start..self.position).unwrap_or_default();
        Ok(Word {
            source: source.to_owned(),
            parts,
        })
    }

    /// A word that has to be there.
    pub(super) fn required_word(&mut self) -> Parsed<Word> {
        let start = self.position;
        let word = self.word()?;
        if self.position == start {
            return Err(self.unexpected());
        }
        Ok(word)
    }

    /// A word without quotes and expansions, such as a name.
    pub(super) fn plain_word(&mut self) -> Parsed<String> {
        let word = self.required_word()?;
        match word.as_literal() {
            Some(name) => Ok(name.to_owned()),
            None => Err(SyntaxError::Other {
                line: self.line_number(),
                message: format!("`{}': not a valid identifier", word.source),
            }),
        }
    }

    /// The value of an assignment: `~` is expanded at its start and after colons.
    pub(super) fn assigned_word(&mut self) -> Parsed<Word> {
        self.word()
    }

    /// All of the text as a here-document or an arithmetic expression.
    pub(super) fn here_text(&mut self) -> Parsed<Word> {
        self.word_in(Mode::Text)
    }

    pub(super) fn parts(&mut self, mode: Mode) -> Parsed<Vec<Part>> {
        let mut parts = Vec::new();
        let mut brackets = 0usize;
        if matches!(mode, Mode::Word | Mode::Braces { quoted: false, .. })
            && let Some(tilde) = self.tilde()
        {
            parts.push(tilde);
        }
        loop {
            let Some(next) = self.peek_char() else {
                return match mode {
                    Mode::Double => Err(self.unclosed('"')),
                    Mode::Braces { .. } => Err(self.unclosed('}')),
                    _ => Ok(parts),
                };
            };
            match (mode, next) {
                (Mode::Double, '"') => return Ok(parts),
                (Mode::Braces { .. }, '}') => return Ok(parts),
                (Mode::Braces { to_slash: true, .. }, '/') => return Ok(parts),
                (Mode::Word, '<' | '>') if self.rest().get(1..2) == Some("(") => {
                    self.process_substitution(&mut parts)?;
                }
                (Mode::Word, _) if is_metacharacter(next) => return Ok(parts),
                (Mode::Regex, '(') => {
                    brackets += 1;
                    self.literal(&mut parts);
                }
                (Mode::Regex, ')') if brackets > 0 => {
                    brackets -= 1;
                    self.literal(&mut parts);
                }
                (Mode::Regex, '|' | '<' | '>') => self.literal(&mut parts),
                (Mode::Regex, ' ' | '\t') if brackets > 0 => self.literal(&mut parts),
                (Mode::Regex, _) if is_metacharacter(next) => return Ok(parts),
                (_, '\\') => self.escape(mode, &mut parts),
                (_, '$') => self.dollar(mode, &mut parts)?,
                (_, '`') => self.backticks(mode, &mut parts)?,
                (_, '\'') if !mode.is_quoted() => {
                    let text = self.single_quoted()?;
                    parts.push(Part::Quoted(text));
                }
                (Mode::Word | Mode::Regex | Mode::Braces { .. }, '"') => {
                    self.position += 1;
                    let inner = self.enter(|parser| parser.parts(Mode::Double))?;
                    self.position += 1;
                    parts.push(Part::Double(inner));
                }
                _ => self.literal(&mut parts),
            }
        }
    }

    fn literal(&mut self, parts: &mut Vec<Part>) {
        let Some(next) = self.next_char() else {
            return;
        };
        if let Some(Part::Literal(text)) = parts.last_mut() {
            text.push(next);
        } else {
            parts.push(Part::Literal(next.to_string()));
        }
    }

    fn escape(&mut self, mode: Mode, parts: &mut Vec<Part>) {
        self.position += 1;
        let Some(next) = self.peek_char() else {
            push_quoted(parts, "\\");
            return;
        };
        let escaped = match mode {
            Mode::Word | Mode::Regex | Mode::Braces { quoted: false, .. } => true,
            Mode::Double => matches!(next, '$' | '`' | '"' | '\\' | '\n'),
            Mode::Text => matches!(next, '$' | '`' | '\\' | '\n'),
            Mode::Braces { quoted: true, .. } => {
                matches!(next, '$' | '`' | '"' | '\\' | '}' | '\n')
            }
        };
        self.position += next.len_utf8();
        let mut buffer = [0; 4];
        match (escaped, next) {
            (true, '\n') => {}
            (true, next) => push_quoted(parts, next.encode_utf8(&mut buffer)),
            (false, next) => push_quoted(parts, &format!("\\{next}")),
        }
    }

    fn single_quoted(&mut self) -> Parsed<String> {
        self.position += 1;
        let rest = self.rest();
        let Some(length) = rest.find('\'') else {
            return Err(self.unclosed('\''));
        };
        self.position += length + 1;
        Ok(rest.get(..length).unwrap_or_default().to_owned())
    }

    /// `~`, `~user`, `~+` up to a slash, at the start of a word.
    pub(super) fn tilde(&mut self) -> Option<Part> {
        let rest = self.rest();
        let after = rest.strip_prefix('~')?;
        let end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || "_-+.".contains(c)))
            .unwrap_or(after.len());
        let (name, next) = after.split_at_checked(end)?;
        if !(next.is_empty() || next.starts_with(|c| is_metacharacter(c) || "/:}".contains(c))) {
            return None;
        }
        self.position += 1 + end;
        Some(Part::Tilde(name.to_owned()))
    }

    fn process_substitution(&mut self, parts: &mut Vec<Part>) -> Parsed<()> {
        if self.rest().starts_with('>') {
            return Err(SyntaxError::unsupported("process substitution >( )"));
        }
        self.position += 2;
        let list = self.substituted_list()?;
        parts.push(Part::Process(Arc::new(list)));
        Ok(())
    }

    /// The commands after `$(` or `<(`, with the closing bracket.
    fn substituted_list(&mut self) -> Parsed<List> {
        let outer = std::mem::take(self.pending_documents());
        let parsed = self.enter(|parser| {
            parser.skip_newlines()?;
            let list = if parser.peek_operator() == Some(")") {
                List::default()
            } else {
                parser.list_until(&[")"])?
            };
            parser.expect(")")?;
            Ok(list)
        });
        let inner = std::mem::replace(self.pending_documents(), outer);
        self.pending_documents().extend(inner);
        match parsed {
            Err(SyntaxError::End { line }) => Err(SyntaxError::Unclosed { closing: ')', line }),
            other => other,
        }
    }

    fn backticks(&mut self, mode: Mode, parts: &mut Vec<Part>) -> Parsed<()> {
        self.position += 1;
        let mut script = String::new();
        loop {
            match self.next_char() {
                None => return Err(self.unclosed('`')),
                Some('`') => break,
                Some('\\') => {
                    let special = match self.peek_char() {
                        Some('`' | '\\' | '$') => true,
                        Some('"') => mode == Mode::Double,
                        _ => false,
                    };
                    match self.next_char() {
                        Some(next) if special => script.push(next),
                        Some(next) => script.extend(['\\', next]),
                        None => script.push('\\'),
                    }
                }
                Some(next) => script.push(next),
            }
        }
        let mut parser = self.nested(&script)?;
        parser.skip_newlines()?;
        let list = if parser.at_end() {
            List::default()
        } else {
            parser.list_until(&[])?
        };
        parser.newline()?;
        parts.push(Part::Command(Arc::new(list)));
        Ok(())
    }

    /// What `$` starts; alone it is itself.
    fn dollar(&mut self, mode: Mode, parts: &mut Vec<Part>) -> Parsed<()> {
        let rest = self.rest();
        if rest.starts_with("$((")
            && let Some(expression) = self.arithmetic_expression("$((")?
        {
            parts.push(Part::Arithmetic(expression));
        } else if rest.starts_with("$(") {
            self.position += 2;
            let list = self.substituted_list()?;
            parts.push(Part::Command(Arc::new(list)));
        } else if rest.starts_with("$[") {
            return Err(SyntaxError::unsupported("arithmetic $[ ]"));
        } else if rest.starts_with("${") {
            let parameter = self.enter(|parser| parser.braced_parameter(mode.is_quoted()))?;
            parts.push(Part::Parameter(Box::new(parameter)));
        } else if rest.starts_with("$'") && !mode.is_quoted() {
            self.position += 2;
            let text = self.ansi_quoted()?;
            parts.push(Part::Quoted(text));
        } else if rest.starts_with("$\"") && !mode.is_quoted() {
            // A translated string: there is nothing to translate.
            self.position += 1;
        } else if let Some(parameter) = self.plain_parameter() {
            parts.push(Part::Parameter(Box::new(parameter)));
        } else {
            self.literal(parts);
        }
        Ok(())
    }

    /// `$'…'` with its escapes.
    fn ansi_quoted(&mut self) -> Parsed<String> {
        let start = self.position;
        loop {
            match self.next_char() {
                None => return Err(self.unclosed('\'')),
                Some('\\') => {
                    self.next_char();
                }
                Some('\'') => break,
                Some(_) => {}
            }
        }
        let raw = self.text.get(start..self.position - 1).unwrap_or_default();
        let (mut bytes, _) = escapes::replace(raw, escapes::Place::Quoted);
        // A shell's strings end at a zero byte.
        if let Some(zero) = bytes.iter().position(|byte| *byte == 0) {
            bytes.truncate(zero);
        }
        // Pipes of this shell carry text.
        String::from_utf8(bytes).map_err(|_| SyntaxError::unsupported("bytes that are not UTF-8"))
    }

    /// The inside of `((…))` after an opening; none if the brackets hold something else.
    fn arithmetic_inside(&mut self, opening: &str) -> Option<&str> {
        let start = self.position + opening.len();
        let length = arithmetic_length(self.text.get(start..)?)?;
        self.position = start + length + 2;
        self.text.get(start..start + length)
    }

    fn arithmetic_expression(&mut self, opening: &str) -> Parsed<Option<Word>> {
        match self.arithmetic_inside(opening).map(str::to_owned) {
            Some(inside) => Ok(Some(self.nested(&inside)?.here_text()?)),
            None => Ok(None),
        }
    }

    /// `((…))` where a command starts.
    pub(super) fn arithmetic_command(&mut self) -> Parsed<Option<Word>> {
        if self.rest().starts_with("((") {
            self.arithmetic_expression("((")
        } else {
            Ok(None)
        }
    }

    /// `((start; condition; step))` after `for`.
    pub(super) fn arithmetic_for(&mut self) -> Parsed<Option<[Word; 3]>> {
        if !self.rest().starts_with("((") {
            return Ok(None);
        }
        let Some(inside) = self.arithmetic_inside("((").map(str::to_owned) else {
            return Ok(None);
        };
        let mut expressions = Vec::new();
        for text in inside.split(';') {
            expressions.push(self.nested(text)?.here_text()?);
        }
        match <[Word; 3]>::try_from(expressions) {
            Ok(three) => Ok(Some(three)),
            Err(_) => Err(SyntaxError::Other {
                line: self.line_number(),
                message: format!("syntax error: `(({inside}))'"),
            }),
        }
    }
}

/// Bytes up to the `))` that closes an arithmetic expression; none if the brackets don't fit.
fn arithmetic_length(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (_, '\\') => {
                characters.next();
            }
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'') => quote = Some(character),
            (None, '(') => depth += 1,
            (None, ')') if depth > 0 => depth -= 1,
            (None, ')') => {
                return text
                    .get(at..)
                    .is_some_and(|rest| rest.starts_with("))"))
                    .then_some(at);
            }
            _ => {}
        }
    }
    None
}

fn push_quoted(parts: &mut Vec<Part>, text: &str) {
    if let Some(Part::Quoted(last)) = parts.last_mut() {
        last.push_str(text);
    } else {
        parts.push(Part::Quoted(text.to_owned()));
    }
}
