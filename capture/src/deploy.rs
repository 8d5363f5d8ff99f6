//! An application put on a cluster and taken off again.

use std::time::Duration;

use aiopslab_problems::condition::{Condition, Question};
use aiopslab_problems::family::Application;
use jiff::Timestamp;
use serde_json::Value;

use crate::cluster::{Cluster, PatchKind};
use crate::error::CaptureError;
use crate::manifests;
use crate::observe::pods;
use crate::resource::text;

/// The phase of the application's namespace; none: it is not there.
pub(crate) async fn phase(
    cluster: &Cluster,
    application: &Application,
) -> Result<Option<String>, CaptureError> {
    let path = format!("/api/v1/namespaces/{}", application.namespace);
    let namespace = cluster.find_json(&path).await?;
    Ok(namespace.map(|namespace| text(&namespace, "/status/phase").to_owned()))
}

/// Applies one object of a manifest; objects without a namespace go to the application's.
pub(crate) async fn apply(
    cluster: &Cluster,
    application: &Application,
    object: &Value,
) -> Result<(), CaptureError> {
    let path = object_path(cluster, application, object).await?;
    cluster.patch(&path, PatchKind::Apply, object).await?;
    Ok(())
}

/// The namespace in which objects are tried that belong to one that is not there yet.
pub(crate) const TRIED_IN: &str = "default";

/// Asks the server whether it would take an object of a manifest, without making it. `is_there`: the
/// application's namespace is.
pub(crate) async fn dry_run(
    cluster: &Cluster,
    application: &Application,
    object: &Value,
    is_there: bool,
) -> Result<(), CaptureError> {
    let mut object = object.clone();
    let path = if is_there {
        object_path(cluster, application, &object).await?
    } else {
        if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut)
            && metadata.contains_key("namespace")
        {
            metadata.insert("namespace".to_owned(), TRIED_IN.into());
        }
        let resource = cluster.resolve(text(&object, "/kind")).await?;
        resource.object(TRIED_IN, text(&object, "/metadata/name"))
    };
    cluster
        .dry_run_patch(&path, PatchKind::Apply, &object)
        .await?;
    Ok(())
}

/// Deletes what the application's manifests name; its namespace takes the rest along.
pub(crate) async fn delete(
    cluster: &Cluster,
    application: &Application,
) -> Result<(), CaptureError> {
    for object in manifests::objects(application)?.iter().rev() {
        let is_inside = text(object, "/metadata/namespace") == application.namespace;
        if !is_inside {
            cluster
                .delete(&object_path(cluster, application, object).await?)
                .await?;
        }
    }
    Ok(())
}

async fn object_path(
    cluster: &Cluster,
    application: &Application,
    object: &Value,
) -> Result<String, CaptureError> {
    let namespace = match text(object, "/metadata/namespace") {
        "" => &application.namespace,
        namespace => namespace,
    };
    let resource = cluster.resolve(text(object, "/kind")).await?;
    Ok(resource.object(namespace, text(object, "/metadata/name")))
}

/// How long the youngest container of the application has been running; none: not all run.
pub(crate) async fn quiet_for(
    cluster: &Cluster,
    application: &Application,
) -> Result<Option<Duration>, CaptureError> {
    let mut youngest: Option<Timestamp> = None;
    for pod in pods(cluster, application, None).await? {
        let statuses = pod
            .pointer("/status/containerStatuses")
            .and_then(Value::as_array);
        for status in statuses.into_iter().flatten() {
            let Ok(started) = text(status, "/state/running/startedAt").parse::<Timestamp>() else {
                return Ok(None);
            };
            youngest = Some(youngest.map_or(started, |youngest| youngest.max(started)));
        }
    }
    let elapsed = youngest.map(|youngest| cluster.now().duration_since(youngest));
    Ok(elapsed.map(|elapsed| Duration::try_from(elapsed).unwrap_or(Duration::ZERO)))
}

/// The health conditions that hold without a workload too.
pub(crate) fn without_load(application: &Application) -> Vec<Condition> {
    let needs_load = |condition: &Condition| condition.needs().contains(&Question::Workload);
    application
        .healthy
        .iter()
        .filter(|condition| !needs_load(condition))
        .cloned()
        .collect()
}
