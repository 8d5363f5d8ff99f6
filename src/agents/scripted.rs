//! The agent that says what a file says.

use async_trait::async_trait;

use super::{Agent, AgentError, Briefing, Response};

/// Splits a script into responses at lines of three dashes.
pub(super) fn responses(script: &str) -> Vec<String> {
    script
        .split("\n---\n")
        .map(|response| response.trim_matches('\n').to_owned())
        .filter(|response| !response.is_empty())
        .collect()
}

/// Gives its responses one after the other, whatever it observes.
pub(super) struct Scripted {
    responses: Vec<String>,
    given: usize,
}

impl Scripted {
    pub(super) fn new(responses: Vec<String>) -> Self {
        Self {
            responses,
            given: 0,
        }
    }
}

#[async_trait]
impl Agent for Scripted {
    async fn start(&mut self, _briefing: &Briefing) -> Result<(), AgentError> {
        Ok(())
    }

    async fn respond(&mut self, _observation: &str) -> Result<Response, AgentError> {
        let response = self.responses.get(self.given).cloned();
        self.given += 1;
        response
            .map(Response::from)
            .ok_or(AgentError::ScriptEnded(self.responses.len()))
    }
}

#[cfg(test)]
mod tests {
    use super::responses;

    #[test]
    fn responses_are_split_at_lines_of_dashes() {
        assert_eq!(responses("a\nb\n---\nc\n"), ["a\nb", "c"]);
        assert_eq!(responses("one --- two\n"), ["one --- two"]);
    }
}
