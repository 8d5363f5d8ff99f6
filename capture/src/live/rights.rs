//! What an agent's shell may do on the cluster: roles as data.

use std::fmt;
use std::str::FromStr;

use aiopslab_problems::task::Task;
use serde_json::{Value, json};

use super::toolbox::{NAME, labels};
use crate::cluster::ApiResource;
use crate::journal;
use crate::rbac::{self, READ, role};

/// What an agent may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rights {
    /// Read everything but Secrets.
    Read,
    /// Likewise, and inside the application's namespace read Secrets and run commands in containers:
    /// what a replay answers too.
    Inspect,
    /// Likewise, and do anything inside the application's namespace.
    Namespace,
    /// Anything anywhere, as with AIOpsLab.
    Cluster,
}

/// Which rights agents get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Granted {
    /// What the task needs: only who is to repair something may change it.
    #[default]
    Auto,
    /// The same whatever the task.
    Always(Rights),
}

/// A name that is no set of rights.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown rights {0:?}\nhint: auto, read, inspect, namespace or cluster")]
pub struct UnknownRights(pub String);

impl Granted {
    /// The rights in an episode of this task.
    #[must_use]
    pub fn for_task(self, task: Task) -> Rights {
        match self {
            Self::Always(rights) => rights,
            Self::Auto if task == Task::Mitigation => Rights::Namespace,
            Self::Auto => Rights::Inspect,
        }
    }

    /// Whether agents may do anything anywhere.
    pub(super) fn reaches_everywhere(self) -> bool {
        self == Self::Always(Rights::Cluster)
    }
}

impl FromStr for Granted {
    type Err = UnknownRights;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "auto" => Ok(Self::Auto),
            other => other.parse().map(Self::Always),
        }
    }
}

impl FromStr for Rights {
    type Err = UnknownRights;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "read" => Ok(Self::Read),
            "inspect" => Ok(Self::Inspect),
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
            Self::Inspect => "inspect",
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
}

/// The objects that give the toolbox's service account all rights.
pub(super) fn everything() -> Vec<Value> {
    labelled(vec![cluster_binding("cluster-admin")])
}

/// The objects that let it read, whatever the task.
///
/// ConfigMaps are read namespace by namespace: where the journals are, only those that are not ours,
/// by name.
pub(super) fn everywhere(around: &Surroundings<'_>) -> Vec<Value> {
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
    labelled(objects)
}

/// The objects that give it further rights inside the application's namespace. They have the same
/// names whatever the rights, so that those of one task take the place of another's.
pub(super) fn inside(rights: Rights, application: &str) -> Vec<Value> {
    let rules = match rights {
        Rights::Read | Rights::Cluster => return Vec::new(),
        Rights::Inspect => vec![
            json!({"apiGroups": [""], "resources": ["secrets"], "verbs": READ}),
            // By either kind of connection.
            json!({"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["create", "get"]}),
        ],
        Rights::Namespace => vec![json!({"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]})],
    };
    let name = format!("{NAME}-inside");
    labelled(vec![
        role("Role", Some(application), &name, &rules),
        binding(application, &name, "Role", &name),
    ])
}

fn labelled(mut objects: Vec<Value>) -> Vec<Value> {
    for object in &mut objects {
        object["metadata"]["labels"] = labels();
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
        let around = Surroundings {
            resources: &resources,
            namespaces: &namespaces,
            settings: &settings,
        };
        let mut made = everywhere(&around);
        made.extend(inside(rights, "shop"));
        made
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
    fn who_repairs_reads_everything_but_secrets_and_changes_the_application_only() {
        let made = made(Granted::default().for_task(Task::Mitigation));
        assert_eq!(bound(&made, "list", "pods"), places(&["", "shop"]));
        assert_eq!(bound(&made, "list", "secrets"), places(&["shop"]));
        assert_eq!(bound(&made, "patch", "deployments"), places(&["shop"]));
        assert_eq!(
            bound(&made, "list", "configmaps"),
            places(&["default", "shop"])
        );
    }

    #[test]
    fn by_default_who_repairs_nothing_looks_as_a_replay_lets_it_and_changes_nothing() {
        for task in [Task::Detection, Task::Localization, Task::Analysis] {
            let rights = Granted::default().for_task(task);
            assert_eq!(rights, Rights::Inspect);
            let made = made(rights);
            assert_eq!(bound(&made, "list", "pods"), places(&[""]));
            assert_eq!(bound(&made, "list", "secrets"), places(&["shop"]));
            assert_eq!(bound(&made, "create", "pods/exec"), places(&["shop"]));
            for verb in ["create", "patch", "update", "delete"] {
                for resource in ["pods", "deployments", "secrets", "configmaps"] {
                    assert!(bound(&made, verb, resource).is_empty(), "{verb} {resource}");
                }
            }
        }
    }

    #[test]
    fn rights_that_are_named_hold_for_every_task() {
        for rights in [
            Rights::Read,
            Rights::Inspect,
            Rights::Namespace,
            Rights::Cluster,
        ] {
            let granted: Granted = rights.to_string().parse().unwrap();
            for task in Task::ALL {
                assert_eq!(granted.for_task(task), rights);
            }
            assert_eq!(granted.reaches_everywhere(), rights == Rights::Cluster);
        }
        assert_eq!("auto".parse(), Ok(Granted::Auto));
        assert!(!Granted::Auto.reaches_everywhere());
    }

    #[test]
    fn the_rights_of_one_task_take_the_place_of_another_s() {
        let names = |rights| -> Vec<Value> {
            let objects = inside(rights, "shop").into_iter();
            let names = objects.map(|one| json!([one["kind"], one["metadata"], one["roleRef"]]));
            names.collect()
        };
        assert_eq!(names(Rights::Inspect).len(), 2);
        assert_eq!(names(Rights::Inspect), names(Rights::Namespace));
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
    fn what_is_no_name_of_rights() {
        for text in ["all", "", "Auto"] {
            assert_eq!(text.parse::<Granted>(), Err(UnknownRights(text.to_owned())));
        }
    }
}
