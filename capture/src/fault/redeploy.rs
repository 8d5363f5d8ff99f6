//! An application taken off and deployed again while its volumes stay, and given them back.
//!
//! A volume that was bound belongs to the claim that is gone, by its uid: a new claim that asks for
//! it by name waits for ever. Undoing takes that uid away, so that the volume is free for it.

use std::time::Duration;

use aiopslab_problems::family::Application;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Undone, fields, nothing, uid};
use crate::cluster::{Cluster, PatchKind};
use crate::deploy;
use crate::error::CaptureError;
use crate::journal::{BoundVolume, Redeployment};
use crate::manifests;
use crate::resource::text;

const VOLUMES: &str = "/api/v1/persistentvolumes";
/// How long a claim may take to have its volume again.
const BOUND_WITHIN: Duration = Duration::from_secs(60);
const POLL: Duration = Duration::from_millis(500);

/// What will be taken off, and which volumes will stay.
pub(super) async fn plan(
    cluster: &Cluster,
    application: &Application,
) -> Result<Redeployment, CaptureError> {
    let namespace = &application.namespace;
    let object = format!("namespace/{namespace}");
    let path = cluster.object_path(namespace, &object).await?;
    let live = cluster.find_json(&path).await?;
    let live = live.ok_or_else(|| nothing(&object, "there is no such object"))?;
    let mut volumes = Vec::new();
    for volume in cluster.list(VOLUMES).await? {
        let is_of_ours = text(&volume, "/spec/claimRef/namespace") == namespace;
        if is_of_ours && text(&volume, "/status/phase") == "Bound" {
            volumes.push(BoundVolume {
                name: text(&volume, "/metadata/name").to_owned(),
                reclaim_policy: text(&volume, "/spec/persistentVolumeReclaimPolicy").to_owned(),
            });
        }
    }
    if volumes.is_empty() {
        return Err(nothing(
            &object,
            "its claims have no volume that could stay",
        ));
    }
    Ok(Redeployment {
        object,
        uid: uid(&live).to_owned(),
        application: Box::new(application.clone()),
        volumes,
    })
}

pub(super) async fn inject(cluster: &Cluster, plan: &Redeployment) -> Result<(), CaptureError> {
    for volume in &plan.volumes {
        set_policy(cluster, &volume.name, "Retain").await?;
    }
    let namespace = &plan.application.namespace;
    fields::delete_and_wait(cluster, namespace, &plan.object, Some(&plan.uid)).await?;
    deploy_again(cluster, plan).await
}

async fn deploy_again(cluster: &Cluster, plan: &Redeployment) -> Result<(), CaptureError> {
    for object in manifests::objects(&plan.application)? {
        deploy::apply(cluster, &plan.application, &object).await?;
    }
    Ok(())
}

/// A namespace that is still the first one was never taken off; volumes are looked at anyway.
pub(super) async fn undo(cluster: &Cluster, plan: &Redeployment) -> Result<Undone, CaptureError> {
    let namespace = &plan.application.namespace;
    let path = cluster.object_path(namespace, &plan.object).await?;
    let live = cluster.find_json(&path).await?;
    let is_first = live.as_ref().is_some_and(|live| uid(live) == plan.uid);
    let is_leaving = live.is_some_and(|live| text(&live, "/status/phase") == "Terminating");
    let mut undone = Undone::AsBefore;
    if !is_first || is_leaving {
        if is_leaving {
            fields::delete_and_wait(cluster, namespace, &plan.object, None).await?;
        }
        deploy_again(cluster, plan).await?;
        undone = Undone::Restored;
    }
    for volume in &plan.volumes {
        give_back(cluster, &volume.name).await?;
        set_policy(cluster, &volume.name, &volume.reclaim_policy).await?;
    }
    Ok(undone)
}

/// Frees a volume for the claim that asks for it by name. One that nobody asks for is left to its policy.
async fn give_back(cluster: &Cluster, name: &str) -> Result<(), CaptureError> {
    let path = format!("{VOLUMES}/{name}");
    let until = Instant::now() + BOUND_WITHIN;
    loop {
        let Some(volume) = cluster.find_json(&path).await? else {
            return Ok(());
        };
        if text(&volume, "/status/phase") == "Bound" {
            return Ok(());
        }
        let (namespace, claim) = (
            text(&volume, "/spec/claimRef/namespace"),
            text(&volume, "/spec/claimRef/name"),
        );
        if !claim.is_empty() {
            let claim = format!("/api/v1/namespaces/{namespace}/persistentvolumeclaims/{claim}");
            let claim = cluster.find_json(&claim).await?.unwrap_or(Value::Null);
            if text(&claim, "/spec/volumeName") != name {
                return Ok(());
            }
            let free = json!({"spec": {"claimRef": null}});
            cluster.patch(&path, PatchKind::Merge, &free).await?;
        }
        if Instant::now() > until {
            return Err(CaptureError::Timeout {
                stage: "recover".to_owned(),
                seconds: BOUND_WITHIN.as_secs(),
                because: format!("volume {name} is not bound again"),
            });
        }
        sleep(POLL).await;
    }
}

async fn set_policy(cluster: &Cluster, name: &str, policy: &str) -> Result<(), CaptureError> {
    let path = format!("{VOLUMES}/{name}");
    if cluster.find_json(&path).await?.is_some() {
        let patch = json!({"spec": {"persistentVolumeReclaimPolicy": policy}});
        cluster.patch(&path, PatchKind::Merge, &patch).await?;
    }
    Ok(())
}
