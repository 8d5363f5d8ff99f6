//! What `get_metrics` and `get_traces` export, where to, and over which window.

use serde::Deserialize;
use serde_json::Value;

/// Where the files lie that actions export.
pub const FILES_ROOT: &str = "/aiopslab";

/// Metrics that AIOpsLab means to export and loses by a missing comma.
pub const KPI_NAMES_LOST_UPSTREAM: [&str; 2] = [
    "container_network_receive_errors_total",
    "container_threads_max",
];

/// Starts of the names of pods that AIOpsLab leaves out of its metrics.
pub const KPI_PODS_LEFT_OUT_UPSTREAM: [&str; 2] = ["loadgenerator-", "redis-cart"];

/// Attributes that AIOpsLab takes a span's response from.
pub const RESPONSE_KEYS_UPSTREAM: [&str; 2] = ["http.status_code", "response_class"];

/// Ours, with the names of today's conventions.
pub const RESPONSE_KEYS: [&str; 4] = [
    "http.status_code",
    "http.response.status_code",
    "rpc.grpc.status_code",
    "response_class",
];

/// The folder that the metrics of an episode's n-th action go to.
#[must_use]
pub fn metrics_folder(call: u32) -> String {
    format!("{FILES_ROOT}/metrics_output/call-{call:04}")
}

/// The file that the spans of an episode's n-th action go to.
#[must_use]
pub fn traces_path(call: u32) -> String {
    format!("{FILES_ROOT}/trace_output/call-{call:04}/traces.csv")
}

/// Start of a window of minutes back from now, in nanoseconds, or what is wrong with it.
///
/// # Errors
/// When the window has no length.
pub fn window_start(now: i64, minutes: i64) -> Result<i64, String> {
    if minutes <= 0 {
        return Err(format!(
            "Error: duration is a number of minutes back from now, at least 1; got {minutes}."
        ));
    }
    Ok(now.saturating_sub(minutes.saturating_mul(60_000_000_000)))
}

/// The pod's part of `cmdb_id`. AIOpsLab drops the container, so that different series get the same
/// id; this keeps it. `names_container` is whether the series has a label `name`.
#[must_use]
pub fn kpi_pod(pod: &str, container: &str, names_container: bool) -> String {
    match container {
        // cAdvisor names the container of the pod's sandbox, but not the pod as a whole.
        "" if names_container => format!("{pod}.POD"),
        "" => pod.to_owned(),
        container => format!("{pod}.{container}"),
    }
}

/// Says that traces are collected elsewhere.
#[must_use]
pub fn no_traces_in(namespace: &str, collected_in: &str) -> String {
    format!(
        "Error: no traces are collected in namespace {namespace}. Traces are collected in {collected_in}."
    )
}

/// Whether a span's attributes (a JSON array of `{"key","type","value"}`) mark it as an error.
#[must_use]
pub fn marks_error(attributes: &str) -> bool {
    attribute(attributes, &["error"])
        .is_some_and(|value| value == Value::Bool(true) || value == "true")
}

/// The response that a span's attributes tell under one of these keys.
#[must_use]
pub fn response(attributes: &str, keys: &[&str]) -> Option<String> {
    attribute(attributes, keys).map(|value| {
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned)
    })
}

/// The value of the last attribute of one of these keys.
fn attribute(attributes: &str, keys: &[&str]) -> Option<Value> {
    if !attributes.starts_with(r#"[{"key":""#) {
        let list: Vec<Attribute> = serde_json::from_str(attributes).ok()?;
        return list
            .into_iter()
            .rev()
            .find(|one| keys.contains(&one.key.as_str()))
            .map(|one| one.value);
    }
    // Only the attribute itself is parsed: there are many, on many spans. Within a text its quotes
    // would be escaped, so this finds nothing else.
    let starts = keys
        .iter()
        .filter_map(|key| attributes.rfind(&format!(r#"{{"key":"{key}""#)));
    let found = attributes.get(starts.max()?..)?;
    let mut parsed = serde_json::Deserializer::from_str(found).into_iter::<Attribute>();
    parsed.next()?.ok().map(|one| one.value)
}

#[derive(Deserialize)]
struct Attribute {
    key: String,
    #[serde(default)]
    value: Value,
}
