//! The resource types that a server served, out of its recorded discovery documents.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::view::{ColumnDefinition, ResourceType};

/// Reads discovery documents, `APIResourceList` by group version or `APIGroupDiscoveryList`.
/// Of a resource that is served in several versions the most stable one counts.
pub(crate) fn resource_types<'a>(
    documents: impl Iterator<Item = (&'a str, &'a Value)>,
) -> Vec<ResourceType> {
    let mut found = Vec::new();
    for (name, document) in documents {
        if document.get("kind").and_then(Value::as_str) == Some("APIGroupDiscoveryList") {
            read_groups(document, &mut found);
        } else {
            read_list(name, document, &mut found);
        }
    }
    let mut best: BTreeMap<(String, String), ResourceType> = BTreeMap::new();
    for candidate in found {
        let key = (candidate.group.clone(), candidate.resource.clone());
        match best.get(&key) {
            Some(known) if stability(&known.version) >= stability(&candidate.version) => {}
            _ => {
                best.insert(key, candidate);
            }
        }
    }
    best.into_values().collect()
}

/// Reads the columns of a server's table: the array itself or a whole `Table`.
pub(crate) fn column_definitions(document: &Value) -> Vec<ColumnDefinition> {
    let list = document.get("columnDefinitions").unwrap_or(document);
    list.as_array()
        .into_iter()
        .flatten()
        .filter_map(|column| serde_json::from_value(column.clone()).ok())
        .collect()
}

fn read_list(name: &str, document: &Value, found: &mut Vec<ResourceType>) {
    let group_version = document
        .get("groupVersion")
        .and_then(Value::as_str)
        .unwrap_or(name);
    let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
    for resource in items(document, "resources") {
        let plural = text(resource, "name");
        // Subresources such as `pods/log` are no resources of their own.
        if plural.is_empty() || plural.contains('/') {
            continue;
        }
        let kind = text(resource, "kind");
        let singular = match text(resource, "singularName") {
            singular if singular.is_empty() => kind.to_lowercase(),
            singular => singular,
        };
        found.push(ResourceType {
            group: group.to_owned(),
            version: version.to_owned(),
            resource: plural,
            kind,
            singular,
            short_names: texts(resource, "shortNames"),
            namespaced: resource
                .get("namespaced")
                .and_then(Value::as_bool)
                .unwrap_or_default(),
            categories: texts(resource, "categories"),
            verbs: texts(resource, "verbs"),
        });
    }
}

fn read_groups(document: &Value, found: &mut Vec<ResourceType>) {
    for item in items(document, "items") {
        let group = item
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or_default();
        for version in items(item, "versions") {
            for resource in items(version, "resources") {
                let kind = resource.get("responseKind").map(|kind| text(kind, "kind"));
                let kind = kind.unwrap_or_default();
                let singular = match text(resource, "singularResource") {
                    singular if singular.is_empty() => kind.to_lowercase(),
                    singular => singular,
                };
                found.push(ResourceType {
                    group: group.to_owned(),
                    version: text(version, "version"),
                    resource: text(resource, "resource"),
                    kind,
                    singular,
                    short_names: texts(resource, "shortNames"),
                    namespaced: text(resource, "scope") == "Namespaced",
                    categories: texts(resource, "categories"),
                    verbs: texts(resource, "verbs"),
                });
            }
        }
    }
}

/// Kubernetes' order of versions: stable before beta before alpha, then the higher number.
fn stability(version: &str) -> (u8, u32, u32) {
    let rest = version.strip_prefix('v').unwrap_or(version);
    let digits = |text: &str| text.parse().unwrap_or(0);
    if let Some((major, minor)) = rest.split_once("beta") {
        (1, digits(major), digits(minor))
    } else if let Some((major, minor)) = rest.split_once("alpha") {
        (0, digits(major), digits(minor))
    } else {
        (2, digits(rest), 0)
    }
}

fn items<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn text(value: &Value, field: &str) -> String {
    value
        .get(field)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

fn texts(value: &Value, field: &str) -> Vec<String> {
    items(value, field)
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_most_stable_version_counts() {
        let list = |version: &str| {
            json!({"kind": "APIResourceList", "groupVersion": format!("autoscaling/{version}"), "resources": [
                {"name": "horizontalpodautoscalers", "singularName": "", "namespaced": true, "kind": "HorizontalPodAutoscaler",
                 "verbs": ["get", "list"], "shortNames": ["hpa"], "categories": ["all"]},
                {"name": "horizontalpodautoscalers/status", "singularName": "", "namespaced": true,
                 "kind": "HorizontalPodAutoscaler", "verbs": ["get"]}]})
        };
        let (beta, one, two) = (list("v2beta2"), list("v1"), list("v2"));
        let types = resource_types([("a", &two), ("b", &beta), ("c", &one)].into_iter());
        assert_eq!(types.len(), 1);
        assert_eq!(
            (types[0].version.as_str(), types[0].singular.as_str()),
            ("v2", "horizontalpodautoscaler")
        );
    }
}
