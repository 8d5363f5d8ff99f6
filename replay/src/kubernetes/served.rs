//! Discovery: the recorded documents, and the form of them that a client asks for.
//!
//! A recording holds discovery in the form of old clients (`APIResourceList` by group version) or of
//! new ones (`APIGroupDiscoveryList`); either is read, and both are answered.

use serde_json::{Map, Value, json};

use super::object;
use super::status::Status;

/// What the recorded server served.
#[derive(Debug, Clone, Default)]
pub(crate) struct Served {
    groups: Vec<Group>,
    /// The old documents as they were recorded, by name.
    recorded: Vec<(String, Value)>,
}

#[derive(Debug, Clone, Default)]
struct Group {
    name: String,
    versions: Vec<Version>,
}

#[derive(Debug, Clone, Default)]
struct Version {
    name: String,
    /// None: the server named the version and did not answer for it.
    resources: Option<Vec<ServedResource>>,
}

/// A resource at one version.
#[derive(Debug, Clone, Default)]
pub(crate) struct ServedResource {
    /// Kind of its objects.
    pub(crate) kind: String,
    /// Whether they live in namespaces.
    pub(crate) namespaced: bool,
    name: String,
    singular: String,
    verbs: Value,
    short_names: Option<Value>,
    categories: Option<Value>,
    response_kind: Value,
    subresources: Vec<Subresource>,
}

#[derive(Debug, Clone)]
struct Subresource {
    name: String,
    verbs: Value,
    response_kind: Value,
}

impl ServedResource {
    /// Whether it has a subresource.
    pub(crate) fn has(&self, subresource: &str) -> bool {
        self.subresources.iter().any(|s| s.name == subresource)
    }
}

impl Served {
    /// From recorded documents and their names.
    pub(crate) fn new(documents: Vec<(String, Value)>) -> Self {
        let mut served = Self::default();
        for (name, document) in documents {
            match object::text(&document, "/kind") {
                "APIGroupDiscoveryList" => served.read_aggregated(&document),
                "APIResourceList" | "APIGroupList" | "APIVersions" => {
                    served.recorded.push((name, document));
                }
                _ => {}
            }
        }
        if served.groups.is_empty() {
            served.read_recorded();
        }
        served
    }

    /// Whether anything is known.
    pub(crate) fn is_recorded(&self) -> bool {
        !self.groups.is_empty()
    }

    /// A resource at a version.
    pub(crate) fn resource(
        &self,
        group: &str,
        version: &str,
        resource: &str,
    ) -> Result<&ServedResource, Status> {
        let version = self.version(group, version)?;
        version
            .resources
            .iter()
            .flatten()
            .find(|known| known.name == resource)
            .ok_or_else(Status::no_such_path)
    }

    fn group_named(&self, name: &str) -> Result<&Group, Status> {
        if !self.is_recorded() {
            return Err(Status::not_recorded("the list of the cluster's APIs"));
        }
        let mut groups = self.groups.iter();
        groups
            .find(|group| group.name == name)
            .ok_or_else(Status::no_such_path)
    }

    fn version(&self, group: &str, version: &str) -> Result<&Version, Status> {
        let group = self.group_named(group)?;
        let found = group.versions.iter().find(|known| known.name == version);
        let found = found.ok_or_else(Status::no_such_path)?;
        if found.resources.is_none() {
            let name = group_version(&group.name, version);
            return Err(Status::not_recorded(format!("the API {name}")));
        }
        Ok(found)
    }

    fn document(&self, name: &str) -> Option<Value> {
        let mut recorded = self.recorded.iter();
        recorded
            .find(|(known, _)| known == name)
            .map(|(_, document)| document.clone())
    }

    /// `APIGroupDiscoveryList` of the core group or of all others.
    pub(crate) fn aggregated(&self, core: bool) -> Result<Value, Status> {
        if !self.is_recorded() {
            return Err(Status::not_recorded("the list of the cluster's APIs"));
        }
        let groups = self.groups.iter();
        let items: Vec<Value> = groups
            .filter(|group| group.name.is_empty() == core)
            .map(aggregated_group)
            .collect();
        Ok(json!({
            "kind": "APIGroupDiscoveryList",
            "apiVersion": "apidiscovery.k8s.io/v2",
            "metadata": {},
            "items": items,
        }))
    }

    /// `APIVersions` of the core group.
    pub(crate) fn core_versions(&self) -> Result<Value, Status> {
        if let Some(recorded) = self.document("api") {
            return Ok(recorded);
        }
        let versions = &self.group_named("")?.versions;
        let versions: Vec<&str> = versions.iter().map(|v| v.name.as_str()).collect();
        Ok(json!({"kind": "APIVersions", "versions": versions, "serverAddressByClientCIDRs": []}))
    }

    /// `APIGroupList` of all other groups.
    pub(crate) fn group_list(&self) -> Result<Value, Status> {
        if let Some(recorded) = self.document("apis") {
            return Ok(recorded);
        }
        if !self.is_recorded() {
            return Err(Status::not_recorded("the list of the cluster's APIs"));
        }
        let groups = self.groups.iter().filter(|group| !group.name.is_empty());
        let groups: Vec<Value> = groups.map(legacy_group).collect();
        Ok(json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups}))
    }

    /// `APIGroup` of one group.
    pub(crate) fn group(&self, name: &str) -> Result<Value, Status> {
        let group = legacy_group(self.group_named(name)?);
        let mut answer = json!({"kind": "APIGroup", "apiVersion": "v1"});
        if let (Some(answer), Value::Object(group)) = (answer.as_object_mut(), group) {
            answer.extend(group);
        }
        Ok(answer)
    }

    /// `APIResourceList` of one version of a group.
    pub(crate) fn resource_list(&self, group: &str, version: &str) -> Result<Value, Status> {
        let name = group_version(group, version);
        if let Some(recorded) = self.document(&name) {
            return Ok(recorded);
        }
        let version = self.version(group, version)?;
        let mut resources = Vec::new();
        for resource in version.resources.iter().flatten() {
            resources.push(resource.legacy());
            for subresource in &resource.subresources {
                resources.push(subresource.legacy(resource, group, &version.name));
            }
        }
        Ok(json!({
            "kind": "APIResourceList",
            "apiVersion": "v1",
            "groupVersion": name,
            "resources": resources,
        }))
    }

    fn read_recorded(&mut self) {
        let mut groups: Vec<Group> = Vec::new();
        let mut place = |name: &str, version: &str| {
            let position = groups.iter().position(|group| group.name == name);
            let position = position.unwrap_or_else(|| {
                groups.push(Group {
                    name: name.to_owned(),
                    versions: Vec::new(),
                });
                groups.len() - 1
            });
            if let Some(group) = groups.get_mut(position)
                && !group.versions.iter().any(|known| known.name == version)
            {
                group.versions.push(Version {
                    name: version.to_owned(),
                    resources: None,
                });
            }
        };
        // The server's own order first, then what it did not list.
        if let Some(versions) = self.document("api") {
            for version in object::list(&versions, "/versions") {
                place("", &object::plain(version));
            }
        }
        if let Some(list) = self.document("apis") {
            for group in object::list(&list, "/groups") {
                for version in object::list(group, "/versions") {
                    place(
                        object::text(group, "/name"),
                        object::text(version, "/version"),
                    );
                }
            }
        }
        for (name, document) in &self.recorded {
            if object::text(document, "/kind") == "APIResourceList" {
                let (group, version) = split(name);
                place(group, version);
            }
        }
        for group in &mut groups {
            for version in &mut group.versions {
                let name = group_version(&group.name, &version.name);
                version.resources = self
                    .document(&name)
                    .map(|list| legacy_resources(&list, &group.name, &version.name));
            }
        }
        self.groups = groups;
    }

    fn read_aggregated(&mut self, document: &Value) {
        for item in object::list(document, "/items") {
            let versions = object::list(item, "/versions").iter().map(|version| {
                let resources = object::list(version, "/resources");
                let stale = object::text(version, "/freshness") == "Stale";
                Version {
                    name: object::text(version, "/version").to_owned(),
                    resources: (!stale || !resources.is_empty())
                        .then(|| resources.iter().map(aggregated_resource).collect()),
                }
            });
            self.groups.push(Group {
                name: object::text(item, "/metadata/name").to_owned(),
                versions: versions.collect(),
            });
        }
    }
}

/// `v1` or `apps/v1`.
pub(crate) fn group_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

fn split(group_version: &str) -> (&str, &str) {
    group_version.split_once('/').unwrap_or(("", group_version))
}

fn legacy_resources(list: &Value, group: &str, version: &str) -> Vec<ServedResource> {
    let mut resources: Vec<ServedResource> = Vec::new();
    let entries = object::list(list, "/resources");
    // A resource may be listed after its subresources.
    for entry in entries {
        let name = object::text(entry, "/name");
        if name.contains('/') {
            continue;
        }
        let kind = object::text(entry, "/kind").to_owned();
        let optional = |field: &str| object::field(entry, field).cloned();
        resources.push(ServedResource {
            response_kind: response_kind(entry, group, version),
            kind,
            namespaced: object::flag(entry, "/namespaced"),
            name: name.to_owned(),
            singular: object::text(entry, "/singularName").to_owned(),
            verbs: optional("/verbs").unwrap_or_else(|| json!([])),
            short_names: optional("/shortNames"),
            categories: optional("/categories"),
            subresources: Vec::new(),
        });
    }
    for entry in entries {
        let Some((name, subresource)) = object::text(entry, "/name").split_once('/') else {
            continue;
        };
        if let Some(resource) = resources.iter_mut().find(|known| known.name == name) {
            resource.subresources.push(Subresource {
                name: subresource.to_owned(),
                verbs: object::field(entry, "/verbs")
                    .cloned()
                    .unwrap_or_else(|| json!([])),
                response_kind: response_kind(entry, group, version),
            });
        }
    }
    resources
}

/// The kind of the answers: of the list's own group version unless the entry says otherwise.
fn response_kind(entry: &Value, group: &str, version: &str) -> Value {
    let (group, version) = match object::text(entry, "/version") {
        "" => (group, version),
        other => (object::text(entry, "/group"), other),
    };
    json!({"group": group, "version": version, "kind": object::text(entry, "/kind")})
}

fn aggregated_resource(entry: &Value) -> ServedResource {
    let optional = |field: &str| object::field(entry, field).cloned();
    ServedResource {
        kind: object::text(entry, "/responseKind/kind").to_owned(),
        namespaced: object::text(entry, "/scope") == "Namespaced",
        name: object::text(entry, "/resource").to_owned(),
        singular: object::text(entry, "/singularResource").to_owned(),
        verbs: optional("/verbs").unwrap_or_else(|| json!([])),
        short_names: optional("/shortNames"),
        categories: optional("/categories"),
        response_kind: optional("/responseKind").unwrap_or_else(|| json!({})),
        subresources: object::list(entry, "/subresources")
            .iter()
            .map(|entry| Subresource {
                name: object::text(entry, "/subresource").to_owned(),
                verbs: object::field(entry, "/verbs")
                    .cloned()
                    .unwrap_or_else(|| json!([])),
                response_kind: object::field(entry, "/responseKind")
                    .cloned()
                    .unwrap_or_else(|| json!({})),
            })
            .collect(),
    }
}

fn aggregated_group(group: &Group) -> Value {
    let versions = group.versions.iter().map(|version| {
        let mut shown = Map::new();
        shown.insert("version".to_owned(), json!(version.name));
        if let Some(resources) = &version.resources {
            let resources: Vec<Value> = resources.iter().map(ServedResource::aggregated).collect();
            shown.insert("resources".to_owned(), json!(resources));
        }
        let freshness = if version.resources.is_some() {
            "Current"
        } else {
            "Stale"
        };
        shown.insert("freshness".to_owned(), json!(freshness));
        Value::Object(shown)
    });
    let versions: Vec<Value> = versions.collect();
    let metadata = if group.name.is_empty() {
        json!({"creationTimestamp": null})
    } else {
        json!({"name": group.name, "creationTimestamp": null})
    };
    json!({"metadata": metadata, "versions": versions})
}

fn legacy_group(group: &Group) -> Value {
    let version = |version: &Version| {
        json!({
            "groupVersion": group_version(&group.name, &version.name),
            "version": version.name,
        })
    };
    let versions: Vec<Value> = group.versions.iter().map(version).collect();
    let preferred = versions.first().cloned().unwrap_or_else(|| json!({}));
    json!({"name": group.name, "versions": versions, "preferredVersion": preferred})
}

impl ServedResource {
    fn aggregated(&self) -> Value {
        let scope = if self.namespaced {
            "Namespaced"
        } else {
            "Cluster"
        };
        let mut shown = json!({
            "resource": self.name,
            "responseKind": self.response_kind,
            "scope": scope,
            "singularResource": self.singular,
            "verbs": self.verbs,
        });
        if let Some(fields) = shown.as_object_mut() {
            self.optional(fields);
            if !self.subresources.is_empty() {
                let subresources: Vec<Value> = self
                    .subresources
                    .iter()
                    .map(Subresource::aggregated)
                    .collect();
                fields.insert("subresources".to_owned(), json!(subresources));
            }
        }
        shown
    }

    fn legacy(&self) -> Value {
        let mut shown = json!({
            "name": self.name,
            "singularName": self.singular,
            "namespaced": self.namespaced,
            "kind": self.kind,
            "verbs": self.verbs,
        });
        if let Some(fields) = shown.as_object_mut() {
            self.optional(fields);
        }
        shown
    }

    fn optional(&self, fields: &mut Map<String, Value>) {
        for (key, value) in [
            ("shortNames", &self.short_names),
            ("categories", &self.categories),
        ] {
            if let Some(value) = value {
                fields.insert(key.to_owned(), value.clone());
            }
        }
    }
}

impl Subresource {
    fn aggregated(&self) -> Value {
        json!({
            "subresource": self.name,
            "responseKind": self.response_kind,
            "verbs": self.verbs,
        })
    }

    fn legacy(&self, of: &ServedResource, group: &str, version: &str) -> Value {
        let mut shown = json!({
            "name": format!("{}/{}", of.name, self.name),
            "singularName": "",
            "namespaced": of.namespaced,
            "kind": object::text(&self.response_kind, "/kind"),
            "verbs": self.verbs,
        });
        let own = (
            object::text(&self.response_kind, "/group"),
            object::text(&self.response_kind, "/version"),
        );
        if let Some(fields) = shown.as_object_mut()
            && own != (group, version)
        {
            fields.insert("group".to_owned(), json!(own.0));
            fields.insert("version".to_owned(), json!(own.1));
        }
        shown
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn documents() -> Vec<(String, Value)> {
        vec![
            (
                "api".to_owned(),
                json!({"kind": "APIVersions", "versions": ["v1"]}),
            ),
            (
                "apis".to_owned(),
                json!({"kind": "APIGroupList", "groups": [
                    {"name": "apps", "versions": [{"groupVersion": "apps/v1", "version": "v1"}]},
                    {"name": "gone", "versions": [{"groupVersion": "gone/v1", "version": "v1"}]}
                ]}),
            ),
            (
                "apps/v1".to_owned(),
                json!({"kind": "APIResourceList", "groupVersion": "apps/v1", "resources": [
                    {"name": "deployments", "singularName": "deployment", "namespaced": true,
                     "kind": "Deployment", "verbs": ["list"], "shortNames": ["deploy"]},
                    {"name": "deployments/scale", "singularName": "", "namespaced": true,
                     "group": "autoscaling", "version": "v1", "kind": "Scale", "verbs": ["get"]}
                ]}),
            ),
        ]
    }

    #[test]
    fn old_documents_become_new_ones_and_back() {
        let served = Served::new(documents());
        let new = served.aggregated(false).unwrap();
        let deployments = new.pointer("/items/0/versions/0/resources/0").unwrap();
        assert_eq!(deployments["scope"], "Namespaced");
        assert_eq!(
            deployments["subresources"][0]["responseKind"],
            json!({"group": "autoscaling", "version": "v1", "kind": "Scale"})
        );
        assert_eq!(new["items"][1]["versions"][0]["freshness"], "Stale");
        assert_eq!(
            served.resource_list("gone", "v1").unwrap_err().code,
            503,
            "an API that did not answer is not known to be empty"
        );
        assert_eq!(served.resource_list("x", "v1").unwrap_err().code, 404);

        let back = Served::new(vec![("apis".to_owned(), new)]);
        assert_eq!(
            back.resource_list("apps", "v1").unwrap()["resources"],
            documents()[2].1["resources"]
        );
        assert_eq!(
            back.group("apps").unwrap()["preferredVersion"]["version"],
            "v1"
        );
        assert!(
            back.resource("apps", "v1", "deployments")
                .unwrap()
                .has("scale")
        );
    }

    #[test]
    fn without_recorded_discovery_nothing_is_denied() {
        let served = Served::new(Vec::new());
        for status in [
            served.aggregated(true).unwrap_err(),
            served.core_versions().unwrap_err(),
            served.group_list().unwrap_err(),
            served.resource("", "v1", "pods").unwrap_err(),
        ] {
            assert_eq!(status.code, 503);
        }
    }
}
