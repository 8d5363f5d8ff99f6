//! Objects deleted, and created again as they were.

use aiopslab_problems::fault::Delete;
use regex::Regex;
use serde_json::Value;

use super::{Undone, fields, nothing, uid};
use crate::cluster::Cluster;
use crate::error::CaptureError;
use crate::journal::Deletion;
use crate::resource::{self, text};

/// Annotations by which a claim was bound to a volume that goes with it.
const BINDING: [&str; 3] = [
    "pv.kubernetes.io/bind-completed",
    "pv.kubernetes.io/bound-by-controller",
    "volume.kubernetes.io/selected-node",
];
/// Labels that a Job's controller gives to its pods.
const JOB_LABELS: [&str; 4] = [
    "batch.kubernetes.io/controller-uid",
    "batch.kubernetes.io/job-name",
    "controller-uid",
    "job-name",
];

/// The objects that a step deletes, by name.
pub(super) async fn chosen(
    cluster: &Cluster,
    namespace: &str,
    step: &Delete,
) -> Result<Vec<Deletion>, CaptureError> {
    let missing = || nothing(&step.delete, "there is no such object");
    if step.delete.contains('/') {
        let path = cluster.object_path(namespace, &step.delete).await?;
        let live = cluster.find_json(&path).await?.ok_or_else(missing)?;
        return Ok(vec![deletion(step.delete.clone(), &live)]);
    }
    let resource = cluster.resolve(&step.delete).await?;
    let labels = step
        .labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()));
    let collection = resource.collection(Some(namespace));
    let path = format!("{collection}?{}", resource::with_labels(labels));
    let pattern = match &step.matches {
        Some(pattern) => {
            Some(Regex::new(pattern).map_err(CaptureError::json("a pattern of names"))?)
        }
        None => None,
    };
    let is_meant = |name: &str| pattern.as_ref().is_none_or(|it| it.is_match(name));
    let mut chosen: Vec<Deletion> = Vec::new();
    for live in cluster.list(&path).await? {
        let name = text(&live, "/metadata/name");
        let is_leaving = live.pointer("/metadata/deletionTimestamp").is_some();
        if is_meant(name) && !is_leaving {
            let mut live = live.clone();
            // A list's items don't say what they are.
            live["apiVersion"] = resource.api_version().into();
            live["kind"] = resource.kind.clone().into();
            chosen.push(deletion(format!("{}/{name}", resource.full_name()), &live));
        }
    }
    if chosen.is_empty() {
        return Err(missing());
    }
    chosen.sort_by(|left, right| left.object.cmp(&right.object));
    Ok(chosen)
}

fn deletion(object: String, live: &Value) -> Deletion {
    let owners = live.pointer("/metadata/ownerReferences");
    let owners = owners.and_then(Value::as_array).into_iter().flatten();
    Deletion {
        object,
        uid: uid(live).to_owned(),
        is_replaced: owners.into_iter().any(|owner| owner["controller"] == true),
        before: creatable(live),
    }
}

/// An object as it can be created again, without what its server and controllers drew for it.
fn creatable(live: &Value) -> Value {
    let mut image = live.clone();
    resource::strip_server_fields(&mut image);
    match text(live, "/kind") {
        "PersistentVolumeClaim" => {
            remove(&mut image, "/spec", &["volumeName"]);
            remove(&mut image, "/metadata/annotations", &BINDING);
        }
        "Job" if image.pointer("/spec/manualSelector") != Some(&Value::Bool(true)) => {
            remove(&mut image, "/spec", &["selector"]);
            for labels in ["/metadata/labels", "/spec/template/metadata/labels"] {
                remove(&mut image, labels, &JOB_LABELS);
            }
        }
        _ => {}
    }
    image
}

fn remove(object: &mut Value, pointer: &str, keys: &[&str]) {
    if let Some(fields) = object.pointer_mut(pointer).and_then(Value::as_object_mut) {
        for key in keys {
            fields.shift_remove(*key);
        }
    }
}

pub(super) async fn inject(
    cluster: &Cluster,
    namespace: &str,
    deletion: &Deletion,
) -> Result<(), CaptureError> {
    fields::delete_and_wait(cluster, namespace, &deletion.object, Some(&deletion.uid)).await
}

pub(super) async fn undo(
    cluster: &Cluster,
    namespace: &str,
    deletion: &Deletion,
) -> Result<Undone, CaptureError> {
    let Deletion { object, .. } = deletion;
    let path = cluster.object_path(namespace, object).await?;
    if let Some(live) = cluster.find_json(&path).await? {
        let is_leaving = live.pointer("/metadata/deletionTimestamp").is_some();
        if !is_leaving {
            return Ok(Undone::AsBefore);
        }
        fields::delete_and_wait(cluster, namespace, object, Some(uid(&live))).await?;
    }
    if deletion.is_replaced {
        return Ok(Undone::AsBefore);
    }
    fields::create(cluster, namespace, object, &deletion.before).await?;
    Ok(Undone::Restored)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_claim_is_created_again_without_its_volume() {
        let live = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "uid": "u", "resourceVersion": "7",
                "annotations": {"pv.kubernetes.io/bind-completed": "yes", "note": "kept"}},
            "spec": {"accessModes": ["ReadWriteOnce"], "volumeName": "pvc-u"},
            "status": {"phase": "Bound"}});
        let deletion = deletion("persistentvolumeclaim/data".to_owned(), &live);
        assert_eq!((deletion.uid.as_str(), deletion.is_replaced), ("u", false));
        let expected = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data", "annotations": {"note": "kept"}},
            "spec": {"accessModes": ["ReadWriteOnce"]}});
        assert_eq!(deletion.before, expected);
    }

    #[test]
    fn what_a_controller_replaces_is_known() {
        let owned = |is_controller: bool| {
            json!({"kind": "Pod", "metadata": {"uid": "u",
            "ownerReferences": [{"kind": "ReplicaSet", "controller": is_controller}]}})
        };
        assert!(deletion("pod/a".to_owned(), &owned(true)).is_replaced);
        assert!(!deletion("pod/a".to_owned(), &owned(false)).is_replaced);
    }

    #[test]
    fn a_job_is_created_again_without_what_its_controller_drew() {
        let live = json!({"kind": "Job", "metadata": {"labels": {"app": "a", "job-name": "x"}},
            "spec": {"selector": {"matchLabels": {"controller-uid": "1"}},
                "template": {"metadata": {"labels": {"app": "a", "controller-uid": "1"}}}}});
        let expected = json!({"kind": "Job", "metadata": {"labels": {"app": "a"}},
            "spec": {"template": {"metadata": {"labels": {"app": "a"}}}}});
        assert_eq!(creatable(&live), expected);
    }
}
