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
    /// How the command let time pass; none: it did not wait.
    pub(crate) waited: Option<Waited>,
}

/// How a command let time pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Waited {
    /// Up to which moment, in nanoseconds.
    pub(crate) until: i64,
    /// Whether it would have waited longer, but for the shell's patience.
    pub(crate) stopped: bool,
}

/// How long commands may wait where time passes: the moments at which the shell stops them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Patience {
    /// Of whatever waits: where `timeout` ends it.
    pub(crate) deadline: i64,
    /// Of what waits without an end of its own: where the action's timeout ends it.
    pub(crate) endless: i64,
}

impl Patience {
    /// That of an action which begins now.
    pub(crate) fn new(now: i64, seconds: i64) -> Self {
        let timeout = seconds.max(0).saturating_mul(1_000_000_000);
        Self {
            deadline: i64::MAX,
            endless: now.saturating_add(timeout),
        }
    }
}

impl CommandOutput {
    /// A success that printed something.
    pub(crate) fn answered(stdout: impl Into<String>) -> Self {
        Self {
            stdout: stdout.into(),
            stderr: String::new(),
            exit_code: 0,
            verdict: Verdict::Answered,
            waited: None,
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
            waited: None,
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
