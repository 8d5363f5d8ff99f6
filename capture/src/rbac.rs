//! Roles and who has them, as objects.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::cluster::ApiResource;

/// The verbs of who reads.
pub(crate) const READ: [&str; 3] = ["get", "list", "watch"];

/// Reading of kinds and of the core group's subresources, a rule for each group.
pub(crate) fn reading<'a>(
    resources: impl Iterator<Item = &'a ApiResource>,
    subresources: &[&'a str],
) -> Vec<Value> {
    let mut groups: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let kinds = resources.map(|resource| (resource.group.as_str(), resource.resource.as_str()));
    let subresources = subresources.iter().map(|name| ("", *name));
    for (group, name) in kinds.chain(subresources) {
        groups.entry(group).or_default().insert(name);
    }
    groups
        .into_iter()
        .map(|(group, names)| json!({"apiGroups": [group], "resources": names, "verbs": READ}))
        .collect()
}

/// A `Role` in a namespace, or a `ClusterRole`.
pub(crate) fn role(kind: &str, namespace: Option<&str>, name: &str, rules: &[Value]) -> Value {
    let object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name},
        "rules": rules,
    });
    placed(object, namespace)
}

/// Gives a role (its kind and name) to a service account (its namespace and name): inside a
/// namespace, or everywhere.
pub(crate) fn binding(
    namespace: Option<&str>,
    name: &str,
    (kind, role): (&str, &str),
    (account_namespace, account): (&str, &str),
) -> Value {
    let object = json!({
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": if namespace.is_some() { "RoleBinding" } else { "ClusterRoleBinding" },
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": role},
        "subjects": [{"kind": "ServiceAccount", "name": account, "namespace": account_namespace}],
    });
    placed(object, namespace)
}

fn placed(mut object: Value, namespace: Option<&str>) -> Value {
    if let Some(namespace) = namespace {
        object["metadata"]["namespace"] = json!(namespace);
    }
    object
}
