//! Experiments carried out by Chaos Mesh: one object each, deleted at recovery.
//!
//! The objects are built after Chaos Mesh's own documentation; this was run against an API server that has
//! Chaos Mesh's schemas (`tests/interop/chaos_mesh.py`), never against its controllers.

use std::time::Duration;

use aiopslab_problems::fault::{Chaos, Experiment};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Labels, NAMESPACE, POLL, impossible, new_name, wait_for_deletion};
use crate::cluster::{Cluster, PatchKind};
use crate::deploy::TRIED_IN;
use crate::error::CaptureError;
use crate::resource::text;

const GROUP: &str = "chaos-mesh.org";
const VERSION: &str = "v1alpha1";
/// The kinds that we make.
const KINDS: [&str; 5] = [
    "podchaos",
    "networkchaos",
    "stresschaos",
    "kernelchaos",
    "schedules",
];
/// How long Chaos Mesh may take to inject.
const INJECTED_WITHIN: Duration = Duration::from_secs(90);
/// How long it may take to recover and let go of the object.
const RECOVERED_WITHIN: Duration = Duration::from_secs(120);

/// An object of Chaos Mesh.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct MeshPlan {
    /// The object as it is applied.
    object: Value,
}

/// Whether Chaos Mesh carries a step out on this cluster.
pub(super) async fn is_for(cluster: &Cluster, step: &Chaos) -> Result<bool, CaptureError> {
    let Some(kind) = kind(step.chaos) else {
        return Ok(false);
    };
    let wanted = resource(if step.every_seconds.is_some() {
        "Schedule"
    } else {
        kind
    });
    let resources = cluster.resources().await?;
    Ok(resources
        .iter()
        .any(|known| known.group == GROUP && known.resource == wanted))
}

/// The kind of object that an experiment is; none: Chaos Mesh has no such experiment.
fn kind(experiment: Experiment) -> Option<&'static str> {
    match experiment {
        Experiment::ContainerKill | Experiment::PodFailure | Experiment::PodKill => {
            Some("PodChaos")
        }
        Experiment::NetworkLoss
        | Experiment::NetworkDelay
        | Experiment::NetworkPartition
        | Experiment::NetworkBandwidth => Some("NetworkChaos"),
        Experiment::CpuStress | Experiment::MemoryStress => Some("StressChaos"),
        Experiment::KernelFault => Some("KernelChaos"),
        // IOChaos makes calls fail on a volume that has room: another fault.
        Experiment::DiskFill => None,
    }
}

/// The plural name: Chaos Mesh's kinds have none of their own, schedules do.
fn resource(kind: &str) -> String {
    match kind {
        "Schedule" => "schedules".to_owned(),
        kind => kind.to_ascii_lowercase(),
    }
}

/// Builds the object of a step.
pub(super) fn plan(
    namespace: &str,
    step: &Chaos,
    selector: &Labels,
    peer: Option<&Labels>,
) -> MeshPlan {
    let kind = kind(step.chaos).unwrap_or_default();
    let mut spec = specification(namespace, step, peer);
    spec["mode"] = json!("all");
    spec["selector"] = selection(namespace, selector);
    let (kind, spec) = match step.every_seconds {
        Some(seconds) => {
            let mut item = kind.to_owned();
            item.replace_range(..1, &kind[..1].to_ascii_lowercase());
            let schedule = json!({
                "schedule": format!("@every {seconds}s"),
                "historyLimit": 2,
                "concurrencyPolicy": "Allow",
                "type": kind,
                item: spec,
            });
            ("Schedule", schedule)
        }
        None => (kind, spec),
    };
    MeshPlan {
        object: json!({
            "apiVersion": format!("{GROUP}/{VERSION}"),
            "kind": kind,
            "metadata": {"name": new_name(), "namespace": NAMESPACE},
            "spec": spec,
        }),
    }
}

fn selection(namespace: &str, labels: &Labels) -> Value {
    json!({"namespaces": [namespace], "labelSelectors": labels})
}

/// What is particular to an experiment; no duration, so that it lasts until the object is deleted.
fn specification(namespace: &str, step: &Chaos, peer: Option<&Labels>) -> Value {
    let percent = |share: Option<f64>| share.unwrap_or_default().to_string();
    let milliseconds = |time: Option<u64>| format!("{}ms", time.unwrap_or_default());
    let mut spec = match step.chaos {
        Experiment::ContainerKill => json!({"action": "container-kill"}),
        Experiment::PodFailure => json!({"action": "pod-failure"}),
        Experiment::PodKill => json!({"action": "pod-kill", "gracePeriod": 0}),
        Experiment::NetworkLoss => json!({"action": "loss", "loss": {
            "loss": percent(step.loss_percent), "correlation": percent(step.correlation_percent)}}),
        Experiment::NetworkDelay => json!({"action": "delay", "delay": {
            "latency": milliseconds(step.latency_ms), "jitter": milliseconds(step.jitter_ms),
            "correlation": percent(step.correlation_percent)}}),
        Experiment::NetworkPartition => json!({"action": "partition", "direction": "both",
            "target": {"mode": "all", "selector": selection(namespace, peer.unwrap_or(&Labels::new()))}}),
        // Chaos Mesh counts bytes per second; the queue holds two seconds, the bucket two packets.
        Experiment::NetworkBandwidth => {
            let bytes = step.bandwidth_kbit.unwrap_or_default() * 1000 / 8;
            json!({"action": "bandwidth", "bandwidth": {
                "rate": format!("{bytes}bps"), "limit": (bytes * 2).max(4096), "buffer": 4096}})
        }
        Experiment::CpuStress => json!({"stressors": {"cpu": {"workers": step.workers}}}),
        Experiment::MemoryStress => json!({"stressors": {"memory": {
            "workers": 1, "size": format!("{}MiB", step.mebibytes.unwrap_or_default())}}}),
        Experiment::KernelFault => json!({"failKernRequest": {
            "failtype": 0, "callchain": [{"funcname": step.function}], "probability": 100}}),
        Experiment::DiskFill => json!({}),
    };
    if let Some(container) = &step.container {
        spec["containerNames"] = json!([container]);
    }
    spec
}

fn path(object: &Value) -> String {
    format!(
        "/apis/{GROUP}/{VERSION}/namespaces/{}/{}/{}",
        text(object, "/metadata/namespace"),
        resource(text(object, "/kind")),
        text(object, "/metadata/name")
    )
}

/// Asks the server whether it would take the object, without making it; where a namespace is sure to be, as
/// ours is made for an experiment only.
pub(super) async fn dry_run(cluster: &Cluster, plan: &MeshPlan) -> Result<(), CaptureError> {
    let mut object = plan.object.clone();
    object["metadata"]["namespace"] = json!(TRIED_IN);
    cluster
        .dry_run_patch(&path(&object), PatchKind::Apply, &object)
        .await?;
    Ok(())
}

/// Applies the object and waits until every target is injected.
pub(super) async fn inject(cluster: &Cluster, plan: &MeshPlan) -> Result<(), CaptureError> {
    let path = path(&plan.object);
    cluster.patch(&path, PatchKind::Apply, &plan.object).await?;
    let until = Instant::now() + INJECTED_WITHIN;
    loop {
        let found = cluster.get_json(&path).await?;
        if is_injected(&found) {
            return Ok(());
        }
        if Instant::now() > until {
            let conditions = &found["status"]["conditions"];
            let because = format!(
                "Chaos Mesh has not injected it within {} s: {conditions}",
                INJECTED_WITHIN.as_secs()
            );
            return Err(impossible(text(&plan.object, "/kind"), &because));
        }
        sleep(POLL).await;
    }
}

/// Whether Chaos Mesh has injected all targets; of a schedule, whether it has begun.
fn is_injected(object: &Value) -> bool {
    if object["kind"] == "Schedule" {
        return !text(object, "/status/time").is_empty();
    }
    let conditions = object
        .pointer("/status/conditions")
        .and_then(Value::as_array);
    let is_all =
        |condition: &Value| condition["type"] == "AllInjected" && condition["status"] == "True";
    conditions.is_some_and(|conditions| conditions.iter().any(is_all))
}

/// Deletes the object and waits until it is gone: Chaos Mesh holds it until it has recovered. The experiments
/// of a schedule go after it.
pub(super) async fn undo(cluster: &Cluster, plan: &MeshPlan) -> Result<bool, CaptureError> {
    let path = path(&plan.object);
    let was_there = cluster.delete(&path).await?;
    let name = text(&plan.object, "/metadata/name");
    let is_of_it = |object: &Value| {
        let owners = object
            .pointer("/metadata/ownerReferences")
            .and_then(Value::as_array);
        let mut owners = owners.into_iter().flatten();
        text(object, "/metadata/name") == name || owners.any(|owner| owner["name"] == *name)
    };
    let until = Instant::now() + RECOVERED_WITHIN;
    while objects(cluster).await?.iter().any(is_of_it) {
        wait_for_deletion(until, name).await?;
    }
    Ok(was_there)
}

/// Whether an object of ours is there.
pub(super) async fn has_objects(cluster: &Cluster) -> Result<bool, CaptureError> {
    Ok(!objects(cluster).await?.is_empty())
}

/// Our objects, and what Chaos Mesh makes of schedules among them.
async fn objects(cluster: &Cluster) -> Result<Vec<Value>, CaptureError> {
    let mut objects = Vec::new();
    for resource in cluster.resources().await? {
        if resource.group == GROUP && KINDS.contains(&resource.resource.as_str()) {
            objects.extend(cluster.list(&resource.collection(Some(NAMESPACE))).await?);
        }
    }
    Ok(objects)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(step: Value) -> Value {
        let step: Chaos = serde_json::from_value(step).unwrap();
        let labels = |name: &str| json!({"app": name}).as_object().unwrap().clone();
        let peer = step.peer.as_ref().map(|peer| labels(peer));
        plan("shop", &step, &labels("user"), peer.as_ref()).object
    }

    #[test]
    fn aiopslabs_experiments_have_chaos_meshs_fields() {
        let loss = object(json!({"chaos": "network-loss", "service": "user",
            "loss_percent": 99, "correlation_percent": 100}));
        assert_eq!(loss["apiVersion"], "chaos-mesh.org/v1alpha1");
        assert_eq!(loss["kind"], "NetworkChaos");
        assert_eq!(loss["metadata"]["namespace"], NAMESPACE);
        assert_eq!(
            loss["spec"],
            json!({"action": "loss", "loss": {"loss": "99", "correlation": "100"}, "mode": "all",
                "selector": {"namespaces": ["shop"], "labelSelectors": {"app": "user"}}})
        );
        let delay = object(json!({"chaos": "network-delay", "service": "user",
            "latency_ms": 10000, "jitter_ms": 0, "correlation_percent": 100}));
        assert_eq!(
            delay["spec"]["delay"],
            json!({"latency": "10000ms", "jitter": "0ms", "correlation": "100"})
        );
        let failure = object(json!({"chaos": "pod-failure", "service": "user"}));
        assert_eq!(failure["kind"], "PodChaos");
        assert_eq!(failure["spec"]["action"], "pod-failure");
        assert_eq!(failure["spec"].get("duration"), None);
        let kernel = object(json!({"chaos": "kernel-fault", "service": "user",
            "function": "__x64_sys_mount"}));
        assert_eq!(kernel["kind"], "KernelChaos");
        let request = &kernel["spec"]["failKernRequest"];
        assert_eq!(request["failtype"], 0);
        assert_eq!(request["callchain"][0]["funcname"], "__x64_sys_mount");
    }

    #[test]
    fn what_happens_once_is_scheduled() {
        let kill = object(
            json!({"chaos": "container-kill", "service": "user", "container": "main",
            "every_seconds": 15}),
        );
        assert_eq!(kill["kind"], "Schedule");
        assert_eq!(kill["spec"]["schedule"], "@every 15s");
        assert_eq!(kill["spec"]["type"], "PodChaos");
        assert_eq!(kill["spec"]["podChaos"]["action"], "container-kill");
        assert_eq!(kill["spec"]["podChaos"]["containerNames"], json!(["main"]));
        assert_eq!(kill["spec"]["podChaos"]["mode"], "all");
        assert!(!is_injected(&kill));
        let begun = json!({"kind": "Schedule", "status": {"time": "2026-01-01T00:00:00Z"}});
        assert!(is_injected(&begun));
    }

    #[test]
    fn other_experiments() {
        let partition = object(json!({"chaos": "network-partition", "service": "user",
            "peer": "geo"}));
        let target = &partition["spec"]["target"];
        assert_eq!(target["selector"]["labelSelectors"], json!({"app": "geo"}));
        assert_eq!(partition["spec"]["direction"], "both");
        let narrow = object(json!({"chaos": "network-bandwidth", "service": "user",
            "bandwidth_kbit": 80}));
        assert_eq!(
            narrow["spec"]["bandwidth"],
            json!({"rate": "10000bps", "limit": 20000, "buffer": 4096})
        );
        let stress = object(json!({"chaos": "cpu-stress", "service": "user", "workers": 4}));
        assert_eq!(stress["kind"], "StressChaos");
        assert_eq!(stress["spec"]["stressors"]["cpu"]["workers"], 4);
        let memory = object(json!({"chaos": "memory-stress", "service": "user", "mebibytes": 64}));
        let stressor = &memory["spec"]["stressors"]["memory"];
        assert_eq!(*stressor, json!({"workers": 1, "size": "64MiB"}));
    }

    #[test]
    fn only_the_condition_that_all_are_injected_counts() {
        let object = |status: &str| {
            json!({"kind": "NetworkChaos", "status": {"conditions": [
                {"type": "Selected", "status": "True"}, {"type": "AllInjected", "status": status}]}})
        };
        assert!(is_injected(&object("True")));
        assert!(!is_injected(&object("False")));
        assert!(!is_injected(&json!({"kind": "NetworkChaos"})));
    }
}
