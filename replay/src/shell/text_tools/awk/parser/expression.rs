//! Expressions, by precedence.

use std::rc::Rc;

use super::super::super::pattern::{Flags, Pattern, PatternError, Syntax};
use super::super::super::{Halt, lacking};
use super::super::lexer::Token;
use super::super::program::{Comparison, Expression, Operator};
use super::Parser;

/// Functions that are built in.
const BUILTINS: &[&str] = &[
    "length", "substr", "index", "split", "sub", "gsub", "gensub", "match", "sprintf", "tolower",
    "toupper", "int", "sqrt", "exp", "log", "sin", "cos", "atan2", "systime", "strftime", "fflush",
    "strtonum",
];

/// Functions of gawk's that are not interpreted.
const LACKING: &[&str] = &[
    "system",
    "close",
    "rand",
    "srand",
    "asort",
    "asorti",
    "mktime",
    "and",
    "or",
    "xor",
    "compl",
    "lshift",
    "rshift",
    "patsplit",
    "isarray",
    "typeof",
    "mkbool",
    "bindtextdomain",
    "dcgettext",
    "dcngettext",
];

impl Parser<'_> {
    pub(super) fn expression(&mut self) -> Result<Expression, Halt> {
        self.enter()?;
        let expression = self.ternary();
        self.depth -= 1;
        expression
    }

    fn ternary(&mut self) -> Result<Expression, Halt> {
        let condition = self.or()?;
        if self.take("?") {
            self.skip_newlines();
            let then = self.expression()?;
            self.skip_newlines();
            self.expect(":")?;
            self.skip_newlines();
            let otherwise = self.expression()?;
            return Ok(Expression::Conditional(
                Box::new(condition),
                Box::new(then),
                Box::new(otherwise),
            ));
        }
        self.assignment(condition)
    }

    fn assignment(&mut self, target: Expression) -> Result<Expression, Halt> {
        let operator = match self.peek() {
            Token::Symbol("=") => None,
            Token::Symbol("+=") => Some(Operator::Add),
            Token::Symbol("-=") => Some(Operator::Subtract),
            Token::Symbol("*=") => Some(Operator::Multiply),
            Token::Symbol("/=") => Some(Operator::Divide),
            Token::Symbol("%=") => Some(Operator::Modulo),
            Token::Symbol("^=" | "**=") => Some(Operator::Power),
            _ => return Ok(target),
        };
        // The target may be the right side of what was read: `a && b = c`.
        let is_target = |expression: &Expression| {
            matches!(
                expression,
                Expression::Variable(_) | Expression::Field(_) | Expression::Element(..)
            )
        };
        self.at += 1;
        self.skip_newlines();
        let value = Box::new(self.expression()?);
        let make = |target: Box<Expression>| match operator {
            None => Expression::Assign(target, value),
            Some(operator) => Expression::Update(operator, target, value),
        };
        match target {
            target if is_target(&target) => Ok(make(Box::new(target))),
            Expression::And(left, right) if is_target(&right) => {
                Ok(Expression::And(left, Box::new(make(right))))
            }
            Expression::Or(left, right) if is_target(&right) => {
                Ok(Expression::Or(left, Box::new(make(right))))
            }
            Expression::Not(inner) if is_target(&inner) => {
                Ok(Expression::Not(Box::new(make(inner))))
            }
            _ => self.error(),
        }
    }

    fn or(&mut self) -> Result<Expression, Halt> {
        let mut left = self.and()?;
        while self.take("||") {
            self.skip_newlines();
            left = Expression::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Expression, Halt> {
        let mut left = self.membership()?;
        while self.take("&&") {
            self.skip_newlines();
            left = Expression::And(Box::new(left), Box::new(self.membership()?));
        }
        Ok(left)
    }

    fn membership(&mut self) -> Result<Expression, Halt> {
        let mut left = self.matching()?;
        while !self.no_in && self.take_keyword("in") {
            let Token::Name(array, _) = self.next() else {
                return self.error();
            };
            let subscripts = match left {
                Expression::Group(inner) => inner,
                single => vec![single],
            };
            left = Expression::In(subscripts, array);
        }
        Ok(left)
    }

    fn matching(&mut self) -> Result<Expression, Halt> {
        let mut left = self.comparison()?;
        while self.is("~") || self.is("!~") {
            let negated = self.is("!~");
            self.at += 1;
            let regex = Box::new(self.comparison()?);
            left = Expression::Match {
                negated,
                text: Box::new(left),
                regex,
            };
        }
        Ok(left)
    }

    fn comparison(&mut self) -> Result<Expression, Halt> {
        let left = self.concatenation()?;
        let comparison = match self.peek() {
            Token::Symbol("<") => Comparison::Less,
            Token::Symbol("<=") => Comparison::LessOrEqual,
            Token::Symbol("==") => Comparison::Equal,
            Token::Symbol("!=") => Comparison::NotEqual,
            Token::Symbol(">") if !self.no_greater => Comparison::Greater,
            Token::Symbol(">=") => Comparison::GreaterOrEqual,
            Token::Symbol("|" | "|&") if !self.no_greater => {
                return Err(lacking("awk", "that reads from a program"));
            }
            _ => return Ok(left),
        };
        self.at += 1;
        let right = self.concatenation()?;
        Ok(Expression::Compare(
            comparison,
            Box::new(left),
            Box::new(right),
        ))
    }

    fn concatenation(&mut self) -> Result<Expression, Halt> {
        let mut left = self.additive()?;
        while self.starts_operand() {
            let right = self.additive()?;
            left = Expression::Concatenation(Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    /// Whether a value follows directly; a sign would be an operator.
    fn starts_operand(&self) -> bool {
        match self.peek() {
            Token::Number(_) | Token::Text(_) | Token::Regex(_) | Token::Name(..) => true,
            Token::Symbol(symbol) => matches!(*symbol, "$" | "!" | "(" | "-" | "+" | "++" | "--"),
            Token::Keyword("getline") => true,
            _ => false,
        }
    }

    fn additive(&mut self) -> Result<Expression, Halt> {
        let mut left = self.multiplicative()?;
        loop {
            let operator = match self.peek() {
                Token::Symbol("+") => Operator::Add,
                Token::Symbol("-") => Operator::Subtract,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.multiplicative()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn multiplicative(&mut self) -> Result<Expression, Halt> {
        let mut left = self.unary()?;
        loop {
            let operator = match self.peek() {
                Token::Symbol("*") => Operator::Multiply,
                Token::Symbol("/") => Operator::Divide,
                Token::Symbol("%") => Operator::Modulo,
                _ => return Ok(left),
            };
            self.at += 1;
            let right = self.unary()?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
    }

    fn unary(&mut self) -> Result<Expression, Halt> {
        let make: fn(Box<Expression>) -> Expression = match self.peek() {
            Token::Symbol("!") => Expression::Not,
            Token::Symbol("-") => Expression::Negative,
            Token::Symbol("+") => Expression::Positive,
            _ => return self.power(),
        };
        self.at += 1;
        self.enter()?;
        let inner = self.unary()?;
        self.depth -= 1;
        Ok(make(Box::new(inner)))
    }

    fn power(&mut self) -> Result<Expression, Halt> {
        let base = self.postfix()?;
        if self.take("^") || self.take("**") {
            self.enter()?;
            let exponent = match self.peek() {
                Token::Symbol("-" | "+" | "!") => self.unary()?,
                _ => self.power()?,
            };
            self.depth -= 1;
            return Ok(Expression::Binary(
                Operator::Power,
                Box::new(base),
                Box::new(exponent),
            ));
        }
        Ok(base)
    }

    fn postfix(&mut self) -> Result<Expression, Halt> {
        let target = self.primary()?;
        let is_target = matches!(
            target,
            Expression::Variable(_) | Expression::Field(_) | Expression::Element(..)
        );
        let by = match self.peek() {
            Token::Symbol("++") if is_target => 1.0,
            Token::Symbol("--") if is_target => -1.0,
            _ => return Ok(target),
        };
        self.at += 1;
        Ok(Expression::Step {
            target: Box::new(target),
            by,
            before: false,
        })
    }

    fn primary(&mut self) -> Result<Expression, Halt> {
        self.enter()?;
        let primary = self.primary_here();
        self.depth -= 1;
        primary
    }

    fn primary_here(&mut self) -> Result<Expression, Halt> {
        match self.next() {
            Token::Number(number) => Ok(Expression::Number(number)),
            Token::Text(text) => Ok(Expression::Text(Rc::from(text))),
            Token::Regex(regex) => {
                let checked = Pattern::new(&regex, Syntax::Awk, Flags::default());
                if let Err(PatternError::Refused(why)) = checked {
                    let message = format!("awk: cmd. line:1: error: {why}: /{regex}/");
                    return Err(Halt::failed(message, 1));
                }
                Ok(Expression::Regex(Rc::from(regex)))
            }
            Token::Symbol("$") => {
                let field = match self.peek() {
                    Token::Symbol("++" | "--") => self.primary()?,
                    Token::Symbol("-" | "+" | "!") => self.unary()?,
                    _ => self.primary()?,
                };
                Ok(Expression::Field(Box::new(field)))
            }
            Token::Symbol(step @ ("++" | "--")) => {
                let target = Box::new(self.primary()?);
                let by = if step == "++" { 1.0 } else { -1.0 };
                match *target {
                    Expression::Variable(_) | Expression::Field(_) | Expression::Element(..) => {
                        Ok(Expression::Step {
                            target,
                            by,
                            before: true,
                        })
                    }
                    _ => self.error(),
                }
            }
            Token::Symbol("(") => {
                let mut inner = self.list(")")?;
                match inner.len() {
                    0 => self.error(),
                    1 => {
                        let single = inner.remove(0);
                        Ok(Expression::Group(vec![single]))
                    }
                    _ => Ok(Expression::Group(inner)),
                }
            }
            Token::Name(name, called) => self.named(name, called),
            Token::Keyword("getline") => Err(lacking("awk", "getline")),
            _ => {
                self.at -= 1;
                self.error()
            }
        }
    }

    fn named(&mut self, name: String, called: bool) -> Result<Expression, Halt> {
        if LACKING.contains(&name.as_str()) {
            return Err(lacking("awk", &name));
        }
        if matches!(
            name.as_str(),
            "ENVIRON"
                | "PROCINFO"
                | "FPAT"
                | "FIELDWIDTHS"
                | "IGNORECASE"
                | "RT"
                | "ARGV"
                | "ARGC"
                | "BINMODE"
                | "SYMTAB"
                | "FUNCTAB"
                | "ERRNO"
                | "LINT"
        ) {
            return Err(lacking("awk", &name));
        }
        if BUILTINS.contains(&name.as_str()) {
            if self.take("(") {
                return Ok(Expression::Builtin(name, self.list(")")?));
            }
            return match name.as_str() {
                "length" => Ok(Expression::Builtin(name, Vec::new())),
                _ => self.error(),
            };
        }
        if called {
            self.at += 1;
            return Ok(Expression::Call(name, self.list(")")?));
        }
        if self.take("[") {
            let subscripts = self.list("]")?;
            if subscripts.is_empty() {
                return self.error();
            }
            if self.is("[") {
                return Err(lacking("awk", "arrays of arrays"));
            }
            return Ok(Expression::Element(name, subscripts));
        }
        Ok(Expression::Variable(name))
    }
}
