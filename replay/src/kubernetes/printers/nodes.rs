//! Nodes and what belongs to them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::object;
use super::{AGE, NAME, Printer, age, name, or_none, text, text_or, wide};

pub(super) static NODES: Printer = Printer {
    columns: &[
        NAME,
        text("Status"),
        text("Roles"),
        AGE,
        text("Version"),
        wide("Internal-IP"),
        wide("External-IP"),
        wide("OS-Image"),
        wide("Kernel-Version"),
        wide("Container-Runtime"),
    ],
    print: |node, now| {
        let info = |field: &str| {
            json!(text_or(
                node,
                &format!("/status/nodeInfo/{field}"),
                "<unknown>"
            ))
        };
        vec![
            json!(name(node)),
            json!(status(node)),
            json!(roles(node)),
            json!(age(node, now)),
            json!(object::text(node, "/status/nodeInfo/kubeletVersion")),
            json!(address(node, "InternalIP")),
            json!(address(node, "ExternalIP")),
            info("osImage"),
            info("kernelVersion"),
            info("containerRuntimeVersion"),
        ]
    },
};

pub(super) static RUNTIME_CLASSES: Printer = Printer {
    columns: &[NAME, text("Handler"), AGE],
    print: |class, now| {
        vec![
            json!(name(class)),
            json!(object::text(class, "/handler")),
            json!(age(class, now)),
        ]
    },
};

pub(super) static LEASES: Printer = Printer {
    columns: &[NAME, text("Holder"), AGE],
    print: |lease, now| {
        vec![
            json!(name(lease)),
            json!(object::text(lease, "/spec/holderIdentity")),
            json!(age(lease, now)),
        ]
    },
};

fn status(node: &Value) -> String {
    let ready = object::list(node, "/status/conditions")
        .iter()
        .find(|condition| object::text(condition, "/type") == "Ready")
        .map(|condition| object::text(condition, "/status"));
    let mut status = match ready {
        Some("True") => "Ready",
        Some(_) => "NotReady",
        None => "Unknown",
    }
    .to_owned();
    if object::flag(node, "/spec/unschedulable") {
        status.push_str(",SchedulingDisabled");
    }
    status
}

fn roles(node: &Value) -> String {
    let roles: BTreeSet<&str> = object::map(node, "/metadata/labels")
        .into_iter()
        .filter_map(
            |(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
                Some(role) => Some(role),
                None if key == "kubernetes.io/role" => Some(value),
                None => None,
            },
        )
        .filter(|role| !role.is_empty())
        .collect();
    or_none(roles.into_iter().collect::<Vec<_>>().join(","))
}

fn address(node: &Value, r#type: &str) -> String {
    object::list(node, "/status/addresses")
        .iter()
        .find(|address| object::text(address, "/type") == r#type)
        .map_or("<none>", |address| object::text(address, "/address"))
        .to_owned()
}
