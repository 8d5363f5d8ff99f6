//! The shape of an answer: what an agent reads after an action, written once for live and replayed environments.
//!
//! Everything here is AIOpsLab's form of answering, down to the byte where that form is deterministic: CSV columns,
//! path trees, tables as pandas prints them, texts of errors. Where AIOpsLab's order is accidental (files of a folder,
//! rows of one moment), ours is sorted.

mod csv;
mod exports;
mod logs;
mod service_log;
mod shell;
mod table;

use std::collections::BTreeMap;

pub use self::csv::{push_row as push_csv_row, python_float};
pub use self::exports::{
    FILES_ROOT, KPI_NAMES_LOST_UPSTREAM, KPI_PODS_LEFT_OUT_UPSTREAM, RESPONSE_KEYS,
    RESPONSE_KEYS_UPSTREAM, kpi_pod, marks_error, metrics_folder, no_traces_in, response,
    traces_path, window_start,
};
pub use self::logs::greedy_compress_lines;
pub use self::service_log::{
    JOB_LABEL, container_names, label_of, no_pod_of_service, pod_label, several_containers,
    waiting_reason, waiting_to_start,
};
pub use self::shell::{
    OUTPUT_BYTES, add_stopped, cut_output, refreshed, shell_text, shell_text_upstream,
};
pub use self::table::{TableError, table_text};

/// The metrics that `get_metrics` answers with, sorted.
pub const KPI_NAMES: [&str; 24] = [
    "container_cpu_cfs_periods_total",
    "container_cpu_cfs_throttled_periods_total",
    "container_cpu_cfs_throttled_seconds_total",
    "container_cpu_load_average_10s",
    "container_cpu_system_seconds_total",
    "container_cpu_usage_seconds_total",
    "container_cpu_user_seconds_total",
    "container_memory_cache",
    "container_memory_mapped_file",
    "container_memory_rss",
    "container_memory_usage_bytes",
    "container_memory_working_set_bytes",
    "container_network_receive_bytes_total",
    "container_network_receive_packets_dropped_total",
    "container_network_receive_packets_total",
    "container_network_transmit_bytes_total",
    "container_network_transmit_errors_total",
    "container_network_transmit_packets_dropped_total",
    "container_network_transmit_packets_total",
    "container_spec_cpu_period",
    "container_spec_cpu_quota",
    "container_spec_cpu_shares",
    "container_spec_memory_limit_bytes",
    "container_threads",
];

/// Seconds between two points of a metric in the answer of `get_metrics`.
pub const KPI_STEP_S: i64 = 15;

/// One value of one series at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct KpiPoint {
    /// Name of the metric, one of [`KPI_NAMES`].
    pub metric: String,
    /// Label `instance`: the node; empty where the source has no such label.
    pub instance: String,
    /// Label `pod`, or what else names the source of the series.
    pub pod: String,
    /// Seconds since the epoch.
    pub timestamp_s: i64,
    /// The value as stored; it is rounded to 3 decimals here.
    pub value: f64,
    /// Label `interface` of the network metrics.
    pub interface: Option<String>,
}

/// One span, as the answer of `get_traces` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSpan {
    /// Its trace.
    pub trace_id: String,
    /// Its id.
    pub span_id: String,
    /// Its parent; none: `ROOT`.
    pub parent_span_id: Option<String>,
    /// Name of the service.
    pub service: String,
    /// Name of the operation.
    pub operation: String,
    /// Microseconds since the epoch.
    pub start_us: i64,
    /// Microseconds.
    pub duration_us: i64,
    /// Whether it is marked as an error.
    pub has_error: bool,
    /// HTTP status or response class; none: `Unknown`.
    pub response: Option<String>,
}

/// Lays out metrics as `get_metrics` exports them: (path below the export's folder, CSV), sorted by path.
///
/// Rows are sorted by time, then pod. A metric without a point has no file.
#[must_use]
pub fn metrics_files(points: &[KpiPoint]) -> Vec<(String, String)> {
    let mut rows: BTreeMap<String, Vec<(i64, String, String, f64)>> = BTreeMap::new();
    for point in points {
        let kpi_name = match &point.interface {
            Some(interface) => format!("{}.{interface}", point.metric),
            None => point.metric.clone(),
        };
        let row = (
            point.timestamp_s,
            match point.instance.as_str() {
                "" => point.pod.clone(),
                instance => format!("{instance}.{}", point.pod),
            },
            kpi_name,
            csv::rounded(point.value),
        );
        let file = point.metric.replace('/', "_");
        rows.entry(format!("container/kpi_{file}.csv"))
            .or_default()
            .push(row);
    }
    rows.into_iter()
        .map(|(path, mut rows)| {
            rows.sort_by(|left, right| {
                (left.0, &left.1, &left.2)
                    .cmp(&(right.0, &right.1, &right.2))
                    .then(left.3.total_cmp(&right.3))
            });
            let mut text = String::from("timestamp,cmdb_id,kpi_name,value\n");
            for (timestamp, cmdb_id, kpi_name, value) in rows {
                let value = if value.is_nan() {
                    String::new()
                } else {
                    python_float(value)
                };
                csv::push_row(
                    &mut text,
                    [&timestamp.to_string(), &cmdb_id, &kpi_name, &value],
                );
            }
            (path, text)
        })
        .collect()
}

/// Says where metrics were exported to, with a tree of the files that [`metrics_files`] returned.
///
/// `folder` ends in the name of the export, e.g. `/aiopslab/metrics_output/metric_20261122_051307`.
#[must_use]
pub fn metrics_message(folder: &str, files: &[(String, String)]) -> String {
    let name = folder.rsplit('/').next().unwrap_or(folder);
    let mut text = format!(
        "Metrics data exported to directory: {folder}\n\nFolder structure of exported metrics:\n{name}/\n    container/\n"
    );
    for (path, _) in files {
        let file = path.rsplit('/').next().unwrap_or(path);
        text.push_str("        ");
        text.push_str(file);
        text.push('\n');
    }
    // AIOpsLab makes this folder and never writes into it.
    text.push_str("    istio/\n");
    text
}

/// Lays out spans as `get_traces` exports them, in the order given.
#[must_use]
pub fn traces_csv(spans: &[TraceSpan]) -> String {
    let mut text = String::from(
        "trace_id,span_id,parent_span,service_name,operation_name,start_time,duration,has_error,response\n",
    );
    for span in spans {
        let fields = [
            span.trace_id.as_str(),
            &span.span_id,
            span.parent_span_id.as_deref().unwrap_or("ROOT"),
            &span.service,
            &span.operation,
            &span.start_us.to_string(),
            &span.duration_us.to_string(),
            if span.has_error { "True" } else { "False" },
            span.response.as_deref().unwrap_or("Unknown"),
        ];
        csv::push_row(&mut text, fields);
    }
    text
}

/// Says where traces were exported to.
#[must_use]
pub fn traces_message(path: &str) -> String {
    format!("Traces data exported to: {path}")
}

/// Says that `get_logs` found no such service.
#[must_use]
pub fn unknown_service() -> &'static str {
    "Error: Your service/namespace does not exist. Use kubectl to check."
}

/// Says that `read_metrics` found no such file.
#[must_use]
pub fn metrics_file_not_found(path: &str) -> String {
    format!("error: Metrics file '{path}' not found.")
}

/// Says that `read_traces` found no such file.
#[must_use]
pub fn traces_file_not_found(path: &str) -> String {
    format!("error: Traces file '{path}' not found.")
}

/// Says that a command failed: what it wrote to its standard error, and nothing of its output.
#[must_use]
pub fn command_failed(stderr: &str) -> String {
    format!("[ERROR] Command execution failed: {stderr}")
}

/// Returns the refusal of a command that never ends or needs a terminal; none: the command may run.
#[must_use]
pub fn refused_command(command: &str) -> Option<&'static str> {
    const REFUSED: [(&str, &str); 5] = [
        (
            "kubectl edit",
            "Error: Cannot use `kubectl edit`. Use `kubectl patch` instead.",
        ),
        (
            "edit svc",
            "Error: Cannot use `kubectl edit`. Use `kubectl patch` instead.",
        ),
        (
            "kubectl port-forward",
            "Error: Cannot use `kubectl port-forward` because it is an interactive command.",
        ),
        (
            "docker logs -f",
            "Error: Cannot use `docker logs -f`. Use `docker logs` instead.",
        ),
        (
            "kubectl logs -f",
            "Error: Cannot use `kubectl logs -f`. Use `kubectl logs` instead.",
        ),
    ];
    REFUSED
        .iter()
        .find(|(part, _)| command.contains(part))
        .map(|(_, text)| *text)
}

#[cfg(test)]
mod oracle_tests;
#[cfg(test)]
mod tests;
