//! Container instances and their log lines.

use super::row;

/// A row of [`Table::LogInstances`](crate::schema::Table::LogInstances).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogInstance {
    /// Joins with the lines.
    pub instance_id: u64,
    /// Uid of the pod.
    pub pod_uid: String,
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
    /// `container`, `init` or `ephemeral`.
    pub role: String,
    /// How many times the container had been restarted when this instance ran.
    pub restart: i32,
    /// The runtime's id, with its scheme.
    pub container_id: String,
    /// Name of the node.
    pub node: String,
    /// When it started.
    pub started: Option<i64>,
    /// When it ended.
    pub finished: Option<i64>,
    /// Its exit code.
    pub exit_code: Option<i32>,
    /// Why it ended.
    pub reason: Option<String>,
    /// Whether its first line is in the recording (false after a rotation).
    pub first_line_kept: bool,
}

row!(LogInstance, LogInstances {
    instance_id: u64, pod_uid: String, namespace: String, pod: String, container: String,
    role: String, restart: i32, container_id: String, node: String, started: Option<i64>,
    finished: Option<i64>, exit_code: Option<i32>, reason: Option<String>, first_line_kept: bool,
});

/// A row of [`Table::LogLines`](crate::schema::Table::LogLines).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogLine {
    /// The instance.
    pub instance_id: u64,
    /// Position within the instance, from 0.
    pub seq: u64,
    /// As the kubelet stamped it.
    pub timestamp: i64,
    /// The line without its line feed.
    pub message: Vec<u8>,
    /// `stdout` or `stderr` where the source tells.
    pub stream: Option<String>,
    /// Namespace of the pod.
    pub namespace: String,
    /// The application's service that the pod belongs to.
    pub service: Option<String>,
    /// Name of the pod.
    pub pod: String,
    /// Name of the container.
    pub container: String,
}

row!(LogLine, LogLines {
    instance_id: u64, seq: u64, timestamp: i64, message: Vec<u8>, stream: Option<String>,
    namespace: String, service: Option<String>, pod: String, container: String,
});
