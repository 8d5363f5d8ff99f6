//! What a service answers when it cannot do what was asked.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use thiserror::Error;

use crate::calls::Outcome;

/// The reasons for which a service refuses or fails a request.
#[derive(Debug, Error)]
pub(crate) enum ServiceError {
    #[error("{detail}")]
    Dependency {
        dependency: String,
        outcome: Outcome,
        detail: String,
    },
    #[error("{0}")]
    BadRequest(String),
    #[error("{0}")]
    Unauthorized(String),
    #[error("{0}")]
    Conflict(String),
}

impl ServiceError {
    /// The HTTP status that tells a caller what kind of failure this is.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            // Unreachable is temporary as far as a caller can tell; a wrong answer is a bug here.
            Self::Dependency {
                outcome: Outcome::Refused | Outcome::Timeout,
                ..
            } => StatusCode::SERVICE_UNAVAILABLE,
            Self::Dependency { .. } => StatusCode::INTERNAL_SERVER_ERROR,
            Self::BadRequest(_) => StatusCode::BAD_REQUEST,
            Self::Unauthorized(_) => StatusCode::UNAUTHORIZED,
            Self::Conflict(_) => StatusCode::CONFLICT,
        }
    }
}

/// The reason of a failed response, for the middleware that writes span, log line and metric.
#[derive(Debug, Clone)]
pub(crate) struct ErrorDetail(pub(crate) String);

impl IntoResponse for ServiceError {
    fn into_response(self) -> Response {
        let mut body = json!({ "error": self.to_string() });
        if let Self::Dependency { dependency, .. } = &self {
            body["dependency"] = json!(dependency);
        }
        let mut response = (self.status(), Json(body)).into_response();
        response
            .extensions_mut()
            .insert(ErrorDetail(self.to_string()));
        response
    }
}
