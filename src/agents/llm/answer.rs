//! What a model answers: whole, or put together from the parts of a stream.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// An answer, in the form in which it is recorded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Answer {
    /// What it says.
    #[serde(default)]
    pub(super) content: String,
    /// What it calls.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) tool_calls: Vec<ToolCall>,
    /// Why it ends, in the provider's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) finish_reason: Option<String>,
    /// What it took, as the provider counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) tokens: Option<Tokens>,
}

/// Tokens, as the provider counts them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tokens {
    /// Read, those out of a cache among them.
    pub(super) input: u64,
    /// Read out of the provider's cache.
    #[serde(default)]
    pub(super) cached_input: u64,
    /// Written, those of its reasoning among them.
    pub(super) output: u64,
}

/// A call of a tool, as the endpoint takes and gives it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct ToolCall {
    #[serde(default)]
    pub(super) id: String,
    #[serde(rename = "type", default = "function")]
    pub(super) kind: String,
    #[serde(default)]
    pub(super) function: Function,
}

/// What is called.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Function {
    #[serde(default)]
    pub(super) name: String,
    /// JSON, if the model did it right.
    #[serde(default)]
    pub(super) arguments: String,
}

fn function() -> String {
    "function".to_owned()
}

impl Answer {
    /// Reads a whole answer; none: it is none.
    pub(super) fn read(body: &Value) -> Option<Self> {
        let choice = body["choices"].get(0)?;
        let message = &choice["message"];
        let mut answer = Self::default();
        answer.add(message);
        answer.finish_reason = choice["finish_reason"].as_str().map(str::to_owned);
        answer.tokens = Tokens::read(&body["usage"]);
        message.is_object().then_some(answer)
    }

    /// Takes in the next part of a stream.
    pub(super) fn take(&mut self, chunk: &Value) {
        // The part with the usage has no choice.
        if let Some(tokens) = Tokens::read(&chunk["usage"]) {
            self.tokens = Some(tokens);
        }
        if let Some(choice) = chunk["choices"].get(0) {
            self.add(&choice["delta"]);
            if let Some(reason) = choice["finish_reason"].as_str() {
                self.finish_reason = Some(reason.to_owned());
            }
        }
    }

    /// Whether the model was stopped in the middle, having written all that it might.
    pub(super) fn is_cut_off(&self) -> bool {
        self.finish_reason.as_deref() == Some("length")
    }

    /// What the model wrote, its calls among it.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let calls = self.tool_calls.iter().flat_map(ToolCall::texts);
        std::iter::once(self.content.as_str()).chain(calls)
    }

    fn add(&mut self, part: &Value) {
        self.content
            .push_str(part["content"].as_str().unwrap_or_default());
        let calls = part["tool_calls"].as_array();
        for (place, call) in calls.into_iter().flatten().enumerate() {
            // A streamed call comes in parts that say which call they belong to.
            let index = call["index"].as_u64().map_or_else(
                || self.tool_calls.len().max(place),
                |index| usize::try_from(index).unwrap_or(usize::MAX),
            );
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            match self.tool_calls.get_mut(index) {
                Some(begun) => {
                    begun.id.push_str(&text(&call["id"]));
                    begun
                        .function
                        .name
                        .push_str(&text(&call["function"]["name"]));
                    begun.function.arguments.push_str(&arguments(call));
                }
                None => self.tool_calls.push(ToolCall {
                    id: text(&call["id"]),
                    kind: function(),
                    function: Function {
                        name: text(&call["function"]["name"]),
                        arguments: arguments(call),
                    },
                }),
            }
        }
    }
}

/// The arguments as text; some servers give them as JSON.
fn arguments(call: &Value) -> String {
    match &call["function"]["arguments"] {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

impl ToolCall {
    pub(super) fn bytes(&self) -> usize {
        self.texts().into_iter().map(str::len).sum()
    }

    pub(super) fn texts(&self) -> [&str; 2] {
        [&self.function.name, &self.function.arguments]
    }
}

impl Tokens {
    fn read(usage: &Value) -> Option<Self> {
        Some(Self {
            input: usage["prompt_tokens"].as_u64()?,
            cached_input: usage["prompt_tokens_details"]["cached_tokens"]
                .as_u64()
                .unwrap_or_default(),
            output: usage["completion_tokens"].as_u64()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_stream_of_parts_makes_the_same_answer_as_the_whole() {
        let usage = json!({"prompt_tokens": 9, "completion_tokens": 4, "prompt_tokens_details": {"cached_tokens": 3}});
        let whole = json!({
            "choices": [{"finish_reason": "tool_calls", "message": {
                "content": "I look.",
                "tool_calls": [
                    {"id": "a", "type": "function", "function": {"name": "get_logs", "arguments": "{\"x\":1}"}},
                    {"id": "b", "type": "function", "function": {"name": "submit", "arguments": ""}},
                ],
            }}],
            "usage": usage,
        });
        let delta = |delta: Value| json!({"choices": [{"delta": delta}]});
        let parts = [
            delta(json!({"role": "assistant", "content": "I "})),
            delta(json!({"content": "look."})),
            delta(
                json!({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "get_logs", "arguments": ""}}]}),
            ),
            delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": "{\"x\""}}]})),
            delta(json!({"tool_calls": [{"index": 0, "function": {"arguments": ":1}"}}]})),
            delta(json!({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "submit"}}]})),
            json!({"choices": [{"delta": {}, "finish_reason": "tool_calls"}]}),
            json!({"choices": [], "usage": usage}),
        ];
        let mut streamed = Answer::default();
        for part in &parts {
            streamed.take(part);
        }
        assert_eq!(Some(streamed), Answer::read(&whole));
    }

    #[test]
    fn what_is_no_answer_is_none() {
        for body in [json!({}), json!({"choices": []}), json!({"choices": [{}]})] {
            assert_eq!(Answer::read(&body), None, "{body}");
        }
    }
}
