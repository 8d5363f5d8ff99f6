//! What the interpreters ask of a recording: the cluster as it was at one moment.
//!
//! Every answer holds only what was true or finished at [`View::now`]. Lists are sorted, so that the
//! same question gets the same answer byte for byte. Whether "nothing" is an answer or a gap is
//! told by the `covers_*` questions.

use std::sync::Arc;

pub use aiopslab_datasets::rows::{LogInstance, LogLine, Usage};
use async_trait::async_trait;
use serde::{Deserialize, Serialize};

/// The recorded cluster at one moment. Everything that kubectl and the shell know comes from here.
#[async_trait]
pub trait View: Send + Sync {
    /// The moment, in nanoseconds since the Unix epoch.
    fn now(&self) -> i64;

    /// The resource types that the server served, from its recorded discovery; sorted by group and
    /// resource, the core group first. Empty if discovery was not recorded.
    async fn resources(&self) -> Result<Vec<ResourceType>, ViewError>;

    /// The objects that existed, in the order in which the server keeps them: see [`storage_key`].
    async fn objects(&self, query: &ObjectQuery) -> Result<Vec<RecordedObject>, ViewError>;

    /// The columns that the server printed for a resource, in its order; empty if not recorded.
    async fn columns(
        &self,
        group: &str,
        resource: &str,
    ) -> Result<Vec<ColumnDefinition>, ViewError>;

    /// Whether a resource was being recorded at this moment, in one namespace or (none) in all.
    async fn covers_objects(
        &self,
        group: &str,
        resource: &str,
        namespace: Option<&str>,
    ) -> Result<bool, ViewError>;

    /// The container instances of a pod's name that had started, sorted by container and restart,
    /// ends after this moment masked. Several pods in turn may have had the name: see `pod_uid`.
    async fn log_instances(
        &self,
        namespace: &str,
        pod: &str,
    ) -> Result<Vec<LogInstance>, ViewError>;

    /// Log lines up to this moment, sorted by instance and position.
    async fn log_lines(&self, query: &LogQuery) -> Result<Vec<LogLine>, ViewError>;

    /// Whether the lines of a container have the times at which they were written.
    async fn stamps_log_lines(&self, instance: &LogInstance) -> Result<bool, ViewError>;

    /// Whether logs of a namespace were being recorded at this moment.
    async fn covers_logs(&self, namespace: &str) -> Result<bool, ViewError>;

    /// The newest usage sample of every node or container, none older than five minutes; `kind` is
    /// `node` or `pod`. Sorted by namespace, name and container.
    async fn usage(&self, kind: &str, namespace: Option<&str>) -> Result<Vec<Usage>, ViewError>;

    /// What was run inside a pod's containers, at whatever moment: see [`ExecAnswer::lasting`].
    async fn exec_answers(&self, pod_uid: &str) -> Result<Vec<ExecAnswer>, ViewError>;

    /// What the server answered at `/version`; null if it was not recorded.
    async fn server_version(&self) -> Result<serde_json::Value, ViewError>;

    /// The recorded discovery documents with their names (`api`, `apis`, `v1`, `apps/v1`, …), sorted
    /// by name; empty if discovery was not recorded.
    async fn discovery(&self) -> Result<Vec<(String, serde_json::Value)>, ViewError>;

    /// What the recorded cluster let its recorder do, as the status of a `SelfSubjectRulesReview`: by
    /// namespace, sorted, with what holds in every namespace under the empty name. Empty if it was
    /// not recorded.
    async fn access_rules(&self) -> Result<Vec<(String, serde_json::Value)>, ViewError>;

    /// The names of the recorded OpenAPI v3 documents, as paths (`api/v1`, `apis/apps/v1`); sorted.
    async fn openapi_names(&self) -> Result<Vec<String>, ViewError>;

    /// An OpenAPI v3 document by its name; none if it was not recorded.
    async fn openapi(&self, name: &str) -> Result<Option<serde_json::Value>, ViewError>;

    /// Up to which moment time can pass; none: it stands still.
    fn plays_until(&self) -> Option<i64> {
        None
    }

    /// The recording at a later moment, at most [`View::plays_until`]; none: time stands still.
    fn later(&self, _moment: i64) -> Option<Arc<dyn View>> {
        None
    }

    /// What happens to objects after this moment, up to and at a later one, in order; none: time
    /// stands still, or there is a gap in what was recorded of them. Who asks has to wait for it:
    /// nothing of it may be told at this moment.
    async fn changes(
        &self,
        _query: &ObjectQuery,
        _until: i64,
    ) -> Result<Option<Vec<Change>>, ViewError> {
        Ok(None)
    }

    /// The pod label whose value names the application's service.
    fn service_label(&self) -> &str;
}

/// What the server keeps objects of a kind sorted by: `namespace/name`, so that `a-b/x` comes before
/// `a/x`.
pub(crate) fn storage_key<'k>(namespace: &'k str, name: &'k str) -> impl Iterator<Item = u8> + 'k {
    namespace.bytes().chain(*b"/").chain(name.bytes())
}

/// A command that was run inside a container, and what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecAnswer {
    /// Name of the container.
    pub container: String,
    /// The runtime's id of the instance that answered.
    pub container_id: String,
    /// The command's words.
    pub argv: Vec<String>,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it printed as errors.
    pub stderr: Vec<u8>,
    /// Its exit code; -1: the container has no such program, and `stderr` is what the server said.
    pub exit_code: i32,
    /// Whether the answer holds as long as the container lives. Of another, only the form may be told.
    pub lasting: bool,
}

/// A kind of object that the recorded server served.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResourceType {
    /// API group, empty for the core group.
    pub group: String,
    /// API version, e.g. `v1`.
    pub version: String,
    /// Plural name, e.g. `pods`.
    pub resource: String,
    /// Kind, e.g. `Pod`.
    pub kind: String,
    /// Singular name, e.g. `pod`.
    pub singular: String,
    /// Short names, e.g. `po`.
    pub short_names: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Categories, e.g. `all`.
    pub categories: Vec<String>,
    /// Verbs, e.g. `list`.
    pub verbs: Vec<String>,
}

/// Which objects are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ObjectQuery {
    /// API group, empty for the core group.
    pub group: String,
    /// Plural resource name.
    pub resource: String,
    /// Only this namespace; none: all, and cluster-scoped objects.
    pub namespace: Option<String>,
    /// Only this name.
    pub name: Option<String>,
}

impl ObjectQuery {
    /// All objects of a resource in one namespace, or (none) everywhere.
    #[must_use]
    pub fn all(group: &str, resource: &str, namespace: Option<&str>) -> Self {
        Self {
            group: group.to_owned(),
            resource: resource.to_owned(),
            namespace: namespace.map(str::to_owned),
            name: None,
        }
    }
}

/// An object as it was at the moment.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordedObject {
    /// API group, empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Plural resource name.
    pub resource: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// The object.
    pub object: serde_json::Value,
    /// The cells that the server printed, in the order of [`View::columns`].
    pub cells: Option<Vec<serde_json::Value>>,
    /// When the recorder saw this version (time-dependent cells are of that moment).
    pub observed: i64,
    /// Since when this version was the object.
    pub valid_from: i64,
}

/// What happens to an object at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When, in nanoseconds.
    pub moment: i64,
    /// Whether it is gone; the object is then its last state.
    pub deleted: bool,
    /// What it becomes.
    pub object: RecordedObject,
}

/// A column of the server's table of a resource, as in `meta.k8s.io/v1 Table`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ColumnDefinition {
    /// Heading.
    pub name: String,
    /// OpenAPI type.
    #[serde(rename = "type")]
    pub r#type: String,
    /// OpenAPI format.
    #[serde(default)]
    pub format: String,
    /// Description.
    #[serde(default)]
    pub description: String,
    /// 0: always shown; above: with `-o wide`.
    #[serde(default)]
    pub priority: i32,
}

/// Which log lines are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogQuery {
    /// The container instances.
    pub instance_ids: Vec<u64>,
    /// Only lines stamped at or after this.
    pub since_ns: Option<i64>,
    /// Only the last so many lines of each instance.
    pub tail: Option<u64>,
}

/// The recording could not be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read {what}")]
pub struct ViewError {
    /// What was being read.
    pub what: String,
    /// Why it failed.
    #[source]
    pub source: Box<dyn std::error::Error + Send + Sync>,
}

impl ViewError {
    /// A failure while reading something.
    pub fn new(
        what: impl Into<String>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            what: what.into(),
            source: source.into(),
        }
    }
}
