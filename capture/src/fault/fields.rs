//! Fields of an object set, and set back; or the whole object deleted and created again with them.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::Undone;
use crate::cluster::{Cluster, PatchKind};
use crate::error::CaptureError;
use crate::journal::{FieldChange, FieldsChange};
use crate::resource;

/// How long a deleted object may take to go: finalizers and grace periods.
const GONE_WITHIN: Duration = Duration::from_secs(60);

/// The smallest fields in which two objects differ.
pub(super) fn differences(before: &Value, after: &Value) -> Vec<FieldChange> {
    let mut changes = Vec::new();
    difference(Some(before), Some(after), String::new(), &mut changes);
    changes
}

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

pub(super) async fn inject(
    cluster: &Cluster,
    namespace: &str,
    change: &FieldsChange,
) -> Result<(), CaptureError> {
    let path = cluster.object_path(namespace, &change.object).await?;
    let live = cluster.find_json(&path).await?;
    if live.is_some_and(|live| is_changed(&live, &change.fields)) {
        return Ok(());
    }
    if let Some(image) = &change.recreated {
        return recreate(cluster, namespace, &change.object, image).await;
    }
    let mut operations = Vec::new();
    for field in &change.fields {
        // The test makes sure that the pre-image is still true.
        if let Some(before) = &field.before {
            operations.push(json!({"op": "test", "path": field.pointer, "value": before}));
        }
        operations.push(match (&field.before, &field.after) {
            (_, None) => json!({"op": "remove", "path": field.pointer}),
            (Some(_), Some(after)) => operation("replace", &field.pointer, after),
            (None, Some(after)) => operation("add", &field.pointer, after),
        });
    }
    cluster
        .patch(&path, PatchKind::Json, &Value::Array(operations))
        .await?;
    Ok(())
}

pub(super) async fn undo(
    cluster: &Cluster,
    namespace: &str,
    change: &FieldsChange,
) -> Result<Undone, CaptureError> {
    let FieldsChange { object, fields, .. } = change;
    let path = cluster.object_path(namespace, object).await?;
    let Some(live) = cluster.find_json(&path).await? else {
        recreate(cluster, namespace, object, &change.before).await?;
        return Ok(Undone::Restored);
    };
    let operations = restoring(&live, fields);
    if operations.is_empty() {
        return Ok(Undone::AsBefore);
    }
    if change.recreated.is_some() {
        // As it is now but for these fields: other steps may have been undone already.
        let mut image = live;
        if !restore(&mut image, fields) {
            image.clone_from(&change.before);
        }
        resource::strip_server_fields(&mut image);
        recreate(cluster, namespace, object, &image).await?;
    } else {
        cluster
            .patch(&path, PatchKind::Json, &Value::Array(operations))
            .await?;
    }
    Ok(Undone::Restored)
}

/// Deletes an object, waits until it is gone, and creates it as given.
async fn recreate(
    cluster: &Cluster,
    namespace: &str,
    object: &str,
    image: &Value,
) -> Result<(), CaptureError> {
    delete_and_wait(cluster, namespace, object, None).await?;
    create(cluster, namespace, object, image).await
}

pub(super) async fn create(
    cluster: &Cluster,
    namespace: &str,
    object: &str,
    image: &Value,
) -> Result<(), CaptureError> {
    let (kind, _) = resource::split(object)?;
    let collection = cluster.resolve(kind).await?.collection(Some(namespace));
    cluster.create(&collection, image).await?;
    Ok(())
}

/// Deletes an object and waits until it is gone; with a uid, only that one and not one that takes its place.
pub(super) async fn delete_and_wait(
    cluster: &Cluster,
    namespace: &str,
    object: &str,
    only: Option<&str>,
) -> Result<(), CaptureError> {
    let path = cluster.object_path(namespace, object).await?;
    let until = Instant::now() + GONE_WITHIN;
    loop {
        let Some(live) = cluster.find_json(&path).await? else {
            return Ok(());
        };
        if only.is_some_and(|only| only != super::uid(&live)) {
            return Ok(());
        }
        // Asked once: what is on its way out may be replaced at any moment.
        if live.pointer("/metadata/deletionTimestamp").is_none() {
            cluster.delete(&path).await?;
        }
        if Instant::now() > until {
            return Err(CaptureError::NotDeleted {
                object: object.to_owned(),
                seconds: GONE_WITHIN.as_secs(),
            });
        }
        sleep(Duration::from_millis(200)).await;
    }
}

/// Whether every field has its new value.
fn is_changed(live: &Value, fields: &[FieldChange]) -> bool {
    fields
        .iter()
        .all(|field| match (live.pointer(&field.pointer), &field.after) {
            (None, None) => true,
            (Some(live), Some(after)) => covers(live, after),
            _ => false,
        })
}

/// Whether a live value is a wanted one, with whatever the server adds by default.
fn covers(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            let live = live.get(key);
            live.map_or(wanted.is_null(), |live| covers(live, wanted))
        }),
        (Value::Array(live), Value::Array(wanted)) => {
            live.len() == wanted.len() && live.iter().zip(wanted).all(|(a, b)| covers(a, b))
        }
        (live, wanted) => live == wanted,
    }
}

/// The JSON Patch that brings the fields of a live object back.
fn restoring(live: &Value, fields: &[FieldChange]) -> Vec<Value> {
    let mut operations = Vec::new();
    for field in fields.iter().rev() {
        let present = live.pointer(&field.pointer);
        match &field.before {
            Some(before) if present != Some(before) => {
                let word = if present.is_some() { "replace" } else { "add" };
                operations.push(operation(word, &field.pointer, before));
            }
            None if present.is_some() => {
                operations.push(json!({"op": "remove", "path": field.pointer}));
            }
            _ => {}
        }
    }
    operations
}

/// Brings the fields of an object back; says whether each had a place to go to.
pub(super) fn restore(object: &mut Value, fields: &[FieldChange]) -> bool {
    let mut is_whole = true;
    for field in fields.iter().rev() {
        let Some((parent, key)) = field.pointer.rsplit_once('/') else {
            is_whole = false;
            continue;
        };
        let key = key.replace("~1", "/").replace("~0", "~");
        match (object.pointer_mut(parent), &field.before) {
            (Some(Value::Object(parent)), Some(before)) => {
                parent.insert(key, before.clone());
            }
            (Some(Value::Object(parent)), None) => {
                parent.shift_remove(&key);
            }
            (Some(Value::Array(items)), Some(before)) => {
                let index = key.parse::<usize>().ok();
                match index.and_then(|index| items.get_mut(index)) {
                    Some(item) => *item = before.clone(),
                    None => is_whole = false,
                }
            }
            _ => is_whole = false,
        }
    }
    is_whole
}

fn operation(word: &str, pointer: &str, value: &Value) -> Value {
    json!({"op": word, "path": pointer, "value": value})
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(port: i64) -> Value {
        json!({"spec": {"ports": [{"name": "http", "port": 8080, "targetPort": port}]}})
    }

    #[test]
    fn only_what_changes_is_recorded_and_restored() {
        let changes = differences(&service(8080), &service(9999));
        assert_eq!(changes.len(), 1);
        assert_eq!(changes[0].pointer, "/spec/ports/0/targetPort");
        let mut live = service(9999);
        live["spec"]["type"] = json!("ClusterIP"); // somebody else's change stays
        let expected =
            json!([{"op": "replace", "path": "/spec/ports/0/targetPort", "value": 8080}]);
        assert_eq!(Value::Array(restoring(&live, &changes)), expected);
        assert!(restore(&mut live, &changes));
        assert_eq!(live["spec"]["ports"], service(8080)["spec"]["ports"]);
        assert_eq!(live["spec"]["type"], "ClusterIP");
        assert!(restoring(&service(8080), &changes).is_empty());
    }

    #[test]
    fn fields_that_come_and_go_are_restored() {
        let before = json!({"spec": {"clusterIP": "10.0.0.1", "selector": {"a/b": "x"}}});
        let after = json!({"spec": {"externalName": "else.where", "selector": {"a/b": "y"}}});
        let changes = differences(&before, &after);
        assert_eq!(changes.len(), 3);
        assert!(is_changed(&after, &changes) && !is_changed(&before, &changes));
        let mut restored = after;
        assert!(restore(&mut restored, &changes));
        assert_eq!(restored, before);
    }

    #[test]
    fn what_the_server_adds_is_no_difference() {
        let changes = differences(
            &json!({"spec": {}}),
            &json!({"spec": {"probe": {"httpGet": {"path": "/x"}}}}),
        );
        let live = json!({"spec": {"probe": {"httpGet": {"path": "/x", "scheme": "HTTP"}, "periodSeconds": 10}}});
        assert!(is_changed(&live, &changes));
        let other = json!({"spec": {"probe": {"httpGet": {"path": "/y", "scheme": "HTTP"}}}});
        assert!(!is_changed(&other, &changes));
    }
}
