//! Watches of a cluster whose time stands still: what there is, then silence.

use serde_json::{Value, json};

use super::answer;
use super::api::{Form, Found, KubernetesApi, ListOptions};
use super::path::ResourcePath;
use super::status::Status;

/// Where a watch starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WatchStart {
    /// `resourceVersion`: empty and `0` mean: begin with what there is.
    pub resource_version: String,
    /// `sendInitialEvents`: begin with what there is, and say when that is all.
    pub send_initial_events: bool,
}

/// The events of a watch.
#[derive(Debug, Clone, PartialEq)]
pub struct Watch {
    /// What is sent at once.
    pub events: Vec<Value>,
    /// What tells from time to time that nothing has changed.
    pub bookmark: Value,
}

impl KubernetesApi<'_> {
    /// Watches objects, in a form.
    ///
    /// # Errors
    /// Those of [`KubernetesApi::read`]; that no such object is there is none of them.
    pub async fn watch(
        &self,
        path: &ResourcePath,
        form: Form,
        options: &ListOptions,
        start: &WatchStart,
    ) -> Result<Watch, Status> {
        // A watch of one object by its path is one of a collection with one name.
        let mut of = path.clone();
        let mut options = options.clone();
        if let Some(name) = of.name.take() {
            let and = if options.field_selector.is_empty() {
                ""
            } else {
                ","
            };
            options
                .field_selector
                .push_str(&format!("{and}metadata.name={name}"));
        }
        let found = self.found(&of, form, &options).await?;
        let from_now =
            !start.send_initial_events && !matches!(start.resource_version.as_str(), "" | "0");
        let mut events = Vec::new();
        if !from_now {
            for (position, recorded) in found.objects.iter().enumerate() {
                let object = answer::shown(&found, recorded, form, position == 0)?;
                events.push(json!({"type": "ADDED", "object": object}));
            }
        }
        if start.send_initial_events {
            events.push(bookmark(&found, form, true));
        }
        Ok(Watch {
            bookmark: bookmark(&found, form, false),
            events,
        })
    }
}

/// That nothing changed up to the list's version, or (`initial`) that what there was is told.
fn bookmark(found: &Found, form: Form, initial: bool) -> Value {
    let mut metadata = json!({"resourceVersion": found.resource_version});
    if let (true, Some(fields)) = (initial, metadata.as_object_mut()) {
        let annotations = json!({"k8s.io/initial-events-end": "true"});
        fields.insert("annotations".to_owned(), annotations);
    }
    let api_version = super::served::group_version(&found.path.group, &found.path.version);
    let object = match form {
        Form::Object => {
            json!({"kind": found.kind, "apiVersion": api_version, "metadata": metadata})
        }
        Form::Metadata => json!({
            "kind": "PartialObjectMetadata",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": metadata,
        }),
        Form::Table(_) => json!({
            "kind": "Table",
            "apiVersion": "meta.k8s.io/v1",
            "metadata": {"resourceVersion": found.resource_version},
            "columnDefinitions": null,
            "rows": [],
        }),
    };
    json!({"type": "BOOKMARK", "object": object})
}
