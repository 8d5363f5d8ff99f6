//! Answers as HTTP.

use std::io::Read;

use aiopslab_replay::kubernetes::Status;
use axum::body::Body;
use axum::http::header::{
    CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, HeaderValue, VARY, WARNING,
};
use axum::http::{HeaderName, StatusCode};
use axum::response::Response;
use flate2::Compression;
use flate2::read::GzEncoder;
use serde_json::{Value, json};

const JSON: &str = "application/json";

/// Shorter answers are not compressed: kube-apiserver's limit.
const COMPRESSED_FROM: usize = 128 << 10;

/// A document.
pub(super) fn json(document: &Value) -> Response {
    typed(JSON, line(document))
}

/// A document for who may read gzip: compressed if it is long.
pub(super) fn document(document: &Value, gzip: bool) -> Response {
    let text = line(document);
    if !gzip || text.len() < COMPRESSED_FROM {
        return typed(JSON, text);
    }
    let mut bytes = Vec::new();
    let encoder = GzEncoder::new(text.as_bytes(), Compression::fast()).read_to_end(&mut bytes);
    if encoder.is_err() {
        return typed(JSON, text);
    }
    let mut response = typed(JSON, bytes);
    set(&mut response, CONTENT_ENCODING, "gzip");
    set(&mut response, VARY, "Accept-Encoding");
    response
}

/// A document for people to read.
pub(super) fn indented(document: &Value) -> Response {
    typed(JSON, format!("{document:#}"))
}

/// A document as one line, as the server writes them.
pub(super) fn line(document: &Value) -> String {
    let mut text = document.to_string();
    text.push('\n');
    text
}

/// A body of a type.
pub(super) fn typed(content_type: &str, body: impl Into<Body>) -> Response {
    let mut response = Response::new(body.into());
    set(&mut response, CONTENT_TYPE, content_type);
    set(&mut response, CACHE_CONTROL, "no-cache, private");
    response
}

/// Plain text.
pub(super) fn text(text: &'static str) -> Response {
    typed("text/plain; charset=utf-8", text)
}

/// A log, whatever bytes it is made of.
pub(super) fn log(bytes: Vec<u8>) -> Response {
    typed("text/plain", bytes)
}

/// All of discovery: clients tell its form by the content type alone.
pub(super) fn discovery(mut document: Value, version: &str) -> Response {
    if let Some(fields) = document.as_object_mut() {
        let api_version = format!("apidiscovery.k8s.io/{version}");
        fields.insert("apiVersion".to_owned(), json!(api_version));
    }
    let content_type = format!("{JSON};g=apidiscovery.k8s.io;v={version};as=APIGroupDiscoveryList");
    typed(&content_type, line(&document))
}

/// A failure.
pub(super) fn failure(status: &Status) -> Response {
    let code = StatusCode::from_u16(status.code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    with_code(json(&status.to_json()), code)
}

/// The same with another code.
pub(super) fn with_code(mut response: Response, code: StatusCode) -> Response {
    *response.status_mut() = code;
    response
}

/// The same with a warning that clients print.
pub(super) fn with_warning(mut response: Response, warning: Option<&str>) -> Response {
    if let Some(warning) = warning {
        set(&mut response, WARNING, &format!("299 - \"{warning}\""));
    }
    response
}

fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
