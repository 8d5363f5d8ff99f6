//! The types of objects and the many names that people give them.

use super::failure::Failure;
use crate::view::ResourceType;

/// The types that the server served.
pub(super) struct Resources {
    types: Vec<ResourceType>,
    recorded: bool,
}

impl Resources {
    /// From recorded discovery, or the well-known types if there is none.
    pub(super) fn new(recorded: Vec<ResourceType>) -> Self {
        let (types, recorded) = if recorded.is_empty() {
            (well_known(), false)
        } else {
            (recorded, true)
        };
        let mut types: Vec<ResourceType> = types
            .into_iter()
            .filter(|t| !t.resource.contains('/'))
            .collect();
        types.sort_by(|a, b| (&a.group, &a.resource).cmp(&(&b.group, &b.resource)));
        Self { types, recorded }
    }

    /// All types, sorted by group and name.
    pub(super) fn all(&self) -> &[ResourceType] {
        &self.types
    }

    /// Whether discovery was recorded.
    pub(super) fn is_recorded(&self) -> bool {
        self.recorded
    }

    /// The types of a category such as `all`.
    pub(super) fn in_category(&self, category: &str) -> Vec<&ResourceType> {
        self.types
            .iter()
            .filter(|t| t.categories.iter().any(|c| c == category))
            .filter(|t| t.verbs.is_empty() || t.verbs.iter().any(|verb| verb == "list"))
            .collect()
    }

    /// A type by its plural, singular or short name or kind, with or without `.group`.
    pub(super) fn find(&self, name: &str) -> Result<&ResourceType, Failure> {
        let lower = name.to_lowercase();
        let (resource, group) = match lower.split_once('.') {
            Some((resource, group)) => (resource, Some(group)),
            None => (lower.as_str(), None),
        };
        let fits_group = |t: &&ResourceType| match group {
            None => true,
            Some(group) => {
                t.group == group
                    || (t.group.is_empty() && group == t.version)
                    || group
                        .strip_prefix(&format!("{}.", t.version))
                        .is_some_and(|rest| rest == t.group)
                    // A group may be shortened from its end.
                    || (!t.group.is_empty() && t.group.starts_with(&format!("{group}.")))
            }
        };
        let by = |fits: &dyn Fn(&ResourceType) -> bool| {
            self.types.iter().filter(fits_group).find(|t| fits(t))
        };
        by(&|t| t.resource == resource)
            .or_else(|| by(&|t| t.singular == resource || t.kind.to_lowercase() == resource))
            .or_else(|| by(&|t| t.short_names.iter().any(|short| short == resource)))
            .ok_or_else(|| self.unknown(name))
    }

    /// The same for commands that say of an unknown type what they have to say, and no `error:`
    /// before it.
    pub(super) fn find_bare(&self, name: &str) -> Result<&ResourceType, Failure> {
        self.find(name).map_err(|failure| match failure {
            Failure::Message { text, verdict } => Failure::Message {
                text: text.trim_start_matches("error: ").to_owned(),
                verdict,
            },
            other => other,
        })
    }

    /// The type of a kind, for owners.
    pub(super) fn of_resource(&self, group: &str, resource: &str) -> Option<&ResourceType> {
        self.types
            .iter()
            .find(|t| t.group == group && t.resource == resource)
    }

    fn unknown(&self, name: &str) -> Failure {
        if !self.recorded {
            return Failure::not_captured(format!(
                "{name}: this type of object is not available in this recording"
            ));
        }
        let resource = name.split('.').next().unwrap_or(name);
        Failure::invalid(format!(
            "error: the server doesn't have a resource type \"{resource}\""
        ))
    }
}

/// `pods` or `deployments.apps`: how the server names a type in messages.
pub(super) fn qualified(t: &ResourceType) -> String {
    if t.group.is_empty() {
        t.resource.clone()
    } else {
        format!("{}.{}", t.resource, t.group)
    }
}

/// `pod` or `deployment.apps`: how kubectl names a kind before an object's name.
pub(super) fn kind_prefix(group: &str, kind: &str) -> String {
    let kind = kind.to_lowercase();
    if group.is_empty() {
        kind
    } else {
        format!("{kind}.{group}")
    }
}

/// Types that every cluster has, for recordings without discovery.
fn well_known() -> Vec<ResourceType> {
    const TYPES: &[(&str, &str, &str, &str, &str, bool, bool)] = &[
        ("", "v1", "configmaps", "ConfigMap", "cm", true, false),
        ("", "v1", "endpoints", "Endpoints", "ep", true, false),
        ("", "v1", "events", "Event", "ev", true, false),
        ("", "v1", "namespaces", "Namespace", "ns", false, false),
        ("", "v1", "nodes", "Node", "no", false, false),
        (
            "",
            "v1",
            "persistentvolumeclaims",
            "PersistentVolumeClaim",
            "pvc",
            true,
            false,
        ),
        (
            "",
            "v1",
            "persistentvolumes",
            "PersistentVolume",
            "pv",
            false,
            false,
        ),
        ("", "v1", "pods", "Pod", "po", true, true),
        (
            "",
            "v1",
            "replicationcontrollers",
            "ReplicationController",
            "rc",
            true,
            true,
        ),
        (
            "",
            "v1",
            "resourcequotas",
            "ResourceQuota",
            "quota",
            true,
            false,
        ),
        ("", "v1", "limitranges", "LimitRange", "limits", true, false),
        ("", "v1", "secrets", "Secret", "", true, false),
        (
            "",
            "v1",
            "serviceaccounts",
            "ServiceAccount",
            "sa",
            true,
            false,
        ),
        ("", "v1", "services", "Service", "svc", true, true),
        ("apps", "v1", "daemonsets", "DaemonSet", "ds", true, true),
        (
            "apps",
            "v1",
            "deployments",
            "Deployment",
            "deploy",
            true,
            true,
        ),
        ("apps", "v1", "replicasets", "ReplicaSet", "rs", true, true),
        (
            "apps",
            "v1",
            "statefulsets",
            "StatefulSet",
            "sts",
            true,
            true,
        ),
        (
            "autoscaling",
            "v2",
            "horizontalpodautoscalers",
            "HorizontalPodAutoscaler",
            "hpa",
            true,
            true,
        ),
        ("batch", "v1", "cronjobs", "CronJob", "cj", true, true),
        ("batch", "v1", "jobs", "Job", "", true, true),
        (
            "coordination.k8s.io",
            "v1",
            "leases",
            "Lease",
            "",
            true,
            false,
        ),
        (
            "discovery.k8s.io",
            "v1",
            "endpointslices",
            "EndpointSlice",
            "",
            true,
            false,
        ),
        (
            "networking.k8s.io",
            "v1",
            "ingresses",
            "Ingress",
            "ing",
            true,
            false,
        ),
        (
            "networking.k8s.io",
            "v1",
            "networkpolicies",
            "NetworkPolicy",
            "netpol",
            true,
            false,
        ),
        (
            "storage.k8s.io",
            "v1",
            "storageclasses",
            "StorageClass",
            "sc",
            false,
            false,
        ),
    ];
    TYPES
        .iter()
        .map(
            |(group, version, resource, kind, short, namespaced, all)| ResourceType {
                group: (*group).to_owned(),
                version: (*version).to_owned(),
                resource: (*resource).to_owned(),
                kind: (*kind).to_owned(),
                singular: kind.to_lowercase(),
                short_names: if short.is_empty() {
                    Vec::new()
                } else {
                    vec![(*short).to_owned()]
                },
                namespaced: *namespaced,
                categories: if *all {
                    vec!["all".to_owned()]
                } else {
                    Vec::new()
                },
                verbs: vec!["get".to_owned(), "list".to_owned()],
            },
        )
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_have_many_names() {
        let resources = Resources::new(Vec::new());
        for (name, expected) in [
            ("pods", "pods"),
            ("po", "pods"),
            ("Pod", "pods"),
            ("deploy", "deployments.apps"),
            ("deployments.apps", "deployments.apps"),
            ("deployments.v1.apps", "deployments.apps"),
            ("ep", "endpoints"),
            (
                "endpointslices.discovery",
                "endpointslices.discovery.k8s.io",
            ),
        ] {
            assert_eq!(qualified(resources.find(name).unwrap()), expected, "{name}");
        }
        assert!(matches!(resources.find("x"), Err(Failure::NotCaptured(_))));
        let resources = Resources::new(well_known());
        assert!(matches!(resources.find("x"), Err(Failure::Message { .. })));
        assert_eq!(resources.in_category("all").len(), 10);
    }
}
