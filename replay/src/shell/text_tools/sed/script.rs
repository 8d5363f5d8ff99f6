//! The commands of a script.

use super::super::pattern::Pattern;

/// A parsed script: commands one after the other, blocks as jumps.
pub(super) struct Script {
    pub(super) commands: Vec<Command>,
    /// Whether it begins with `#n`.
    pub(super) quiet: bool,
}

/// A command with the lines that it is for.
pub(super) struct Command {
    pub(super) first: Option<Address>,
    pub(super) last: Option<Address>,
    pub(super) negated: bool,
    pub(super) action: Action,
}

/// A line or lines.
pub(super) enum Address {
    Line(u64),
    /// `FIRST~STEP`.
    Step(u64, u64),
    /// `$`.
    Last,
    /// No pattern is the last one that was used.
    Matching(Option<Box<Pattern>>),
    /// `+N`, as the second address.
    Following(u64),
    /// `~N`, as the second address.
    Multiple(u64),
    /// `0`, as the first address before a pattern.
    BeforeFirst,
}

/// What a command does.
pub(super) enum Action {
    /// `{`: goes on behind the block if the lines are others.
    Block(usize),
    /// `}`, a label or a comment.
    Nothing,
    Append(String),
    Insert(String),
    Change(String),
    Delete,
    DeleteFirst,
    Print,
    PrintFirst,
    Next,
    AppendNext,
    Hold,
    AppendHold,
    Get,
    AppendGet,
    Exchange,
    LineNumber,
    FileName,
    Zap,
    Quit(i32),
    QuitSilently(i32),
    /// Goes to a command: the number of commands for the end.
    Branch(usize),
    BranchIf(usize),
    BranchUnless(usize),
    Read(String),
    Write(String),
    Translate(Vec<(char, char)>),
    Substitute(Box<Substitution>),
}

/// `s`.
pub(super) struct Substitution {
    /// No pattern is the last one that was used.
    pub(super) pattern: Option<Pattern>,
    pub(super) replacement: Vec<Part>,
    pub(super) everywhere: bool,
    /// The first match that is replaced.
    pub(super) from: usize,
    pub(super) print: usize,
    pub(super) write: Option<String>,
}

/// A part of a replacement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Text(String),
    /// A group; 0 is the match.
    Group(usize),
    /// `\U`, `\L`, `\u`, `\l` or `\E`.
    Case(char),
}
