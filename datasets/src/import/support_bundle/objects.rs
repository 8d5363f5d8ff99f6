//! Lists of objects, and their rows.

use std::collections::BTreeSet;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::kinds::Kind;
use crate::import::Tally;
use crate::rows::ObjectVersion;

/// The objects of one file, or why there are none.
#[derive(Debug)]
pub(super) struct Listed {
    pub(super) path: Utf8PathBuf,
    pub(super) kind: Kind,
    /// None: cluster-scoped.
    pub(super) namespace: Option<String>,
    pub(super) items: Vec<Value>,
    /// What went wrong when they were collected or read.
    pub(super) error: Option<String>,
    /// Why it may not be all of them.
    pub(super) partial: Option<&'static str>,
}

impl Listed {
    pub(super) fn new(
        path: &Utf8Path,
        kind: Kind,
        namespace: Option<String>,
        document: Value,
    ) -> Self {
        let mut listed = Self::failed(kind, namespace, "");
        listed.error = None;
        listed.path = path.to_owned();
        match document {
            Value::Array(items) => listed.items = items,
            Value::Object(mut list) => {
                listed.take_version(&list.get("apiVersion").cloned().unwrap_or_default());
                match list.remove("items") {
                    Some(Value::Array(items)) => listed.items = items,
                    // An empty list may be null.
                    Some(Value::Null) => {}
                    _ => listed.error = Some("the file is no list of objects".to_owned()),
                }
            }
            _ => listed.error = Some("the file is no list of objects".to_owned()),
        }
        if let Some(version) = listed.items.first().and_then(|item| item.get("apiVersion")) {
            let version = version.clone();
            listed.take_version(&version);
        }
        if let Some(kind) = listed
            .items
            .first()
            .and_then(|item| item.get("kind")?.as_str())
        {
            listed.kind.kind = kind.to_owned();
        }
        listed
    }

    pub(super) fn failed(kind: Kind, namespace: Option<String>, error: &str) -> Self {
        Self {
            path: Utf8PathBuf::new(),
            kind,
            namespace,
            items: Vec::new(),
            error: Some(error.to_owned()),
            partial: None,
        }
    }

    /// The errors of a collector: `{"NAMESPACE": "TEXT"}`, or a list of texts that name no namespace.
    pub(super) fn errors(kind: &Kind, document: &Value) -> Vec<Self> {
        let text = |value: &Value| match value {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        };
        match document {
            Value::Object(errors) => errors
                .iter()
                .map(|(namespace, error)| {
                    let namespace = Some(namespace.clone()).filter(|name| !name.is_empty());
                    Self::failed(kind.clone(), namespace, &text(error))
                })
                .collect(),
            Value::Array(errors) if errors.is_empty() => Vec::new(),
            Value::Null => Vec::new(),
            other => vec![Self::failed(kind.clone(), None, &text(other))],
        }
    }

    /// Takes the version of a list's or object's `apiVersion`.
    fn take_version(&mut self, api_version: &Value) {
        if let Some(text) = api_version.as_str() {
            let (group, version) = text.split_once('/').unwrap_or(("", text));
            // A list of mixed objects has the core group's version.
            if group == self.kind.group {
                self.kind.version = version.to_owned();
            }
        }
    }
}

/// The rows of all objects.
pub(super) struct Objects {
    pub(super) rows: Vec<ObjectVersion>,
    pub(super) pods: Vec<Value>,
    seen: BTreeSet<(String, String, String, String)>,
    moment: i64,
}

impl Objects {
    pub(super) fn new(moment: i64) -> Self {
        Self {
            rows: Vec::new(),
            pods: Vec::new(),
            seen: BTreeSet::new(),
            moment,
        }
    }

    pub(super) fn add(&mut self, listed: &Listed, tally: &mut Tally) {
        for object in &listed.items {
            match self.row(listed, object) {
                Ok(row) => {
                    if row.group.is_empty() && row.resource == "pods" {
                        self.pods.push(object.clone());
                    }
                    self.rows.push(row);
                    tally.wrote();
                }
                Err(reason) => tally.left_out(name_in(object, &listed.path), reason),
            }
        }
    }

    fn row(&mut self, listed: &Listed, object: &Value) -> Result<ObjectVersion, String> {
        let field = |name: &str| {
            let value = object
                .get("metadata")
                .and_then(|metadata| metadata.get(name));
            value.and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let Kind {
            group,
            version,
            resource,
            kind,
        } = listed.kind.clone();
        let (name, namespace) = (field("name"), field("namespace"));
        if name.is_empty() {
            return Err("it has no name".to_owned());
        }
        if kind.is_empty() || version.is_empty() {
            return Err("neither it nor discovery tells its kind and version".to_owned());
        }
        if namespace != listed.namespace.clone().unwrap_or_default() {
            return Err(format!("it is of namespace {namespace:?}, unlike its file"));
        }
        let own_kind = object.get("kind").and_then(Value::as_str);
        if own_kind.is_some_and(|own| own != kind) {
            return Err(format!("it is no {kind}, unlike the rest of its file"));
        }
        let identity = (
            group.clone(),
            resource.clone(),
            namespace.clone(),
            name.clone(),
        );
        if !self.seen.insert(identity) {
            return Err("an object of that name is there already".to_owned());
        }
        Ok(ObjectVersion {
            seq: self.rows.len() as u64,
            event: "initial".to_owned(),
            observed: self.moment,
            exact: false,
            valid_from: self.moment,
            valid_to: None,
            group,
            version,
            resource,
            kind,
            namespace,
            name,
            uid: field("uid"),
            resource_version: field("resourceVersion"),
            object: object.to_string(),
            cells: None,
        })
    }
}

/// Names an object and its file, for the report.
pub(super) fn name_in(object: &Value, path: &Utf8Path) -> String {
    let name = object.pointer("/metadata/name").and_then(Value::as_str);
    format!("{} in {path}", name.unwrap_or("an object without a name"))
}
