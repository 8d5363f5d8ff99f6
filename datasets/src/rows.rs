//! Rows of the tables as plain structs, for recorders that write them and views that read them.
//! Times are nanoseconds since the Unix epoch, except in metrics (milliseconds).

/// A row of [`Table::Coverage`](crate::schema::Table::Coverage).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// Name of the table that was recorded into.
    pub table: String,
    /// Where it came from, e.g. `kubernetes`, `prometheus`, `jaeger`.
    pub source: String,
    /// Which part, `key=value` pairs joined by commas; empty for all of it.
    pub scope: String,
    /// First moment covered.
    pub from: i64,
    /// End of what is covered (half-open).
    pub to: i64,
    /// `recorded`, `partial`, `missing` or `withheld`.
    pub state: String,
    /// Why it is not `recorded`.
    pub reason: Option<String>,
    /// Whether the source itself had nothing before `from`.
    pub from_is_source_start: bool,
}

/// A row of [`Table::MetricSeries`](crate::schema::Table::MetricSeries).
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSeries {
    /// Joins with the samples.
    pub series_id: u64,
    /// Which Prometheus.
    pub source: String,
    /// Metric name.
    pub name: String,
    /// All labels but the name, sorted by key.
    pub labels: Vec<(String, String)>,
    /// The label `namespace`.
    pub namespace: Option<String>,
    /// The label `pod`.
    pub pod: Option<String>,
    /// The label `container`.
    pub container: Option<String>,
    /// The label `node`, or `instance` where that names a node.
    pub node: Option<String>,
    /// Time of the first sample (ms).
    pub first: i64,
    /// Time of the last sample (ms).
    pub last: i64,
}

/// A row of [`Table::MetricSamples`](crate::schema::Table::MetricSamples).
#[derive(Debug, Clone, PartialEq)]
pub struct MetricSample {
    /// The series.
    pub series_id: u64,
    /// Milliseconds since the epoch.
    pub timestamp: i64,
    /// The value; NaN payloads are kept.
    pub value: f64,
    /// A native histogram, protobuf encoded.
    pub histogram: Option<Vec<u8>>,
}

/// A row of [`Table::MetricMetadata`](crate::schema::Table::MetricMetadata).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricMetadata {
    /// `metadata`, `rules`, `alerts`, `targets` or `config`.
    pub kind: String,
    /// Metric name, or empty.
    pub name: String,
    /// `counter`, `gauge`, `histogram`, …
    pub r#type: Option<String>,
    /// Help text.
    pub help: Option<String>,
    /// Unit.
    pub unit: Option<String>,
    /// What the server answered, for the kinds that are not `metadata`.
    pub json: Option<String>,
    /// Since when.
    pub valid_from: i64,
    /// Until when.
    pub valid_to: Option<i64>,
}

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

/// A row of [`Table::Spans`](crate::schema::Table::Spans).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// 16 hexadecimal digits.
    pub span_id: String,
    /// 16 hexadecimal digits.
    pub parent_span_id: Option<String>,
    /// `service.name`.
    pub service: String,
    /// Name of the span.
    pub operation: String,
    /// `internal`, `server`, `client`, `producer`, `consumer` or `unspecified`.
    pub kind: String,
    /// When it started.
    pub start: i64,
    /// When it ended.
    pub end: i64,
    /// `unset`, `ok` or `error`.
    pub status: String,
    /// Status message.
    pub message: Option<String>,
    /// JSON array of `{"key","type","value"}`.
    pub attributes: String,
    /// JSON array of `{"key","type","value"}`.
    pub resource: String,
    /// JSON object.
    pub scope: Option<String>,
    /// JSON array.
    pub events: String,
    /// JSON array.
    pub links: String,
    /// W3C trace flags.
    pub flags: u32,
    /// JSON array of what the backend remarked.
    pub warnings: Option<String>,
    /// Which backend.
    pub source: String,
}

/// A row of [`Table::ObjectVersions`](crate::schema::Table::ObjectVersions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Order in which the recorder saw versions; across all resources.
    pub seq: u64,
    /// `initial`, `added`, `modified`, `deleted` or `relisted`.
    pub event: String,
    /// When the recorder saw it.
    pub observed: i64,
    /// Whether `valid_from` is the server's own time rather than the recorder's.
    pub exact: bool,
    /// Since when this version was the object.
    pub valid_from: i64,
    /// Until when; none: until the recording ended.
    pub valid_to: Option<i64>,
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
    /// Opaque; never compared.
    pub resource_version: String,
    /// The object's JSON.
    pub object: String,
    /// JSON array of the cells that the server printed.
    pub cells: Option<String>,
}

/// A row of [`Table::ObjectApi`](crate::schema::Table::ObjectApi).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectApi {
    /// `version`, `discovery`, `openapi` or `columns`.
    pub kind: String,
    /// A group version, or for columns `resource.group`.
    pub name: String,
    /// What the server answered.
    pub json: String,
    /// Since when.
    pub valid_from: i64,
    /// Until when.
    pub valid_to: Option<i64>,
}

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
    /// Its exit code.
    pub exit_code: i32,
    /// When it was run.
    pub asked: i64,
    /// `instance`: true as long as the instance lives; `instant`: true only then.
    pub validity: String,
}
