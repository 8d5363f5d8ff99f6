//! What a request holds: JSON, said to be such.
//!
//! A page of another site can make a browser send text here without asking, but not JSON.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, StatusCode};
use serde::de::DeserializeOwned;

use super::reply::Problem;

/// A body as it arrived.
pub(super) type Arrived = Result<Bytes, BytesRejection>;

/// Reads a body.
pub(super) fn read<T: DeserializeOwned>(headers: &HeaderMap, body: Arrived) -> Result<T, Problem> {
    let body = whole(body)?;
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    let kind = kind.and_then(|kind| kind.split(';').next()).map(str::trim);
    if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("application/json")) {
        return Err(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "a body is JSON\nhint: the header `Content-Type: application/json`",
        ));
    }
    serde_json::from_slice(&body).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            format!("the body is wrong: {error}"),
        )
    })
}

/// Reads a body that may be left out.
pub(super) fn read_if_any<T: DeserializeOwned + Default>(
    headers: &HeaderMap,
    body: Arrived,
) -> Result<T, Problem> {
    let body = whole(body)?;
    match body.is_empty() {
        true => Ok(T::default()),
        false => read(headers, Ok(body)),
    }
}

fn whole(body: Arrived) -> Result<Bytes, Problem> {
    body.map_err(|refused| match refused.status() {
        StatusCode::PAYLOAD_TOO_LARGE => Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the body is too large\nhint: at most 4 MiB",
        ),
        _ => Problem::new(StatusCode::BAD_REQUEST, "the body did not arrive"),
    })
}
