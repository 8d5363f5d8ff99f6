//! What is asked of Jaeger and Prometheus, through the API server's service proxy.
//!
//! Windows are closed: they end so long before the question that everything has arrived.

use aiopslab_datasets::probes::Tool;
use aiopslab_problems::family::Application;
use jiff::Timestamp;
use serde_json::Value;

use super::{Ask, Question, seconds};
use crate::cluster::Cluster;

/// How long before a question its window ends, in seconds: exporters and Jaeger batch spans.
const SETTLED: i64 = 30;
/// Traces per answer; windows are chosen so that there are fewer.
const LIMIT: usize = 200;
/// Services whose traces are asked for.
const SERVICES: usize = 6;
/// Traces that are asked for by their id.
const TRACES: usize = 3;

/// PromQL that is asked for one moment; `<ns>` is the application's namespace.
const INSTANT: &[&str] = &[
    "up",
    "count by (job) (up)",
    "sum(rate(container_cpu_usage_seconds_total{namespace=\"<ns>\",container!=\"\"}[1m])) by (pod)",
    "container_memory_working_set_bytes{namespace=\"<ns>\",container!=\"\",container!=\"POD\"}",
    "topk(3, container_memory_working_set_bytes{namespace=\"<ns>\",container!=\"\"})",
    "sum by (pod) (container_memory_rss{namespace=\"<ns>\"}) / 1024 / 1024",
    "max_over_time(container_memory_usage_bytes{namespace=\"<ns>\",container!=\"\"}[2m])",
    "increase(container_network_receive_bytes_total{namespace=\"<ns>\"}[1m])",
    "absent(up{job=\"nothing\"})",
    "nothing_here",
    "1 + 1",
    "scalar(count(up))",
    "machine_cpu_cores",
    "time() - container_start_time_seconds{namespace=\"<ns>\",container!=\"\"}",
    "label_replace(up, \"short\", \"$1\", \"instance\", \"(.*):.*\")",
    "scrape_duration_seconds > 0.001",
    "sum(",
    "rate(up)",
];

/// PromQL that is asked for a range.
const RANGES: &[&str] = &[
    "up",
    "sum(rate(container_cpu_usage_seconds_total{namespace=\"<ns>\"}[30s])) by (pod)",
    "avg by (container) (container_memory_working_set_bytes{namespace=\"<ns>\"})",
    "count(container_last_seen{namespace=\"<ns>\"})",
    "rate(container_network_transmit_bytes_total{namespace=\"<ns>\"}[1m]) > 0",
    "scrape_samples_scraped",
];

/// Questions about spans.
pub(super) async fn jaeger(cluster: &Cluster, application: &Application) -> Vec<Question> {
    let endpoint = &application.jaeger;
    let ask = async |path: &str| -> Value {
        let answer = cluster
            .proxy_json(endpoint, &application.namespace, path)
            .await;
        answer.unwrap_or_default()
    };
    let mut services: Vec<String> = strings(&ask("/api/services").await["data"]);
    services.sort();
    // Spread over the alphabet, the same ones for the same services.
    let step = services.len().div_ceil(SERVICES).max(1);
    let chosen: Vec<&String> = services.iter().step_by(step).collect();
    let end = seconds(Timestamp::now()) - SETTLED;
    let mut paths = vec![("services", "/api/services".to_owned())];
    let mut ids = Vec::new();
    for (second, service) in (0..).zip(chosen) {
        let service = encoded(service);
        paths.push(("operations", format!("/api/services/{service}/operations")));
        paths.push(("operations", format!("/api/operations?service={service}")));
        let window = window(end - second, 1);
        let path = format!("/api/traces?service={service}&{window}&limit={LIMIT}");
        let found = ask(&path).await;
        paths.push(("traces", path));
        let first = found.pointer("/data/0/traceID").and_then(Value::as_str);
        ids.extend(first.map(str::to_owned));
        let operation = found.pointer("/data/0/spans/0/operationName");
        if let Some(operation) = operation.and_then(Value::as_str) {
            let (window, operation) = (self::window(end, 2), encoded(operation));
            paths.push((
                "traces",
                format!(
                    "/api/traces?service={service}&operation={operation}&{window}&limit={LIMIT}"
                ),
            ));
        }
        let window = self::window(end, 3);
        for filter in ["tags=%7B%22error%22%3A%22true%22%7D", "minDuration=50ms"] {
            paths.push((
                "traces",
                format!("/api/traces?service={service}&{filter}&{window}&limit={LIMIT}"),
            ));
        }
    }
    ids.dedup();
    let by_id = ids.into_iter().take(TRACES);
    paths.extend(by_id.map(|id| ("trace", format!("/api/traces/{id}"))));
    paths.push((
        "trace",
        "/api/traces/0123456789abcdef0123456789abcdef".to_owned(),
    ));
    let question = |(kind, path)| Question {
        tool: Tool::Jaeger,
        kind,
        ask: Ask::Get(endpoint.clone(), path),
    };
    paths.into_iter().map(question).collect()
}

/// Questions about samples.
pub(super) fn prometheus(cluster: &Cluster, application: &Application) -> Vec<Question> {
    // The API server's clock; Prometheus stamps samples with its own, which is as old as a scrape.
    let offset = cluster.clock_offset();
    let ahead = if offset.offset_ms.abs() > offset.uncertainty_ms {
        offset.offset_ms / 1000
    } else {
        0
    };
    let end = seconds(Timestamp::now()) + ahead - SETTLED;
    let query = |text: &&str| encoded(&text.replace("<ns>", &application.namespace));
    let instant = INSTANT
        .iter()
        .map(query)
        .map(|query| ("instant", format!("/api/v1/query?query={query}&time={end}")));
    let ranges = RANGES.iter().map(query).map(|query| {
        let start = end - 60;
        (
            "range",
            format!("/api/v1/query_range?query={query}&start={start}&end={end}&step=10"),
        )
    });
    let question = |(kind, path)| Question {
        tool: Tool::Prometheus,
        kind,
        ask: Ask::Get(application.prometheus.clone(), path),
    };
    instant.chain(ranges).map(question).collect()
}

/// So many whole seconds up to a moment, as Jaeger writes it.
fn window(end: i64, length: i64) -> String {
    format!("start={}000000&end={end}000000", end - length)
}

fn strings(value: &Value) -> Vec<String> {
    let texts = value.as_array().into_iter().flatten();
    texts
        .filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect()
}
