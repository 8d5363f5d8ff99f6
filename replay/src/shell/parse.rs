//! From the text of a script to its tree: bash's grammar by recursive descent.
//!
//! The work is linear in the text and its depth is counted, so that no input can exhaust the stack
//! or take long. What bash accepts and this shell does not is an error that names the construct.

mod error;
mod parameters;
mod scanner;
mod simple;
mod test_expression;
mod words;

use std::sync::Arc;

use super::ast::{
    AndOr, CaseEnd, CaseItem, Command, Compound, FunctionBody, Join, List, Pipeline, Redirection,
    RedirectionKind, Word,
};
use super::limits;
pub(super) use error::SyntaxError;
use scanner::Parser;

type Parsed<T> = Result<T, SyntaxError>;

/// A script as far as it could be read: bash runs the lines before one that it can't understand.
#[derive(Debug)]
pub(super) struct Script {
    /// The commands of each line.
    pub(super) lines: Vec<List>,
    /// What is wrong with the line after the last one.
    pub(super) error: Option<SyntaxError>,
}

/// Parses a script that lies at a depth of the action's nesting.
pub(super) fn parse(text: &str, depth: usize) -> Script {
    let mut lines = Vec::new();
    if text.len() > limits::INPUT_BYTES {
        let error = Some(SyntaxError::TooLong(text.len()));
        return Script { lines, error };
    }
    let mut parser = Parser::new(text, depth);
    loop {
        match parser.line() {
            Ok(Some(list)) => lines.push(list),
            Ok(None) => return Script { lines, error: None },
            Err(error) => {
                let error = Some(error);
                return Script { lines, error };
            }
        }
    }
}

/// Words that mean something where a command starts.
const RESERVED: [&str; 21] = [
    "if", "then", "else", "elif", "fi", "for", "while", "until", "do", "done", "case", "esac", "{",
    "}", "!", "[[", "function", "select", "coproc", "time", "in",
];

impl Parser<'_> {
    /// The commands up to the end of a line; none at the end of the text.
    fn line(&mut self) -> Parsed<Option<List>> {
        self.skip_newlines()?;
        if self.at_end() {
            return Ok(None);
        }
        let mut items = vec![self.and_or()?];
        loop {
            self.skip_blanks();
            match self.peek_operator() {
                Some(";") => {
                    self.take(";");
                    self.skip_blanks();
                    if self.at_end() || self.peek_operator() == Some("\n") {
                        continue;
                    }
                    items.push(self.and_or()?);
                }
                Some("\n") => {
                    self.newline()?;
                    return Ok(Some(List { items }));
                }
                Some("&") => return Err(background()),
                None if self.at_end() => {
                    self.newline()?;
                    return Ok(Some(List { items }));
                }
                _ => return Err(self.unexpected()),
            }
        }
    }

    /// Commands up to one of the words or operators, which stays; up to the end of the text if
    /// there are none.
    fn list_until(&mut self, ends: &[&str]) -> Parsed<List> {
        let mut items = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.is_at_any(ends) {
                break;
            }
            items.push(self.and_or()?);
            self.skip_blanks();
            match self.peek_operator() {
                Some(";") => self.take(";"),
                Some("\n") => self.newline()?,
                Some("&") => return Err(background()),
                _ if self.is_at_any(ends) => break,
                _ => return Err(self.unexpected()),
            }
        }
        if items.is_empty() {
            return Err(self.unexpected());
        }
        Ok(List { items })
    }

    fn is_at_any(&mut self, ends: &[&str]) -> bool {
        if ends.is_empty() {
            return self.at_end();
        }
        let found = self
            .peek_operator()
            .or_else(|| self.peek_reserved())
            .unwrap_or_default();
        ends.contains(&found)
    }

    fn and_or(&mut self) -> Parsed<AndOr> {
        let first = self.pipeline()?;
        let mut rest = Vec::new();
        loop {
            self.skip_blanks();
            let join = match self.peek_operator() {
                Some("&&") => Join::And,
                Some("||") => Join::Or,
                _ => return Ok(AndOr { first, rest }),
            };
            self.take("&&");
            self.skip_newlines()?;
            rest.push((join, self.pipeline()?));
        }
    }

    fn pipeline(&mut self) -> Parsed<Pipeline> {
        let mut negated = false;
        self.skip_blanks();
        while self.peek_reserved() == Some("!") {
            self.take("!");
            negated = !negated;
            self.skip_blanks();
        }
        if self.peek_reserved() == Some("time") {
            return Err(SyntaxError::unsupported("time"));
        }
        let mut commands = vec![self.command()?];
        loop {
            self.skip_blanks();
            match self.peek_operator() {
                Some("|") => self.take("|"),
                Some("|&") => {
                    self.take("|&");
                    if let Some(command) = commands.last_mut() {
                        pipe_errors(command);
                    }
                }
                _ => break,
            }
            self.skip_newlines()?;
            commands.push(self.command()?);
        }
        Ok(Pipeline { negated, commands })
    }

    fn command(&mut self) -> Parsed<Command> {
        self.skip_blanks();
        let Some(block) = self.enter(Self::block)? else {
            return self.simple();
        };
        match block {
            Block::Compound(compound) => Ok(Command::Compound(compound, self.redirections()?)),
            Block::Function(name) => self.function_body(name),
        }
    }

    /// A block, if one starts here.
    fn block(&mut self) -> Parsed<Option<Block>> {
        let compound = if self.peek_operator() == Some("(") {
            if let Some(expression) = self.arithmetic_command()? {
                Compound::Arithmetic(expression)
            } else {
                self.take("(");
                let list = self.list_until(&[")"])?;
                self.take(")");
                Compound::Subshell(list)
            }
        } else {
            match self.peek_reserved() {
                Some("{") => {
                    self.take("{");
                    let list = self.list_until(&["}"])?;
                    self.take("}");
                    Compound::Group(list)
                }
                Some("if") => self.if_block()?,
                Some("for") => self.for_block()?,
                Some(word @ ("while" | "until")) => {
                    self.take(word);
                    let condition = self.list_until(&["do"])?;
                    let body = self.do_block()?;
                    Compound::While {
                        until: word == "until",
                        condition,
                        body,
                    }
                }
                Some("case") => self.case_block()?,
                Some("[[") => {
                    self.take("[[");
                    Compound::Test(self.test_expression()?)
                }
                Some("function") => {
                    self.take("function");
                    self.skip_blanks();
                    let name = self.plain_word()?;
                    self.skip_blanks();
                    if self.peek_operator() == Some("(") {
                        self.take("(");
                        self.expect(")")?;
                    }
                    return Ok(Some(Block::Function(name)));
                }
                Some(word @ ("select" | "coproc")) => return Err(SyntaxError::unsupported(word)),
                Some("in") | None => return Ok(None),
                Some(_) => return Err(self.unexpected()),
            }
        };
        Ok(Some(Block::Compound(compound)))
    }

    fn if_block(&mut self) -> Parsed<Compound> {
        let mut arms = Vec::new();
        loop {
            // `if` or `elif`
            self.take_word();
            let condition = self.list_until(&["then"])?;
            self.take_word();
            let body = self.list_until(&["elif", "else", "fi"])?;
            arms.push((condition, body));
            match self.peek_reserved() {
                Some("elif") => {}
                Some("else") => {
                    self.take_word();
                    let otherwise = self.list_until(&["fi"])?;
                    self.take_word();
                    return Ok(Compound::If(arms, Some(otherwise)));
                }
                _ => {
                    self.take_word();
                    return Ok(Compound::If(arms, None));
                }
            }
        }
    }

    fn do_block(&mut self) -> Parsed<List> {
        self.take_word();
        let body = self.list_until(&["done"])?;
        self.take_word();
        Ok(body)
    }

    fn for_block(&mut self) -> Parsed<Compound> {
        self.take_word();
        self.skip_blanks();
        if let Some([start, condition, step]) = self.arithmetic_for()? {
            self.skip_blanks();
            if self.peek_operator() == Some(";") {
                self.take(";");
            }
            self.skip_newlines()?;
            let body = if self.peek_reserved() == Some("{") {
                self.take("{");
                let body = self.list_until(&["}"])?;
                self.take("}");
                body
            } else {
                self.expect_reserved("do")?;
                self.do_block()?
            };
            return Ok(Compound::ArithmeticFor {
                start,
                condition,
                step,
                body,
            });
        }
        let name = self.plain_word()?;
        self.skip_newlines()?;
        let words = if self.peek_reserved() == Some("in") {
            self.take_word();
            Some(self.words_to_separator()?)
        } else {
            if self.peek_operator() == Some(";") {
                self.take(";");
            }
            None
        };
        self.skip_newlines()?;
        self.expect_reserved("do")?;
        let body = self.do_block()?;
        Ok(Compound::For { name, words, body })
    }

    /// The words of `for … in`, with the separator after them.
    fn words_to_separator(&mut self) -> Parsed<Vec<Word>> {
        let mut words = Vec::new();
        loop {
            self.skip_blanks();
            match self.peek_operator() {
                Some(";") => {
                    self.take(";");
                    return Ok(words);
                }
                Some("\n") => return Ok(words),
                Some("<(" | ">(") => words.push(self.word()?),
                Some(_) => return Err(self.unexpected()),
                None if self.at_end() => return Err(self.unexpected()),
                None => words.push(self.word()?),
            }
        }
    }

    fn case_block(&mut self) -> Parsed<Compound> {
        self.take_word();
        self.skip_blanks();
        let subject = self.required_word()?;
        self.skip_newlines()?;
        self.expect_reserved("in")?;
        self.take_word();
        let mut items = Vec::new();
        loop {
            self.skip_newlines()?;
            if self.peek_reserved() == Some("esac") {
                self.take_word();
                return Ok(Compound::Case(subject, items));
            }
            if self.peek_operator() == Some("(") {
                self.take("(");
                self.skip_blanks();
            }
            let mut patterns = vec![self.required_word()?];
            self.skip_blanks();
            while self.peek_operator() == Some("|") {
                self.take("|");
                self.skip_blanks();
                patterns.push(self.required_word()?);
                self.skip_blanks();
            }
            self.expect(")")?;
            self.skip_newlines()?;
            let ends = [";;", ";&", ";;&", "esac"];
            let body = if self.is_at_any(&ends) {
                List::default()
            } else {
                self.list_until(&ends)?
            };
            let end = match self.peek_operator() {
                Some(";&") => CaseEnd::FallThrough,
                Some(";;&") => CaseEnd::TestNext,
                _ => CaseEnd::Leave,
            };
            if let Some(operator) = self.peek_operator() {
                self.take(operator);
            }
            items.push(CaseItem {
                patterns,
                body,
                end,
            });
        }
    }

    fn function_body(&mut self, name: String) -> Parsed<Command> {
        self.skip_newlines()?;
        let Some(Block::Compound(command)) = self.enter(Self::block)? else {
            return Err(self.unexpected());
        };
        let redirections = self.redirections()?;
        let body = FunctionBody {
            command,
            redirections,
        };
        Ok(Command::Function(name, Arc::new(body)))
    }
}

/// What starts like a block.
enum Block {
    Compound(Compound),
    /// The body of the function follows.
    Function(String),
}

fn background() -> SyntaxError {
    SyntaxError::unsupported("a command in the background (&)")
}

/// `a |& b` is `a 2>&1 | b`.
fn pipe_errors(command: &mut Command) {
    let redirections = match command {
        Command::Simple(simple) => &mut simple.redirections,
        Command::Compound(_, redirections) => redirections,
        Command::Function(..) => return,
    };
    redirections.push(Redirection {
        descriptor: Some(2),
        kind: RedirectionKind::Duplicate(Word {
            source: "1".to_owned(),
            parts: vec![super::ast::Part::Literal("1".to_owned())],
        }),
    });
}

#[cfg(test)]
mod tests;
