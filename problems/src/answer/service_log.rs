//! The log of a service: which pod's it is, and why there is none.

use serde_json::Value;

/// Says why `get_logs` has no log: the pod has several containers.
#[must_use]
pub fn several_containers(namespace: &str, pod: &str, containers: &[String]) -> String {
    format!(
        "Error: pod {pod} has several containers: {}. Choose one: kubectl logs {pod} -n {namespace} -c {}",
        containers.join(", "),
        containers.first().map_or("CONTAINER", String::as_str),
    )
}

/// Says why `get_logs` has no log: the container has not started.
#[must_use]
pub fn waiting_to_start(pod: &str, container: &str, reason: &str) -> String {
    format!(
        "Error: container {container} of pod {pod} has no log: it is waiting to start: {reason}"
    )
}

/// Says why `get_logs` has no log: there is no such service; `known` are those that have pods.
#[must_use]
pub fn no_pod_of_service(namespace: &str, service: &str, mut known: Vec<&str>) -> String {
    known.sort_unstable();
    known.dedup();
    if known.is_empty() {
        return format!(
            "Error: no pod of service {service} in namespace {namespace}, nor of any other."
        );
    }
    format!(
        "Error: no pod of service {service} in namespace {namespace}. Services with pods: {}.",
        known.join(", ")
    )
}

/// The label that the Job controller sets, by which AIOpsLab finds its load generator.
pub const JOB_LABEL: &str = "job-name";

/// The label by which `get_logs` finds the pods of a service.
#[must_use]
pub fn pod_label<'a>(namespace: &str, service: &str, service_label: &'a str) -> &'a str {
    let generator = namespace == "default" && service.contains("wrk2-job");
    if generator { JOB_LABEL } else { service_label }
}

/// The names of a pod's containers.
#[must_use]
pub fn container_names(pod: &Value) -> Vec<String> {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    containers
        .into_iter()
        .flatten()
        .filter_map(|container| container.get("name")?.as_str().map(str::to_owned))
        .collect()
}

/// Why a container has not started yet; none: it has.
#[must_use]
pub fn waiting_reason(pod: &Value, container: &str) -> Option<String> {
    let statuses = pod
        .pointer("/status/containerStatuses")
        .and_then(Value::as_array);
    let Some(statuses) = statuses else {
        let phase = pod.pointer("/status/phase")?.as_str()?;
        return (phase == "Pending").then(|| "the pod is Pending".to_owned());
    };
    let status = statuses
        .iter()
        .find(|status| status.get("name").and_then(Value::as_str) == Some(container))?;
    Some(
        status
            .pointer("/state/waiting/reason")?
            .as_str()?
            .to_owned(),
    )
}

/// The value of a pod's label.
#[must_use]
pub fn label_of<'a>(object: &'a Value, label: &str) -> Option<&'a str> {
    object.get("metadata")?.get("labels")?.get(label)?.as_str()
}
