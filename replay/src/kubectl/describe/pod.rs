//! Pods and pod templates.

use serde_json::Value;

use super::containers::{self, Owner};
use super::described::Described;
use super::metadata;
use super::page::Page;
use super::volumes;
use crate::kubectl::selector::LabelSelector;
use crate::kubectl::{object, timestamp};

/// The page of a pod.
pub(super) fn describe(described: &Described<'_>) -> Page {
    let Described {
        cluster, recorded, ..
    } = *described;
    let pod = &recorded.object;
    let text = |pointer: &str| object::text(pod, pointer);
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    if let Some(priority) = object::field(pod, "/spec/priority") {
        page.field(0, "Priority", priority);
    }
    page.field_if(0, "Priority Class Name", text("/spec/priorityClassName"));
    page.field_if(0, "Runtime Class Name", text("/spec/runtimeClassName"));
    page.field_if(0, "Service Account", text("/spec/serviceAccountName"));
    match text("/spec/nodeName") {
        "" => page.field(0, "Node", "<none>"),
        node => page.field(0, "Node", format!("{node}/{}", text("/status/hostIP"))),
    }
    if object::field(pod, "/status/startTime").is_some() {
        page.field(
            0,
            "Start Time",
            timestamp::rfc1123(pod, "/status/startTime"),
        );
    }
    metadata::labels_and_annotations(&mut page, pod);
    status(&mut page, pod, cluster.now);
    metadata::controlled_by(&mut page, pod);
    page.field_if(0, "NominatedNodeName", text("/status/nominatedNodeName"));
    if let Some(resources) = object::field(pod, "/spec/resources") {
        page.line(0, "Resources:");
        containers::resources(&mut page, Some(resources), 1);
    }
    for (title, key, status, always) in [
        (
            "Init Containers",
            "/spec/initContainers",
            "/status/initContainerStatuses",
            false,
        ),
        (
            "Containers",
            "/spec/containers",
            "/status/containerStatuses",
            true,
        ),
        (
            "Ephemeral Containers",
            "/spec/ephemeralContainers",
            "/status/ephemeralContainerStatuses",
            false,
        ),
    ] {
        let list = object::list(pod, key);
        if always || !list.is_empty() {
            containers::describe(
                &mut page,
                title,
                list,
                object::list(pod, status),
                Owner::Pod(pod),
            );
        }
    }
    conditions(&mut page, pod);
    volumes::describe(&mut page, object::list(pod, "/spec/volumes"), false);
    page.field(0, "QoS Class", text("/status/qosClass"));
    metadata::labels(
        &mut page,
        "Node-Selectors",
        &object::map(pod, "/spec/nodeSelector"),
    );
    page.lines(
        "Tolerations",
        &tolerations(object::list(pod, "/spec/tolerations")),
    );
    spread_constraints(&mut page, pod, "");
    described.finished(page)
}

fn status(page: &mut Page, pod: &Value, now: i64) {
    let text = |pointer: &str| object::text(pod, pointer);
    let phase = text("/status/phase");
    let deleting = object::field(pod, "/metadata/deletionTimestamp").is_some();
    if deleting && phase != "Failed" && phase != "Succeeded" {
        let lasts = timestamp::age(pod, "/metadata/deletionTimestamp", now);
        page.field(0, "Status", format!("Terminating (lasts {lasts})"));
        let grace = object::number(pod, "/metadata/deletionGracePeriodSeconds");
        page.field(0, "Termination Grace Period", format!("{grace}s"));
    } else {
        page.field(0, "Status", phase);
    }
    page.field_if(0, "Reason", text("/status/reason"));
    page.field_if(0, "Message", text("/status/message"));
    if let Some(profile) = object::field(pod, "/spec/securityContext/seccompProfile") {
        page.field(0, "SeccompProfile", object::text(profile, "/type"));
        page.field_if(
            0,
            "LocalhostProfile",
            object::text(profile, "/localhostProfile"),
        );
    }
    page.field(0, "IP", text("/status/podIP"));
    let ips = object::list(pod, "/status/podIPs");
    if ips.is_empty() {
        page.field(0, "IPs", "<none>");
    } else {
        page.line(0, "IPs:");
        for ip in ips {
            page.field(1, "IP", object::text(ip, "/ip"));
        }
    }
}

fn conditions(page: &mut Page, pod: &Value) {
    let conditions = object::list(pod, "/status/conditions");
    let gates = object::list(pod, "/spec/readinessGates");
    if !gates.is_empty() {
        page.line(0, "Readiness Gates:");
        page.line(1, "Type\tStatus");
        for gate in gates {
            let wanted = object::text(gate, "/conditionType");
            let status = conditions
                .iter()
                .find(|condition| object::text(condition, "/type") == wanted)
                .map_or("<none>", |condition| object::text(condition, "/status"));
            page.line(1, format!("{wanted} \t{status} "));
        }
    }
    if !conditions.is_empty() {
        page.line(0, "Conditions:");
        page.line(1, "Type\tStatus");
        for condition in conditions {
            let (kind, status) = (
                object::text(condition, "/type"),
                object::text(condition, "/status"),
            );
            page.line(1, format!("{kind} \t{status} "));
        }
    }
}

/// The template of a workload's pods.
pub(super) fn template(page: &mut Page, template: &Value) {
    let list = |pointer: &str| object::list(template, pointer);
    page.line(0, "Pod Template:");
    metadata::labels(page, "  Labels", &object::map(template, "/metadata/labels"));
    let annotations = object::map(template, "/metadata/annotations");
    if !annotations.is_empty() {
        metadata::annotations(page, "  Annotations", &annotations);
    }
    page.field_if(
        1,
        "Service Account",
        object::text(template, "/spec/serviceAccountName"),
    );
    if !list("/spec/initContainers").is_empty() {
        let init = list("/spec/initContainers");
        containers::describe(page, "Init Containers", init, &[], Owner::Template);
    }
    containers::describe(
        page,
        "Containers",
        list("/spec/containers"),
        &[],
        Owner::Template,
    );
    volumes::describe(page, list("/spec/volumes"), true);
    spread_constraints(page, template, "  ");
    page.field_if(
        1,
        "Priority Class Name",
        object::text(template, "/spec/priorityClassName"),
    );
    metadata::labels(
        page,
        "  Node-Selectors",
        &object::map(template, "/spec/nodeSelector"),
    );
    page.lines("  Tolerations", &tolerations(list("/spec/tolerations")));
}

fn tolerations(tolerations: &[Value]) -> Vec<String> {
    let mut sorted: Vec<&Value> = tolerations.iter().collect();
    sorted.sort_by_key(|toleration| object::text(toleration, "/key"));
    sorted
        .into_iter()
        .map(|toleration| {
            let part = |pointer: &str| object::text(toleration, pointer);
            let (key, value, effect) = (part("/key"), part("/value"), part("/effect"));
            let mut text = key.to_owned();
            if !value.is_empty() {
                text.push_str(&format!("={value}"));
            }
            if !effect.is_empty() {
                text.push_str(&format!(":{effect}"));
            }
            if part("/operator") == "Exists" && value.is_empty() {
                let space = if key.is_empty() && effect.is_empty() {
                    ""
                } else {
                    " "
                };
                text.push_str(&format!("{space}op=Exists"));
            }
            if let Some(seconds) = object::field(toleration, "/tolerationSeconds") {
                text.push_str(&format!(" for {seconds}s"));
            }
            text
        })
        .collect()
}

fn spread_constraints(page: &mut Page, value: &Value, space: &str) {
    let mut constraints: Vec<&Value> = object::list(value, "/spec/topologySpreadConstraints")
        .iter()
        .collect();
    constraints.sort_by_key(|constraint| object::text(constraint, "/topologyKey"));
    for (position, constraint) in constraints.into_iter().enumerate() {
        let label = if position == 0 {
            "Topology Spread Constraints:"
        } else {
            ""
        };
        let selector = match object::field(constraint, "/labelSelector") {
            Some(selector) => format!(" for selector {}", LabelSelector::of(selector)),
            None => String::new(),
        };
        page.line(
            0,
            format!(
                "{space}{label}\t{}:{} when max skew {} is exceeded{selector}",
                object::text(constraint, "/topologyKey"),
                object::text(constraint, "/whenUnsatisfiable"),
                object::number(constraint, "/maxSkew"),
            ),
        );
    }
}
