//! Why a script has no tree.

use aiopslab_problems::environment::Verdict;

use crate::shell::command::{CommandOutput, Stop};
use crate::shell::limits;

/// Why a script has no tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::shell) enum SyntaxError {
    TooLong(usize),
    TooDeep,
    /// A construct of bash that this shell has not.
    Unsupported(String),
    /// A word or operator that can't stand where it stands, with its line.
    Unexpected {
        token: String,
        line: usize,
        text: String,
    },
    /// The text ends within a block.
    End {
        line: usize,
    },
    /// The text ends within brackets or quotes.
    Unclosed {
        closing: char,
        line: usize,
    },
    /// Something else that bash says in its own words.
    Other {
        line: usize,
        message: String,
    },
}

impl SyntaxError {
    /// A construct of bash that this shell has not.
    pub(super) fn unsupported(what: &str) -> Self {
        Self::Unsupported(what.to_owned())
    }

    /// What bash prints, with exit code 2; or the notice that names what is not supported.
    /// `place` is `bash: -c: ` for a command line.
    pub(in crate::shell) fn into_output(self, place: &str) -> Result<CommandOutput, Stop> {
        let message = match self {
            Self::Unsupported(what) => {
                return Err(Stop::NotCaptured(format!(
                    "{what}: this command is not available in this recording"
                )));
            }
            Self::TooLong(bytes) => format!(
                "bash: command line of {bytes} bytes is longer than {} bytes",
                limits::INPUT_BYTES
            ),
            Self::TooDeep => format!(
                "bash: command line is nested deeper than {} levels",
                limits::NESTING
            ),
            Self::Unexpected { token, line, text } => format!(
                "{place}line {line}: syntax error near unexpected token `{token}'\n\
                 {place}line {line}: `{text}'"
            ),
            Self::End { line } => {
                format!("{place}line {line}: syntax error: unexpected end of file")
            }
            Self::Unclosed { closing, line } => {
                format!("{place}line {line}: unexpected EOF while looking for matching `{closing}'")
            }
            Self::Other { line, message } => format!("{place}line {line}: {message}"),
        };
        Ok(CommandOutput::failed(message, 2, Verdict::Invalid))
    }
}
