//! What a patch of the Kubernetes API comes to, as the server says it.

use aiopslab_problems::fault::ApiPatch;
use serde_json::Value;

use super::nothing;
use crate::cluster::{Cluster, PatchKind};
use crate::error::CaptureError;

/// The object as the patch would leave it; nothing is changed.
pub(super) async fn preview(
    cluster: &Cluster,
    path: &str,
    step: &ApiPatch,
) -> Result<Value, CaptureError> {
    let (kind, patch) = match (&step.merge, &step.strategic, &step.json) {
        (Some(patch), None, None) => (PatchKind::Merge, patch.clone()),
        (None, Some(patch), None) => (PatchKind::Strategic, patch.clone()),
        (None, None, Some(operations)) => (PatchKind::Json, Value::Array(operations.clone())),
        _ => return Err(nothing(&step.patch, "the patch is not of exactly one kind")),
    };
    Ok(cluster.dry_run_patch(path, kind, &patch).await?)
}
