//! A command in a ready pod of a workload.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::Undone;
use crate::cluster::Cluster;
use crate::error::CaptureError;
use crate::journal::Command;
use crate::resource;

const EXEC_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a workload may have no ready pod: it may have been restarted just now.
const READY_WITHIN: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_secs(1);

pub(super) async fn undo(
    cluster: &Cluster,
    namespace: &str,
    exec: &Command,
) -> Result<Undone, CaptureError> {
    let path = cluster.object_path(namespace, &exec.object).await?;
    if cluster.find_json(&path).await?.is_none() {
        return Ok(Undone::AsBefore);
    }
    run(cluster, namespace, exec, &exec.recover).await?;
    Ok(Undone::Restored)
}

/// Runs one of the two commands.
pub(super) async fn run(
    cluster: &Cluster,
    namespace: &str,
    exec: &Command,
    command: &[String],
) -> Result<(), CaptureError> {
    let until = Instant::now() + READY_WITHIN;
    let pod = loop {
        match ready_pod(cluster, namespace, &exec.object).await {
            Err(CaptureError::NoReadyPod { .. }) if Instant::now() < until => sleep(POLL).await,
            other => break other?,
        }
    };
    let container = exec.container.as_deref();
    let output = cluster
        .exec(namespace, &pod, container, command, EXEC_TIMEOUT)
        .await?;
    if output.exit_code == 0 {
        return Ok(());
    }
    Err(CaptureError::Exec {
        object: exec.object.clone(),
        command: command.join(" "),
        code: output.exit_code,
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

async fn ready_pod(
    cluster: &Cluster,
    namespace: &str,
    object: &str,
) -> Result<String, CaptureError> {
    let none = || CaptureError::NoReadyPod {
        object: object.to_owned(),
    };
    let workload = cluster
        .find_json(&cluster.object_path(namespace, object).await?)
        .await?
        .ok_or_else(none)?;
    let labels = workload
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object);
    let labels = labels.ok_or_else(none)?;
    let selector = labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()));
    let path = format!(
        "/api/v1/namespaces/{namespace}/pods?{}",
        resource::with_labels(selector)
    );
    let pods = cluster.list(&path).await?;
    let mut names: Vec<String> = pods
        .iter()
        .filter(|pod| resource::is_ready_pod(pod))
        .map(|pod| resource::text(pod, "/metadata/name").to_owned())
        .collect();
    names.sort();
    names.into_iter().next().ok_or_else(none)
}
