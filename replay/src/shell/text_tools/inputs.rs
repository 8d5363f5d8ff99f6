//! What a program reads: standard input and the files of the episode.

use aiopslab_problems::environment::Verdict;

use super::{Context, Halt};
use crate::shell::command::CommandOutput;
use crate::shell::interpreter::unknown_path;

/// A text with the name that it was asked for by; none for standard input without a name.
pub(super) struct Input<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) text: &'a str,
}

impl Input<'_> {
    /// The name as `grep` and others show it: standard input is written out.
    pub(super) fn shown<'a>(&'a self, standard_input: &'a str) -> &'a str {
        match self.name {
            None | Some("-") => standard_input,
            Some(name) => name,
        }
    }
}

/// Why a file can't be read, for sure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    Missing,
    Folder,
}

impl Unreadable {
    /// The system's words.
    pub(super) fn reason(self) -> &'static str {
        match self {
            Self::Missing => "No such file or directory",
            Self::Folder => "Is a directory",
        }
    }
}

/// A text, or the name of a file that can't be read and why.
pub(super) type Opened<'a> = Result<Input<'a>, (&'a str, Unreadable)>;

/// The texts that a program works on, each with its name if it can't be read. A path of which
/// nothing is known ends the action.
pub(super) fn inputs<'a>(
    operands: &'a [String],
    context: &Context<'a>,
) -> Result<Vec<Opened<'a>>, Halt> {
    if operands.is_empty() {
        let text = context.stdin();
        return Ok(vec![Ok(Input { name: None, text })]);
    }
    operands
        .iter()
        .map(|path| {
            Ok(match read(path, context)? {
                Ok(text) => Ok(Input {
                    name: Some(path),
                    text,
                }),
                Err(why) => Err((path.as_str(), why)),
            })
        })
        .collect()
}

/// The text of one path; `-` is standard input.
pub(super) fn read<'a>(
    path: &str,
    context: &Context<'a>,
) -> Result<Result<&'a str, Unreadable>, Halt> {
    if matches!(path, "-" | "/dev/stdin" | "/dev/fd/0") {
        return Ok(Ok(context.stdin()));
    }
    if path == "/dev/null" {
        return Ok(Ok(""));
    }
    if path.is_empty() {
        return Ok(Err(Unreadable::Missing));
    }
    if let Some(text) = context.files.read(path) {
        return Ok(Ok(text));
    }
    if context.files.is_folder(path) {
        return Ok(Err(Unreadable::Folder));
    }
    if context.files.is_known(path) {
        return Ok(Err(Unreadable::Missing));
    }
    Err(Halt::Stop(unknown_path(path)))
}

/// Notes in a program's output what it could not read; the program goes on.
pub(super) fn note(output: &mut CommandOutput, message: &str, exit_code: i32) {
    output.stderr.push_str(message);
    output.stderr.push('\n');
    output.exit_code = exit_code;
    output.verdict = output.verdict.max(Verdict::Empty);
}

/// Every text that can be read, the others noted as `PROGRAM: NAME: REASON`.
pub(super) fn readable<'a>(
    program: &str,
    exit_code: i32,
    operands: &'a [String],
    context: &Context<'a>,
    output: &mut CommandOutput,
) -> Result<Vec<Input<'a>>, Halt> {
    let mut texts = Vec::new();
    for input in inputs(operands, context)? {
        match input {
            Ok(input) => texts.push(input),
            Err((name, why)) => {
                let message = format!("{program}: {name}: {}", why.reason());
                note(output, &message, exit_code);
            }
        }
    }
    Ok(texts)
}

/// Lines without their line ends; a last line without one counts.
pub(super) fn lines(text: &str) -> impl DoubleEndedIterator<Item = &str> {
    text.split_inclusive('\n')
        .map(|line| line.strip_suffix('\n').unwrap_or(line))
}
