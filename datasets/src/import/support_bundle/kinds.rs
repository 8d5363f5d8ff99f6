//! Which resource a file of a bundle holds: Troubleshoot names its files in its own way.

use serde_json::Value;

/// A resource type as the bundle's files let know it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Kind {
    pub(super) group: String,
    pub(super) version: String,
    pub(super) resource: String,
    pub(super) kind: String,
}

impl Kind {
    /// `deployments.apps`, as coverage names it.
    pub(super) fn full_name(&self) -> String {
        if self.group.is_empty() {
            self.resource.clone()
        } else {
            format!("{}.{}", self.resource, self.group)
        }
    }
}

/// Name of the file or folder, API group, version where the file tells none, resource, kind.
const NAMES: [(&str, &str, &str, &str, &str); 30] = [
    (
        "clusterrolebindings",
        "rbac.authorization.k8s.io",
        "v1",
        "clusterrolebindings",
        "ClusterRoleBinding",
    ),
    (
        "clusterroles",
        "rbac.authorization.k8s.io",
        "v1",
        "clusterroles",
        "ClusterRole",
    ),
    ("configmaps", "", "v1", "configmaps", "ConfigMap"),
    ("cronjobs", "batch", "v1", "cronjobs", "CronJob"),
    (
        "custom-resource-definitions",
        "apiextensions.k8s.io",
        "v1",
        "customresourcedefinitions",
        "CustomResourceDefinition",
    ),
    ("daemonsets", "apps", "v1", "daemonsets", "DaemonSet"),
    ("deployments", "apps", "v1", "deployments", "Deployment"),
    ("endpoints", "", "v1", "endpoints", "Endpoints"),
    (
        "endpointslices",
        "discovery.k8s.io",
        "v1",
        "endpointslices",
        "EndpointSlice",
    ),
    ("events", "", "v1", "events", "Event"),
    ("ingress", "networking.k8s.io", "v1", "ingresses", "Ingress"),
    ("jobs", "batch", "v1", "jobs", "Job"),
    ("leases", "coordination.k8s.io", "v1", "leases", "Lease"),
    ("limitranges", "", "v1", "limitranges", "LimitRange"),
    ("namespaces", "", "v1", "namespaces", "Namespace"),
    (
        "network-policy",
        "networking.k8s.io",
        "v1",
        "networkpolicies",
        "NetworkPolicy",
    ),
    ("nodes", "", "v1", "nodes", "Node"),
    (
        "pod-disruption-budgets",
        "policy",
        "v1",
        "poddisruptionbudgets",
        "PodDisruptionBudget",
    ),
    ("pods", "", "v1", "pods", "Pod"),
    (
        "priorityclasses",
        "scheduling.k8s.io",
        "v1",
        "priorityclasses",
        "PriorityClass",
    ),
    (
        "pvcs",
        "",
        "v1",
        "persistentvolumeclaims",
        "PersistentVolumeClaim",
    ),
    ("pvs", "", "v1", "persistentvolumes", "PersistentVolume"),
    ("replicasets", "apps", "v1", "replicasets", "ReplicaSet"),
    (
        "resource-quota",
        "",
        "v1",
        "resourcequotas",
        "ResourceQuota",
    ),
    (
        "rolebindings",
        "rbac.authorization.k8s.io",
        "v1",
        "rolebindings",
        "RoleBinding",
    ),
    ("roles", "rbac.authorization.k8s.io", "v1", "roles", "Role"),
    (
        "serviceaccounts",
        "",
        "v1",
        "serviceaccounts",
        "ServiceAccount",
    ),
    ("services", "", "v1", "services", "Service"),
    ("statefulsets", "apps", "v1", "statefulsets", "StatefulSet"),
    (
        "storage-classes",
        "storage.k8s.io",
        "v1",
        "storageclasses",
        "StorageClass",
    ),
];

/// The resource type of a file or folder below `cluster-resources`, as far as its name tells.
pub(super) fn named(name: &str) -> Option<Kind> {
    let found = NAMES.iter().find(|known| known.0 == name)?;
    let (_, group, version, resource, kind) = *found;
    Some(Kind {
        group: group.to_owned(),
        version: version.to_owned(),
        resource: resource.to_owned(),
        kind: kind.to_owned(),
    })
}

/// The resource type of a folder of custom resources, `engines.longhorn.io`; the items tell the rest.
pub(super) fn custom(name: &str, discovery: &[Value]) -> Option<Kind> {
    let (resource, group) = name.split_once('.')?;
    let served = served(discovery).find(|kind| kind.group == group && kind.resource == resource);
    Some(served.unwrap_or_else(|| Kind {
        group: group.to_owned(),
        version: String::new(),
        resource: resource.to_owned(),
        kind: String::new(),
    }))
}

/// The types that can be listed, in the order of the discovery documents.
pub(super) fn served(discovery: &[Value]) -> impl Iterator<Item = Kind> {
    discovery.iter().flat_map(|list| {
        let group_version = text(list, "groupVersion");
        let (group, version) = group_version.split_once('/').unwrap_or(("", group_version));
        let resources = list.get("resources").and_then(Value::as_array);
        resources.into_iter().flatten().filter_map(move |resource| {
            let name = text(resource, "name");
            let listable = resource
                .get("verbs")
                .and_then(Value::as_array)
                .is_some_and(|verbs| verbs.iter().any(|verb| verb == "list"));
            (listable && !name.contains('/')).then(|| Kind {
                group: group.to_owned(),
                version: version.to_owned(),
                resource: name.to_owned(),
                kind: text(resource, "kind").to_owned(),
            })
        })
    })
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}
