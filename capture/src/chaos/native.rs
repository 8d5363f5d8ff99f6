//! Experiments carried out by helper pods of ours, one on the node of each target pod.
//!
//! A helper runs `helper.sh`, which acts in the target's namespaces and control groups. It holds a
//! lease that every renewal of the journal renews; without one it undoes its experiment by itself.

#[cfg(target_os = "linux")]
#[cfg(test)] // apart: lints know no test in `all(…)`
mod script_tests;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aiopslab_problems::fault::{Chaos, Experiment, NodeCommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::targets::{Target, query};
use super::{Labels, NAMESPACE, POLL, impossible, namespace_path, new_name, wait_for_deletion};
use crate::cluster::{Cluster, ExecAnswer, PatchKind};
use crate::error::CaptureError;
use crate::journal;
use crate::rbac;
use crate::resource::{is_ready_pod, text};

/// What a helper runs; with a shell, util-linux, iproute2, nftables, perl and curl.
const IMAGE: &str = "docker.io/aiopslab/lab-base:1";
const SCRIPT: &str = include_str!("helper.sh");
/// The action of a helper that runs a command on its node.
const NODE_COMMAND: &str = "node";
const SCRIPT_PATH: &str = "/opt/upkeep/helper.sh";
/// How long a helper may take to start.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long one command of a helper may take: filling a volume is the longest.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(60);
const RENEW_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a helper that is told to stop may take to undo.
const GRACE_SECONDS: u64 = 20;
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// The helpers of one experiment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct NativePlan {
    /// The experiment's name in catalog files.
    experiment: String,
    /// Namespace of the targets.
    namespace: String,
    /// One for each target, or a single one for what is done through the API server.
    helpers: Vec<Helper>,
}

/// One helper pod.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Helper {
    name: String,
    node: String,
    /// What it is to do.
    environment: BTreeMap<String, String>,
}

impl NativePlan {
    /// Whether the helper deletes pods through the API server, which takes rights.
    fn needs_rights(&self) -> bool {
        self.experiment == Experiment::PodKill.name()
    }
}

/// Decides on the helpers of a step.
pub(super) fn plan(
    namespace: &str,
    step: &Chaos,
    selector: &Labels,
    targets: &[Target],
    peers: &[String],
) -> NativePlan {
    let helper = |target: &Target| {
        let mut environment = environment(step, peers);
        if step.chaos == Experiment::PodKill {
            let query = query(selector);
            let selector = query.split_once('=').map_or("", |(_, value)| value);
            environment.insert("SELECTOR".to_owned(), selector.to_owned());
            environment.insert("NAMESPACE".to_owned(), namespace.to_owned());
        } else {
            environment.insert("POD_UID".to_owned(), target.uid.clone());
        }
        Helper {
            name: new_name(),
            node: target.node.clone(),
            environment,
        }
    };
    // All pods of a service are killed by one request.
    let count = match step.chaos {
        Experiment::PodKill => 1,
        _ => targets.len(),
    };
    NativePlan {
        experiment: step.chaos.name().to_owned(),
        namespace: namespace.to_owned(),
        helpers: targets.iter().take(count).map(helper).collect(),
    }
}

/// Decides on the helpers that run a command on nodes.
pub(super) fn plan_node(
    namespace: &str,
    step: &NodeCommand,
    nodes: &BTreeSet<String>,
) -> NativePlan {
    let environment = BTreeMap::from([
        ("ACTION".to_owned(), NODE_COMMAND.to_owned()),
        (
            "LEASE_SECONDS".to_owned(),
            journal::STALE_AFTER.as_secs().to_string(),
        ),
        ("COMMAND".to_owned(), quoted(&step.command)),
        ("RECOVER".to_owned(), quoted(&step.recover)),
    ]);
    let helper = |node: &String| Helper {
        name: new_name(),
        node: node.clone(),
        environment: environment.clone(),
    };
    NativePlan {
        experiment: NODE_COMMAND.to_owned(),
        namespace: namespace.to_owned(),
        helpers: nodes.iter().map(helper).collect(),
    }
}

/// A command and its arguments as a shell takes them apart again.
fn quoted(command: &[String]) -> String {
    let quoted = command
        .iter()
        .map(|word| format!("'{}'", word.replace('\'', r"'\''")));
    quoted.collect::<Vec<_>>().join(" ")
}

fn environment(step: &Chaos, peers: &[String]) -> BTreeMap<String, String> {
    let text = |value: Option<u64>| value.map(|value| value.to_string());
    let share = |value: Option<f64>| value.map(|value| value.to_string());
    // The packet filter draws from ten thousand.
    let basis_points = step.loss_percent.map(|loss| format!("{:.0}", loss * 100.0));
    let all = [
        ("ACTION", Some(step.chaos.name().to_owned())),
        ("LEASE_SECONDS", text(Some(journal::STALE_AFTER.as_secs()))),
        ("CONTAINER", step.container.clone()),
        ("EVERY_SECONDS", text(step.every_seconds)),
        ("LOSS", share(step.loss_percent)),
        ("LOSS_BASIS_POINTS", basis_points),
        ("CORRELATION", share(step.correlation_percent)),
        ("LATENCY_MS", text(step.latency_ms)),
        ("JITTER_MS", text(step.jitter_ms)),
        ("KBIT", text(step.bandwidth_kbit)),
        ("PEERS", step.peer.as_ref().map(|_| peers.join(" "))),
        ("WORKERS", text(step.workers.map(u64::from))),
        ("MEBIBYTES", text(step.mebibytes)),
        ("VOLUME", step.volume.clone()),
    ];
    all.into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)))
        .collect()
}

/// Starts the helpers, has each check its node, and only then begins.
pub(super) async fn inject(cluster: &Cluster, plan: &NativePlan) -> Result<(), CaptureError> {
    let script = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": NAMESPACE, "namespace": NAMESPACE},
        "data": {"helper.sh": SCRIPT},
    });
    apply(cluster, &in_namespace("configmaps", NAMESPACE), &script).await?;
    for helper in &plan.helpers {
        if plan.needs_rights() {
            for (path, object) in rights(&plan.namespace, &helper.name) {
                apply(cluster, &path, &object).await?;
            }
        }
        apply(cluster, &pod_path(helper), &pod(plan, helper)).await?;
    }
    for helper in &plan.helpers {
        wait_until_ready(cluster, plan, helper).await?;
        let answer = command(cluster, helper, "check", COMMAND_TIMEOUT).await?;
        succeeded(plan, helper, &answer)?;
    }
    for helper in &plan.helpers {
        let answer = command(cluster, helper, "begin", COMMAND_TIMEOUT).await?;
        succeeded(plan, helper, &answer)?;
    }
    Ok(())
}

fn succeeded(plan: &NativePlan, helper: &Helper, answer: &ExecAnswer) -> Result<(), CaptureError> {
    if answer.exit_code == 0 {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&answer.stderr).trim().to_owned();
    let because = format!("on node {}: {said}", helper.node);
    Err(impossible(&plan.experiment, &because))
}

async fn apply(cluster: &Cluster, path: &str, object: &Value) -> Result<(), CaptureError> {
    cluster.patch(path, PatchKind::Apply, object).await?;
    Ok(())
}

fn in_namespace(resource: &str, name: &str) -> String {
    format!("{}/{resource}/{name}", namespace_path())
}

fn pod_path(helper: &Helper) -> String {
    in_namespace("pods", &helper.name)
}

fn pod(plan: &NativePlan, helper: &Helper) -> Value {
    let environment: Vec<Value> = helper
        .environment
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let mut pod = json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": helper.name, "namespace": NAMESPACE},
        "spec": {
            // Not by the scheduler: the node may be full or closed.
            "nodeName": helper.node,
            "tolerations": [{"operator": "Exists"}],
            "hostPID": true,
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": GRACE_SECONDS,
            "enableServiceLinks": false,
            "automountServiceAccountToken": plan.needs_rights(),
            "containers": [{
                "name": "upkeep",
                "image": IMAGE,
                "imagePullPolicy": "IfNotPresent",
                "command": ["/bin/sh", SCRIPT_PATH, "serve"],
                "env": environment,
                "securityContext": {"privileged": true},
                "readinessProbe": {
                    "exec": {"command": ["test", "-e", "/run/upkeep/serving"]},
                    "periodSeconds": 1, "timeoutSeconds": 5,
                },
                "volumeMounts": [
                    {"name": "script", "mountPath": "/opt/upkeep", "readOnly": true},
                    {"name": "cgroup", "mountPath": "/host/cgroup"},
                ],
            }],
            "volumes": [
                {"name": "script", "configMap": {"name": NAMESPACE}},
                {"name": "cgroup", "hostPath": {"path": "/sys/fs/cgroup", "type": "Directory"}},
            ],
        },
    });
    if plan.needs_rights() {
        pod["spec"]["serviceAccountName"] = json!(helper.name);
    }
    pod
}

/// The objects that let a helper delete the pods of a namespace, in the order of making them.
fn rights(namespace: &str, name: &str) -> [(String, Value); 3] {
    let path = |resource: &str| {
        format!("/apis/rbac.authorization.k8s.io/v1/namespaces/{namespace}/{resource}/{name}")
    };
    [
        (
            in_namespace("serviceaccounts", name),
            json!({"apiVersion": "v1", "kind": "ServiceAccount",
                "metadata": {"name": name, "namespace": NAMESPACE}}),
        ),
        (
            path("roles"),
            rbac::role(
                "Role",
                Some(namespace),
                name,
                &[json!({"apiGroups": [""], "resources": ["pods"], "verbs": ["deletecollection"]})],
            ),
        ),
        (
            path("rolebindings"),
            rbac::binding(Some(namespace), name, ("Role", name), (NAMESPACE, name)),
        ),
    ]
}

async fn wait_until_ready(
    cluster: &Cluster,
    plan: &NativePlan,
    helper: &Helper,
) -> Result<(), CaptureError> {
    let until = Instant::now() + READY_WITHIN;
    loop {
        let found = cluster.get_json(&pod_path(helper)).await?;
        if is_ready_pod(&found) {
            return Ok(());
        }
        if Instant::now() > until {
            let state = &found["status"]["containerStatuses"][0]["state"];
            let because = format!(
                "the helper pod on node {} is not ready within {} s: {state}\nhint: its image {IMAGE} must be on the node (`lab/images` on the lab)",
                helper.node,
                READY_WITHIN.as_secs()
            );
            return Err(impossible(&plan.experiment, &because));
        }
        sleep(POLL).await;
    }
}

async fn command(
    cluster: &Cluster,
    helper: &Helper,
    what: &str,
    limit: Duration,
) -> Result<ExecAnswer, CaptureError> {
    run(cluster, &helper.name, what, limit).await
}

async fn run(
    cluster: &Cluster,
    pod: &str,
    what: &str,
    limit: Duration,
) -> Result<ExecAnswer, CaptureError> {
    let argv = ["/bin/sh", SCRIPT_PATH, what].map(str::to_owned);
    Ok(cluster.exec(NAMESPACE, pod, None, &argv, limit).await?)
}

/// Has every helper undo its experiment, and deletes it; says whether one was there.
pub(super) async fn undo(cluster: &Cluster, plan: &NativePlan) -> Result<bool, CaptureError> {
    let mut was_there = false;
    for helper in &plan.helpers {
        let path = pod_path(helper);
        if let Some(found) = cluster.find_json(&path).await? {
            was_there = true;
            // One that never started has done nothing; one that is on its way out undoes by itself.
            if is_ready_pod(&found) {
                let answer = command(cluster, helper, "undo", COMMAND_TIMEOUT).await?;
                succeeded(plan, helper, &answer)?;
            }
            cluster.delete(&path).await?;
            let until = Instant::now() + GONE_WITHIN;
            while cluster.find_json(&path).await?.is_some() {
                wait_for_deletion(until, &format!("pod/{}", helper.name)).await?;
            }
        }
        if plan.needs_rights() {
            for (path, _) in rights(&plan.namespace, &helper.name).iter().rev() {
                cluster.delete(path).await?;
            }
        }
    }
    Ok(was_there)
}

/// Whether a helper is there.
pub(super) async fn has_helpers(cluster: &Cluster) -> Result<bool, CaptureError> {
    Ok(!pods(cluster).await?.is_empty())
}

/// Renews the lease of every helper; one that can't be told is told again at the next renewal.
pub(super) async fn renew(cluster: &Cluster) -> Result<(), CaptureError> {
    for pod in pods(cluster).await? {
        if is_ready_pod(&pod) {
            run(
                cluster,
                text(&pod, "/metadata/name"),
                "renew",
                RENEW_TIMEOUT,
            )
            .await
            .ok();
        }
    }
    Ok(())
}

async fn pods(cluster: &Cluster) -> Result<Vec<Value>, CaptureError> {
    Ok(cluster.list(&format!("{}/pods", namespace_path())).await?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn planned(step: Value) -> NativePlan {
        let step: Chaos = serde_json::from_value(step).unwrap();
        let selector = json!({"app": "user"}).as_object().unwrap().clone();
        let target = |uid: &str| Target {
            uid: uid.to_owned(),
            node: "n1".to_owned(),
        };
        let peers = ["10.0.0.1".to_owned(), "fd00::1".to_owned()];
        plan(
            "shop",
            &step,
            &selector,
            &[target("a"), target("b")],
            &peers,
        )
    }

    #[test]
    fn each_target_has_a_helper_that_knows_its_parameters() {
        let plan = planned(json!({"chaos": "network-loss", "service": "user",
            "loss_percent": 99.5}));
        assert_eq!(plan.helpers.len(), 2);
        assert_ne!(plan.helpers[0].name, plan.helpers[1].name);
        let environment = &plan.helpers[0].environment;
        let expected = [
            ("ACTION", "network-loss"),
            ("LEASE_SECONDS", "60"),
            ("LOSS", "99.5"),
            ("LOSS_BASIS_POINTS", "9950"),
            ("POD_UID", "a"),
        ];
        let found: Vec<_> = environment
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
        assert_eq!(plan.helpers[1].environment["POD_UID"], "b");
    }

    #[test]
    fn only_the_helper_that_kills_pods_has_rights() {
        let plan = planned(json!({"chaos": "pod-kill", "service": "user", "every_seconds": 15}));
        assert_eq!(plan.helpers.len(), 1);
        let helper = &plan.helpers[0];
        assert_eq!(helper.environment["SELECTOR"], "app%3Duser");
        assert_eq!(
            pod(&plan, helper)["spec"]["serviceAccountName"],
            helper.name.as_str()
        );
        let plan = planned(json!({"chaos": "network-partition", "service": "user", "peer": "geo"}));
        let helper = &plan.helpers[0];
        assert_eq!(helper.environment["PEERS"], "10.0.0.1 fd00::1");
        let pod = pod(&plan, helper);
        assert_eq!(pod["spec"]["automountServiceAccountToken"], false);
        assert_eq!(pod["spec"].get("serviceAccountName"), None);
    }

    #[test]
    fn a_command_is_told_word_by_word() {
        let step: NodeCommand = serde_json::from_value(json!({"node": "user",
            "command": ["sh", "-c", "echo 'a  b' >$HOME"], "recover": ["true"]}))
        .unwrap();
        let nodes = ["n1", "n2"].map(str::to_owned).into();
        let plan = plan_node("shop", &step, &nodes);
        assert_eq!(plan.helpers.len(), 2);
        assert_eq!(
            plan.helpers[1].environment["COMMAND"],
            r"'sh' '-c' 'echo '\''a  b'\'' >$HOME'"
        );
    }

    #[test]
    fn the_journal_keeps_a_plan_as_it_is() {
        let plan = super::super::Plan::Native(planned(
            json!({"chaos": "cpu-stress", "service": "user", "workers": 2}),
        ));
        let kept = serde_json::to_value(&plan).unwrap();
        assert_eq!(kept["driver"], "native");
        assert_eq!(
            serde_json::from_value::<super::super::Plan>(kept).unwrap(),
            plan
        );
    }
}
