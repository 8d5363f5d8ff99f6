//! What goes wrong in a capture.

use aiopslab_datasets::SnapshotError;
use camino::Utf8PathBuf;

use crate::cluster::ClusterError;
use crate::recorder::RecorderError;
use crate::sources::SourceError;

/// A capture, a check or a recovery failed.
#[derive(Debug, thiserror::Error)]
pub enum CaptureError {
    /// The cluster said no, or nothing.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The snapshot could not be written.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// A recorder failed.
    #[error(transparent)]
    Recorder(#[from] RecorderError),
    /// Writing the snapshot broke off.
    #[error(
        "failed to finish the snapshot {folder}: {reason}\nhint: `aiopslab snapshot salvage {folder}` tries again"
    )]
    Unfinished {
        /// The snapshot's folder.
        folder: Utf8PathBuf,
        /// What happened.
        reason: String,
    },
    /// A name of an object that is not `resource/name` of a known kind.
    #[error("unknown object {name:?}\nhint: write it as resource/name, for example service/rate")]
    UnknownResource {
        /// The name.
        name: String,
    },
    /// The family's application or workload is not what the application's file says.
    #[error("application {application} has no workload {workload:?}")]
    UnknownWorkload {
        /// Name of the application.
        application: String,
        /// Name of the workload.
        workload: String,
    },
    /// Manifests of an application that don't ship with this program.
    #[error("the manifests of application {application} are not part of this program")]
    UnknownManifests {
        /// Name of the application.
        application: String,
    },
    /// The application runs on something else.
    #[error("application {application} does not run on Kubernetes, and can't be captured")]
    NotOnKubernetes {
        /// Name of the application.
        application: String,
    },
    /// The catalog describes what this version can't carry out yet.
    #[error("it can't be captured; not implemented by this version:\n{}", .0.join("\n"))]
    NotImplemented(Vec<String>),
    /// JSON or YAML that can't be read.
    #[error("failed to read {what}")]
    Parse {
        /// What was read.
        what: String,
        /// What is wrong with it.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// Manifests could not be fetched.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// Something that a capture needs is not there.
    #[error("the cluster is not ready for a capture:\n{}", .0.join("\n"))]
    NotReady(Vec<String>),
    /// Another capture is under way.
    #[error(
        "another capture of {family} is under way on this cluster (it was alive {seconds} s ago)\nhint: wait for it; if it is dead, `aiopslab recover` undoes what it left"
    )]
    Busy {
        /// What it captures.
        family: String,
        /// When it was last alive.
        seconds: u64,
    },
    /// Conditions did not hold in time.
    #[error("{stage}: not within {seconds} s: {because}")]
    Timeout {
        /// What was waited for.
        stage: String,
        /// For how long.
        seconds: u64,
        /// The condition that did not hold, with the value found.
        because: String,
    },
    /// The fault did not show.
    #[error(
        "the fault of {family} did not manifest: {because}\nhint: the fault was undone; the recording so far is in {folder} without a manifest"
    )]
    NotManifested {
        /// Family and variant.
        family: String,
        /// The condition that did not hold, with the value found.
        because: String,
        /// The run folder.
        folder: Utf8PathBuf,
    },
    /// The mitigation oracle judges wrongly.
    #[error("the mitigation oracle of {family} is wrong: {because}")]
    Oracle {
        /// Family and variant.
        family: String,
        /// How it is wrong.
        because: String,
    },
    /// A command in a container failed.
    #[error("command {command:?} in {object} failed with exit code {code}: {stderr}")]
    Exec {
        /// The workload.
        object: String,
        /// The command.
        command: String,
        /// Its exit code.
        code: i32,
        /// What it said.
        stderr: String,
    },
    /// No pod to run a command in.
    #[error("{object} has no ready pod to run a command in")]
    NoReadyPod {
        /// The workload.
        object: String,
    },
    /// A deleted object stays.
    #[error(
        "{object} is still there {seconds} s after it was deleted\nhint: a finalizer may hold it: `kubectl get {object} -o jsonpath={{.metadata.finalizers}}`"
    )]
    NotDeleted {
        /// The object.
        object: String,
        /// How long it was waited for.
        seconds: u64,
    },
    /// An object of the fault is not there, or has nothing that the step could change.
    #[error("the fault's step on {object} changes nothing: {because}")]
    NothingToChange {
        /// The object.
        object: String,
        /// Why.
        because: String,
    },
    /// An experiment can't be carried out on this cluster.
    #[error("{experiment} is not possible here: {because}")]
    ChaosImpossible {
        /// Name of the experiment.
        experiment: String,
        /// Why, with what the node or Chaos Mesh said.
        because: String,
    },
    /// The caller cancelled.
    #[error("cancelled during {stage}; {outcome}")]
    Cancelled {
        /// The stage.
        stage: String,
        /// What became of the fault and of the recording.
        outcome: String,
    },
    /// The capture failed, and so did undoing it.
    #[error("{first}\nundoing it failed too: {}\nhint: run `aiopslab recover`", .problems.join("; "))]
    NotUndone {
        /// The first failure.
        first: Box<CaptureError>,
        /// What could not be undone.
        problems: Vec<String>,
    },
    /// The cluster is not as it was found.
    #[error("the cluster is not as it was found:\n{}", .0.join("\n"))]
    Different(Vec<String>),
}

impl CaptureError {
    /// Names what was parsed.
    pub(crate) fn json<E>(what: &str) -> impl FnOnce(E) -> Self
    where
        E: std::error::Error + Send + Sync + 'static,
    {
        let what = what.to_owned();
        move |source| Self::Parse {
            what,
            source: Box::new(source),
        }
    }

    /// Fails with what is not as a capture needs it, if there is anything.
    pub(crate) fn unless_ready(problems: Vec<String>) -> Result<(), Self> {
        if problems.is_empty() {
            Ok(())
        } else {
            Err(Self::NotReady(problems))
        }
    }

    /// Whether the cause lies with us rather than with the user's input or cluster.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        matches!(
            self,
            Self::Oracle { .. } | Self::UnknownManifests { .. } | Self::Unfinished { .. }
        )
    }
}
