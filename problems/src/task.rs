//! Tasks and the names of problems.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// What is asked about an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// Is anything wrong?
    Detection,
    /// Which component is at fault?
    Localization,
    /// What kind of fault is it, on which level of the system?
    Analysis,
    /// Repair it.
    Mitigation,
}

impl Task {
    /// Every task, from the easiest on.
    pub const ALL: [Self; 4] = [
        Self::Detection,
        Self::Localization,
        Self::Analysis,
        Self::Mitigation,
    ];

    /// The task's name in problem ids and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Detection => "detection",
            Self::Localization => "localization",
            Self::Analysis => "analysis",
            Self::Mitigation => "mitigation",
        }
    }

    /// Whether the task needs a live cluster.
    #[must_use]
    pub fn needs_cluster(self) -> bool {
        self == Self::Mitigation
    }
}

impl fmt::Display for Task {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A name that is no task.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown task {0:?}\nhint: detection, localization, analysis or mitigation")]
pub struct UnknownTask(pub String);

impl FromStr for Task {
    type Err = UnknownTask;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|task| task.name() == text)
            .ok_or_else(|| UnknownTask(text.to_owned()))
    }
}
