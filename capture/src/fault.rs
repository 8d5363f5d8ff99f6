//! The steps of a fault carried out and undone on a cluster.
//!
//! [`prepare`] turns steps into journal entries with pre-images, changing nothing (what only the
//! server knows, it is asked by a dry run). [`inject`] and [`undo`] carry an entry out and back;
//! both may be repeated. One file per kind of change: fields of an object, an object of ours, a
//! deleted object, an application deployed anew, a command, a wait.

mod api_patch;
mod command;
mod create;
mod delete;
mod fields;
mod flag;
mod helm;
mod plan;
mod redeploy;
#[cfg(test)]
mod tests;
mod wait;

use aiopslab_problems::family::Application;
use aiopslab_problems::fault::Step;
use serde_json::Value;

pub(crate) use self::plan::prepare;
use crate::chaos;
use crate::cluster::Cluster;
use crate::error::CaptureError;
use crate::journal::Entry;
use crate::observe::Anchors;
use crate::resource::{split, text};
use crate::workload::WorkloadClient;

/// Whether this version can carry a step out.
pub(crate) fn is_implemented(step: &Step) -> bool {
    match step {
        Step::Patch(_)
        | Step::ApiPatch(_)
        | Step::Apply(_)
        | Step::Recreate(_)
        | Step::Delete(_)
        | Step::Scale(_)
        | Step::Restart(_)
        | Step::Exec(_)
        | Step::Flag(_)
        | Step::Helm(_)
        | Step::Redeploy(_)
        | Step::Chaos(_)
        | Step::Node(_)
        | Step::WaitFor(_) => true,
        Step::Docker(_) => false,
    }
}

/// The values that steps give to the application's chart: it is rendered before anything starts.
pub(crate) fn chart_values<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Vec<&'a Value> {
    let values = |step: &'a Step| match step {
        Step::Helm(step) => Some(&step.values),
        _ => None,
    };
    steps.into_iter().filter_map(values).collect()
}

/// Where a fault is carried out, and what its conditions are judged by.
pub(crate) struct Scene<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) application: &'a Application,
    /// Tells the workload's figures; none: conditions on them stay unknown.
    pub(crate) workload: Option<&'a mut WorkloadClient>,
    pub(crate) anchors: Anchors,
}

/// Carries one entry out; what is carried out already is left alone.
pub(crate) async fn inject(scene: &mut Scene<'_>, entry: &Entry) -> Result<(), CaptureError> {
    let (cluster, namespace) = (scene.cluster, scene.application.namespace.as_str());
    match entry {
        Entry::Fields(change) => fields::inject(cluster, namespace, change).await,
        Entry::Created { object, image } => create::inject(cluster, namespace, object, image).await,
        Entry::Deleted(deletion) => delete::inject(cluster, namespace, deletion).await,
        Entry::Redeployed(plan) => redeploy::inject(cluster, plan).await,
        Entry::Exec(exec) => command::run(cluster, namespace, exec, &exec.command).await,
        Entry::Chaos { plan, .. } => chaos::inject(cluster, plan).await,
        Entry::Wait { until, seconds } => wait::wait(scene, until, *seconds).await,
    }
}

/// What undoing an entry came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Undone {
    /// It was undone just now.
    Restored,
    /// There was nothing to undo.
    AsBefore,
}

/// Undoes one entry, whether or not it had been carried out.
pub(crate) async fn undo(
    cluster: &Cluster,
    namespace: &str,
    entry: &Entry,
) -> Result<Undone, CaptureError> {
    if is_gone_with_application(cluster, namespace, entry).await? {
        return Ok(Undone::AsBefore);
    }
    match entry {
        Entry::Fields(change) => fields::undo(cluster, namespace, change).await,
        Entry::Created { object, .. } => create::undo(cluster, namespace, object).await,
        Entry::Deleted(deletion) => delete::undo(cluster, namespace, deletion).await,
        Entry::Redeployed(plan) => redeploy::undo(cluster, plan).await,
        Entry::Exec(exec) => command::undo(cluster, namespace, exec).await,
        Entry::Chaos { plan, .. } => chaos::undo(cluster, plan).await,
        Entry::Wait { .. } => Ok(Undone::AsBefore),
    }
}

/// Where the application is gone, or on its way out, the fault inside it is gone too.
async fn is_gone_with_application(
    cluster: &Cluster,
    namespace: &str,
    entry: &Entry,
) -> Result<bool, CaptureError> {
    // What an experiment needs lies outside, and so do volumes.
    if matches!(entry, Entry::Chaos { .. } | Entry::Redeployed(_)) {
        return Ok(false);
    }
    if let Some(object) = entry.object()
        && !cluster.resolve(split(object)?.0).await?.namespaced
    {
        return Ok(false);
    }
    let space = format!("/api/v1/namespaces/{namespace}");
    let space = cluster.find_json(&space).await?;
    Ok(space.is_none_or(|space| text(&space, "/status/phase") == "Terminating"))
}

fn nothing(object: &str, because: &str) -> CaptureError {
    CaptureError::NothingToChange {
        object: object.to_owned(),
        because: because.to_owned(),
    }
}

/// The uid of an object that is there.
fn uid(object: &Value) -> &str {
    text(object, "/metadata/uid")
}
