//! Simple commands: assignments, words and redirections in any order.

use super::Parsed;
use super::error::SyntaxError;
use super::scanner::Parser;
use crate::shell::ast::{
    AssignedValue, Assignment, Command, Redirection, RedirectionKind, Simple, Word,
};

/// Commands whose arguments may be assignments.
const DECLARATIONS: [&str; 5] = ["export", "local", "declare", "typeset", "readonly"];

impl Parser<'_> {
    pub(super) fn simple(&mut self) -> Parsed<Command> {
        let mut simple = Simple {
            line: self.line_number(),
            ..Simple::default()
        };
        let mut declares = false;
        loop {
            self.skip_blanks();
            if let Some(redirection) = self.redirection()? {
                simple.redirections.push(redirection);
                continue;
            }
            match self.peek_operator() {
                Some("<(" | ">(") => {}
                Some("(") if self.names_function(&simple) => {
                    self.take("(");
                    self.expect(")")?;
                    let name = simple.words.first().map(|word| word.source.clone());
                    return self.enter(|parser| parser.function_body(name.unwrap_or_default()));
                }
                Some(_) => break,
                None if self.at_end() => break,
                None => {}
            }
            if simple.words.is_empty() {
                if let Some(assignment) = self.assignment()? {
                    simple.assignments.push(assignment);
                    continue;
                }
            } else if declares && let Some(assignment) = self.assignment()? {
                simple.declarations.push(assignment);
                continue;
            }
            let word = self.word()?;
            if simple.words.is_empty() {
                declares = word
                    .as_literal()
                    .is_some_and(|name| DECLARATIONS.contains(&name));
            }
            simple.words.push(word);
        }
        if simple.words.is_empty()
            && simple.assignments.is_empty()
            && simple.redirections.is_empty()
        {
            return Err(self.unexpected());
        }
        Ok(Command::Simple(simple))
    }

    fn names_function(&self, simple: &Simple) -> bool {
        simple.words.len() == 1
            && simple.assignments.is_empty()
            && simple.redirections.is_empty()
            && simple
                .words
                .first()
                .and_then(Word::as_literal)
                .is_some_and(|name| !name.is_empty())
    }

    fn assignment(&mut self) -> Parsed<Option<Assignment>> {
        let Some((name, index, append)) = self.assignment_start()? else {
            return Ok(None);
        };
        let value = if index.is_none() && self.peek_char() == Some('(') {
            AssignedValue::Array(self.array_elements()?)
        } else {
            AssignedValue::Text(self.assigned_word()?)
        };
        Ok(Some(Assignment {
            name,
            index,
            append,
            value,
        }))
    }

    fn array_elements(&mut self) -> Parsed<Vec<(Option<Word>, Word)>> {
        self.take("(");
        let mut elements = Vec::new();
        loop {
            self.skip_newlines()?;
            match self.peek_operator() {
                Some(")") => {
                    self.take(")");
                    return Ok(elements);
                }
                Some("<(") | None if !self.at_end() => {
                    let index = self.element_index()?;
                    let word = if index.is_some() {
                        self.assigned_word()?
                    } else {
                        self.word()?
                    };
                    elements.push((index, word));
                }
                None => return Err(self.unclosed(')')),
                Some(_) => return Err(self.unexpected()),
            }
        }
    }

    pub(super) fn redirections(&mut self) -> Parsed<Vec<Redirection>> {
        let mut redirections = Vec::new();
        loop {
            self.skip_blanks();
            match self.redirection()? {
                Some(redirection) => redirections.push(redirection),
                None => return Ok(redirections),
            }
        }
    }

    /// A redirection, if one starts here.
    fn redirection(&mut self) -> Parsed<Option<Redirection>> {
        let Some((descriptor, operator)) = self.redirection_operator()? else {
            return Ok(None);
        };
        if matches!(operator, "<<" | "<<-") {
            let document = self.here_document(operator == "<<-")?;
            let kind = RedirectionKind::HereDocument(document);
            return Ok(Some(Redirection { descriptor, kind }));
        }
        self.skip_blanks();
        let target = self.required_word()?;
        let kind = match operator {
            "<" => RedirectionKind::Read(target),
            ">" | ">|" => RedirectionKind::Write(target),
            ">>" => RedirectionKind::Append(target),
            "<<<" => RedirectionKind::HereString(target),
            ">&" | "<&" => RedirectionKind::Duplicate(target),
            "&>" | "&>>" => RedirectionKind::Both {
                target,
                append: operator == "&>>",
            },
            other => {
                return Err(SyntaxError::unsupported(&format!(
                    "the redirection {other}"
                )));
            }
        };
        Ok(Some(Redirection { descriptor, kind }))
    }
}
