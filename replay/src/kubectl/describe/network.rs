//! Services, Endpoints and EndpointSlices.

use serde_json::Value;

use super::described::Described;
use super::page::Page;
use super::{metadata, related};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::object;
use crate::kubectl::table::format_labels;
use crate::view::RecordedObject;

const SHOWN_ENDPOINTS: usize = 3;

/// The page of a Service.
pub(super) async fn service(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
    let value = &recorded.object;
    let text = |pointer: &str| object::text(value, pointer);
    let slices = endpoint_slices(cluster, &recorded.namespace, &recorded.name).await?;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::labels_and_annotations(&mut page, value);
    page.field(
        0,
        "Selector",
        format_labels(&object::map(value, "/spec/selector")),
    );
    page.field(0, "Type", text("/spec/type"));
    page.field_if(0, "IP Family Policy", text("/spec/ipFamilyPolicy"));
    page.field(0, "IP Families", joined(value, "/spec/ipFamilies"));
    page.field(0, "IP", text("/spec/clusterIP"));
    page.field(0, "IPs", joined(value, "/spec/clusterIPs"));
    if !object::list(value, "/spec/externalIPs").is_empty() {
        page.field(0, "External IPs", joined(value, "/spec/externalIPs"));
    }
    page.field_if(0, "Desired LoadBalancer IP", text("/spec/loadBalancerIP"));
    page.field_if(0, "External Name", text("/spec/externalName"));
    page.field_if(0, "LoadBalancer Ingress", &ingress(value));
    for port in object::list(value, "/spec/ports") {
        let name = object::text(port, "/name");
        let shown = if name.is_empty() { "<unset>" } else { name };
        let protocol = object::text(port, "/protocol");
        let number = object::number(port, "/port");
        page.field(0, "Port", format!("{shown}\t{number}/{protocol}"));
        let target = object::int_or_text(port, "/targetPort");
        page.field(0, "TargetPort", format!("{target}/{protocol}"));
        if object::number(port, "/nodePort") != 0 {
            let node_port = object::number(port, "/nodePort");
            page.field(0, "NodePort", format!("{shown}\t{node_port}/{protocol}"));
        }
        page.field(0, "Endpoints", ready_endpoints(&slices, name));
    }
    page.field(0, "Session Affinity", text("/spec/sessionAffinity"));
    page.field_if(
        0,
        "External Traffic Policy",
        text("/spec/externalTrafficPolicy"),
    );
    page.field_if(
        0,
        "Internal Traffic Policy",
        text("/spec/internalTrafficPolicy"),
    );
    if object::number(value, "/spec/healthCheckNodePort") != 0 {
        let port = object::number(value, "/spec/healthCheckNodePort");
        page.field(0, "HealthCheck NodePort", port);
    }
    if !object::list(value, "/spec/loadBalancerSourceRanges").is_empty() {
        let ranges = joined(value, "/spec/loadBalancerSourceRanges");
        page.field(0, "LoadBalancer Source Ranges", ranges);
    }
    page.field_if(0, "Traffic Distribution", text("/spec/trafficDistribution"));
    Ok(described.finished(page))
}

fn joined(value: &Value, pointer: &str) -> String {
    let texts: Vec<String> = object::list(value, pointer)
        .iter()
        .map(object::plain)
        .collect();
    if texts.is_empty() {
        "<none>".to_owned()
    } else {
        texts.join(",")
    }
}

fn ingress(value: &Value) -> String {
    let texts: Vec<String> = object::list(value, "/status/loadBalancer/ingress")
        .iter()
        .map(|ingress| {
            match (
                object::text(ingress, "/ip"),
                object::text(ingress, "/ipMode"),
            ) {
                ("", _) => object::text(ingress, "/hostname").to_owned(),
                (ip, "") => ip.to_owned(),
                (ip, mode) => format!("{ip} ({mode})"),
            }
        })
        .collect();
    texts.join(", ")
}

/// The EndpointSlices of a Service.
pub(super) async fn endpoint_slices(
    cluster: &Cluster<'_>,
    namespace: &str,
    service: &str,
) -> Result<Vec<RecordedObject>, Failure> {
    let mut slices = related::all(
        cluster,
        "discovery.k8s.io",
        "endpointslices",
        Some(namespace),
    )
    .await?;
    slices.retain(|slice| {
        object::map(&slice.object, "/metadata/labels").get("kubernetes.io/service-name")
            == Some(&service)
    });
    Ok(slices)
}

/// The first ready addresses behind a named port.
pub(super) fn ready_endpoints(slices: &[RecordedObject], port_name: &str) -> String {
    if slices.is_empty() {
        return "<none>".to_owned();
    }
    let mut addresses: Vec<String> = Vec::new();
    for slice in slices {
        let slice = &slice.object;
        let ready = || {
            object::list(slice, "/endpoints").iter().filter(|endpoint| {
                object::field(endpoint, "/conditions/ready") != Some(&Value::Bool(false))
            })
        };
        let ports = object::list(slice, "/ports");
        if ports.is_empty() {
            addresses.extend(ready().map(|e| object::text(e, "/addresses/0").to_owned()));
        }
        for port in ports
            .iter()
            .filter(|port| object::text(port, "/name") == port_name)
        {
            let number = object::number(port, "/port");
            addresses.extend(ready().map(|endpoint| {
                let address = object::text(endpoint, "/addresses/0");
                if address.contains(':') {
                    format!("[{address}]:{number}")
                } else {
                    format!("{address}:{number}")
                }
            }));
        }
    }
    let more = addresses.len().saturating_sub(SHOWN_ENDPOINTS);
    addresses.truncate(SHOWN_ENDPOINTS);
    let shown = addresses.join(",");
    if more > 0 {
        format!("{shown} + {more} more...")
    } else {
        shown
    }
}

/// The page of Endpoints.
pub(super) fn endpoints(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::labels_and_annotations(&mut page, value);
    page.line(0, "Subsets:");
    for subset in object::list(value, "/subsets") {
        for (label, key) in [
            ("Addresses", "/addresses"),
            ("NotReadyAddresses", "/notReadyAddresses"),
        ] {
            let ips: Vec<&str> = object::list(subset, key)
                .iter()
                .map(|address| object::text(address, "/ip"))
                .collect();
            let ips = if ips.is_empty() {
                "<none>".to_owned()
            } else {
                ips.join(",")
            };
            page.field(1, label, ips);
        }
        let ports = object::list(subset, "/ports");
        if !ports.is_empty() {
            page.line(1, "Ports:");
            page.headings(2, &["Name", "Port", "Protocol"]);
            for port in ports {
                let name = match object::text(port, "/name") {
                    "" => "<unset>",
                    name => name,
                };
                let (number, protocol) = (
                    object::number(port, "/port"),
                    object::text(port, "/protocol"),
                );
                page.line(2, format!("{name}\t{number}\t{protocol}"));
            }
        }
        page.line(0, "");
    }
    described.finished(page)
}

/// The page of an EndpointSlice.
pub(super) fn endpoint_slice(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let unset = |text: &str| {
        if text.is_empty() {
            "<unset>".to_owned()
        } else {
            text.to_owned()
        }
    };
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::labels_and_annotations(&mut page, value);
    page.field(0, "AddressType", object::text(value, "/addressType"));
    let ports = object::list(value, "/ports");
    if ports.is_empty() {
        page.line(0, "Ports: <unset>");
    } else {
        page.line(0, "Ports:");
        page.headings(1, &["Name", "Port", "Protocol"]);
    }
    for port in ports {
        let (name, protocol) = (
            unset(object::text(port, "/name")),
            object::text(port, "/protocol"),
        );
        let number = unset(&object::int_or_text(port, "/port"));
        page.line(1, format!("{name}\t{number}\t{protocol}"));
    }
    let endpoints = object::list(value, "/endpoints");
    page.line(
        0,
        if endpoints.is_empty() {
            "Endpoints: <none>"
        } else {
            "Endpoints:"
        },
    );
    for endpoint in endpoints {
        let addresses: Vec<String> = object::list(endpoint, "/addresses")
            .iter()
            .map(object::plain)
            .collect();
        let addresses = if addresses.is_empty() {
            "<none>".to_owned()
        } else {
            addresses.join(", ")
        };
        page.field(1, "- Addresses", addresses);
        page.line(2, "Conditions:");
        let ready = object::field(endpoint, "/conditions/ready").map(object::plain);
        page.field(3, "Ready", unset(&ready.unwrap_or_default()));
        page.field(2, "Hostname", unset(object::text(endpoint, "/hostname")));
        if let Some(target) = object::field(endpoint, "/targetRef") {
            let (kind, name) = (object::text(target, "/kind"), object::text(target, "/name"));
            page.field(2, "TargetRef", format!("{kind}/{name}"));
        }
        page.field(2, "NodeName", unset(object::text(endpoint, "/nodeName")));
        page.field(2, "Zone", unset(object::text(endpoint, "/zone")));
    }
    described.finished(page)
}
