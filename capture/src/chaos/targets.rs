//! Which pods an experiment is done to, read from the Service that names them.

use std::collections::BTreeSet;

use aiopslab_problems::fault::{Chaos, Experiment};
use serde_json::Value;

use super::{Labels, impossible};
use crate::cluster::Cluster;
use crate::error::CaptureError;
use crate::resource::{text, with_labels};

/// A pod to disturb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) uid: String,
    pub(super) node: String,
}

/// The labels that a Service selects its pods by.
pub(super) async fn selector(
    cluster: &Cluster,
    namespace: &str,
    service: &str,
) -> Result<Labels, CaptureError> {
    let path = format!("/api/v1/namespaces/{namespace}/services/{service}");
    let found = cluster.find_json(&path).await?;
    let found = found.ok_or_else(|| nothing(service, "there is no such Service"))?;
    match found.pointer("/spec/selector").and_then(Value::as_object) {
        Some(labels) if !labels.is_empty() => Ok(labels.clone()),
        _ => Err(nothing(service, "the Service selects no pods by labels")),
    }
}

/// A selector as a query of the API server.
pub(super) fn query(selector: &Labels) -> String {
    with_labels(
        selector
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default())),
    )
}

/// The running pods of a Service that an experiment can be done to.
pub(super) async fn pods(
    cluster: &Cluster,
    namespace: &str,
    step: &Chaos,
    selector: &Labels,
) -> Result<Vec<Target>, CaptureError> {
    let mut targets = Vec::new();
    for pod in running(cluster, namespace, &step.service, selector).await? {
        if let Some(because) = obstacle(&pod, step) {
            return Err(impossible(step.chaos.name(), &because));
        }
        targets.push(Target {
            uid: text(&pod, "/metadata/uid").to_owned(),
            node: text(&pod, "/spec/nodeName").to_owned(),
        });
    }
    targets.sort_by(|a, b| a.uid.cmp(&b.uid));
    Ok(targets)
}

/// The nodes of a Service's running pods.
pub(super) async fn nodes(
    cluster: &Cluster,
    namespace: &str,
    service: &str,
    selector: &Labels,
) -> Result<BTreeSet<String>, CaptureError> {
    let pods = running(cluster, namespace, service, selector).await?;
    let nodes = pods
        .iter()
        .map(|pod| text(pod, "/spec/nodeName").to_owned());
    Ok(nodes.collect())
}

/// The running pods of a Service; an error when there is none.
async fn running(
    cluster: &Cluster,
    namespace: &str,
    service: &str,
    selector: &Labels,
) -> Result<Vec<Value>, CaptureError> {
    let path = format!("/api/v1/namespaces/{namespace}/pods?{}", query(selector));
    let mut pods = cluster.list(&path).await?;
    pods.retain(|pod| {
        text(pod, "/status/phase") == "Running"
            && pod.pointer("/metadata/deletionTimestamp").is_none()
    });
    if pods.is_empty() {
        return Err(nothing(service, "the Service has no running pod"));
    }
    Ok(pods)
}

/// Why an experiment can't be done to a pod.
fn obstacle(pod: &Value, step: &Chaos) -> Option<String> {
    let name = text(pod, "/metadata/name");
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    if let Some(wanted) = &step.container
        && !containers
            .into_iter()
            .flatten()
            .any(|container| container["name"] == *wanted.as_str())
    {
        return Some(format!("pod {name} has no container {wanted}"));
    }
    let is_on = |field: &str| pod.pointer(field) == Some(&Value::Bool(true));
    if is_network(step.chaos) && is_on("/spec/hostNetwork") {
        return Some(format!(
            "pod {name} has the network of its node, which would be disturbed as a whole"
        ));
    }
    // The first process of a container is told from others by its number, which is 1 only in a space of its own.
    if is_on("/spec/hostPID") || is_on("/spec/shareProcessNamespace") {
        return Some(format!(
            "the containers of pod {name} have no process space of their own"
        ));
    }
    None
}

fn is_network(experiment: Experiment) -> bool {
    matches!(
        experiment,
        Experiment::NetworkLoss
            | Experiment::NetworkDelay
            | Experiment::NetworkPartition
            | Experiment::NetworkBandwidth
    )
}

/// The addresses that a service is reached at: its own and those of its pods.
pub(super) async fn addresses(
    cluster: &Cluster,
    namespace: &str,
    service: &str,
) -> Result<Vec<String>, CaptureError> {
    let path = format!("/api/v1/namespaces/{namespace}/services/{service}");
    let found = cluster.find_json(&path).await?;
    let found = found.ok_or_else(|| nothing(service, "there is no such Service"))?;
    let selector = selector(cluster, namespace, service).await?;
    let path = format!("/api/v1/namespaces/{namespace}/pods?{}", query(&selector));
    let pods = cluster.list(&path).await?;
    let mut addresses = texts(&found, "/spec/clusterIPs");
    for pod in &pods {
        let ips = pod.pointer("/status/podIPs").and_then(Value::as_array);
        addresses.extend(
            ips.into_iter()
                .flatten()
                .map(|ip| text(ip, "/ip").to_owned()),
        );
    }
    addresses.retain(|address| address.parse::<std::net::IpAddr>().is_ok());
    addresses.sort();
    addresses.dedup();
    if addresses.is_empty() {
        return Err(nothing(service, "the Service has no address"));
    }
    Ok(addresses)
}

fn texts(object: &Value, pointer: &str) -> Vec<String> {
    let list = object.pointer(pointer).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|item| item.as_str().map(str::to_owned))
        .collect()
}

fn nothing(service: &str, because: &str) -> CaptureError {
    CaptureError::NothingToChange {
        object: format!("service/{service}"),
        because: because.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_would_hit_more_than_the_pod_is_refused() {
        let step = |text: Value| serde_json::from_value::<Chaos>(text).unwrap();
        let loss = step(json!({"chaos": "network-loss", "service": "a", "loss_percent": 9}));
        let kill = step(
            json!({"chaos": "container-kill", "service": "a", "container": "b",
            "every_seconds": 5}),
        );
        let pod = |spec: Value| json!({"metadata": {"name": "p"}, "spec": spec});
        let host = pod(json!({"hostNetwork": true, "containers": [{"name": "b"}]}));
        assert!(obstacle(&host, &loss).unwrap().contains("of its node"));
        assert_eq!(obstacle(&host, &kill), None);
        let other = pod(json!({"containers": [{"name": "c"}]}));
        assert_eq!(obstacle(&other, &kill).unwrap(), "pod p has no container b");
        assert_eq!(obstacle(&other, &loss), None);
        let shared = pod(json!({"shareProcessNamespace": true, "containers": [{"name": "b"}]}));
        assert!(obstacle(&shared, &kill).is_some());
    }
}
