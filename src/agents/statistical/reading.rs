//! What the statistical baselines ask for: the last minutes of one kind of data.

use std::collections::BTreeSet;

use aiopslab_problems::action::Action;

use super::tables;
use crate::agents::conversation::Talk;
use crate::algorithms::{logs, metrics, traces};

/// How far they look back: AIOpsLab's default for metrics and traces.
const MINUTES: i64 = 5;

/// The metrics that are read: one of each resource that every container uses. All two dozen would take
/// most of an agent's steps, and are mostly parts of these.
const METRICS: [&str; 4] = [
    "container_cpu_usage_seconds_total",
    "container_memory_working_set_bytes",
    "container_network_receive_bytes_total",
    "container_network_transmit_bytes_total",
];

/// Reads metrics by `get_metrics` and `read_metrics`.
pub(super) async fn metrics(talk: &mut Talk, namespace: &str) -> Vec<metrics::Series> {
    let components = components(talk, namespace).await;
    let exported = talk
        .call(&Action::GetMetrics {
            namespace: namespace.to_owned(),
            duration: MINUTES,
        })
        .await;
    let Some(folder) = tables::exported_to(&exported) else {
        return Vec::new();
    };
    let mut series = Vec::new();
    for metric in METRICS {
        let file = format!("kpi_{metric}.csv");
        if !exported.contains(&file) {
            continue;
        }
        let file_path = format!("{folder}/container/{file}");
        let table = talk.call(&Action::ReadMetrics { file_path }).await;
        series.extend(tables::series(&table, metric, &components));
    }
    series
}

/// Reads spans by `get_traces` and `read_traces`.
pub(super) async fn traces(talk: &mut Talk, namespace: &str) -> Vec<traces::Span> {
    let exported = talk
        .call(&Action::GetTraces {
            namespace: namespace.to_owned(),
            duration: MINUTES,
        })
        .await;
    let Some(file_path) = tables::exported_to(&exported) else {
        return Vec::new();
    };
    let file_path = file_path.to_owned();
    let table = talk.call(&Action::ReadTraces { file_path }).await;
    tables::spans(&table)
}

/// Reads the logs of all pods by one `exec_shell`: `get_logs` has no times, and takes a step for each.
pub(super) async fn logs(talk: &mut Talk, namespace: &str) -> logs::Logs {
    let components = components(talk, namespace).await;
    let printed = talk
        .shell(&format!(
            "for pod in $(kubectl get pods -n {namespace} -o name); do echo \"$pod\"; \
             kubectl logs \"$pod\" -n {namespace} --all-containers --timestamps --since={MINUTES}m; done"
        ))
        .await;
    let lines = tables::lines(&printed, &components);
    logs::Logs { components, lines }
}

/// The names of what may be at fault: Services, and workloads that have none.
async fn components(talk: &mut Talk, namespace: &str) -> BTreeSet<String> {
    let kinds = "services,deployments,statefulsets,daemonsets,cronjobs";
    let listed = talk
        .shell(&format!("kubectl get {kinds} -n {namespace} -o name"))
        .await;
    let names = listed.lines().filter_map(|line| line.split_once('/'));
    names.map(|(_, name)| name.trim().to_owned()).collect()
}
