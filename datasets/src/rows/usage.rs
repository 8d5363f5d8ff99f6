//! CPU and memory as `kubectl top` shows them.

use super::row;

/// A row of [`Table::Usage`](crate::schema::Table::Usage).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// `node` or `pod`.
    pub kind: String,
    /// Namespace, empty for nodes.
    pub namespace: String,
    /// Name of the node or pod.
    pub name: String,
    /// Name of the container, empty for nodes.
    pub container: String,
    /// End of the measured window.
    pub timestamp: i64,
    /// Length of the measured window in milliseconds.
    pub window_ms: i64,
    /// CPU in billionths of a core.
    pub cpu_nanocores: i64,
    /// Working set in bytes.
    pub memory_bytes: i64,
}

row!(
    Usage,
    Usage {
        kind: String,
        namespace: String,
        name: String,
        container: String,
        timestamp: i64,
        window_ms: i64,
        cpu_nanocores: i64,
        memory_bytes: i64,
    }
);
