//! Why a kubectl command stops.

use aiopslab_problems::environment::Verdict;

use crate::kubernetes::Status;
use crate::kubernetes::selector::SelectorError;
use crate::view::ViewError;

/// Ends a command.
#[derive(Debug)]
pub(super) enum Failure {
    /// kubectl prints this and exits with 1.
    Message {
        /// The line on standard error.
        text: String,
        /// What is known about it.
        verdict: Verdict,
    },
    /// The recording can't tell.
    NotCaptured(String),
    /// The recording could not be read.
    View(ViewError),
}

impl Failure {
    /// The call makes no sense.
    pub(super) fn invalid(text: impl Into<String>) -> Self {
        Self::Message {
            text: text.into(),
            verdict: Verdict::Invalid,
        }
    }

    /// Nothing is there, and coverage proves it.
    pub(super) fn empty(text: impl Into<String>) -> Self {
        Self::Message {
            text: text.into(),
            verdict: Verdict::Empty,
        }
    }

    /// The server answered with an error that the recording implies.
    pub(super) fn answered(text: impl Into<String>) -> Self {
        Self::Message {
            text: text.into(),
            verdict: Verdict::Answered,
        }
    }

    /// Refused.
    pub(super) fn denied(text: impl Into<String>) -> Self {
        Self::Message {
            text: text.into(),
            verdict: Verdict::Denied,
        }
    }

    /// The recording can't tell.
    pub(super) fn not_captured(what: impl Into<String>) -> Self {
        Self::NotCaptured(what.into())
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        Self::View(error)
    }
}

impl From<SelectorError> for Failure {
    fn from(error: SelectorError) -> Self {
        Self::invalid(format!("Error from server (BadRequest): {error}"))
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        match status.code {
            503 => Self::not_captured(status.message),
            500 => Self::View(ViewError::new("the recording", status)),
            404 => Self::empty(format!("Error from server (NotFound): {status}")),
            422 => Self::answered(format!("The request is invalid: {status}")),
            _ => Self::answered(format!("Error from server ({}): {status}", status.reason)),
        }
    }
}
