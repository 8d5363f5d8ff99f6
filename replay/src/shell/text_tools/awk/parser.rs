//! From words to the tree.

mod expression;

use std::collections::BTreeMap;

use super::super::{Halt, lacking};
use super::lexer::{Token, lex};
use super::program::{Expression, Function, Program, Rule, Selector, Statement};

/// How deep expressions and blocks may nest.
const NESTING: usize = 400;

/// Parses a program.
pub(super) fn parse(text: &str) -> Result<Program, Halt> {
    let tokens = lex(text).map_err(|line| syntax_error(text, line))?;
    let mut parser = Parser {
        text,
        tokens,
        at: 0,
        depth: 0,
        no_in: false,
        no_greater: false,
    };
    parser.program()
}

fn syntax_error(text: &str, line: usize) -> Halt {
    let shown = text.lines().nth(line - 1).unwrap_or_default();
    let message = format!("awk: cmd. line:{line}: {shown}\nawk: cmd. line:{line}: syntax error");
    Halt::failed(message, 1)
}

struct Parser<'t> {
    text: &'t str,
    tokens: Vec<(Token, usize)>,
    at: usize,
    depth: usize,
    /// Within the head of `for (… in …)`.
    no_in: bool,
    /// Within `print`, where `>` is a redirection.
    no_greater: bool,
}

impl Parser<'_> {
    fn peek(&self) -> &Token {
        self.tokens
            .get(self.at)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn peek_at(&self, ahead: usize) -> &Token {
        self.tokens
            .get(self.at + ahead)
            .map_or(&Token::End, |(token, _)| token)
    }

    fn next(&mut self) -> Token {
        let token = self.peek().clone();
        self.at += 1;
        token
    }

    fn error<T>(&self) -> Result<T, Halt> {
        let line = self
            .tokens
            .get(self.at)
            .or(self.tokens.last())
            .map_or(1, |(_, line)| *line);
        Err(syntax_error(self.text, line))
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self.peek(), Token::Symbol(found) if *found == symbol)
    }

    fn take(&mut self, symbol: &str) -> bool {
        let found = self.is(symbol);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, symbol: &str) -> Result<(), Halt> {
        match self.take(symbol) {
            true => Ok(()),
            false => self.error(),
        }
    }

    fn is_keyword(&self, keyword: &str) -> bool {
        matches!(self.peek(), Token::Keyword(found) if *found == keyword)
    }

    fn take_keyword(&mut self, keyword: &str) -> bool {
        let found = self.is_keyword(keyword);
        self.at += usize::from(found);
        found
    }

    fn skip_newlines(&mut self) {
        while matches!(self.peek(), Token::Newline) {
            self.at += 1;
        }
    }

    fn skip_separators(&mut self) {
        while matches!(self.peek(), Token::Newline) || self.is(";") {
            self.at += 1;
        }
    }

    fn enter(&mut self) -> Result<(), Halt> {
        self.depth += 1;
        match self.depth > NESTING {
            true => Err(lacking(
                "awk",
                &format!("that nests deeper than {NESTING} levels"),
            )),
            false => Ok(()),
        }
    }

    fn program(&mut self) -> Result<Program, Halt> {
        let mut program = Program::default();
        loop {
            self.skip_separators();
            match self.peek() {
                Token::End => break,
                Token::Keyword("BEGIN") => {
                    self.at += 1;
                    program.begin.push(self.block()?);
                }
                Token::Keyword("END") => {
                    self.at += 1;
                    program.end.push(self.block()?);
                }
                Token::Keyword("function") => {
                    self.at += 1;
                    self.function(&mut program.functions)?;
                }
                Token::Symbol("@") => return Err(lacking("awk", "@")),
                _ => program.rules.push(self.rule()?),
            }
        }
        Ok(program)
    }

    fn function(&mut self, functions: &mut BTreeMap<String, Function>) -> Result<(), Halt> {
        let Token::Name(name, _) = self.next() else {
            return self.error();
        };
        self.expect("(")?;
        let mut parameters = Vec::new();
        while !self.take(")") {
            let Token::Name(parameter, _) = self.next() else {
                return self.error();
            };
            parameters.push(parameter);
            self.skip_newlines();
            if !self.take(",") && !self.is(")") {
                return self.error();
            }
            self.skip_newlines();
        }
        self.skip_newlines();
        let body = self.block()?;
        functions.insert(name, Function { parameters, body });
        Ok(())
    }

    fn rule(&mut self) -> Result<Rule, Halt> {
        let pattern = match self.is("{") {
            true => Selector::All,
            false => {
                let first = self.expression()?;
                match self.take(",") {
                    false => Selector::When(first),
                    true => {
                        self.skip_newlines();
                        Selector::Between(first, self.expression()?)
                    }
                }
            }
        };
        let action = match self.is("{") {
            true => Some(self.block()?),
            false => {
                if !matches!(self.peek(), Token::Newline | Token::End) && !self.is(";") {
                    return self.error();
                }
                None
            }
        };
        Ok(Rule { pattern, action })
    }

    fn block(&mut self) -> Result<Vec<Statement>, Halt> {
        self.expect("{")?;
        let mut statements = Vec::new();
        loop {
            self.skip_separators();
            if self.take("}") {
                return Ok(statements);
            }
            statements.push(self.statement()?);
        }
    }

    /// The end of a simple statement.
    fn end(&mut self) -> Result<(), Halt> {
        match self.peek() {
            Token::Newline | Token::Symbol(";") => {
                self.at += 1;
                Ok(())
            }
            Token::Symbol("}") | Token::End => Ok(()),
            _ => self.error(),
        }
    }

    fn statement(&mut self) -> Result<Statement, Halt> {
        self.enter()?;
        let statement = self.statement_here();
        self.depth -= 1;
        statement
    }

    fn statement_here(&mut self) -> Result<Statement, Halt> {
        if self.is("{") {
            return Ok(Statement::Block(self.block()?));
        }
        if self.take(";") {
            return Ok(Statement::Block(Vec::new()));
        }
        let Token::Keyword(keyword) = *self.peek() else {
            let statement = self.simple()?;
            self.end()?;
            return Ok(statement);
        };
        match keyword {
            "if" => {
                self.at += 1;
                let condition = self.condition()?;
                let then = Box::new(self.body()?);
                let here = self.at;
                self.skip_separators();
                if self.take_keyword("else") {
                    let otherwise = Box::new(self.body()?);
                    return Ok(Statement::If(condition, then, Some(otherwise)));
                }
                self.at = here;
                Ok(Statement::If(condition, then, None))
            }
            "while" => {
                self.at += 1;
                let condition = self.condition()?;
                if self.take(";") {
                    return Ok(Statement::While(
                        condition,
                        Box::new(Statement::Block(Vec::new())),
                    ));
                }
                Ok(Statement::While(condition, Box::new(self.body()?)))
            }
            "do" => {
                self.at += 1;
                let body = Box::new(self.body()?);
                self.skip_separators();
                if !self.take_keyword("while") {
                    return self.error();
                }
                let condition = self.condition()?;
                self.end()?;
                Ok(Statement::Do(body, condition))
            }
            "for" => {
                self.at += 1;
                self.for_loop()
            }
            "switch" | "case" | "default" => Err(lacking("awk", "switch")),
            _ => {
                let statement = self.simple()?;
                self.end()?;
                Ok(statement)
            }
        }
    }

    fn condition(&mut self) -> Result<Expression, Halt> {
        self.expect("(")?;
        let condition = self.expression()?;
        self.expect(")")?;
        Ok(condition)
    }

    /// The body of a loop or condition.
    fn body(&mut self) -> Result<Statement, Halt> {
        self.skip_newlines();
        self.statement()
    }

    fn for_loop(&mut self) -> Result<Statement, Halt> {
        self.expect("(")?;
        if let (
            Token::Name(key, _),
            Token::Keyword("in"),
            Token::Name(array, _),
            Token::Symbol(")"),
        ) = (
            self.peek(),
            self.peek_at(1),
            self.peek_at(2),
            self.peek_at(3),
        ) {
            let (key, array) = (key.clone(), array.clone());
            self.at += 4;
            return Ok(Statement::ForIn(key, array, Box::new(self.body()?)));
        }
        let start = match self.is(";") {
            true => Statement::Block(Vec::new()),
            false => self.simple()?,
        };
        self.expect(";")?;
        self.skip_newlines();
        let condition = match self.is(";") {
            true => None,
            false => Some(self.expression()?),
        };
        self.expect(";")?;
        self.skip_newlines();
        let step = match self.is(")") {
            true => Statement::Block(Vec::new()),
            false => self.simple()?,
        };
        self.expect(")")?;
        if self.take(";") {
            let nothing = Box::new(Statement::Block(Vec::new()));
            return Ok(Statement::For(
                Box::new(start),
                condition,
                Box::new(step),
                nothing,
            ));
        }
        let body = Box::new(self.body()?);
        Ok(Statement::For(
            Box::new(start),
            condition,
            Box::new(step),
            body,
        ))
    }

    fn ends_here(&self) -> bool {
        matches!(self.peek(), Token::Newline | Token::End) || self.is(";") || self.is("}")
    }

    fn simple(&mut self) -> Result<Statement, Halt> {
        let Token::Keyword(keyword) = *self.peek() else {
            return Ok(Statement::Expression(self.expression()?));
        };
        self.at += 1;
        Ok(match keyword {
            "print" | "printf" => return self.print(keyword),
            "next" => Statement::Next,
            "nextfile" => Statement::NextFile,
            "break" => Statement::Break,
            "continue" => Statement::Continue,
            "exit" if self.ends_here() => Statement::Exit(None),
            "exit" => Statement::Exit(Some(self.expression()?)),
            "return" if self.ends_here() => Statement::Return(None),
            "return" => Statement::Return(Some(self.expression()?)),
            "delete" => {
                let bracketed = self.take("(");
                let Token::Name(array, _) = self.next() else {
                    return self.error();
                };
                let subscripts = match self.take("[") {
                    true => {
                        let subscripts = self.list("]")?;
                        Some(subscripts)
                    }
                    false => None,
                };
                if bracketed {
                    self.expect(")")?;
                }
                Statement::Delete(array, subscripts)
            }
            "getline" => return Err(lacking("awk", "getline")),
            _ => {
                self.at -= 1;
                return self.error();
            }
        })
    }

    fn print(&mut self, keyword: &str) -> Result<Statement, Halt> {
        let mut arguments = Vec::new();
        let outer = std::mem::replace(&mut self.no_greater, true);
        if !self.ends_here() && !self.is(">") && !self.is("|") && !self.is(">>") {
            arguments.push(self.expression()?);
            while self.take(",") {
                self.skip_newlines();
                arguments.push(self.expression()?);
            }
        }
        self.no_greater = outer;
        if matches!(arguments.as_slice(), [Expression::Group(_)])
            && let Some(Expression::Group(inner)) = arguments.pop()
        {
            arguments = inner;
        }
        let mut to_stderr = false;
        if self.is(">") || self.is(">>") {
            self.at += 1;
            match self.next() {
                Token::Text(path) if path == "/dev/stderr" => to_stderr = true,
                Token::Text(path) if path == "/dev/stdout" => {}
                _ => return Err(lacking("awk", "that writes to a file")),
            }
        } else if self.is("|") || self.is("|&") {
            return Err(lacking("awk", "that writes to a program"));
        }
        if keyword == "printf" && arguments.is_empty() {
            return self.error();
        }
        Ok(match keyword {
            "print" => Statement::Print(arguments, to_stderr),
            _ => Statement::Printf(arguments, to_stderr),
        })
    }

    /// Expressions up to a closing symbol.
    fn list(&mut self, close: &str) -> Result<Vec<Expression>, Halt> {
        let outer = (
            std::mem::replace(&mut self.no_greater, false),
            std::mem::replace(&mut self.no_in, false),
        );
        let mut list = Vec::new();
        self.skip_newlines();
        while !self.take(close) {
            list.push(self.expression()?);
            self.skip_newlines();
            if !self.take(",") && !self.is(close) {
                return self.error();
            }
            self.skip_newlines();
        }
        (self.no_greater, self.no_in) = outer;
        Ok(list)
    }
}
