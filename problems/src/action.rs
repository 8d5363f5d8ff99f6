//! The seven actions of an agent, and how it calls them.

mod call;
mod literal;
mod table;

use serde::{Deserialize, Serialize};

pub use self::call::{CallError, CallSyntax, MAX_CALL_BYTES, parse, render};
pub use self::table::{NAMES, describe, from_json, schemas};

/// What an agent can do. Names, arguments and defaults are AIOpsLab's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "action")]
pub enum Action {
    /// The log of a service's first pod.
    GetLogs {
        /// Kubernetes namespace.
        namespace: String,
        /// Name of the service.
        service: String,
    },
    /// Metrics of the last minutes, as CSV files; answers with their paths.
    GetMetrics {
        /// Kubernetes namespace.
        namespace: String,
        /// Minutes back from now.
        duration: i64,
    },
    /// Traces of the last minutes, as a CSV file; answers with its path.
    GetTraces {
        /// Kubernetes namespace.
        namespace: String,
        /// Minutes back from now.
        duration: i64,
    },
    /// A shell command.
    ExecShell {
        /// The command line.
        command: String,
        /// Seconds.
        timeout: i64,
    },
    /// A CSV file that `get_metrics` wrote, as a table.
    ReadMetrics {
        /// The path that `get_metrics` answered with.
        file_path: String,
    },
    /// A CSV file that `get_traces` wrote, as a table.
    ReadTraces {
        /// The path that `get_traces` answered with.
        file_path: String,
    },
    /// The agent's answer to the problem; ends the episode.
    Submit {
        /// The arguments as given: none, one value, or several in a list.
        solution: serde_json::Value,
    },
}

impl Action {
    /// The action's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::GetLogs { .. } => "get_logs",
            Self::GetMetrics { .. } => "get_metrics",
            Self::GetTraces { .. } => "get_traces",
            Self::ExecShell { .. } => "exec_shell",
            Self::ReadMetrics { .. } => "read_metrics",
            Self::ReadTraces { .. } => "read_traces",
            Self::Submit { .. } => "submit",
        }
    }
}
