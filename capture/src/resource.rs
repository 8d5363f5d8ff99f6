//! What every object has in common.

use serde_json::Value;

use crate::error::CaptureError;

/// The two halves of `resource/name`.
pub(crate) fn split(object: &str) -> Result<(&str, &str), CaptureError> {
    match object.split_once('/') {
        Some((kind, name)) if !kind.is_empty() && !name.is_empty() => Ok((kind, name)),
        _ => Err(CaptureError::UnknownResource {
            name: object.to_owned(),
        }),
    }
}

/// Text at a JSON pointer, empty if there is none.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Whether a pod is ready and not on its way out.
pub(crate) fn is_ready_pod(pod: &Value) -> bool {
    let conditions = pod.pointer("/status/conditions").and_then(Value::as_array);
    let ready = |condition: &Value| condition["type"] == "Ready" && condition["status"] == "True";
    pod.pointer("/metadata/deletionTimestamp").is_none()
        && conditions.is_some_and(|conditions| conditions.iter().any(ready))
}

/// A query for the objects that carry labels.
pub(crate) fn with_labels<'a>(labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let pairs: Vec<String> = labels
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    let value: String = url::form_urlencoded::byte_serialize(pairs.join(",").as_bytes()).collect();
    format!("labelSelector={value}")
}

/// Removes what only the server may write, so that an object can be created again or compared.
pub(crate) fn strip_server_fields(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    fields.shift_remove("status");
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in [
            "creationTimestamp",
            "deletionGracePeriodSeconds",
            "deletionTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        ] {
            metadata.shift_remove(field);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_selectors() {
        assert_eq!(split("service/rate").ok(), Some(("service", "rate")));
        assert!(split("service").is_err());
        let query = with_labels([("app.kubernetes.io/name", "geo"), ("a", "b")]);
        assert_eq!(
            query,
            "labelSelector=app.kubernetes.io%2Fname%3Dgeo%2Ca%3Db"
        );
    }
}
