//! Deployments, ReplicaSets, ReplicationControllers, StatefulSets and DaemonSets.

use serde_json::Value;

use super::described::Described;
use super::page::Page;
use super::related::{self, PodCounts};
use super::storage::bracketed;
use super::{metadata, pod};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::selector::LabelSelector;
use crate::kubectl::table::format_labels;
use crate::kubectl::{object, timestamp};
use crate::view::RecordedObject;

/// The selector of a workload.
pub(super) fn selector(value: &Value) -> LabelSelector {
    value
        .pointer("/spec/selector")
        .map(LabelSelector::of)
        .unwrap_or_default()
}

/// The template of a workload's pods.
pub(super) fn template(page: &mut Page, value: &Value) {
    pod::template(
        page,
        value.pointer("/spec/template").unwrap_or(&Value::Null),
    );
}

fn conditions(page: &mut Page, value: &Value) {
    let conditions = object::list(value, "/status/conditions");
    if conditions.is_empty() {
        return;
    }
    page.line(0, "Conditions:");
    page.headings(1, &["Type", "Status", "Reason"]);
    for condition in conditions {
        let part = |pointer: &str| object::text(condition, pointer);
        page.line(
            1,
            format!(
                "{} \t{}\t{}",
                part("/type"),
                part("/status"),
                part("/reason")
            ),
        );
    }
}

/// The page of a Deployment.
pub(super) async fn deployment(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
    let value = &recorded.object;
    let number = |pointer: &str| object::number(value, pointer);
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::created(&mut page, value);
    metadata::labels_and_annotations(&mut page, value);
    page.field(0, "Selector", selector(value));
    page.field(
        0,
        "Replicas",
        format!(
            "{} desired | {} updated | {} total | {} available | {} unavailable",
            number("/spec/replicas"),
            number("/status/updatedReplicas"),
            number("/status/replicas"),
            number("/status/availableReplicas"),
            number("/status/unavailableReplicas"),
        ),
    );
    page.field(
        0,
        "StrategyType",
        object::text(value, "/spec/strategy/type"),
    );
    page.field(0, "MinReadySeconds", number("/spec/minReadySeconds"));
    if let Some(rolling) = object::field(value, "/spec/strategy/rollingUpdate") {
        let unavailable = object::int_or_text(rolling, "/maxUnavailable");
        let surge = object::int_or_text(rolling, "/maxSurge");
        let text = format!("{unavailable} max unavailable, {surge} max surge");
        page.field(0, "RollingUpdateStrategy", text);
    }
    template(&mut page, value);
    conditions(&mut page, value);
    let (old, new) = replica_sets(cluster, recorded).await?;
    if !old.is_empty() || !new.is_empty() {
        page.field(0, "OldReplicaSets", created(&old));
        page.field(0, "NewReplicaSet", created(&new));
    }
    Ok(described.finished(page))
}

/// The ReplicaSets of a Deployment: the old ones and the one of its present template.
async fn replica_sets(
    cluster: &Cluster<'_>,
    deployment: &RecordedObject,
) -> Result<(Vec<RecordedObject>, Vec<RecordedObject>), Failure> {
    let selector = selector(&deployment.object);
    let mut sets =
        related::all(cluster, "apps", "replicasets", Some(&deployment.namespace)).await?;
    sets.retain(|set| {
        object::controller(&set.object)
            .is_some_and(|owner| object::text(owner, "/uid") == deployment.uid)
            && selector.matches(&object::map(&set.object, "/metadata/labels"))
    });
    sets.sort_by_key(|set| timestamp::nanoseconds(&set.object, "/metadata/creationTimestamp"));
    let wanted = comparable_template(&deployment.object);
    let position = sets
        .iter()
        .position(|set| comparable_template(&set.object) == wanted);
    let new = position
        .map(|position| sets.remove(position))
        .into_iter()
        .collect();
    Ok((sets, new))
}

/// A pod template without what its ReplicaSet adds.
fn comparable_template(value: &Value) -> Value {
    let mut template = value.pointer("/spec/template").cloned().unwrap_or_default();
    if let Some(labels) = template
        .pointer_mut("/metadata/labels")
        .and_then(Value::as_object_mut)
    {
        labels.remove("pod-template-hash");
    }
    if let Some(metadata) = template
        .pointer_mut("/metadata")
        .and_then(Value::as_object_mut)
    {
        metadata.remove("creationTimestamp");
    }
    template
}

fn created(sets: &[RecordedObject]) -> String {
    if sets.is_empty() {
        return "<none>".to_owned();
    }
    let texts: Vec<String> = sets
        .iter()
        .map(|set| {
            let number = |pointer: &str| object::number(&set.object, pointer);
            let (have, want) = (number("/status/replicas"), number("/spec/replicas"));
            format!("{} ({have}/{want} replicas created)", set.name)
        })
        .collect();
    texts.join(", ")
}

/// The page of a ReplicaSet.
pub(super) async fn replica_set(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    page.field(0, "Selector", selector(value));
    metadata::labels_and_annotations(&mut page, value);
    metadata::controlled_by(&mut page, value);
    replicas(cluster, recorded, &mut page).await?;
    Ok(described.finished(page))
}

/// The page of a ReplicationController.
pub(super) async fn replication_controller(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    let selected = object::map(value, "/spec/selector");
    page.field(0, "Selector", format_labels(&selected));
    metadata::labels_and_annotations(&mut page, value);
    replicas(cluster, recorded, &mut page).await?;
    Ok(described.finished(page))
}

/// How many pods there are and should be, and what they are made of.
async fn replicas(
    cluster: &Cluster<'_>,
    recorded: &RecordedObject,
    page: &mut Page,
) -> Result<(), Failure> {
    let value = &recorded.object;
    let (have, want) = (
        object::number(value, "/status/replicas"),
        object::number(value, "/spec/replicas"),
    );
    page.field(0, "Replicas", format!("{have} current / {want} desired"));
    page.field(0, "Pods Status", PodCounts::of(cluster, recorded).await?);
    template(page, value);
    conditions(page, value);
    Ok(())
}

/// The page of a StatefulSet.
pub(super) async fn stateful_set(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::created(&mut page, value);
    page.field(0, "Selector", selector(value));
    metadata::labels_and_annotations(&mut page, value);
    let (have, want) = (
        object::number(value, "/status/replicas"),
        object::number(value, "/spec/replicas"),
    );
    page.field(0, "Replicas", format!("{want} desired | {have} total"));
    page.field(
        0,
        "Update Strategy",
        object::text(value, "/spec/updateStrategy/type"),
    );
    if let Some(partition) = object::field(value, "/spec/updateStrategy/rollingUpdate/partition") {
        page.field(1, "Partition", partition);
        let unavailable = "/spec/updateStrategy/rollingUpdate/maxUnavailable";
        page.field_if(
            1,
            "MaxUnavailable",
            &object::int_or_text(value, unavailable),
        );
    }
    page.field(0, "Pods Status", PodCounts::of(cluster, recorded).await?);
    template(&mut page, value);
    let claims = object::list(value, "/spec/volumeClaimTemplates");
    page.line(
        0,
        if claims.is_empty() {
            "Volume Claims:\t<none>"
        } else {
            "Volume Claims:"
        },
    );
    for claim in claims {
        page.field(1, "Name", object::text(claim, "/metadata/name"));
        page.field(
            1,
            "StorageClass",
            object::text(claim, "/spec/storageClassName"),
        );
        metadata::labels(
            &mut page,
            "  Labels",
            &object::map(claim, "/metadata/labels"),
        );
        metadata::labels(
            &mut page,
            "  Annotations",
            &object::map(claim, "/metadata/annotations"),
        );
        page.field(
            1,
            "Capacity",
            object::text(claim, "/spec/resources/requests/storage"),
        );
        page.field(1, "Access Modes", bracketed(claim, "/spec/accessModes"));
    }
    Ok(described.finished(page))
}

/// The page of a DaemonSet.
pub(super) async fn daemon_set(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    page.field(0, "Selector", selector(value));
    let nodes = object::map(value, "/spec/template/spec/nodeSelector");
    page.field(0, "Node-Selector", format_labels(&nodes));
    metadata::labels_and_annotations(&mut page, value);
    for (label, key) in [
        (
            "Desired Number of Nodes Scheduled",
            "/status/desiredNumberScheduled",
        ),
        (
            "Current Number of Nodes Scheduled",
            "/status/currentNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Up-to-date Pods",
            "/status/updatedNumberScheduled",
        ),
        (
            "Number of Nodes Scheduled with Available Pods",
            "/status/numberAvailable",
        ),
        ("Number of Nodes Misscheduled", "/status/numberMisscheduled"),
    ] {
        page.line(0, format!("{label}: {}", object::number(value, key)));
    }
    page.field(0, "Pods Status", PodCounts::of(cluster, recorded).await?);
    template(&mut page, value);
    Ok(described.finished(page))
}
