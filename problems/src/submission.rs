//! Submissions: what an agent's answer must look like, per task.

use serde_json::Value;

use crate::task::Task;

/// The levels of a system that a fault can be on.
pub const SYSTEM_LEVELS: [&str; 4] = [
    "Hardware",
    "Operating System",
    "Virtualization",
    "Application",
];

/// The kinds of faults.
pub const FAULT_TYPES: [&str; 6] = [
    "Misconfiguration",
    "Code Defect",
    "Authentication Issue",
    "Network/Storage Issue",
    "Operation Error",
    "Dependency Problem",
];

/// An agent's answer in the form that its task asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// Whether something is wrong.
    Detection(bool),
    /// The components at fault, as given.
    Localization(Vec<String>),
    /// Level and kind of the fault, as given.
    Analysis {
        /// One of [`SYSTEM_LEVELS`], if right.
        system_level: String,
        /// One of [`FAULT_TYPES`], if right.
        fault_type: String,
    },
    /// The repair is done.
    Mitigation,
}

/// A submission that doesn't have the form that its task asks for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the submission for {task} has to be {}, not {given}", wanted(*task))]
pub struct MalformedSubmission {
    /// The task.
    pub task: Task,
    /// What was submitted.
    pub given: Value,
}

impl Submission {
    /// Reads what was submitted, as strict scoring does: case and outer white space of words don't matter.
    pub fn parse(task: Task, solution: &Value) -> Result<Self, MalformedSubmission> {
        let read = match task {
            Task::Detection => solution
                .as_str()
                .and_then(read_verdict)
                .map(Self::Detection),
            Task::Localization => read_components(solution).map(Self::Localization),
            Task::Analysis => read_analysis(solution),
            Task::Mitigation => Some(Self::Mitigation),
        };
        read.ok_or_else(|| MalformedSubmission {
            task,
            given: solution.clone(),
        })
    }
}

/// Returns the call that submits an answer, with a placeholder for it.
#[must_use]
pub fn form(task: Task) -> &'static str {
    match task {
        Task::Detection => "submit(\"Yes\") or submit(\"No\")",
        Task::Localization => "submit([\"<service>\", …])",
        Task::Analysis => "submit({\"system_level\": \"<level>\", \"fault_type\": \"<type>\"})",
        Task::Mitigation => "submit()",
    }
}

fn wanted(task: Task) -> &'static str {
    match task {
        Task::Detection => "\"Yes\" or \"No\"",
        Task::Localization => "a list of names of services",
        Task::Analysis => "a dictionary with the texts system_level and fault_type",
        Task::Mitigation => "nothing",
    }
}

fn read_verdict(text: &str) -> Option<bool> {
    match text.trim().to_lowercase().as_str() {
        "yes" => Some(true),
        "no" => Some(false),
        _ => None,
    }
}

fn read_components(solution: &Value) -> Option<Vec<String>> {
    match solution {
        Value::String(name) => Some(vec![name.clone()]),
        Value::Array(names) => names
            .iter()
            .map(|name| name.as_str().map(str::to_owned))
            .collect(),
        _ => None,
    }
}

fn read_analysis(solution: &Value) -> Option<Submission> {
    let text = |key: &str| solution.get(key).and_then(Value::as_str).map(str::to_owned);
    Some(Submission::Analysis {
        system_level: text("system_level")?,
        fault_type: text("fault_type")?,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn submissions_are_read_per_task() {
        let parse = |task, solution: Value| Submission::parse(task, &solution);
        assert_eq!(
            parse(Task::Detection, json!(" yes\n")),
            Ok(Submission::Detection(true))
        );
        assert!(parse(Task::Detection, json!("maybe")).is_err());
        assert!(parse(Task::Detection, json!(["Yes"])).is_err());
        assert_eq!(
            parse(Task::Localization, json!("geo")),
            Ok(Submission::Localization(vec!["geo".to_owned()]))
        );
        assert!(parse(Task::Localization, json!([1])).is_err());
        let error = parse(Task::Analysis, json!({"system_level": "Application"})).unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("the submission for analysis has to be a dictionary")
        );
        assert_eq!(
            parse(Task::Mitigation, Value::Null),
            Ok(Submission::Mitigation)
        );
    }
}
