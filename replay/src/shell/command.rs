//! What a command hands back to the shell.

use aiopslab_problems::environment::Verdict;

use crate::view::ViewError;

/// What one command printed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CommandOutput {
    /// Standard output.
    pub(crate) stdout: String,
    /// Standard error.
    pub(crate) stderr: String,
    /// Exit code.
    pub(crate) exit_code: i32,
    /// What is known about the answer.
    pub(crate) verdict: Verdict,
}

impl CommandOutput {
    /// A success that printed something.
    pub(crate) fn answered(stdout: impl Into<String>) -> Self {
        Self {
            stdout: stdout.into(),
            stderr: String::new(),
            exit_code: 0,
            verdict: Verdict::Answered,
        }
    }

    /// A failure that printed a line of error text.
    pub(crate) fn failed(message: impl Into<String>, exit_code: i32, verdict: Verdict) -> Self {
        let mut stderr = message.into();
        if !stderr.is_empty() && !stderr.ends_with('\n') {
            stderr.push('\n');
        }
        Self {
            stdout: String::new(),
            stderr,
            exit_code,
            verdict,
        }
    }
}

/// Why a command has no output of its own.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The recording can't tell; the text is the notice.
    NotCaptured(String),
    /// The recording could not be read.
    View(ViewError),
}

impl From<ViewError> for Stop {
    fn from(error: ViewError) -> Self {
        Self::View(error)
    }
}
