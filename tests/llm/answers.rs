//! What an OpenAI-compatible endpoint answers, and what it was asked.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures::stream::{self, StreamExt};
use serde_json::{Value, json};

use crate::server::Seen;

/// The texts of a request's messages.
pub(super) fn said(seen: &Seen) -> Vec<&str> {
    let messages = seen.body["messages"].as_array().unwrap();
    messages
        .iter()
        .map(|message| message["content"].as_str().unwrap())
        .collect()
}

/// How many answers the conversation has so far.
pub(super) fn turns(seen: &Seen) -> usize {
    let messages = seen.body["messages"].as_array().unwrap();
    messages
        .iter()
        .filter(|one| one["role"] == "assistant")
        .count()
}

/// A whole answer that says something.
pub(super) fn says(content: &str) -> Response {
    says_and_ends(content, "stop")
}

pub(super) fn says_and_ends(content: &str, reason: &str) -> Response {
    let message = json!({"role": "assistant", "content": content});
    Json(json!({
        "choices": [{"index": 0, "finish_reason": reason, "message": message}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "prompt_tokens_details": {"cached_tokens": 400}},
    }))
    .into_response()
}

/// A whole answer that calls tools: name and arguments.
pub(super) fn calls(calls: &[(&str, &str)]) -> Response {
    let calls: Vec<Value> = calls
        .iter()
        .enumerate()
        .map(|(number, (name, arguments))| {
            json!({"id": format!("call-{number}"), "type": "function", "function": {"name": name, "arguments": arguments}})
        })
        .collect();
    let message = json!({"role": "assistant", "content": null, "tool_calls": calls});
    Json(json!({"choices": [{"index": 0, "finish_reason": "tool_calls", "message": message}]}))
        .into_response()
}

/// A refusal.
pub(super) fn refuses(status: u16, code: &str, message: &str) -> Response {
    let error = Json(json!({"error": {"message": message, "code": code}}));
    let mut response = (StatusCode::from_u16(status).unwrap(), error).into_response();
    if status == 429 {
        response
            .headers_mut()
            .insert("retry-after", "0".parse().unwrap());
    }
    response
}

/// How a stream ends.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Ends {
    Well,
    Cut,
    Never,
}

/// A streamed answer, byte by byte.
pub(super) fn streams(content: &str, ends: Ends) -> Response {
    let chunk = |value: Value| format!("data: {value}\n\n");
    let mut text = String::from(": hello\n\n");
    for letter in content.chars() {
        text.push_str(&chunk(
            json!({"choices": [{"index": 0, "delta": {"content": letter.to_string()}}]}),
        ));
    }
    if ends == Ends::Well {
        text.push_str(&chunk(
            json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        ));
        text.push_str(&chunk(
            json!({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 5}}),
        ));
        text.push_str("data: [DONE]\n\n");
    }
    let bytes: Vec<Result<Bytes, std::io::Error>> = text
        .into_bytes()
        .into_iter()
        .map(|byte| Ok(Bytes::from(vec![byte])))
        .collect();
    let sent = stream::iter(bytes);
    let body = match ends {
        Ends::Well => Body::from_stream(sent),
        Ends::Cut => {
            Body::from_stream(sent.chain(stream::iter([Err(std::io::Error::other("cut"))])))
        }
        Ends::Never => Body::from_stream(sent.chain(stream::pending())),
    };
    ([("content-type", "text/event-stream; charset=utf-8")], body).into_response()
}
