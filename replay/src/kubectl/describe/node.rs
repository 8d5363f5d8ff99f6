//! Nodes.

use std::collections::BTreeMap;

use serde_json::Value;

use super::described::Described;
use super::page::Page;
use super::{metadata, related};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::quantity::Quantity;
use crate::kubectl::{object, timestamp};
use crate::view::RecordedObject;

/// The page of a Node.
pub(super) async fn describe(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
    let node = &recorded.object;
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    page.field(0, "Roles", roles(node));
    metadata::labels_and_annotations(&mut page, node);
    page.field(
        0,
        "CreationTimestamp",
        timestamp::rfc1123(node, "/metadata/creationTimestamp"),
    );
    page.lines("Taints", &taints(node));
    page.field(
        0,
        "Unschedulable",
        object::flag(node, "/spec/unschedulable"),
    );
    lease(cluster, &mut page, &recorded.name).await?;
    let probed = ("LastHeartbeatTime", "/lastHeartbeatTime");
    metadata::probed_conditions(&mut page, node, probed);
    page.line(0, "Addresses:");
    for address in object::list(node, "/status/addresses") {
        page.field(
            1,
            object::text(address, "/type"),
            object::text(address, "/address"),
        );
    }
    for (title, key) in [
        ("Capacity", "/status/capacity"),
        ("Allocatable", "/status/allocatable"),
    ] {
        let amounts = object::map(node, key);
        if !amounts.is_empty() {
            page.line(0, format!("{title}:"));
        }
        for (resource, amount) in amounts {
            page.field(1, resource, amount);
        }
    }
    page.line(0, "System Info:");
    for (label, key) in [
        ("Machine ID", "machineID"),
        ("System UUID", "systemUUID"),
        ("Boot ID", "bootID"),
        ("Kernel Version", "kernelVersion"),
        ("OS Image", "osImage"),
        ("Operating System", "operatingSystem"),
        ("Architecture", "architecture"),
        ("Container Runtime Version", "containerRuntimeVersion"),
        ("Kubelet Version", "kubeletVersion"),
        ("Kube-Proxy Version", "kubeProxyVersion"),
    ] {
        page.field(
            1,
            label,
            object::text(node, &format!("/status/nodeInfo/{key}")),
        );
    }
    page.field_if(0, "PodCIDR", object::text(node, "/spec/podCIDR"));
    let ranges: Vec<String> = object::list(node, "/spec/podCIDRs")
        .iter()
        .map(object::plain)
        .collect();
    page.field_if(0, "PodCIDRs", &ranges.join(","));
    page.field_if(0, "ProviderID", object::text(node, "/spec/providerID"));
    pods(cluster, &mut page, recorded).await?;
    Ok(described.finished(page))
}

fn roles(node: &Value) -> String {
    let mut roles: Vec<&str> = object::map(node, "/metadata/labels")
        .into_iter()
        .filter_map(
            |(key, value)| match key.strip_prefix("node-role.kubernetes.io/") {
                Some(role) => Some(role).filter(|role| !role.is_empty()),
                None => {
                    Some(value).filter(|value| key == "kubernetes.io/role" && !value.is_empty())
                }
            },
        )
        .collect();
    roles.sort_unstable();
    roles.dedup();
    if roles.is_empty() {
        "<none>".to_owned()
    } else {
        roles.join(",")
    }
}

fn taints(node: &Value) -> Vec<String> {
    let mut taints: Vec<(String, String)> = object::list(node, "/spec/taints")
        .iter()
        .map(|taint| {
            let part = |pointer: &str| object::text(taint, pointer);
            let (key, value, effect) = (part("/key"), part("/value"), part("/effect"));
            let text = match (value, effect) {
                ("", "") => key.to_owned(),
                ("", effect) => format!("{key}:{effect}"),
                (value, effect) => format!("{key}={value}:{effect}"),
            };
            (format!("{effect},{key}"), text)
        })
        .collect();
    taints.sort();
    taints.into_iter().map(|(_, text)| text).collect()
}

async fn lease(cluster: &Cluster<'_>, page: &mut Page, name: &str) -> Result<(), Failure> {
    let leases = cluster
        .list_known("coordination.k8s.io", "leases", Some("kube-node-lease"))
        .await?;
    // Leases are renewed too often to be recorded everywhere.
    let missing = if leases.is_none() {
        "is not available in this recording"
    } else {
        "not found"
    };
    let lease = leases
        .into_iter()
        .flatten()
        .find(|lease| lease.name == name);
    let Some(lease) = lease else {
        page.field(
            0,
            "Lease",
            format!("Failed to get lease: leases.coordination.k8s.io \"{name}\" {missing}"),
        );
        return Ok(());
    };
    let time = |pointer: &str| match object::field(&lease.object, pointer) {
        Some(_) => timestamp::rfc1123(&lease.object, pointer),
        None => "<unset>".to_owned(),
    };
    page.line(0, "Lease:");
    let holder = match object::text(&lease.object, "/spec/holderIdentity") {
        "" => "<unset>",
        holder => holder,
    };
    page.field(1, "HolderIdentity", holder);
    page.field(1, "AcquireTime", time("/spec/acquireTime"));
    page.field(1, "RenewTime", time("/spec/renewTime"));
    Ok(())
}

type Amounts = BTreeMap<String, Quantity>;

async fn pods(
    cluster: &Cluster<'_>,
    page: &mut Page,
    node: &RecordedObject,
) -> Result<(), Failure> {
    let mut pods = related::all(cluster, "", "pods", None).await?;
    pods.retain(|pod| {
        object::text(&pod.object, "/spec/nodeName") == node.name
            && !["Succeeded", "Failed"].contains(&object::text(&pod.object, "/status/phase"))
    });
    let allocatable = match object::map(&node.object, "/status/allocatable") {
        empty if empty.is_empty() => object::map(&node.object, "/status/capacity"),
        some => some,
    };
    let available = |resource: &str| {
        allocatable
            .get(resource)
            .and_then(|text| Quantity::parse(text))
            .unwrap_or_default()
    };
    let share = |amounts: &Amounts, resource: &str| {
        let amount = amounts.get(resource).copied().unwrap_or_default();
        let (part, whole) = (amount.milli(), available(resource).milli());
        let percent = if whole == 0 {
            0
        } else {
            (part as f64 / whole as f64 * 100.0) as i64
        };
        format!("{amount} ({percent}%)")
    };
    page.line(
        0,
        format!("Non-terminated Pods:\t({} in total)", pods.len()),
    );
    page.line(
        1,
        "Namespace\tName\t\tCPU Requests\tCPU Limits\tMemory Requests\tMemory Limits\tAge",
    );
    page.line(
        1,
        "---------\t----\t\t------------\t----------\t---------------\t-------------\t---",
    );
    let (mut requests, mut limits) = (Amounts::new(), Amounts::new());
    for pod in &pods {
        let (request, limit) = (total(&pod.object, "requests"), total(&pod.object, "limits"));
        page.line(
            1,
            format!(
                "{}\t{}\t\t{}\t{}\t{}\t{}\t{}",
                pod.namespace,
                pod.name,
                share(&request, "cpu"),
                share(&limit, "cpu"),
                share(&request, "memory"),
                share(&limit, "memory"),
                timestamp::age(&pod.object, "/metadata/creationTimestamp", cluster.now)
            ),
        );
        add(&mut requests, &request);
        add(&mut limits, &limit);
    }
    page.line(0, "Allocated resources:");
    page.line(
        0,
        "  (Total limits may be over 100 percent, i.e., overcommitted.)",
    );
    page.line(1, "Resource\tRequests\tLimits");
    page.line(1, "--------\t--------\t------");
    let huge = allocatable
        .keys()
        .copied()
        .filter(|resource| resource.starts_with("hugepages-"));
    for resource in ["cpu", "memory", "ephemeral-storage"]
        .into_iter()
        .chain(huge)
    {
        let (request, limit) = (share(&requests, resource), share(&limits, resource));
        page.line(1, format!("{resource}\t{request}\t{limit}"));
    }
    let standard = ["cpu", "memory", "ephemeral-storage", "pods"];
    for resource in allocatable
        .keys()
        .filter(|resource| !standard.contains(*resource) && !resource.starts_with("hugepages-"))
    {
        let amount = |amounts: &Amounts| amounts.get(*resource).copied().unwrap_or_default();
        page.line(
            1,
            format!("{resource}\t{}\t{}", amount(&requests), amount(&limits)),
        );
    }
    Ok(())
}

fn add(sum: &mut Amounts, more: &Amounts) {
    for (resource, amount) in more {
        let entry = sum.entry(resource.clone()).or_default();
        *entry = entry.plus(*amount);
    }
}

/// What a pod asks for: its containers and sidecars together, or its largest init step.
fn total(pod: &Value, key: &str) -> Amounts {
    let amounts = |container: &Value| -> Amounts {
        object::map(container, &format!("/resources/{key}"))
            .into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), Quantity::parse(text)?)))
            .collect()
    };
    let mut sum = Amounts::new();
    for container in object::list(pod, "/spec/containers") {
        add(&mut sum, &amounts(container));
    }
    let (mut sidecars, mut largest) = (Amounts::new(), Amounts::new());
    for container in object::list(pod, "/spec/initContainers") {
        let own = amounts(container);
        let mut step = sidecars.clone();
        add(&mut step, &own);
        if object::text(container, "/restartPolicy") == "Always" {
            add(&mut sum, &own);
            sidecars.clone_from(&step);
        }
        for (resource, amount) in step {
            let entry = largest.entry(resource).or_default();
            *entry = entry.max(amount);
        }
    }
    for (resource, amount) in largest {
        let entry = sum.entry(resource).or_default();
        *entry = entry.max(amount);
    }
    let overhead: Amounts = object::map(pod, "/spec/overhead")
        .into_iter()
        .filter(|(name, _)| key == "requests" || sum.contains_key(*name))
        .filter_map(|(name, text)| Some((name.to_owned(), Quantity::parse(text)?)))
        .collect();
    add(&mut sum, &overhead);
    sum
}
