//! The cursor over the text: blanks, operators, reserved words, here-documents.

use std::sync::{Arc, OnceLock};

use super::error::SyntaxError;
use super::{Parsed, RESERVED};
use crate::shell::ast::{Part, Word};
use crate::shell::limits;

/// Operators, longer ones before those that they start with.
const OPERATORS: [&str; 26] = [
    "&&", "||", "|&", "|", ";;&", ";;", ";&", ";", "&>>", "&>", "&", "(", ")", "<<<", "<<-", "<<",
    "<&", "<>", "<(", "<", ">>", ">&", ">|", ">(", ">", "\n",
];

/// Reads a text from start to end.
pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) position: usize,
    pub(super) depth: usize,
    /// Number of the text's first line.
    first_line: usize,
    here_documents: Vec<PendingDocument>,
}

/// A here-document whose text starts after the current line.
pub(super) struct PendingDocument {
    delimiter: String,
    quoted: bool,
    strip_tabs: bool,
    text: Arc<OnceLock<Word>>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, depth: usize) -> Self {
        Self {
            text,
            position: 0,
            depth,
            first_line: 1,
            here_documents: Vec::new(),
        }
    }

    /// A parser of a part of this text, one level deeper.
    pub(super) fn nested<'t>(&self, text: &'t str) -> Parsed<Parser<'t>> {
        if self.depth >= limits::NESTING {
            return Err(SyntaxError::TooDeep);
        }
        let mut parser = Parser::new(text, self.depth + 1);
        parser.first_line = self.line_number();
        Ok(parser)
    }

    /// Parses something one level deeper.
    pub(super) fn enter<T>(&mut self, parse: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        // The outermost command is on level 0.
        if self.depth > limits::NESTING {
            return Err(SyntaxError::TooDeep);
        }
        self.depth += 1;
        let parsed = parse(self);
        self.depth -= 1;
        parsed
    }

    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.position..).unwrap_or_default()
    }

    pub(super) fn at_end(&self) -> bool {
        self.position >= self.text.len()
    }

    pub(super) fn peek_char(&self) -> Option<char> {
        self.rest().chars().next()
    }

    pub(super) fn next_char(&mut self) -> Option<char> {
        let next = self.peek_char()?;
        self.position += next.len_utf8();
        Some(next)
    }

    /// Number of the current line, from 1.
    pub(super) fn line_number(&self) -> usize {
        self.first_line + newlines(self.text.get(..self.position).unwrap_or_default())
    }

    /// Passes over spaces, continued lines and a comment.
    pub(super) fn skip_blanks(&mut self) {
        loop {
            let rest = self.rest();
            if rest.starts_with([' ', '\t']) {
                self.position += 1;
            } else if rest.starts_with("\\\n") {
                self.position += 2;
            } else {
                break;
            }
        }
        let rest = self.rest();
        if rest.starts_with('#') {
            self.position += rest.find('\n').unwrap_or(rest.len());
        }
    }

    /// Passes over blanks and ends of lines.
    pub(super) fn skip_newlines(&mut self) -> Parsed<()> {
        loop {
            self.skip_blanks();
            if self.rest().starts_with('\n') {
                self.newline()?;
            } else {
                return Ok(());
            }
        }
    }

    /// Passes the end of a line and reads the here-documents that start after it.
    pub(super) fn newline(&mut self) -> Parsed<()> {
        if self.rest().starts_with('\n') {
            self.position += 1;
        }
        for pending in std::mem::take(&mut self.here_documents) {
            self.read_here_document(&pending)?;
        }
        Ok(())
    }

    fn read_here_document(&mut self, pending: &PendingDocument) -> Parsed<()> {
        let mut body = String::new();
        while !self.at_end() {
            let rest = self.rest();
            let line = rest.split_inclusive('\n').next().unwrap_or(rest);
            self.position += line.len();
            let line = if pending.strip_tabs {
                line.trim_start_matches('\t')
            } else {
                line
            };
            if line.strip_suffix('\n').unwrap_or(line) == pending.delimiter {
                break;
            }
            body.push_str(line);
            // A text that ends in the middle of a line still ends that line.
            if !line.ends_with('\n') {
                body.push('\n');
            }
        }
        let word = if pending.quoted {
            Word {
                source: String::new(),
                parts: vec![Part::Quoted(body)],
            }
        } else {
            self.nested(&body)?.here_text()?
        };
        // Set once: every document is pending once.
        let _ = pending.text.set(word);
        Ok(())
    }

    /// The here-documents that the current line has announced.
    pub(super) fn pending_documents(&mut self) -> &mut Vec<PendingDocument> {
        &mut self.here_documents
    }

    /// The delimiter after `<<`; its text is read when the line ends.
    pub(super) fn here_document(&mut self, strip_tabs: bool) -> Parsed<Arc<OnceLock<Word>>> {
        self.skip_blanks();
        let word = self.required_word()?;
        let mut delimiter = String::new();
        let mut quoted = false;
        for part in &word.parts {
            match part {
                Part::Literal(text) => delimiter.push_str(text),
                Part::Quoted(text) => {
                    quoted = true;
                    delimiter.push_str(text);
                }
                Part::Double(parts) => {
                    quoted = true;
                    for part in parts {
                        match part {
                            Part::Literal(text) | Part::Quoted(text) => delimiter.push_str(text),
                            _ => return Err(odd_delimiter()),
                        }
                    }
                }
                _ => return Err(odd_delimiter()),
            }
        }
        let text = Arc::new(OnceLock::new());
        self.here_documents.push(PendingDocument {
            delimiter,
            quoted,
            strip_tabs,
            text: Arc::clone(&text),
        });
        Ok(text)
    }

    /// The operator at the cursor.
    pub(super) fn peek_operator(&self) -> Option<&'static str> {
        self.operator_at(self.position)
    }

    /// The reserved word at the cursor, if it is a whole word.
    pub(super) fn peek_reserved(&self) -> Option<&'static str> {
        let rest = self.rest();
        RESERVED.into_iter().find(|word| {
            rest.strip_prefix(word)
                .is_some_and(|after| after.is_empty() || after.starts_with(is_metacharacter))
        })
    }

    /// Passes as many bytes as a token that was peeked has.
    pub(super) fn take(&mut self, token: &str) {
        self.position = (self.position + token.len()).min(self.text.len());
    }

    /// Passes the reserved word that was peeked.
    pub(super) fn take_word(&mut self) {
        let length = self.peek_reserved().map_or(0, str::len);
        self.position += length;
    }

    pub(super) fn expect(&mut self, operator: &str) -> Parsed<()> {
        self.skip_blanks();
        if self.peek_operator() != Some(operator) {
            return Err(self.unexpected());
        }
        self.take(operator);
        Ok(())
    }

    /// Checks for a reserved word and leaves it there.
    pub(super) fn expect_reserved(&mut self, word: &str) -> Parsed<()> {
        if self.peek_reserved() == Some(word) {
            Ok(())
        } else {
            Err(self.unexpected())
        }
    }

    /// `>`, `2>`, `&>`, …: a number belongs to the operator right after it.
    pub(super) fn redirection_operator(&mut self) -> Parsed<Option<(Option<u32>, &'static str)>> {
        let digits = self.rest().len()
            - self
                .rest()
                .trim_start_matches(|c: char| c.is_ascii_digit())
                .len();
        let after = self.position + digits;
        let Some(operator) = self.operator_at(after) else {
            return Ok(None);
        };
        let redirects = match operator {
            "<(" | ">(" => false,
            "&>" | "&>>" => digits == 0,
            other => other.starts_with(['<', '>']),
        };
        if !redirects {
            return Ok(None);
        }
        let number = self.text.get(self.position..after).unwrap_or_default();
        let descriptor = if digits == 0 {
            None
        } else {
            match number.parse::<u32>() {
                Ok(number) if number < 256 => Some(number),
                _ => return Err(SyntaxError::unsupported(&format!("descriptor {number}"))),
            }
        };
        self.position = after + operator.len();
        Ok(Some((descriptor, operator)))
    }

    fn operator_at(&self, position: usize) -> Option<&'static str> {
        let rest = self.text.get(position..)?;
        OPERATORS
            .into_iter()
            .find(|operator| rest.starts_with(operator))
    }

    /// The error for what stands at the cursor.
    pub(super) fn unexpected(&self) -> SyntaxError {
        if self.at_end() {
            let lines = newlines(self.text.trim_end_matches('\n'));
            return SyntaxError::End {
                line: self.first_line + lines + 1,
            };
        }
        let rest = self.rest();
        let token = match self.peek_operator() {
            Some("\n") => "newline".to_owned(),
            Some(operator) => operator.to_owned(),
            None => {
                let end = rest.find(is_metacharacter).unwrap_or(rest.len());
                rest.get(..end).unwrap_or_default().to_owned()
            }
        };
        let before = self.text.get(..self.position).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let end = rest
            .find('\n')
            .map_or(self.text.len(), |newline| self.position + newline);
        SyntaxError::Unexpected {
            token,
            line: self.line_number(),
            text: self.text.get(start..end).unwrap_or_default().to_owned(),
        }
    }

    /// The error for a bracket or quote that is not closed.
    pub(super) fn unclosed(&self, closing: char) -> SyntaxError {
        SyntaxError::Unclosed {
            closing,
            line: self.line_number(),
        }
    }
}

fn odd_delimiter() -> SyntaxError {
    SyntaxError::unsupported("a here-document with an expansion in its delimiter")
}

fn newlines(text: &str) -> usize {
    text.bytes().filter(|byte| *byte == b'\n').count()
}

/// Whether a character ends a word.
pub(super) fn is_metacharacter(character: char) -> bool {
    matches!(
        character,
        ' ' | '\t' | '\n' | '|' | '&' | ';' | '(' | ')' | '<' | '>'
    )
}
