//! An object of ours, created and deleted again.

use serde_json::{Value, json};

use super::{Undone, fields, nothing};
use crate::cluster::{Cluster, PatchKind};
use crate::error::CaptureError;
use crate::resource::text;

/// The name (`resource/name`) of an object to apply, and the object with its namespace.
pub(super) async fn named(
    cluster: &Cluster,
    namespace: &str,
    object: &Value,
) -> Result<(String, Value), CaptureError> {
    let (version, kind) = (text(object, "/apiVersion"), text(object, "/kind"));
    let resource = cluster.resolve_kind(version, kind).await?;
    let name = format!(
        "{}/{}",
        resource.full_name(),
        text(object, "/metadata/name")
    );
    let mut image = object.clone();
    if resource.namespaced {
        match text(object, "/metadata/namespace") {
            "" => image["metadata"]["namespace"] = json!(namespace),
            given if given == namespace => {}
            given => {
                let because =
                    format!("it is in namespace {given}, and the application in {namespace}");
                return Err(nothing(&name, &because));
            }
        }
    }
    Ok((name, image))
}

/// The object as applying it would leave it; nothing is changed.
pub(super) async fn preview(
    cluster: &Cluster,
    path: &str,
    image: &Value,
) -> Result<Value, CaptureError> {
    Ok(cluster.dry_run_patch(path, PatchKind::Apply, image).await?)
}

pub(super) async fn inject(
    cluster: &Cluster,
    namespace: &str,
    object: &str,
    image: &Value,
) -> Result<(), CaptureError> {
    let path = cluster.object_path(namespace, object).await?;
    cluster.patch(&path, PatchKind::Apply, image).await?;
    Ok(())
}

pub(super) async fn undo(
    cluster: &Cluster,
    namespace: &str,
    object: &str,
) -> Result<Undone, CaptureError> {
    let path = cluster.object_path(namespace, object).await?;
    if cluster.find_json(&path).await?.is_none() {
        return Ok(Undone::AsBefore);
    }
    fields::delete_and_wait(cluster, namespace, object, None).await?;
    Ok(Undone::Restored)
}
