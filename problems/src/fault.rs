//! Faults as data: a list of steps out of a closed set.
//!
//! Objects are named `resource/name`, e.g. `service/rate`, in the application's namespace.
//! `{variable}` in any text is replaced by the variant's variable of that name.
//! A step's kind is told by the key that it has: `scale`, `patch`, `chaos`, …

mod chaos;
mod check;
mod object;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::{Value, from_value};

pub use self::chaos::{Chaos, Experiment};
pub(crate) use self::check::can_be_applied;
pub use self::object::{ApiPatch, Apply, Delete, Patch, Recreate, Restart, Scale, SetField, Where};
use crate::condition::Condition;
use crate::keyed::{self, Kind};

/// One step of a fault.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Step {
    /// Sets a field of an object; undone from its recorded pre-image.
    Patch(Patch),
    /// Changes an object by a patch as the Kubernetes API takes it; undone likewise.
    ApiPatch(ApiPatch),
    /// Creates or replaces an object; undone by deleting it, or from its recorded pre-image.
    Apply(Apply),
    /// Deletes an object and creates it again with changed fields; undone the same way from its pre-image.
    Recreate(Recreate),
    /// Deletes objects; undone from their recorded pre-images unless their controllers made new ones.
    Delete(Delete),
    /// Sets the replicas of a workload; undone from its recorded pre-image.
    Scale(Scale),
    /// Restarts a workload the way `kubectl rollout restart` does; recovering restarts it again, after all else.
    Restart(Restart),
    /// Runs a command in a container; undone by its own `recover` command.
    Exec(Exec),
    /// Gives the application's chart other values; undone from the pre-images of what they change.
    Helm(Helm),
    /// Takes the application off the cluster and deploys it again; undone by letting it have its volumes.
    Redeploy(Redeploy),
    /// Sets a feature flag of the application; undone from its recorded pre-image.
    Flag(Flag),
    /// Disturbs the pods of a service until it is recovered.
    Chaos(Chaos),
    /// Runs a command on the node of a service's pod; undone by its own `recover` command.
    Node(NodeCommand),
    /// Runs the Docker client, for applications that are not on Kubernetes; undone likewise.
    Docker(Docker),
    /// Waits until a condition holds; nothing to undo.
    WaitFor(WaitFor),
}

const KINDS: [Kind<Step>; 14] = [
    ("patch", |value| match value.get("set") {
        Some(_) => from_value(value).map(Step::Patch),
        None => from_value(value).map(Step::ApiPatch),
    }),
    ("apply", |value| from_value(value).map(Step::Apply)),
    ("recreate", |value| from_value(value).map(Step::Recreate)),
    ("delete", |value| from_value(value).map(Step::Delete)),
    ("scale", |value| from_value(value).map(Step::Scale)),
    ("restart", |value| from_value(value).map(Step::Restart)),
    ("exec", |value| from_value(value).map(Step::Exec)),
    ("helm", |value| from_value(value).map(Step::Helm)),
    ("redeploy", |value| from_value(value).map(Step::Redeploy)),
    ("flag", |value| from_value(value).map(Step::Flag)),
    ("chaos", |value| from_value(value).map(Step::Chaos)),
    ("node", |value| from_value(value).map(Step::Node)),
    ("docker", |value| from_value(value).map(Step::Docker)),
    ("wait_for", |value| from_value(value).map(Step::WaitFor)),
];

impl<'de> Deserialize<'de> for Step {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        keyed::read(deserializer, "step", &KINDS)
    }
}

impl Step {
    /// The keys that tell the kinds of steps.
    pub fn kinds() -> impl Iterator<Item = &'static str> {
        KINDS.iter().map(|(key, _)| *key)
    }

    /// The key that tells this step's kind, and the way where a kind has several: `patch with merge`.
    #[must_use]
    pub fn kind(&self) -> String {
        let plain = match self {
            Self::ApiPatch(step) => {
                return format!("patch with {}", step.way().unwrap_or("nothing"));
            }
            Self::Chaos(step) => return format!("chaos {}", step.chaos.name()),
            Self::Patch(_) => "patch",
            Self::Apply(_) => "apply",
            Self::Recreate(_) => "recreate",
            Self::Delete(_) => "delete",
            Self::Scale(_) => "scale",
            Self::Restart(_) => "restart",
            Self::Exec(_) => "exec",
            Self::Helm(_) => "helm",
            Self::Redeploy(_) => "redeploy",
            Self::Flag(_) => "flag",
            Self::Node(_) => "node",
            Self::Docker(_) => "docker",
            Self::WaitFor(_) => "wait_for",
        };
        plain.to_owned()
    }

    /// The object that the step names, `resource/name`; for chaos and nodes the Service's.
    #[must_use]
    pub fn target(&self) -> Option<String> {
        match self {
            Self::Patch(step) => Some(step.patch.clone()),
            Self::ApiPatch(step) => Some(step.patch.clone()),
            Self::Recreate(step) => Some(step.recreate.clone()),
            Self::Delete(step) => Some(step.delete.clone()),
            Self::Scale(step) => Some(step.scale.clone()),
            Self::Restart(step) => Some(step.restart.clone()),
            Self::Exec(step) => Some(step.exec.clone()),
            Self::Chaos(step) => Some(format!("service/{}", step.service)),
            Self::Node(step) => Some(format!("service/{}", step.node)),
            Self::Apply(_)
            | Self::Helm(_)
            | Self::Redeploy(_)
            | Self::Flag(_)
            | Self::Docker(_)
            | Self::WaitFor(_) => None,
        }
    }
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

/// Gives the application's chart other values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Helm {
    /// Name of the release.
    pub helm: String,
    /// The values that are set.
    pub values: Value,
}

/// Takes the application off the cluster and deploys it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redeploy {
    /// What is left behind in between.
    pub redeploy: Leftover,
}

/// What of an application is left behind when it is taken off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Leftover {
    /// Its PersistentVolumes, still bound to claims that are gone.
    KeepVolumes,
}

/// Sets a feature flag where the application says that its flags are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flag {
    /// Name of the flag.
    pub flag: String,
    /// The variant that becomes its default.
    pub variant: String,
}

/// Runs a command on the node of a service's pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NodeCommand {
    /// Name of the service.
    pub node: String,
    /// The command and its arguments.
    pub command: Vec<String>,
    /// The command that undoes it.
    pub recover: Vec<String>,
}

/// Runs the Docker client.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Docker {
    /// The client's arguments.
    pub docker: Vec<String>,
    /// The arguments that undo it.
    pub recover: Vec<String>,
}

/// Waits until a condition holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WaitFor {
    /// What must hold.
    pub wait_for: Condition,
    /// For how long at most; then the step has failed.
    pub seconds: u64,
}
