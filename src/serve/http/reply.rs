//! Refusals as HTTP: a status, and what went wrong with the way out.

use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::serve::episodes::Refusal;
use crate::serve::refused::refused;

/// An answer that is none.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    text: String,
}

impl Problem {
    /// A text may end with a line that starts with `hint:`.
    pub(super) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self {
            status,
            text: text.into(),
        }
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::Malformed(_) => StatusCode::BAD_REQUEST,
            Refusal::UnknownProblem { .. }
            | Refusal::UnknownEpisode(_)
            | Refusal::UnknownAgent { .. } => StatusCode::NOT_FOUND,
            Refusal::OutOfTurn { .. }
            | Refusal::TakenOtherwise(_)
            | Refusal::KeyTaken
            | Refusal::Over(_)
            | Refusal::Running => StatusCode::CONFLICT,
            Refusal::Lapsed => StatusCode::GONE,
            Refusal::Full(_) => StatusCode::TOO_MANY_REQUESTS,
            Refusal::Stopping => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Failed(_) => StatusCode::INTERNAL_SERVER_ERROR,
        };
        Self::new(status, refusal.to_string())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        refused(self.status, &self.text)
    }
}
