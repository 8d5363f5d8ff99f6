//! Commands that were run inside pods.

use super::row;

/// A row of [`Table::Exec`](crate::schema::Table::Exec).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exec {
    /// Uid of the pod.
    pub pod_uid: String,
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// The runtime's id of the instance that answered.
    pub container_id: String,
    /// JSON array of the command's words.
    pub argv: String,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it printed as errors.
    pub stderr: Vec<u8>,
    /// Its exit code; -1: the container has no such program, and `stderr` is what the server said.
    pub exit_code: i32,
    /// When it was run.
    pub asked: i64,
    /// `instance`: true as long as the instance lives; `instant`: true only then.
    pub validity: String,
}

row!(Exec, Exec {
    pod_uid: String, namespace: String, pod: String, container: String, container_id: String,
    argv: String, stdout: Vec<u8>, stderr: Vec<u8>, exit_code: i32, asked: i64, validity: String,
});
