//! Whether the cluster is as it was found: compared, not assumed.
//!
//! An [`Inventory`] holds a digest per top-level field of every object whose existence and
//! specification are somebody's decision. What the cluster makes and renews by itself (events,
//! leases, endpoints, owned pods, status, counters) is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};
use tokio::time::{Instant, sleep};

use crate::chaos::MADE_BY_CHAOS_MESH;
use crate::cluster::{ApiResource, Cluster};
use crate::error::CaptureError;
use crate::journal;
use crate::progress::SharedProgress;
use crate::resource::{strip_server_fields, text};

/// How long to wait for a cluster on which others change things.
const SETTLED_WITHIN: Duration = Duration::from_secs(60);
/// How often the cluster is looked at.
const POLL: Duration = Duration::from_secs(2);

/// Kinds that come and go by themselves.
const VOLATILE: &[&str] = &[
    "bindings",
    "certificatesigningrequests",
    "componentstatuses",
    "controllerrevisions",
    "csistoragecapacities",
    "endpoints",
    "endpointslices",
    "events",
    "ipaddresses", // one per Service address, which the server draws anew
    "leasecandidates",
    "leases",
    "volumeattachments",
];

/// Annotations that count or mark what happened rather than say what is wanted.
const VOLATILE_ANNOTATIONS: &[&str] = &[
    "control-plane.alpha.kubernetes.io/leader",
    "deployment.kubernetes.io/desired-replicas",
    "deployment.kubernetes.io/max-replicas",
    "deployment.kubernetes.io/revision",
    "deployment.kubernetes.io/revision-history",
];

/// The objects of a cluster, as digests of their top-level fields.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Inventory {
    objects: BTreeMap<String, BTreeMap<String, [u8; 32]>>,
}

impl Inventory {
    /// Takes the inventory of a cluster, without the namespaces that are named.
    pub(crate) async fn take(
        cluster: &Cluster,
        without: &BTreeSet<String>,
        leaving: Leaving,
    ) -> Result<Self, CaptureError> {
        let mut inventory = Self::default();
        for listed in decided(cluster, leaving).await? {
            if !without.iter().any(|namespace| listed.is_within(namespace)) {
                inventory.add(listed);
            }
        }
        Ok(inventory)
    }

    /// The inventory of what was listed in one namespace.
    pub(crate) fn within(listed: &[Listed], namespace: &str) -> Self {
        let mut inventory = Self::default();
        for listed in listed.iter().filter(|listed| listed.is_within(namespace)) {
            inventory.add(listed.clone());
        }
        inventory
    }

    fn add(&mut self, Listed { key, mut object }: Listed) {
        strip_server_fields(&mut object);
        strip_volatile_annotations(&mut object);
        let fields = object.as_object().into_iter().flatten();
        let digests = fields
            .filter(|(field, _)| *field != "apiVersion" && *field != "kind")
            .map(|(field, value)| (field.clone(), Sha256::digest(value.to_string()).into()))
            .collect();
        self.objects.insert(key, digests);
    }

    /// Names what a later inventory has more, less or otherwise.
    #[must_use]
    pub(crate) fn differences(&self, later: &Self) -> Vec<String> {
        let mut differences = Vec::new();
        for (name, before) in &self.objects {
            match later.objects.get(name) {
                None => differences.push(format!("{name} is gone")),
                Some(after) => {
                    let fields: BTreeSet<_> = before.keys().chain(after.keys()).collect();
                    for field in fields {
                        if before.get(field) != after.get(field) {
                            differences.push(format!("{name}: {field} differs"));
                        }
                    }
                }
            }
        }
        let added = later
            .objects
            .keys()
            .filter(|name| !self.objects.contains_key(*name));
        differences.extend(added.map(|name| format!("{name} was not there")));
        differences
    }

    /// How many objects were compared.
    #[must_use]
    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }
}

/// An object whose existence and specification are somebody's decision.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Listed {
    /// Its kind and place: `resource.group namespace/name`.
    pub(crate) key: String,
    /// The object.
    pub(crate) object: Value,
}

impl Listed {
    fn new(resource: &ApiResource, object: Value) -> Option<Self> {
        let name = text(&object, "/metadata/name");
        let namespace = text(&object, "/metadata/namespace");
        let is_journal = namespace == journal::NAMESPACE && name.starts_with(journal::NAME_PREFIX);
        if is_journal || is_derived(resource, &object) {
            return None;
        }
        let place = if namespace.is_empty() {
            String::new()
        } else {
            format!("{namespace}/")
        };
        let key = format!("{} {place}{name}", resource.full_name());
        Some(Self { key, object })
    }

    /// Whether it is in a namespace, is it, or is a volume that is claimed from it.
    pub(crate) fn is_within(&self, namespace: &str) -> bool {
        text(&self.object, "/metadata/namespace") == namespace
            || self.key == format!("namespaces {namespace}")
            || text(&self.object, "/spec/claimRef/namespace") == namespace
    }
}

/// Lists the cluster's objects of which somebody decided.
pub(crate) async fn decided(
    cluster: &Cluster,
    leaving: Leaving,
) -> Result<Vec<Listed>, CaptureError> {
    let mut listed = Vec::new();
    for resource in cluster.resources().await? {
        if is_volatile(resource) {
            continue;
        }
        for object in cluster.list(&resource.collection(None)).await? {
            if leaving == Leaving::Counted || !is_leaving(&object) {
                listed.extend(Listed::new(resource, object));
            }
        }
    }
    Ok(listed)
}

/// What is on the cluster, once two looks see the same: a deletion may be under way.
pub(crate) async fn settled(
    cluster: &Cluster,
    without: &BTreeSet<String>,
) -> Result<Inventory, CaptureError> {
    let until = Instant::now() + SETTLED_WITHIN;
    let mut last = Inventory::take(cluster, without, Leaving::Ignored).await?;
    loop {
        sleep(POLL).await;
        let now = Inventory::take(cluster, without, Leaving::Ignored).await?;
        if last.differences(&now).is_empty() || Instant::now() > until {
            return Ok(now);
        }
        last = now;
    }
}

/// Compares the cluster with what it was; deleted things get time to go. Names what differs in the end.
pub(crate) async fn wait_until_same(
    cluster: &Cluster,
    before: &Inventory,
    without: &BTreeSet<String>,
    within: Duration,
    progress: &SharedProgress,
) -> Result<Vec<String>, CaptureError> {
    let mut said = Vec::new();
    let until = Instant::now() + within;
    loop {
        let now = Inventory::take(cluster, without, Leaving::Counted).await?;
        let differences = before.differences(&now);
        if differences.is_empty() || Instant::now() > until {
            return Ok(differences);
        }
        if differences != said {
            let first: Vec<_> = differences.iter().take(3).map(String::as_str).collect();
            let text = format!("{} not yet: {}", differences.len(), first.join("; "));
            progress.note(&text);
            said = differences;
        }
        sleep(POLL).await;
    }
}

/// What is done with objects that are on their way out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Leaving {
    /// They don't count: nobody expects them to be there later.
    Ignored,
    /// They count: they have to be gone first.
    Counted,
}

/// Whether an object is being deleted, or has done its work and will be.
fn is_leaving(object: &Value) -> bool {
    let phase = text(object, "/status/phase");
    let is_pod = object.pointer("/spec/containers").is_some();
    object.pointer("/metadata/deletionTimestamp").is_some()
        || (phase == "Released" && object.pointer("/spec/claimRef").is_some())
        || (is_pod && matches!(phase, "Succeeded" | "Failed"))
}

fn is_volatile(resource: &ApiResource) -> bool {
    !resource.can("list")
        || resource.group == "metrics.k8s.io"
        || VOLATILE.contains(&resource.resource.as_str())
}

/// What another object's controller makes: the owner is compared instead.
fn is_derived(resource: &ApiResource, object: &Value) -> bool {
    let is_owned = object.pointer("/metadata/ownerReferences").is_some();
    let made = resource.resource.as_str();
    is_owned
        && (["pods", "replicasets", "jobs"].contains(&made) || MADE_BY_CHAOS_MESH.contains(&made))
}

fn strip_volatile_annotations(object: &mut Value) {
    let annotations = object
        .pointer_mut("/metadata/annotations")
        .and_then(Value::as_object_mut);
    let Some(annotations) = annotations else {
        return;
    };
    annotations.retain(|key, _| !VOLATILE_ANNOTATIONS.contains(&key.as_str()));
    if annotations.is_empty()
        && let Some(metadata) = object
            .pointer_mut("/metadata")
            .and_then(Value::as_object_mut)
    {
        metadata.shift_remove("annotations");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn inventory(objects: &[Value]) -> Inventory {
        let resource = ApiResource {
            group: String::new(),
            version: "v1".to_owned(),
            resource: "services".to_owned(),
            singular: "service".to_owned(),
            short_names: Vec::new(),
            kind: "Service".to_owned(),
            namespaced: true,
            verbs: vec!["list".to_owned()],
        };
        let listed: Vec<Listed> = objects
            .iter()
            .filter_map(|object| Listed::new(&resource, object.clone()))
            .collect();
        Inventory::within(&listed, "shop")
    }

    #[test]
    fn a_volume_without_its_claim_is_leaving() {
        let volume =
            |phase: &str| json!({"spec": {"claimRef": {"name": "x"}}, "status": {"phase": phase}});
        assert!(is_leaving(&volume("Released")));
        assert!(!is_leaving(&volume("Bound")));
        assert!(is_leaving(
            &json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}})
        ));
        assert!(is_leaving(
            &json!({"spec": {"containers": []}, "status": {"phase": "Succeeded"}})
        ));
    }

    #[test]
    fn only_decisions_are_compared() {
        let service = |port: i64, version: &str| {
            json!({"metadata": {"name": "rate", "namespace": "shop", "resourceVersion": version},
                "spec": {"port": port}, "status": {"seen": version}})
        };
        let other = json!({"metadata": {"name": "x", "namespace": "left-out"}});
        let before = inventory(&[service(1, "5"), other]);
        assert_eq!(before.len(), 1);
        assert!(
            before
                .differences(&inventory(&[service(1, "6")]))
                .is_empty()
        );
        assert_eq!(
            before.differences(&inventory(&[service(2, "6")])),
            ["services shop/rate: spec differs"]
        );
        assert_eq!(
            before.differences(&inventory(&[])),
            ["services shop/rate is gone"]
        );
        assert_eq!(
            inventory(&[]).differences(&before),
            ["services shop/rate was not there"]
        );
    }
}
