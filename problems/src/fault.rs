//! Faults as data: a list of steps out of a closed set.
//!
//! Objects are named `resource/name`, e.g. `service/rate`, in the application's namespace.
//! `{variable}` in any text is replaced by the variant's variable of that name.

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One step of a fault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Step {
    /// Changes fields of an object; undone from its recorded pre-image.
    Patch(Patch),
    /// Deletes an object and creates it again with a field changed, as AIOpsLab does where a rolling
    /// update would keep the old pods; undone by doing the same with its recorded pre-image.
    Recreate(Recreate),
    /// Sets the replicas of a workload; undone from its recorded pre-image.
    Scale(Scale),
    /// Runs a command in a container; undone by its own `recover` command.
    Exec(Exec),
    /// Restarts a workload the way `kubectl rollout restart` does; recovering restarts it again.
    Restart(Restart),
}

/// Sets one field of an object, wherever its present value matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// The object, `resource/name`.
    pub patch: String,
    /// What to set.
    pub set: SetField,
}

/// Deletes an object and creates it again with one field changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recreate {
    /// The object, `resource/name`.
    pub recreate: String,
    /// What to set.
    pub set: SetField,
}

/// A field to set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetField {
    /// Path with dots, `[n]` and `[*]`, e.g. `spec.ports[*].targetPort`.
    pub path: String,
    /// Only where the present value is this.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub only_where: Option<Where>,
    /// The new value.
    pub to: Value,
}

/// A test of a present value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Where {
    /// The present value.
    pub equals: Value,
}

/// Sets the replicas of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The workload, e.g. `deployment/rate`.
    pub scale: String,
    /// The new number.
    pub replicas: i64,
}

/// Runs a command in a ready pod of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Exec {
    /// The workload, e.g. `deployment/postgres-geo`.
    pub exec: String,
    /// The container; none: the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The command that undoes it.
    pub recover: Vec<String>,
}

/// Restarts a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// The workload, e.g. `deployment/geo`.
    pub restart: String,
}
