//! The tree of a script: what the parser makes and the interpreter walks.

use std::sync::{Arc, OnceLock};

/// Commands one after the other.
#[derive(Debug, Clone, Default)]
pub(super) struct List {
    pub(super) items: Vec<AndOr>,
}

/// Pipelines joined by `&&` and `||`.
#[derive(Debug, Clone)]
pub(super) struct AndOr {
    pub(super) first: Pipeline,
    pub(super) rest: Vec<(Join, Pipeline)>,
}

/// The operator before a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Join {
    And,
    Or,
}

/// Commands joined by `|`.
#[derive(Debug, Clone)]
pub(super) struct Pipeline {
    pub(super) negated: bool,
    pub(super) commands: Vec<Command>,
}

/// One command of a pipeline.
#[derive(Debug, Clone)]
pub(super) enum Command {
    /// A program, built-in or function with its words; or only assignments.
    Simple(Simple),
    /// A block.
    Compound(Compound, Vec<Redirection>),
    /// The definition of a function.
    Function(String, Arc<FunctionBody>),
}

/// What a function runs.
#[derive(Debug)]
pub(super) struct FunctionBody {
    pub(super) command: Compound,
    pub(super) redirections: Vec<Redirection>,
}

/// A program, built-in or function with its words.
#[derive(Debug, Clone, Default)]
pub(super) struct Simple {
    /// Number of its line, which error messages tell.
    pub(super) line: usize,
    pub(super) assignments: Vec<Assignment>,
    pub(super) words: Vec<Word>,
    /// Assignments among the arguments of `export`, `local` and the like.
    pub(super) declarations: Vec<Assignment>,
    pub(super) redirections: Vec<Redirection>,
}

/// `name=value`, `name+=value`, `name[index]=value`, `name=(values)`.
#[derive(Debug, Clone)]
pub(super) struct Assignment {
    pub(super) name: String,
    pub(super) index: Option<Word>,
    pub(super) append: bool,
    pub(super) value: AssignedValue,
}

/// What is assigned.
#[derive(Debug, Clone)]
pub(super) enum AssignedValue {
    Text(Word),
    /// Elements, each with the index before its `=`.
    Array(Vec<(Option<Word>, Word)>),
}

/// A block.
#[derive(Debug, Clone)]
pub(super) enum Compound {
    Group(List),
    Subshell(List),
    /// Conditions with what they lead to, then `else`.
    If(Vec<(List, List)>, Option<List>),
    While {
        until: bool,
        condition: List,
        body: List,
    },
    For {
        name: String,
        words: Option<Vec<Word>>,
        body: List,
    },
    ArithmeticFor {
        start: Word,
        condition: Word,
        step: Word,
        body: List,
    },
    Case(Word, Vec<CaseItem>),
    Arithmetic(Word),
    Test(Test),
}

/// One branch of `case`.
#[derive(Debug, Clone)]
pub(super) struct CaseItem {
    pub(super) patterns: Vec<Word>,
    pub(super) body: List,
    pub(super) end: CaseEnd,
}

/// What follows a branch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CaseEnd {
    /// `;;`
    Leave,
    /// `;&`
    FallThrough,
    /// `;;&`
    TestNext,
}

/// An expression of `[[ ]]`.
#[derive(Debug, Clone)]
pub(super) enum Test {
    Or(Box<Test>, Box<Test>),
    And(Box<Test>, Box<Test>),
    Not(Box<Test>),
    Unary(String, Word),
    Binary(Word, String, Word),
    NotEmpty(Word),
}

/// A redirection of one descriptor.
#[derive(Debug, Clone)]
pub(super) struct Redirection {
    pub(super) descriptor: Option<u32>,
    pub(super) kind: RedirectionKind,
}

/// Where a descriptor goes.
#[derive(Debug, Clone)]
pub(super) enum RedirectionKind {
    Read(Word),
    Write(Word),
    Append(Word),
    /// `>&` and `<&`.
    Duplicate(Word),
    /// `&>` and `&>>`.
    Both {
        target: Word,
        append: bool,
    },
    HereString(Word),
    /// The text is read after the line that holds the redirection.
    HereDocument(Arc<OnceLock<Word>>),
}

/// Text as it was written, and what it is made of.
#[derive(Debug, Clone, Default)]
pub(super) struct Word {
    pub(super) source: String,
    pub(super) parts: Vec<Part>,
}

impl Word {
    /// The text, if nothing in it is quoted or expanded.
    pub(super) fn as_literal(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Literal(text)] => Some(text),
            _ => None,
        }
    }
}

/// A part of a word.
#[derive(Debug, Clone)]
pub(super) enum Part {
    /// Text outside of quotes: braces and patterns are expanded in it.
    Literal(String),
    /// Text that stands for itself.
    Quoted(String),
    /// `"…"`
    Double(Vec<Part>),
    /// `~` or `~user` at the start.
    Tilde(String),
    /// `$name`, `${…}`
    Parameter(Box<Parameter>),
    /// `$(…)` or backticks.
    Command(Arc<List>),
    /// `$((…))`
    Arithmetic(Word),
    /// `<(…)`
    Process(Arc<List>),
}

/// The expansion of a parameter.
#[derive(Debug, Clone)]
pub(super) struct Parameter {
    /// As it was written.
    pub(super) source: String,
    pub(super) name: ParameterName,
    /// `${!name}`: the value names the parameter.
    pub(super) indirect: bool,
    pub(super) operator: Operator,
}

/// What is expanded.
#[derive(Debug, Clone)]
pub(super) enum ParameterName {
    Variable(String),
    Element(String, Word),
    /// `name[@]`, or `name[*]` which joins.
    Array {
        name: String,
        joined: bool,
    },
    Positional(usize),
    /// `$@`, or `$*` which joins.
    AllPositional {
        joined: bool,
    },
    /// `# ? - $ ! 0`
    Special(char),
}

/// What is done with the value.
#[derive(Debug, Clone)]
pub(super) enum Operator {
    Value,
    Length,
    /// `:-` and the like.
    Default {
        on_empty: bool,
        action: DefaultAction,
        word: Word,
    },
    Remove {
        suffix: bool,
        longest: bool,
        pattern: Word,
    },
    Replace {
        place: ReplacePlace,
        pattern: Word,
        replacement: Word,
    },
    Slice {
        offset: Word,
        length: Option<Word>,
    },
    Case {
        upper: bool,
        all: bool,
        pattern: Option<Word>,
    },
    /// `${!name[@]}`
    Keys,
    /// `${!prefix*}`
    Names,
    /// `@Q`, `@U`, …
    Transform(char),
    /// Only found to be wrong when it is expanded, as in bash.
    Bad,
}

/// What happens to a parameter that is unset (or empty).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DefaultAction {
    Use,
    Assign,
    Fail,
    /// `:+` uses the word if there is a value.
    Alternative,
}

/// Which matches are replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReplacePlace {
    First,
    All,
    Start,
    End,
}
