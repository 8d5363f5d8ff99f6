//! What has been said between us and a model, and how much of it fits into a request.

use serde::Serialize;

use super::answer::ToolCall;

/// Bytes that we take for one token when a request is trimmed: a rule of thumb for English text.
pub(super) const BYTES_PER_TOKEN: usize = 4;

/// The whole conversation of one episode.
#[derive(Debug, Clone, Default)]
pub(super) struct Conversation {
    /// How the model is to behave.
    pub(super) system: String,
    /// What is asked of it.
    pub(super) task: String,
    /// What it did, and what came of that.
    pub(super) turns: Vec<Turn>,
}

/// One answer of the model, and what it was told then.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Turn {
    /// What it said.
    pub(super) said: String,
    /// What it called, in tool mode.
    pub(super) called: Vec<ToolCall>,
    /// What it was told.
    pub(super) heard: String,
}

/// A message, as the endpoint takes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Message {
    role: &'static str,
    content: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<String>,
}

impl Conversation {
    /// The messages of a request, with `last` at the end of the last one, in at most so many bytes.
    ///
    /// What does not fit is left out, and a line says so: first what the model was told, from the
    /// oldest on; then whole turns; then the middle of what it was told last. The system prompt and
    /// the task always stay.
    pub(super) fn fitted(&self, last: &str, bytes: usize) -> Vec<Message> {
        let mut turns = self.turns.clone();
        let rest = self.system.len() + self.task.len() + last.len();
        let size = |turns: &[Turn]| rest + turns.iter().map(Turn::bytes).sum::<usize>();
        for index in 0..turns.len().saturating_sub(1) {
            if size(&turns) <= bytes {
                break;
            }
            let left_out = format!("({} bytes were left out here)", turns[index].heard.len());
            if left_out.len() < turns[index].heard.len() {
                turns[index].heard = left_out;
            }
        }
        let mut dropped = 0;
        while size(&turns) > bytes && turns.len() > 1 {
            turns.remove(0);
            dropped += 1;
        }
        let excess = size(&turns).saturating_sub(bytes);
        if excess > 0
            && let Some(turn) = turns.last_mut()
        {
            turn.heard = without_middle(&turn.heard, excess);
        }
        self.messages(&turns, dropped, last)
    }

    fn messages(&self, turns: &[Turn], dropped: usize, last: &str) -> Vec<Message> {
        let mut task = self.task.clone();
        if dropped > 0 {
            task.push_str(&format!(
                "\n\n(Your first {dropped} steps were left out here.)"
            ));
        }
        let mut messages = vec![
            Message::new("system", self.system.clone()),
            Message::new("user", task),
        ];
        for turn in turns {
            messages.push(Message {
                tool_calls: turn.called.clone(),
                ..Message::new("assistant", turn.said.clone())
            });
            match turn.called.as_slice() {
                [] => messages.push(Message::new("user", turn.heard.clone())),
                // Every call wants an answer of its own.
                calls => messages.extend(calls.iter().map(|call| Message {
                    tool_call_id: Some(call.id.clone()),
                    ..Message::new("tool", turn.heard.clone())
                })),
            }
        }
        if let Some(message) = messages.last_mut()
            && !last.is_empty()
        {
            message.content.push_str("\n\n");
            message.content.push_str(last);
        }
        messages
    }
}

impl Message {
    fn new(role: &'static str, content: String) -> Self {
        Self {
            role,
            content,
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }

    /// What we say.
    pub(super) fn user(content: &str) -> Self {
        Self::new("user", content.to_owned())
    }

    /// Bytes of its text and calls.
    pub(super) fn bytes(&self) -> usize {
        self.texts().map(str::len).sum()
    }

    /// Its text and calls.
    pub(super) fn texts(&self) -> impl Iterator<Item = &str> {
        let calls = self.tool_calls.iter().flat_map(ToolCall::texts);
        std::iter::once(self.content.as_str()).chain(calls)
    }
}

impl Turn {
    fn bytes(&self) -> usize {
        let calls = self.called.iter().map(ToolCall::bytes);
        self.said.len() + calls.sum::<usize>() + self.heard.len() * self.called.len().max(1)
    }
}

/// Takes so many bytes, and the room of the line that says so, out of the middle.
fn without_middle(text: &str, excess: usize) -> String {
    const LINE: usize = 40;
    let kept = text.len().saturating_sub(excess + LINE) / 2;
    let start = text.floor_char_boundary(kept);
    let end = text.ceil_char_boundary(text.len() - kept);
    format!(
        "{}\n({} bytes were left out here)\n{}",
        &text[..start],
        end - start,
        &text[end..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conversation(observations: &[usize]) -> Conversation {
        let turn = |bytes: &usize| Turn {
            said: "look".to_owned(),
            called: Vec::new(),
            heard: "ö".repeat(bytes / 2),
        };
        Conversation {
            system: "be good".to_owned(),
            task: "find it".to_owned(),
            turns: observations.iter().map(turn).collect(),
        }
    }

    fn texts(messages: &[Message]) -> Vec<&str> {
        messages.iter().map(|one| one.content.as_str()).collect()
    }

    #[test]
    fn the_oldest_observations_go_first_and_the_task_never() {
        let whole = conversation(&[400, 400, 400]);
        let all = whole.fitted("go on", 2000);
        assert_eq!(all.len(), 8);
        assert!(texts(&all)[7].ends_with("ö\n\ngo on"));

        let trimmed = whole.fitted("", 900);
        let said = texts(&trimmed);
        assert_eq!(said[3], "(400 bytes were left out here)");
        assert!(said[5].starts_with('ö') && said[7].starts_with('ö'));

        let tight = whole.fitted("", 200);
        let said = texts(&tight);
        assert_eq!(said[0], "be good");
        assert!(said[1].starts_with("find it") && said[1].contains("first 2 steps"));
        assert_eq!(said.len(), 4);
        assert!(said[3].contains("bytes were left out here") && said[3].len() < 260);
    }

    #[test]
    fn a_request_is_never_much_longer_than_allowed() {
        let whole = conversation(&[3000, 10, 5000, 800]);
        for bytes in (200..9000).step_by(77) {
            let size: usize = texts(&whole.fitted("now", bytes))
                .iter()
                .map(|text| text.len())
                .sum();
            // The lines that say what was left out come on top.
            assert!(size <= bytes + 120, "{size} bytes instead of {bytes}");
        }
    }
}
