//! What was refused, as HTTP: what is wrong, and the way out.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Answers with a text that may end with a line that starts with `hint:`.
pub(super) fn refused(status: StatusCode, text: &str) -> Response {
    let body = match text.split_once("\nhint: ") {
        Some((error, hint)) => json!({"error": error, "hint": hint}),
        None => json!({"error": text}),
    };
    (status, Json(body)).into_response()
}
