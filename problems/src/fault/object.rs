//! Steps that change objects of the Kubernetes API.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Sets one field of an object, wherever its present value matches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Patch {
    /// The object, `resource/name`.
    pub patch: String,
    /// What to set.
    pub set: SetField,
}

/// Changes an object by a patch as the Kubernetes API takes it, in one of three ways.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApiPatch {
    /// The object, `resource/name`.
    pub patch: String,
    /// A merge patch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<Value>,
    /// A strategic merge patch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub strategic: Option<Value>,
    /// A JSON Patch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<Vec<Value>>,
}

impl ApiPatch {
    /// The way in which it changes the object; none: not exactly one way is given.
    #[must_use]
    pub fn way(&self) -> Option<&'static str> {
        let mut given = [
            ("merge", self.merge.is_some()),
            ("strategic", self.strategic.is_some()),
            ("json", self.json.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, is_given)| is_given.then_some(name));
        given.next().filter(|_| given.next().is_none())
    }
}

/// A field to set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetField {
    /// Path with dots, `[n]` and `[*]`, e.g. `spec.ports[*].targetPort`.
    pub path: String,
    /// Only where the present value is this.
    #[serde(default, rename = "where", skip_serializing_if = "Option::is_none")]
    pub only_where: Option<Where>,
    /// The new value.
    pub to: Value,
}

/// A test of a present value.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Where {
    /// The present value.
    pub equals: Value,
}

/// Creates or replaces an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Apply {
    /// The whole object; without a namespace it goes to the application's.
    pub apply: Value,
}

/// Deletes an object and creates it again with changed fields.
///
/// For changes that a rolling update would hold back while the old pods go on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Recreate {
    /// The object, `resource/name`.
    pub recreate: String,
    /// What is changed in between.
    pub set: SetField,
}

/// Deletes objects: one by its name, or those of a resource with given labels or names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delete {
    /// The object, `resource/name`, or only the resource.
    pub delete: String,
    /// Of the resource, only objects with these labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: BTreeMap<String, String>,
    /// Of the resource, only objects whose name matches this regular expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub matches: Option<String>,
}

/// Sets the replicas of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scale {
    /// The workload, e.g. `deployment/rate`.
    pub scale: String,
    /// The new number.
    pub replicas: i64,
}

/// Restarts a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Restart {
    /// The workload, e.g. `deployment/geo`.
    pub restart: String,
    /// Whether its pods go at once, and not only when new ones are ready.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub at_once: bool,
}
