//! The agent that always gives the same answer without looking: what a score must beat.

use aiopslab_problems::action::{self, Action};
use aiopslab_problems::task::Task;
use async_trait::async_trait;
use serde_json::{Value, json};

use super::{Agent, AgentError, Briefing, Response};

/// Answers by task alone.
#[derive(Default)]
pub(super) struct Constant {
    solution: Value,
}

/// The commonest pair in AIOpsLab's catalog.
pub(super) fn commonest_cause() -> Value {
    json!({"system_level": "Virtualization", "fault_type": "Misconfiguration"})
}

#[async_trait]
impl Agent for Constant {
    async fn start(&mut self, briefing: &Briefing) -> Result<(), AgentError> {
        self.solution = match briefing.task {
            Task::Detection => json!("Yes"),
            // The one component that every application has.
            Task::Localization => json!(["frontend"]),
            Task::Analysis => commonest_cause(),
            Task::Mitigation => Value::Null,
        };
        Ok(())
    }

    async fn respond(&mut self, _observation: &str) -> Result<Response, AgentError> {
        let solution = self.solution.clone();
        Ok(action::render(&Action::Submit { solution }).into())
    }
}
