//! The inside of `[[ ]]`.

use super::Parsed;
use super::error::SyntaxError;
use super::scanner::Parser;
use super::words::Mode;
use crate::shell::ast::{Test, Word};

/// Operators between two words, apart from `<` and `>`.
const BINARY: [&str; 13] = [
    "==", "=", "!=", "=~", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef",
];

impl Parser<'_> {
    /// The expression up to and with `]]`.
    pub(super) fn test_expression(&mut self) -> Parsed<Test> {
        let test = self.test_or()?;
        self.skip_newlines()?;
        if self.peek_closing() {
            self.position += 2;
            return Ok(test);
        }
        if self.at_end() {
            return Err(self.unexpected());
        }
        Err(SyntaxError::Other {
            line: self.line_number(),
            message: "syntax error in conditional expression".to_owned(),
        })
    }

    fn test_or(&mut self) -> Parsed<Test> {
        let mut test = self.test_and()?;
        loop {
            self.skip_newlines()?;
            if self.peek_operator() != Some("||") {
                return Ok(test);
            }
            self.take("||");
            test = Test::Or(Box::new(test), Box::new(self.test_and()?));
        }
    }

    fn test_and(&mut self) -> Parsed<Test> {
        let mut test = self.enter(Self::test_one)?;
        loop {
            self.skip_newlines()?;
            if self.peek_operator() != Some("&&") {
                return Ok(test);
            }
            self.take("&&");
            test = Test::And(Box::new(test), Box::new(self.enter(Self::test_one)?));
        }
    }

    fn test_one(&mut self) -> Parsed<Test> {
        self.skip_newlines()?;
        if self.peek_operator() == Some("(") {
            self.take("(");
            let test = self.test_or()?;
            self.skip_newlines()?;
            self.expect(")")?;
            return Ok(test);
        }
        if self.peek_reserved() == Some("!") {
            self.take("!");
            return Ok(Test::Not(Box::new(self.enter(Self::test_one)?)));
        }
        let left = self.test_word()?;
        self.skip_newlines()?;
        if let Some(operator) = left.as_literal()
            && is_unary(operator)
            && !self.ends_operand()
        {
            // `-f == x` compares two words.
            let start = self.position;
            let operand = self.test_word()?;
            self.skip_newlines()?;
            let is_binary = operand
                .as_literal()
                .is_some_and(|word| BINARY.contains(&word));
            if !is_binary || self.ends_operand() {
                return Ok(Test::Unary(operator.to_owned(), operand));
            }
            self.position = start;
        }
        if let Some(operator @ ("<" | ">")) = self.peek_operator() {
            self.take(operator);
            self.skip_blanks();
            let right = self.test_word()?;
            return Ok(Test::Binary(left, operator.to_owned(), right));
        }
        if self.ends_operand() {
            return Ok(Test::NotEmpty(left));
        }
        let operator = self.test_word()?;
        let Some(operator) = operator.as_literal().filter(|word| BINARY.contains(word)) else {
            return Err(SyntaxError::Other {
                line: self.line_number(),
                message: "conditional binary operator expected".to_owned(),
            });
        };
        self.skip_blanks();
        let right = if operator == "=~" {
            self.word_in(Mode::Regex)?
        } else {
            self.test_word()?
        };
        if self.peek_operator() == Some("(") {
            return Err(SyntaxError::unsupported("an extended pattern in [[ ]]"));
        }
        Ok(Test::Binary(left, operator.to_owned(), right))
    }

    fn test_word(&mut self) -> Parsed<Word> {
        if self.peek_closing() {
            return Err(SyntaxError::Other {
                line: self.line_number(),
                message: "syntax error near `]]'".to_owned(),
            });
        }
        self.required_word()
    }

    fn ends_operand(&self) -> bool {
        self.at_end()
            || self.peek_closing()
            || matches!(self.peek_operator(), Some("&&" | "||" | ")"))
    }

    fn peek_closing(&self) -> bool {
        self.rest().strip_prefix("]]").is_some_and(|after| {
            after.is_empty() || after.starts_with(super::scanner::is_metacharacter)
        })
    }
}

/// Whether a word is an operator before one word.
fn is_unary(word: &str) -> bool {
    word.strip_prefix('-')
        .is_some_and(|letter| letter.len() == 1 && "abcdefghknoprstuvwxzGLNOSR".contains(letter))
}
