//! What an agent's shell may do on the cluster: roles as data.

use std::fmt;
use std::str::FromStr;

use serde_json::{Value, json};

use super::toolbox::{NAME, labels};
use crate::cluster::ApiResource;
use crate::journal;
use crate::rbac::{self, READ, role};

/// What an agent may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Rights {
    /// Read everything but Secrets.
    Read,
    /// Likewise, and do anything inside the application's namespace.
    #[default]
    Namespace,
    /// Anything anywhere, as with AIOpsLab.
    Cluster,
}

/// A name that is no set of rights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown rights {0:?}\nhint: read, namespace or cluster")]
pub struct UnknownRights(pub String);

impl FromStr for Rights {
    type Err = UnknownRights;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "read" => Ok(Self::Read),
            "namespace" => Ok(Self::Namespace),
            "cluster" => Ok(Self::Cluster),
            other => Err(UnknownRights(other.to_owned())),
        }
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(match self {
            Self::Read => "read",
            Self::Namespace => "namespace",
            Self::Cluster => "cluster",
        })
    }
}

/// What is on the cluster that roles are made from.
pub(super) struct Surroundings<'a> {
    /// Every kind of object.
    pub(super) resources: &'a [ApiResource],
    /// Every namespace.
    pub(super) namespaces: &'a [String],
    /// The ConfigMaps in the journals' namespace.
    pub(super) settings: &'a [String],
    /// Namespace of the application.
    pub(super) application: &'a str,
}

/// The objects that give the toolbox's service account its rights.
///
/// Secrets are readable in the application's namespace only. ConfigMaps are read namespace by
/// namespace: where the journals are, only those that are not ours, by name.
pub(super) fn objects(rights: Rights, around: &Surroundings<'_>) -> Vec<Value> {
    let mut objects = unlabelled(rights, around);
    for object in &mut objects {
        object["metadata"]["labels"] = labels();
    }
    objects
}

fn unlabelled(rights: Rights, around: &Surroundings<'_>) -> Vec<Value> {
    if rights == Rights::Cluster {
        return vec![cluster_binding("cluster-admin")];
    }
    let reader = format!("{NAME}-reader");
    let settings = format!("{NAME}-settings");
    let mut objects = vec![
        role("ClusterRole", None, &reader, &reading(around.resources)),
        cluster_binding(&reader),
        role(
            "ClusterRole",
            None,
            &settings,
            &[json!({"apiGroups": [""], "resources": ["configmaps"], "verbs": READ})],
        ),
    ];
    for namespace in around.namespaces {
        if namespace != journal::NAMESPACE {
            objects.push(binding(namespace, &settings, "ClusterRole", &settings));
        }
    }
    let others: Vec<&String> = around
        .settings
        .iter()
        .filter(|name| !name.starts_with(journal::NAME_PREFIX))
        .collect();
    let by_name = json!({"apiGroups": [""], "resources": ["configmaps"], "resourceNames": others, "verbs": ["get"]});
    objects.push(role(
        "Role",
        Some(journal::NAMESPACE),
        &settings,
        &[by_name],
    ));
    objects.push(binding(journal::NAMESPACE, &settings, "Role", &settings));
    if rights == Rights::Namespace {
        let owner = format!("{NAME}-owner");
        let all = json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]});
        objects.push(role("Role", Some(around.application), &owner, &[all]));
        objects.push(binding(around.application, &owner, "Role", &owner));
    }
    objects
}

/// Reading of everything but Secrets and ConfigMaps: a rule can't leave one out of all.
fn reading(resources: &[ApiResource]) -> Vec<Value> {
    let is_read = |resource: &&ApiResource| {
        let is_hidden = resource.group.is_empty()
            && ["secrets", "configmaps"].contains(&resource.resource.as_str());
        !is_hidden && (resource.can("list") || resource.can("get"))
    };
    rbac::reading(resources.iter().filter(is_read), &["pods/log"])
}

fn cluster_binding(role: &str) -> Value {
    let name = format!("{NAME}-reader");
    rbac::binding(None, &name, ("ClusterRole", role), (NAME, NAME))
}

fn binding(namespace: &str, name: &str, kind: &str, role: &str) -> Value {
    rbac::binding(Some(namespace), name, (kind, role), (NAME, NAME))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn resource(group: &str, name: &str) -> ApiResource {
        ApiResource {
            group: group.to_owned(),
            version: "v1".to_owned(),
            resource: name.to_owned(),
            singular: String::new(),
            short_names: Vec::new(),
            kind: String::new(),
            namespaced: true,
            verbs: vec!["list".to_owned()],
        }
    }

    fn made(rights: Rights) -> Vec<Value> {
        let resources = [
            resource("", "pods"),
            resource("", "secrets"),
            resource("", "configmaps"),
            resource("apps", "deployments"),
        ];
        let text = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let namespaces: Vec<String> = text(&["default", "kube-system", "shop"]);
        let settings: Vec<String> = text(&["coredns", "cluster-settings-1"]);
        objects(
            rights,
            &Surroundings {
                resources: &resources,
                namespaces: &namespaces,
                settings: &settings,
                application: "shop",
            },
        )
    }

    /// Namespaces (empty: all) in which a role with such a rule is bound.
    fn bound(objects: &[Value], verb: &str, resource: &str) -> BTreeSet<String> {
        let has = |list: &Value, word: &str| {
            let list = list.as_array().unwrap();
            list.iter().any(|one| one == word || one == "*")
        };
        let mut places = BTreeSet::new();
        for binding in objects.iter().filter(|one| one.get("roleRef").is_some()) {
            let namespace = binding["metadata"]["namespace"].as_str();
            let role = objects.iter().find(|one| {
                one["kind"] == binding["roleRef"]["kind"]
                    && one["metadata"]["name"] == binding["roleRef"]["name"]
                    && (one["kind"] == "ClusterRole"
                        || one["metadata"]["namespace"].as_str() == namespace)
            });
            let rules = role.unwrap()["rules"].as_array().unwrap();
            if rules.iter().any(|rule| {
                rule.get("resourceNames").is_none()
                    && has(&rule["verbs"], verb)
                    && has(&rule["resources"], resource)
            }) {
                places.insert(namespace.unwrap_or_default().to_owned());
            }
        }
        places
    }

    fn places(names: &[&str]) -> BTreeSet<String> {
        names.iter().map(|name| (*name).to_owned()).collect()
    }

    #[test]
    fn by_default_everything_is_read_but_secrets_and_only_the_application_is_changed() {
        let made = made(Rights::Namespace);
        assert_eq!(bound(&made, "list", "pods"), places(&["", "shop"]));
        assert_eq!(bound(&made, "list", "secrets"), places(&["shop"]));
        assert_eq!(bound(&made, "patch", "deployments"), places(&["shop"]));
        assert_eq!(
            bound(&made, "list", "configmaps"),
            places(&["default", "shop"])
        );
    }

    #[test]
    fn our_journal_can_not_be_read_by_name() {
        let made = made(Rights::Read);
        let named: Vec<&Value> = made
            .iter()
            .filter_map(|one| one.pointer("/rules/0/resourceNames"))
            .collect();
        assert_eq!(named, [&json!(["coredns"])]);
        assert!(bound(&made, "patch", "deployments").is_empty());
        assert!(bound(&made, "list", "secrets").is_empty());
    }

    #[test]
    fn names_of_rights() {
        for rights in [Rights::Read, Rights::Namespace, Rights::Cluster] {
            assert_eq!(rights.to_string().parse(), Ok(rights));
        }
        assert!("all".parse::<Rights>().is_err());
    }
}
