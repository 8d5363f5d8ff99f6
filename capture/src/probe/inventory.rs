//! What is on the cluster to ask about.

use std::collections::BTreeMap;

use aiopslab_problems::family::Application;
use serde_json::Value;

use crate::cluster::{Cluster, ClusterError};
use crate::{chaos, journal, resource};

/// Kinds by the name that commands use, with the path of their collection below the namespace.
const NAMESPACED: &[(&str, &str, &str)] = &[
    ("configmap", "/api/v1", "configmaps"),
    ("cronjob", "/apis/batch/v1", "cronjobs"),
    ("daemonset", "/apis/apps/v1", "daemonsets"),
    ("deployment", "/apis/apps/v1", "deployments"),
    (
        "endpointslice",
        "/apis/discovery.k8s.io/v1",
        "endpointslices",
    ),
    ("ingress", "/apis/networking.k8s.io/v1", "ingresses"),
    ("job", "/apis/batch/v1", "jobs"),
    (
        "networkpolicy",
        "/apis/networking.k8s.io/v1",
        "networkpolicies",
    ),
    ("persistentvolumeclaim", "/api/v1", "persistentvolumeclaims"),
    ("replicaset", "/apis/apps/v1", "replicasets"),
    ("secret", "/api/v1", "secrets"),
    ("service", "/api/v1", "services"),
    ("serviceaccount", "/api/v1", "serviceaccounts"),
    ("statefulset", "/apis/apps/v1", "statefulsets"),
];

/// Kinds that live in no namespace, with the path of their collection.
const CLUSTER_SCOPED: &[(&str, &str)] = &[
    ("namespace", "/api/v1/namespaces"),
    ("node", "/api/v1/nodes"),
    ("persistentvolume", "/api/v1/persistentvolumes"),
    ("storageclass", "/apis/storage.k8s.io/v1/storageclasses"),
];

/// Names of the application's objects, sorted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Inventory {
    pub(super) namespace: String,
    /// The label that names a pod's service.
    pub(super) label_key: String,
    pub(super) pods: Vec<Pod>,
    /// Names by kind; only kinds that occur.
    pub(super) names: BTreeMap<String, Vec<String>>,
}

/// A pod of the application.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pod {
    pub(super) name: String,
    pub(super) service: String,
    pub(super) containers: Vec<String>,
    pub(super) has_restarted: bool,
}

impl Inventory {
    /// Lists what is there.
    pub(super) async fn take(
        cluster: &Cluster,
        application: &Application,
    ) -> Result<Self, ClusterError> {
        let namespace = &application.namespace;
        let mut names = BTreeMap::new();
        for (kind, api, collection) in NAMESPACED {
            let path = format!("{api}/namespaces/{namespace}/{collection}");
            add(&mut names, kind, &cluster.list(&path).await?);
        }
        for (kind, path) in CLUSTER_SCOPED {
            add(&mut names, kind, &cluster.list(path).await?);
        }
        let pods = cluster
            .list(&format!("/api/v1/namespaces/{namespace}/pods"))
            .await?;
        let mut pods: Vec<_> = pods
            .iter()
            .map(|pod| Pod::read(pod, &application.service_label))
            .collect();
        pods.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(Self {
            namespace: namespace.clone(),
            label_key: application.service_label.clone(),
            pods,
            names,
        })
    }
}

impl Pod {
    fn read(pod: &Value, label: &str) -> Self {
        let containers = pod["spec"]["containers"].as_array().into_iter().flatten();
        let statuses = pod["status"]["containerStatuses"].as_array();
        Self {
            name: name(pod),
            service: text(&pod["metadata"]["labels"][label]),
            containers: containers
                .map(|container| text(&container["name"]))
                .collect(),
            has_restarted: statuses
                .into_iter()
                .flatten()
                .any(|status| status["restartCount"].as_u64() > Some(0)),
        }
    }
}

fn add(names: &mut BTreeMap<String, Vec<String>>, kind: &str, objects: &[Value]) {
    let mut found: Vec<String> = objects
        .iter()
        .map(name)
        // Our own are withheld from the recording.
        .filter(|name| {
            !name.starts_with(journal::NAME_PREFIX) && !name.starts_with(chaos::NAMESPACE)
        })
        .collect();
    found.sort();
    if !found.is_empty() {
        names.insert(kind.to_owned(), found);
    }
}

fn name(object: &Value) -> String {
    resource::text(object, "/metadata/name").to_owned()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
