//! The rights that a recording needs, as objects for `kubectl apply`: nothing that writes, no Secrets.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use aiopslab_problems::family::Endpoint;
use serde_json::{Value, json};

use super::backends::Backend;
use super::{AttachRequest, pods_of};
use crate::cluster::ApiResource;
use crate::error::CaptureError;
use crate::rbac::{self, role};
use crate::recorder::Kind;

/// The name of the roles, and unless told otherwise of the service account.
const NAME: &str = "snapshot-reader";
/// Kinds outside of namespaces that tell something of an incident.
const CLUSTER_KINDS: [&str; 10] = [
    "namespaces",
    "nodes",
    "persistentvolumes",
    "storageclasses.storage.k8s.io",
    "volumeattachments.storage.k8s.io",
    "ingressclasses.networking.k8s.io",
    "priorityclasses.scheduling.k8s.io",
    "customresourcedefinitions.apiextensions.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
];

/// Who gets the rights.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceAccount {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// A text that names no service account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no service account\nhint: NAMESPACE/NAME")]
pub struct UnknownAccount(pub String);

impl ServiceAccount {
    /// The usual one, in a namespace.
    #[must_use]
    pub fn usual(namespace: &str) -> Self {
        Self {
            namespace: namespace.to_owned(),
            name: NAME.to_owned(),
        }
    }
}

impl FromStr for ServiceAccount {
    type Err = UnknownAccount;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((namespace, name)) if !namespace.is_empty() && !name.is_empty() => Ok(Self {
                namespace: namespace.to_owned(),
                name: name.to_owned(),
            }),
            _ => Err(UnknownAccount(text.to_owned())),
        }
    }
}

impl fmt::Display for ServiceAccount {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.namespace, self.name)
    }
}

/// The smallest rights with which the request can be carried out, as YAML with comments.
///
/// Kinds and backends are looked up on the cluster, with the caller's rights.
///
/// # Errors
/// When nobody answers or a namespace is not there.
pub async fn print_rights(
    request: &AttachRequest,
    account: &ServiceAccount,
) -> Result<String, CaptureError> {
    let cluster = request.cluster.connect().await?;
    let mut namespaces = vec![request.application.namespace.clone()];
    namespaces.extend(request.more_namespaces.iter().cloned());
    pods_of(&cluster, &namespaces).await?;
    let (mut found, mut lacking) = (Vec::new(), Vec::new());
    let named = [
        (Backend::PROMETHEUS, &request.application.prometheus),
        (Backend::JAEGER, &request.application.jaeger),
    ];
    for (backend, place) in named {
        if request.recorder.without.contains(&backend.kind) {
            continue;
        }
        match backend.find(&cluster, place, &namespaces).await {
            Ok(place) => found.push((backend.kind, place)),
            Err(reason) => lacking.push(reason),
        }
    }
    let objects = objects(cluster.resources().await?, &namespaces, &found, account);
    let mut out = header(&namespaces, &found, &lacking, account);
    for object in &objects {
        let yaml = serde_saphyr::to_string(object).map_err(CaptureError::json("the rights"))?;
        out.push_str("---\n");
        out.push_str(&yaml);
    }
    Ok(out)
}

fn header(
    namespaces: &[String],
    found: &[(Kind, Endpoint)],
    lacking: &[String],
    account: &ServiceAccount,
) -> String {
    let ServiceAccount { namespace, name } = account;
    let mut command = String::from("aiopslab capture --attach --kubeconfig FILE");
    for namespace in namespaces {
        command.push_str(&format!(" -n {namespace}"));
    }
    for (kind, place) in found {
        let option = match kind {
            Kind::Metrics => Backend::PROMETHEUS.option,
            _ => Backend::JAEGER.option,
        };
        command.push_str(&format!(" --{option} {place}"));
    }
    let mut lines = vec![
        format!(
            "What `aiopslab capture --attach` may do in {}: read, and no Secrets.",
            namespaces.join(", ")
        ),
        "Someone who may hand out rights applies this; then a token is had by".to_owned(),
        format!("  kubectl -n {namespace} create token {name}"),
        "and the recording by".to_owned(),
        format!("  {command} --out DIR"),
    ];
    lines.extend(lacking.iter().map(|reason| format!("Left out: {reason}")));
    if found
        .iter()
        .any(|(kind, place)| *kind == Kind::Metrics && place.url.is_none())
    {
        lines.push(
            "Samples are read by queries. Prometheus's remote read, which tells also where series end, is a POST: it needs the verb create on the same services/proxy.".to_owned(),
        );
    }
    lines.iter().map(|line| format!("# {line}\n")).collect()
}

/// The objects: account, roles, and who has them.
fn objects(
    resources: &[ApiResource],
    namespaces: &[String],
    backends: &[(Kind, Endpoint)],
    account: &ServiceAccount,
) -> Vec<Value> {
    let who = (account.namespace.as_str(), account.name.as_str());
    let cluster_wide = format!("{NAME}-cluster");
    let left_out = ["secrets", "events.events.k8s.io"]; // the latter are the same as events
    let is_inside = |resource: &&ApiResource| {
        resource.namespaced && !left_out.contains(&resource.full_name().as_str())
    };
    let is_told = |resource: &&ApiResource| {
        CLUSTER_KINDS.contains(&resource.full_name().as_str())
            || (resource.group == "metrics.k8s.io" && !resource.namespaced)
    };
    let mut inside = reading(resources.iter().filter(is_inside));
    inside.push(json!({"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]}));
    let mut objects = vec![
        json!({"apiVersion": "v1", "kind": "ServiceAccount",
            "metadata": {"name": account.name, "namespace": account.namespace}}),
        role("ClusterRole", None, NAME, &inside),
    ];
    for namespace in namespaces {
        let roles = ("ClusterRole", NAME);
        objects.push(rbac::binding(Some(namespace), NAME, roles, who));
    }
    let around = reading(resources.iter().filter(is_told));
    objects.push(role("ClusterRole", None, &cluster_wide, &around));
    let roles = ("ClusterRole", cluster_wide.as_str());
    objects.push(rbac::binding(None, &cluster_wide, roles, who));
    let mut proxied: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (_, place) in backends {
        if let Some(namespace) = &place.namespace {
            let names = proxied.entry(namespace).or_default();
            names.insert(format!("{}:{}", place.service, place.port));
        }
    }
    for (namespace, names) in proxied {
        let name = format!("{NAME}-telemetry");
        let mut rules = vec![
            json!({"apiGroups": [""], "resources": ["services/proxy"], "resourceNames": names,
                "verbs": ["get"]}),
        ];
        // So that they are found without being named.
        if !namespaces.iter().any(|recorded| recorded == namespace) {
            rules.push(json!({"apiGroups": [""], "resources": ["services"], "verbs": ["list"]}));
        }
        objects.push(role("Role", Some(namespace), &name, &rules));
        objects.push(rbac::binding(Some(namespace), &name, ("Role", &name), who));
    }
    objects
}

/// Reading of kinds that can be followed.
fn reading<'a>(resources: impl Iterator<Item = &'a ApiResource>) -> Vec<Value> {
    let is_read = |resource: &&ApiResource| {
        let is_watched = resource.can("list") && resource.can("watch");
        is_watched || resource.group == "metrics.k8s.io"
    };
    rbac::reading(resources.filter(is_read), &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rbac::READ;

    fn resource(group: &str, name: &str, namespaced: bool, verbs: &[&str]) -> ApiResource {
        ApiResource {
            group: group.to_owned(),
            version: "v1".to_owned(),
            resource: name.to_owned(),
            singular: String::new(),
            short_names: Vec::new(),
            kind: name.to_owned(),
            namespaced,
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
        }
    }

    fn made() -> Vec<Value> {
        let resources = [
            resource("", "pods", true, &READ),
            resource("", "secrets", true, &READ),
            resource("", "nodes", false, &READ),
            resource("", "bindings", true, &["create"]),
            resource("apps", "deployments", true, &READ),
            resource("metrics.k8s.io", "pods", true, &["get", "list"]),
            resource("metrics.k8s.io", "nodes", false, &["get", "list"]),
            resource("rbac.authorization.k8s.io", "clusterroles", false, &READ),
        ];
        let namespaces = ["shop".to_owned(), "bank".to_owned()];
        let place = |text: &str| text.parse::<Endpoint>().unwrap();
        let backends = [
            (Kind::Metrics, place("observe/prometheus:9090")),
            (Kind::Traces, place("http://127.0.0.1:16686")),
        ];
        let account = "shop/reader".parse().unwrap();
        objects(&resources, &namespaces, &backends, &account)
    }

    #[test]
    fn nothing_is_written_and_no_secret_is_read() {
        for object in made() {
            for rule in object["rules"].as_array().into_iter().flatten() {
                for verb in rule["verbs"].as_array().unwrap() {
                    assert!(READ.contains(&verb.as_str().unwrap()), "{rule}");
                }
                for resource in rule["resources"].as_array().unwrap() {
                    assert!(!["secrets", "*", "bindings"].contains(&resource.as_str().unwrap()));
                }
            }
        }
    }

    #[test]
    fn each_place_has_what_is_read_there() {
        let granted: Vec<String> = made()
            .iter()
            .filter(|object| object["kind"].as_str().unwrap().ends_with("Binding"))
            .map(|object| {
                let namespace = object["metadata"]["namespace"].as_str().unwrap_or("all");
                format!(
                    "{namespace}: {}",
                    object["roleRef"]["name"].as_str().unwrap()
                )
            })
            .collect();
        assert_eq!(
            granted,
            [
                "shop: snapshot-reader",
                "bank: snapshot-reader",
                "all: snapshot-reader-cluster",
                "observe: snapshot-reader-telemetry",
            ]
        );
        let role = |name: &str| {
            let named = |object: &&Value| {
                object["metadata"]["name"] == name
                    && object["kind"].as_str().unwrap().ends_with("Role")
            };
            made().iter().find(named).unwrap()["rules"].clone()
        };
        assert_eq!(
            role("snapshot-reader-cluster")[0]["resources"],
            json!(["nodes"])
        );
        assert_eq!(
            role("snapshot-reader-telemetry")[0]["resourceNames"],
            json!(["prometheus:9090"])
        );
    }

    #[test]
    fn accounts_have_a_namespace() {
        assert_eq!("a/b".parse::<ServiceAccount>().unwrap().to_string(), "a/b");
        for wrong in ["", "b", "a/", "/b"] {
            assert!(wrong.parse::<ServiceAccount>().is_err(), "{wrong}");
        }
    }
}
