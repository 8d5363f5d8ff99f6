//! The steps of a fault carried out and undone on a cluster.
//!
//! [`prepare`] turns steps into journal entries with pre-images, changing nothing. [`inject`] and
//! [`undo`] carry an entry out and back; both may be repeated.

use std::collections::BTreeMap;
use std::time::Duration;

use aiopslab_problems::fault::{Exec, Patch, Recreate, Step};
use aiopslab_problems::path;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::{Instant, sleep};

use crate::cluster::{Cluster, PatchKind};
use crate::error::CaptureError;
use crate::journal::{Entry, FieldChange};
use crate::resource;

const EXEC_TIMEOUT: Duration = Duration::from_secs(60);
/// How long a deleted object may take to go: finalizers and grace periods.
const GONE_WITHIN: Duration = Duration::from_secs(60);
const RESTARTED: &str = "kubectl.kubernetes.io/restartedAt";

/// Whether this version can carry a step out.
pub(crate) fn is_implemented(step: &Step) -> bool {
    matches!(
        step,
        Step::Patch(_) | Step::Recreate(_) | Step::Scale(_) | Step::Restart(_) | Step::Exec(_)
    )
}

/// Reads what the steps will change and says how, without changing anything.
pub(crate) async fn prepare(
    cluster: &Cluster,
    namespace: &str,
    steps: &[Step],
) -> Result<Vec<Entry>, CaptureError> {
    let mut copies = BTreeMap::new();
    let mut entries = Vec::new();
    for step in steps {
        let object = match step {
            Step::Patch(patch) => &patch.patch,
            Step::Recreate(step) => &step.recreate,
            Step::Scale(scale) => &scale.scale,
            Step::Restart(restart) => &restart.restart,
            Step::Exec(exec) => {
                entries.push(exec_entry(exec));
                continue;
            }
            other => {
                let step = format!("step {}", other.kind());
                return Err(CaptureError::NotImplemented(vec![step]));
            }
        };
        if !copies.contains_key(object) {
            let live = cluster
                .find_json(&cluster.object_path(namespace, object).await?)
                .await?;
            let live = live.ok_or_else(|| nothing(object, "there is no such object"))?;
            copies.insert(object.clone(), live);
        }
        let Some(before) = copies.get(object).cloned() else {
            continue;
        };
        let mut after = before.clone();
        change(step, &mut after)?;
        let mut fields = Vec::new();
        difference(Some(&before), Some(&after), String::new(), &mut fields);
        if fields.is_empty() {
            return Err(nothing(object, "its fields have the wanted values already"));
        }
        let mut image = before;
        resource::strip_server_fields(&mut image);
        let recreated = matches!(step, Step::Recreate(_)).then(|| {
            let mut image = after.clone();
            resource::strip_server_fields(&mut image);
            image
        });
        entries.push(Entry::Fields {
            object: object.clone(),
            fields,
            before: image,
            recreated,
        });
        copies.insert(object.clone(), after);
    }
    Ok(entries)
}

fn exec_entry(exec: &Exec) -> Entry {
    Entry::Exec {
        object: exec.exec.clone(),
        container: exec.container.clone(),
        command: exec.command.clone(),
        recover: exec.recover.clone(),
    }
}

fn change(step: &Step, object: &mut Value) -> Result<(), CaptureError> {
    match step {
        Step::Patch(Patch { patch: name, set })
        | Step::Recreate(Recreate {
            recreate: name,
            set,
        }) => {
            let condition = set.only_where.as_ref().map(|only| &only.equals);
            path::set(object, &set.path, condition, &set.to)
                .map_err(|error| nothing(name, &error.to_string()))?;
        }
        Step::Scale(scale) => {
            if let Some(spec) = object.get_mut("spec").and_then(Value::as_object_mut) {
                spec.insert("replicas".to_owned(), json!(scale.replicas));
            }
        }
        Step::Restart(_) => {
            let metadata = object.pointer_mut("/spec/template/metadata");
            if let Some(metadata) = metadata.and_then(Value::as_object_mut) {
                let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
                if annotations.is_null() {
                    *annotations = Value::Object(Map::new());
                }
                if let Some(annotations) = annotations.as_object_mut() {
                    annotations.insert(RESTARTED.to_owned(), json!(Timestamp::now().to_string()));
                }
            }
        }
        // Changes no field; what is not implemented does not get here.
        _ => {}
    }
    Ok(())
}

fn nothing(object: &str, because: &str) -> CaptureError {
    CaptureError::NothingToChange {
        object: object.to_owned(),
        because: because.to_owned(),
    }
}

/// The smallest fields in which two values differ.
fn difference(
    before: Option<&Value>,
    after: Option<&Value>,
    pointer: String,
    changes: &mut Vec<FieldChange>,
) {
    match (before, after) {
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let added = new.keys().filter(|key| !old.contains_key(*key));
            for key in old.keys().chain(added) {
                let escaped = key.replace('~', "~0").replace('/', "~1");
                difference(
                    old.get(key),
                    new.get(key),
                    format!("{pointer}/{escaped}"),
                    changes,
                );
            }
        }
        (Some(Value::Array(old)), Some(Value::Array(new))) if old.len() == new.len() => {
            for (index, (old, new)) in old.iter().zip(new).enumerate() {
                difference(Some(old), Some(new), format!("{pointer}/{index}"), changes);
            }
        }
        (before, after) if before != after => {
            changes.push(FieldChange {
                pointer,
                before: before.cloned(),
                after: after.cloned(),
            });
        }
        _ => {}
    }
}

/// Carries one entry out.
pub(crate) async fn inject(
    cluster: &Cluster,
    namespace: &str,
    entry: &Entry,
) -> Result<(), CaptureError> {
    match entry {
        Entry::Fields {
            object,
            fields,
            recreated: Some(recreated),
            ..
        } => {
            let path = cluster.object_path(namespace, object).await?;
            let live = cluster.find_json(&path).await?;
            if live.is_some_and(|live| is_changed(&live, fields)) {
                return Ok(());
            }
            recreate(cluster, namespace, object, recreated).await
        }
        Entry::Fields { object, fields, .. } => {
            let path = cluster.object_path(namespace, object).await?;
            let mut operations = Vec::new();
            for field in fields {
                // The test makes sure that the pre-image is still true.
                if let Some(before) = &field.before {
                    operations.push(json!({"op": "test", "path": field.pointer, "value": before}));
                }
                operations.push(match (&field.before, &field.after) {
                    (_, None) => json!({"op": "remove", "path": field.pointer}),
                    (Some(_), Some(after)) => replace(&field.pointer, after),
                    (None, Some(after)) => add(&field.pointer, after),
                });
            }
            cluster
                .patch(&path, PatchKind::Json, &Value::Array(operations))
                .await?;
            Ok(())
        }
        Entry::Exec {
            object,
            container,
            command,
            ..
        } => run(cluster, namespace, object, container.as_deref(), command).await,
    }
}

/// Deletes an object, waits until it is gone, and creates it as given.
async fn recreate(
    cluster: &Cluster,
    namespace: &str,
    object: &str,
    image: &Value,
) -> Result<(), CaptureError> {
    let path = cluster.object_path(namespace, object).await?;
    let until = Instant::now() + GONE_WITHIN;
    while cluster.delete(&path).await? {
        if Instant::now() > until {
            return Err(CaptureError::NotDeleted {
                object: object.to_owned(),
                seconds: GONE_WITHIN.as_secs(),
            });
        }
        sleep(Duration::from_millis(200)).await;
    }
    let (kind, _) = resource::split(object)?;
    let collection = cluster.resolve(kind).await?.collection(Some(namespace));
    cluster.create(&collection, image).await?;
    Ok(())
}

/// Whether every field has its new value.
fn is_changed(live: &Value, fields: &[FieldChange]) -> bool {
    fields
        .iter()
        .all(|field| live.pointer(&field.pointer) == field.after.as_ref())
}

fn replace(pointer: &str, value: &Value) -> Value {
    json!({"op": "replace", "path": pointer, "value": value})
}

fn add(pointer: &str, value: &Value) -> Value {
    json!({"op": "add", "path": pointer, "value": value})
}

/// What undoing an entry came to.
#[derive(Debug, Clone, PartialEq, Eq)]
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
    match entry {
        Entry::Fields {
            object,
            fields,
            before,
            recreated,
        } => {
            let path = cluster.object_path(namespace, object).await?;
            let Some(live) = cluster.find_json(&path).await? else {
                let space = format!("/api/v1/namespaces/{namespace}");
                if cluster.find_json(&space).await?.is_none() {
                    return Ok(Undone::AsBefore); // the application is gone, and the fault with it
                }
                recreate(cluster, namespace, object, before).await?;
                return Ok(Undone::Restored);
            };
            let operations = restore(&live, fields);
            if operations.is_empty() {
                return Ok(Undone::AsBefore);
            }
            if recreated.is_some() {
                recreate(cluster, namespace, object, before).await?;
                return Ok(Undone::Restored);
            }
            cluster
                .patch(&path, PatchKind::Json, &Value::Array(operations))
                .await?;
            Ok(Undone::Restored)
        }
        Entry::Exec {
            object,
            container,
            recover,
            ..
        } => {
            if cluster
                .find_json(&cluster.object_path(namespace, object).await?)
                .await?
                .is_none()
            {
                return Ok(Undone::AsBefore);
            }
            run(cluster, namespace, object, container.as_deref(), recover).await?;
            Ok(Undone::Restored)
        }
    }
}

/// The JSON Patch that brings the fields of a live object back.
fn restore(live: &Value, fields: &[FieldChange]) -> Vec<Value> {
    let mut operations = Vec::new();
    for field in fields.iter().rev() {
        let present = live.pointer(&field.pointer);
        match &field.before {
            Some(before) if present != Some(before) => {
                let operation = if present.is_some() { replace } else { add };
                operations.push(operation(&field.pointer, before));
            }
            None if present.is_some() => {
                operations.push(json!({"op": "remove", "path": field.pointer}));
            }
            _ => {}
        }
    }
    operations
}

async fn run(
    cluster: &Cluster,
    namespace: &str,
    object: &str,
    container: Option<&str>,
    command: &[String],
) -> Result<(), CaptureError> {
    let pod = ready_pod(cluster, namespace, object).await?;
    let output = cluster
        .exec(namespace, &pod, container, command, EXEC_TIMEOUT)
        .await?;
    if output.exit_code == 0 {
        return Ok(());
    }
    Err(CaptureError::Exec {
        object: object.to_owned(),
        command: command.join(" "),
        code: output.exit_code,
        stderr: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

async fn ready_pod(
    cluster: &Cluster,
    namespace: &str,
    object: &str,
) -> Result<String, CaptureError> {
    let none = || CaptureError::NoReadyPod {
        object: object.to_owned(),
    };
    let workload = cluster
        .find_json(&cluster.object_path(namespace, object).await?)
        .await?
        .ok_or_else(none)?;
    let labels = workload
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object);
    let labels = labels.ok_or_else(none)?;
    let selector = labels
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str().unwrap_or_default()));
    let path = format!(
        "/api/v1/namespaces/{namespace}/pods?{}",
        resource::with_labels(selector)
    );
    let pods = cluster.list(&path).await?;
    let mut names: Vec<String> = pods
        .iter()
        .filter(|pod| resource::is_ready_pod(pod))
        .map(|pod| resource::text(pod, "/metadata/name").to_owned())
        .collect();
    names.sort();
    names.into_iter().next().ok_or_else(none)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(port: i64) -> Value {
        json!({"spec": {"ports": [{"name": "http", "port": 8080, "targetPort": port}]}})
    }

    #[test]
    fn only_what_changes_is_recorded_and_restored() {
        let mut changes = Vec::new();
        difference(
            Some(&service(8080)),
            Some(&service(9999)),
            String::new(),
            &mut changes,
        );
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].pointer, "/spec/ports/0/targetPort");
        let mut live = service(9999);
        live["spec"]["type"] = json!("ClusterIP"); // somebody else's change stays
        let expected =
            json!([{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]);
        assert_eq!(Value::Array(restore(&live, &changes)), expected);
        assert!(restore(&service(8080), &changes).is_empty());
    }

    #[test]
    fn an_added_annotation_is_removed_again() {
        let before = json!({"spec": {"template": {"metadata": {"labels": {}}}}});
        let mut after = before.clone();
        let restart = aiopslab_problems::fault::Restart {
            restart: "deployment/geo".to_owned(),
        };
        change(&Step::Restart(restart), &mut after).ok();
        let mut changes = Vec::new();
        difference(Some(&before), Some(&after), String::new(), &mut changes);
        let expected = json!([{"op": "remove", "path": "/spec/template/metadata/annotations"}]);
        assert_eq!(Value::Array(restore(&after, &changes)), expected);
    }
}
