//! The cells that an API server prints for the kinds it knows, computed from an object at a moment.
//!
//! Behaviour is that of Kubernetes' own table printers, all columns, those of `-o wide` included.
//! A test recomputes every cell that recorded servers printed (`recorded_cells.rs`).

mod access;
mod autoscaling;
mod configuration;
mod events;
mod network;
mod nodes;
mod pods;
#[cfg(test)]
mod recorded_cells;
mod server;
mod storage;
#[cfg(test)]
mod tests;
mod workloads;

use serde_json::Value;

use super::object;
use super::selector::LabelSelector;
use super::timestamp;
use crate::view::ColumnDefinition;

/// What prints one kind.
pub(crate) struct Printer {
    columns: &'static [Column],
    print: fn(&Value, i64) -> Vec<Value>,
}

/// A column without its description, which only the recorded server has.
#[derive(Debug, Clone, Copy)]
struct Column {
    name: &'static str,
    r#type: &'static str,
    format: &'static str,
    priority: i32,
}

impl Printer {
    /// The columns, for recordings that have none.
    pub(crate) fn columns(&self) -> Vec<ColumnDefinition> {
        self.columns
            .iter()
            .map(|column| ColumnDefinition {
                name: column.name.to_owned(),
                r#type: column.r#type.to_owned(),
                format: column.format.to_owned(),
                description: String::new(),
                priority: column.priority,
            })
            .collect()
    }

    /// The cells of an object at a moment (nanoseconds), in the order of [`Printer::columns`].
    pub(crate) fn cells(&self, object: &Value, now: i64) -> Vec<Value> {
        (self.print)(object, now)
    }
}

/// The printer of a resource; none for custom resources and the few that only have recorded cells.
pub(crate) fn printer(group: &str, resource: &str) -> Option<&'static Printer> {
    Some(match (group, resource) {
        ("", "pods") => &pods::PODS,
        ("", "podtemplates") => &pods::POD_TEMPLATES,
        ("", "replicationcontrollers") => &workloads::REPLICATION_CONTROLLERS,
        ("apps", "deployments") => &workloads::DEPLOYMENTS,
        ("apps", "replicasets") => &workloads::REPLICA_SETS,
        ("apps", "statefulsets") => &workloads::STATEFUL_SETS,
        ("apps", "daemonsets") => &workloads::DAEMON_SETS,
        ("apps", "controllerrevisions") => &workloads::CONTROLLER_REVISIONS,
        ("batch", "jobs") => &workloads::JOBS,
        ("batch", "cronjobs") => &workloads::CRON_JOBS,
        ("autoscaling", "horizontalpodautoscalers") => &autoscaling::AUTOSCALERS,
        ("autoscaling", "scales") => &autoscaling::SCALES,
        ("policy", "poddisruptionbudgets") => &autoscaling::DISRUPTION_BUDGETS,
        ("", "services") => &network::SERVICES,
        ("", "endpoints") => &network::ENDPOINTS,
        ("discovery.k8s.io", "endpointslices") => &network::ENDPOINT_SLICES,
        ("networking.k8s.io", "ingresses") => &network::INGRESSES,
        ("networking.k8s.io", "ingressclasses") => &network::INGRESS_CLASSES,
        ("networking.k8s.io", "networkpolicies") => &network::NETWORK_POLICIES,
        ("networking.k8s.io", "ipaddresses") => &network::IP_ADDRESSES,
        ("networking.k8s.io", "servicecidrs") => &network::SERVICE_CIDRS,
        ("", "persistentvolumeclaims") => &storage::CLAIMS,
        ("", "persistentvolumes") => &storage::VOLUMES,
        ("storage.k8s.io", "storageclasses") => &storage::CLASSES,
        ("storage.k8s.io", "csidrivers") => &storage::CSI_DRIVERS,
        ("storage.k8s.io", "csinodes") => &storage::CSI_NODES,
        ("storage.k8s.io", "volumeattachments") => &storage::ATTACHMENTS,
        ("storage.k8s.io", "volumeattributesclasses") => &storage::ATTRIBUTES_CLASSES,
        ("", "nodes") => &nodes::NODES,
        ("node.k8s.io", "runtimeclasses") => &nodes::RUNTIME_CLASSES,
        ("coordination.k8s.io", "leases") => &nodes::LEASES,
        ("", "events") => &events::EVENTS,
        ("", "namespaces") => &configuration::NAMESPACES,
        ("", "configmaps") => &configuration::CONFIG_MAPS,
        ("", "secrets") => &configuration::SECRETS,
        ("", "serviceaccounts") => &configuration::SERVICE_ACCOUNTS,
        ("", "resourcequotas") => &configuration::RESOURCE_QUOTAS,
        ("scheduling.k8s.io", "priorityclasses") => &configuration::PRIORITY_CLASSES,
        ("", "limitranges")
        | ("apiextensions.k8s.io", "customresourcedefinitions")
        | ("storage.k8s.io", "csistoragecapacities")
        | ("rbac.authorization.k8s.io", "roles" | "clusterroles") => &access::CREATED_AT,
        ("rbac.authorization.k8s.io", "rolebindings" | "clusterrolebindings") => &access::BINDINGS,
        ("certificates.k8s.io", "certificatesigningrequests") => &access::SIGNING_REQUESTS,
        ("apiregistration.k8s.io", "apiservices") => &server::API_SERVICES,
        ("flowcontrol.apiserver.k8s.io", "flowschemas") => &server::FLOW_SCHEMAS,
        ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations") => &server::PRIORITY_LEVELS,
        (
            "admissionregistration.k8s.io",
            "mutatingwebhookconfigurations" | "validatingwebhookconfigurations",
        ) => &server::WEBHOOKS,
        ("admissionregistration.k8s.io", "validatingadmissionpolicies") => {
            &server::ADMISSION_POLICIES
        }
        _ => return None,
    })
}

/// The column that every kind starts with.
const NAME: Column = Column {
    name: "Name",
    r#type: "string",
    format: "name",
    priority: 0,
};

const AGE: Column = text("Age");

const fn typed(name: &'static str, r#type: &'static str) -> Column {
    Column {
        name,
        r#type,
        format: "",
        priority: 0,
    }
}

const fn text(name: &'static str) -> Column {
    typed(name, "string")
}

const fn number(name: &'static str) -> Column {
    typed(name, "integer")
}

const fn flag(name: &'static str) -> Column {
    typed(name, "boolean")
}

/// A column that only `-o wide` shows.
const fn wide(name: &'static str) -> Column {
    Column {
        name,
        r#type: "string",
        format: "",
        priority: 1,
    }
}

fn name(value: &Value) -> &str {
    object::text(value, "/metadata/name")
}

fn age(value: &Value, now: i64) -> String {
    timestamp::age(value, "/metadata/creationTimestamp", now)
}

/// `a=b,c=d`, or `<none>`.
fn labels(value: &Value, pointer: &str) -> String {
    let pairs: Vec<String> = object::map(value, pointer)
        .into_iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    or_none(pairs.join(","))
}

/// The label selector at a pointer; `<none>` if it selects nothing or everything.
fn selector(value: &Value, pointer: &str) -> String {
    or_none(bare_selector(value, pointer))
}

fn bare_selector(value: &Value, pointer: &str) -> String {
    object::field(value, pointer).map_or(String::new(), |selector| {
        LabelSelector::of(selector).to_string()
    })
}

/// Names and images of the containers of a pod's spec.
fn containers(value: &Value, pointer: &str) -> [String; 2] {
    let list = object::list(value, &format!("{pointer}/containers"));
    ["/name", "/image"].map(|field| {
        let all: Vec<&str> = list.iter().map(|c| object::text(c, field)).collect();
        all.join(",")
    })
}

fn or_none(text: String) -> String {
    or(text, "<none>")
}

fn or(text: String, absent: &str) -> String {
    if text.is_empty() {
        absent.to_owned()
    } else {
        text
    }
}

/// A text field, or something in its place.
fn text_or(value: &Value, pointer: &str, absent: &str) -> String {
    or(object::text(value, pointer).to_owned(), absent)
}

/// The first three, and how many more there are.
fn shortened(all: &[String], separator: &str) -> String {
    const SHOWN: usize = 3;
    let shown = all
        .get(..SHOWN.min(all.len()))
        .unwrap_or_default()
        .join(separator);
    if all.len() > SHOWN {
        format!("{shown} + {} more...", all.len() - SHOWN)
    } else {
        shown
    }
}

/// Whether a condition of a type has the status `True`.
pub(super) fn condition_is_true(value: &Value, r#type: &str) -> bool {
    object::list(value, "/status/conditions")
        .iter()
        .any(|condition| {
            object::text(condition, "/type") == r#type
                && object::text(condition, "/status") == "True"
        })
}

fn is_deleted(value: &Value) -> bool {
    object::field(value, "/metadata/deletionTimestamp").is_some()
}
