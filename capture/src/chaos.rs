//! Chaos experiments: the pods of a service disturbed, from injection until recovery.
//!
//! Two drivers for the same step. Where Chaos Mesh is installed its objects are used ([`mesh`]);
//! otherwise a helper pod of ours on each target's node ([`native`]), which runs commands on nodes
//! too. [`prepare`] chooses and writes
//! down everything that undoing needs, changing nothing. What either driver makes lies in one
//! namespace of our own, which is withheld from recordings and deleted with the last experiment.

mod mesh;
mod native;
mod targets;

use std::time::Duration;

use aiopslab_problems::fault::{Chaos, Experiment, NodeCommand};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use self::mesh::MeshPlan;
use self::native::NativePlan;
use crate::cluster::{Cluster, PatchKind};
use crate::error::CaptureError;
use crate::fault::Undone;
use crate::resource::text;

/// Namespace of everything that experiments need, and start of the names of what lies elsewhere.
pub(crate) const NAMESPACE: &str = "node-upkeep";

/// What Chaos Mesh makes beside its targets to do its work.
pub(crate) const MADE_BY_CHAOS_MESH: [&str; 3] = ["podhttpchaos", "podiochaos", "podnetworkchaos"];

/// How long a namespace may take to go.
const GONE_WITHIN: Duration = Duration::from_secs(90);
const POLL: Duration = Duration::from_millis(500);

/// How one experiment is carried out, as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "driver")]
pub(crate) enum Plan {
    /// By an object of Chaos Mesh.
    ChaosMesh(MeshPlan),
    /// By helper pods.
    Native(NativePlan),
}

/// Finds the targets and decides how the experiment is carried out.
pub(crate) async fn prepare(
    cluster: &Cluster,
    namespace: &str,
    step: &Chaos,
) -> Result<Plan, CaptureError> {
    let selector = targets::selector(cluster, namespace, &step.service).await?;
    if mesh::is_for(cluster, step).await? {
        let peer = match &step.peer {
            Some(peer) => Some(targets::selector(cluster, namespace, peer).await?),
            None => None,
        };
        let plan = mesh::plan(namespace, step, &selector, peer.as_ref());
        return Ok(Plan::ChaosMesh(plan));
    }
    if step.chaos == Experiment::KernelFault {
        return Err(impossible(
            step.chaos.name(),
            "it needs Chaos Mesh's KernelChaos on the cluster, which is not installed",
        ));
    }
    let pods = targets::pods(cluster, namespace, step, &selector).await?;
    let peers = match &step.peer {
        Some(peer) => targets::addresses(cluster, namespace, peer).await?,
        None => Vec::new(),
    };
    let plan = native::plan(namespace, step, &selector, &pods, &peers);
    Ok(Plan::Native(plan))
}

/// Finds the nodes of a service's pods and decides how a command is run on them.
pub(crate) async fn prepare_node(
    cluster: &Cluster,
    namespace: &str,
    step: &NodeCommand,
) -> Result<Plan, CaptureError> {
    let selector = targets::selector(cluster, namespace, &step.node).await?;
    let nodes = targets::nodes(cluster, namespace, &step.node, &selector).await?;
    Ok(Plan::Native(native::plan_node(namespace, step, &nodes)))
}

/// Asks the server whether it would take an experiment's object, without making it. Says which driver carries the
/// experiment out, and what nobody was asked.
pub(crate) async fn dry_run(cluster: &Cluster, plan: &Plan) -> Result<&'static str, CaptureError> {
    match plan {
        Plan::ChaosMesh(plan) => {
            mesh::dry_run(cluster, plan).await?;
            Ok("by Chaos Mesh (not asked: its controllers, the nodes' kernels)")
        }
        Plan::Native(_) => {
            Ok("by helper pods of ours (not asked: whether they may run, the nodes' kernels)")
        }
    }
}

/// Begins an experiment.
pub(crate) async fn inject(cluster: &Cluster, plan: &Plan) -> Result<(), CaptureError> {
    make_namespace(cluster).await?;
    match plan {
        Plan::ChaosMesh(plan) => mesh::inject(cluster, plan).await,
        Plan::Native(plan) => native::inject(cluster, plan).await,
    }
}

/// Ends an experiment, whether or not it was begun.
pub(crate) async fn undo(cluster: &Cluster, plan: &Plan) -> Result<Undone, CaptureError> {
    let was_there = match plan {
        Plan::ChaosMesh(plan) => mesh::undo(cluster, plan).await?,
        Plan::Native(plan) => native::undo(cluster, plan).await?,
    };
    delete_namespace(cluster).await?;
    Ok(match was_there {
        true => Undone::Restored,
        false => Undone::AsBefore,
    })
}

/// Tells every helper pod that whoever holds the journal is alive.
///
/// A helper that isn't told for as long as it takes a journal to become stale undoes its experiment.
pub(crate) async fn renew(cluster: &Cluster) -> Result<(), CaptureError> {
    native::renew(cluster).await
}

fn impossible(experiment: &str, because: &str) -> CaptureError {
    CaptureError::ChaosImpossible {
        experiment: experiment.to_owned(),
        because: because.to_owned(),
    }
}

fn namespace_path() -> String {
    format!("/api/v1/namespaces/{NAMESPACE}")
}

/// Makes the namespace; an older one that is on its way out is waited for.
async fn make_namespace(cluster: &Cluster) -> Result<(), CaptureError> {
    let until = Instant::now() + GONE_WITHIN;
    loop {
        let found = cluster.find_json(&namespace_path()).await?;
        let is_leaving = found.is_some_and(|found| text(&found, "/status/phase") == "Terminating");
        if !is_leaving {
            break;
        }
        wait_for_deletion(until, &format!("namespace/{NAMESPACE}")).await?;
    }
    let namespace = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {
            "name": NAMESPACE,
            // Helper pods are privileged.
            "labels": {"pod-security.kubernetes.io/enforce": "privileged"},
        },
    });
    cluster
        .patch(&namespace_path(), PatchKind::Apply, &namespace)
        .await?;
    Ok(())
}

/// Deletes the namespace and waits until it is gone, unless another experiment lies in it.
async fn delete_namespace(cluster: &Cluster) -> Result<(), CaptureError> {
    if native::has_helpers(cluster).await? || mesh::has_objects(cluster).await? {
        return Ok(());
    }
    let until = Instant::now() + GONE_WITHIN;
    let path = namespace_path();
    while cluster.find_json(&path).await?.is_some() {
        cluster.delete(&path).await?;
        wait_for_deletion(until, &format!("namespace/{NAMESPACE}")).await?;
    }
    Ok(())
}

/// One pause in waiting for something to go; an error once it has taken too long.
async fn wait_for_deletion(until: Instant, object: &str) -> Result<(), CaptureError> {
    if Instant::now() > until {
        return Err(CaptureError::NotDeleted {
            object: object.to_owned(),
            seconds: GONE_WITHIN.as_secs(),
        });
    }
    sleep(POLL).await;
    Ok(())
}

/// Labels that pods are selected by.
type Labels = serde_json::Map<String, Value>;

/// A name that says nothing and that nobody else has.
fn new_name() -> String {
    let drawn: u32 = rand::random();
    format!("{NAMESPACE}-{drawn:08x}")
}
