//! The tree of a program.

use std::collections::BTreeMap;
use std::rc::Rc;

/// A parsed program.
#[derive(Debug, Default)]
pub(super) struct Program {
    pub(super) begin: Vec<Vec<Statement>>,
    pub(super) rules: Vec<Rule>,
    pub(super) end: Vec<Vec<Statement>>,
    pub(super) functions: BTreeMap<String, Function>,
}

/// A pattern with its action; none prints the record.
#[derive(Debug)]
pub(super) struct Rule {
    pub(super) pattern: Selector,
    pub(super) action: Option<Vec<Statement>>,
}

/// Which records a rule is for.
#[derive(Debug)]
pub(super) enum Selector {
    All,
    When(Expression),
    Between(Expression, Expression),
}

/// A function of the program.
#[derive(Debug)]
pub(super) struct Function {
    pub(super) parameters: Vec<String>,
    pub(super) body: Vec<Statement>,
}

/// What is done.
#[derive(Debug)]
pub(super) enum Statement {
    Expression(Expression),
    /// `print`; to standard error if told so.
    Print(Vec<Expression>, bool),
    Printf(Vec<Expression>, bool),
    If(Expression, Box<Statement>, Option<Box<Statement>>),
    While(Expression, Box<Statement>),
    Do(Box<Statement>, Expression),
    For(
        Box<Statement>,
        Option<Expression>,
        Box<Statement>,
        Box<Statement>,
    ),
    ForIn(String, String, Box<Statement>),
    Block(Vec<Statement>),
    Next,
    NextFile,
    Exit(Option<Expression>),
    Return(Option<Expression>),
    Break,
    Continue,
    Delete(String, Option<Vec<Expression>>),
}

/// What has a value.
#[derive(Debug)]
pub(super) enum Expression {
    Number(f64),
    Text(Rc<str>),
    /// A regular expression; by itself it is matched with the record.
    Regex(Rc<str>),
    Variable(String),
    Field(Box<Expression>),
    Element(String, Vec<Expression>),
    Assign(Box<Expression>, Box<Expression>),
    /// An assignment with an operator.
    Update(Operator, Box<Expression>, Box<Expression>),
    /// `++` or `--`, before or behind.
    Step {
        target: Box<Expression>,
        by: f64,
        before: bool,
    },
    Conditional(Box<Expression>, Box<Expression>, Box<Expression>),
    And(Box<Expression>, Box<Expression>),
    Or(Box<Expression>, Box<Expression>),
    Not(Box<Expression>),
    Negative(Box<Expression>),
    Positive(Box<Expression>),
    Binary(Operator, Box<Expression>, Box<Expression>),
    Compare(Comparison, Box<Expression>, Box<Expression>),
    Concatenation(Box<Expression>, Box<Expression>),
    Match {
        negated: bool,
        text: Box<Expression>,
        regex: Box<Expression>,
    },
    In(Vec<Expression>, String),
    /// A function of the program.
    Call(String, Vec<Expression>),
    Builtin(String, Vec<Expression>),
    /// In brackets: several, for `print` and `in`.
    Group(Vec<Expression>),
}

/// Arithmetic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

/// Comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Less,
    LessOrEqual,
    Equal,
    NotEqual,
    Greater,
    GreaterOrEqual,
}
