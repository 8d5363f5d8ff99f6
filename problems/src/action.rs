//! The actions of an agent, AIOpsLab's seven and ours, and how it calls them.

mod call;
mod literal;
mod table;

use serde::{Deserialize, Serialize};

pub use self::call::{
    CallError, CallSyntax, MAX_CALL_BYTES, parse, parse_among, render, render_tool_call,
};
pub use self::table::{NAMES, SQL_VIEWS, describe, from_json, schemas, sql_views};

/// A set of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ActionSet {
    /// The seven of AIOpsLab.
    #[default]
    Upstream,
    /// Those and ours, which a replay answers and a live cluster does not.
    Extended,
}

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
    /// A query over what was recorded; one of ours.
    QuerySql {
        /// One SELECT.
        query: String,
    },
    /// The agent's answer to the problem; ends the episode.
    Submit {
        /// The arguments as given: none, one value, or several in a list.
        solution: serde_json::Value,
    },
}

impl Action {
    /// The smallest set that has this action.
    #[must_use]
    pub fn set(&self) -> ActionSet {
        match self {
            Self::QuerySql { .. } => ActionSet::Extended,
            _ => ActionSet::Upstream,
        }
    }

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
            Self::QuerySql { .. } => "query_sql",
            Self::Submit { .. } => "submit",
        }
    }
}
