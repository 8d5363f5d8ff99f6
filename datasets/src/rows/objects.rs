//! Versions of Kubernetes objects, and the API that served them.

use super::row;

/// A row of [`Table::ObjectVersions`](crate::schema::Table::ObjectVersions).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectVersion {
    /// Order in which the recorder saw versions; across all resources.
    pub seq: u64,
    /// `initial`, `added`, `modified`, `deleted` or `relisted`.
    pub event: String,
    /// When the recorder saw it.
    pub observed: i64,
    /// Whether `valid_from` is the server's own time rather than the recorder's.
    pub exact: bool,
    /// Since when this version was the object.
    pub valid_from: i64,
    /// Until when; none: until the recording ended.
    pub valid_to: Option<i64>,
    /// API group, empty for the core group.
    pub group: String,
    /// API version.
    pub version: String,
    /// Plural resource name.
    pub resource: String,
    /// Kind.
    pub kind: String,
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
    /// Uid.
    pub uid: String,
    /// Opaque; never compared.
    pub resource_version: String,
    /// The object's JSON.
    pub object: String,
    /// JSON array of the cells that the server printed.
    pub cells: Option<String>,
}

row!(ObjectVersion, ObjectVersions {
    seq: u64, event: String, observed: i64, exact: bool, valid_from: i64, valid_to: Option<i64>,
    group: String, version: String, resource: String, kind: String, namespace: String, name: String,
    uid: String, resource_version: String, object: String, cells: Option<String>,
});

/// A row of [`Table::ObjectApi`](crate::schema::Table::ObjectApi).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectApi {
    /// `version`, `discovery`, `openapi`, `columns` or `access`.
    pub kind: String,
    /// A group version; for columns `resource.group`; for access a namespace, empty for all of them.
    pub name: String,
    /// What the server answered.
    pub json: String,
    /// Since when.
    pub valid_from: i64,
    /// Until when.
    pub valid_to: Option<i64>,
}

row!(ObjectApi, ObjectApi {
    kind: String, name: String, json: String, valid_from: i64, valid_to: Option<i64>,
});
