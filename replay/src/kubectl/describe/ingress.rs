//! Ingresses and their classes, and the addresses that Services get.

use serde_json::Value;

use super::described::Described;
use super::network::{endpoint_slices, ready_endpoints};
use super::page::Page;
use super::{metadata, related};
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::object;

/// The page of an Ingress.
pub(super) async fn ingress(described: &Described<'_>) -> Result<Page, Failure> {
    let Described {
        cluster, recorded, ..
    } = *described;
    let value = &recorded.object;
    let namespace = recorded.namespace.as_str();
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    metadata::labels(&mut page, "Labels", &object::map(value, "/metadata/labels"));
    page.field(0, "Namespace", namespace);
    page.field(0, "Address", addresses(value));
    let class = object::field(value, "/spec/ingressClassName").map(object::plain);
    page.field(0, "Ingress Class", class.as_deref().unwrap_or("<none>"));
    let default = match object::field(value, "/spec/defaultBackend") {
        Some(default) => backend(cluster, namespace, default).await?,
        None => "<default>".to_owned(),
    };
    page.field(0, "Default backend", &default);
    tls(&mut page, object::list(value, "/spec/tls"));
    page.line(0, "Rules:");
    page.headings(1, &["Host", "Path", "Backends"]);
    let mut shown = false;
    for rule in object::list(value, "/spec/rules") {
        let Some(http) = object::field(rule, "/http") else {
            continue;
        };
        shown = true;
        let host = match object::text(rule, "/host") {
            "" => "*",
            host => host,
        };
        page.line(1, format!("{host}\t"));
        for path in object::list(http, "/paths") {
            let to = path.pointer("/backend").unwrap_or(&Value::Null);
            let to = backend(cluster, namespace, to).await?;
            page.line(2, format!("\t{} \t{to}", object::text(path, "/path")));
        }
    }
    if !shown {
        page.line(1, format!("*\t*\t{default}"));
    }
    metadata::annotations(
        &mut page,
        "Annotations",
        &object::map(value, "/metadata/annotations"),
    );
    Ok(described.finished(page))
}

fn addresses(value: &Value) -> String {
    let mut addresses: Vec<&str> = object::list(value, "/status/loadBalancer/ingress")
        .iter()
        .map(|ingress| match object::text(ingress, "/ip") {
            "" => object::text(ingress, "/hostname"),
            ip => ip,
        })
        .filter(|address| !address.is_empty())
        .collect();
    addresses.sort_unstable();
    addresses.dedup();
    addresses.join(",")
}

fn tls(page: &mut Page, list: &[Value]) {
    if list.is_empty() {
        return;
    }
    page.line(0, "TLS:");
    for tls in list {
        let hosts: Vec<String> = object::list(tls, "/hosts")
            .iter()
            .map(object::plain)
            .collect();
        let hosts = hosts.join(",");
        page.line(
            1,
            match object::text(tls, "/secretName") {
                "" => format!("SNI routes {hosts}"),
                secret => format!("{secret} terminates {hosts}"),
            },
        );
    }
}

/// `geo:8083 (10.244.0.7:8083)`
async fn backend(
    cluster: &Cluster<'_>,
    namespace: &str,
    backend: &Value,
) -> Result<String, Failure> {
    if let Some(service) = object::field(backend, "/service") {
        let name = object::text(service, "/name");
        let number = object::number(service, "/port/number");
        let port_name = object::text(service, "/port/name");
        let port = if number == 0 {
            port_name.to_owned()
        } else {
            number.to_string()
        };
        let services = related::all(cluster, "", "services", Some(namespace)).await?;
        let Some(found) = services.iter().find(|service| service.name == name) else {
            return Ok(format!(
                "{name}:{port} (<error: services \"{name}\" not found>)"
            ));
        };
        let slices = endpoint_slices(cluster, namespace, name).await?;
        // The last port that fits names the endpoints' port.
        let endpoints = object::list(&found.object, "/spec/ports")
            .iter()
            .rfind(|known| {
                (number != 0 && number == object::number(known, "/port"))
                    || (!port_name.is_empty() && port_name == object::text(known, "/name"))
            })
            .map_or("", |known| object::text(known, "/name"));
        return Ok(format!(
            "{name}:{port} ({})",
            ready_endpoints(&slices, endpoints)
        ));
    }
    let Some(resource) = object::field(backend, "/resource") else {
        return Ok(String::new());
    };
    let group = object::field(resource, "/apiGroup").map(object::plain);
    Ok(format!(
        "APIGroup: {}, Kind: {}, Name: {}",
        group.as_deref().unwrap_or("<none>"),
        object::text(resource, "/kind"),
        object::text(resource, "/name")
    ))
}

/// The page of an IngressClass.
pub(super) fn ingress_class(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    metadata::labels_and_annotations(&mut page, value);
    page.field(0, "Controller", object::text(value, "/spec/controller"));
    if let Some(parameters) = object::field(value, "/spec/parameters") {
        page.line(0, "Parameters:");
        page.field_if(1, "APIGroup", object::text(parameters, "/apiGroup"));
        page.field(1, "Kind", object::text(parameters, "/kind"));
        page.field(1, "Name", object::text(parameters, "/name"));
    }
    described.finished(page)
}

/// The page of a ServiceCIDR.
pub(super) fn service_cidr(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    metadata::labels_and_annotations(&mut page, value);
    let ranges: Vec<String> = object::list(value, "/spec/cidrs")
        .iter()
        .map(object::plain)
        .collect();
    page.field(0, "CIDRs", ranges.join(", "));
    if !object::list(value, "/status/conditions").is_empty() {
        page.line(0, "Status:");
    }
    metadata::conditions(
        &mut page,
        value,
        &["Type", "Status", "LastTransitionTime", "Reason", "Message"],
    );
    described.finished(page)
}

/// The page of an IPAddress.
pub(super) fn ip_address(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    metadata::labels_and_annotations(&mut page, value);
    if let Some(parent) = object::field(value, "/spec/parentRef") {
        page.line(0, "Parent Reference:");
        for (label, pointer) in [
            ("Group", "/group"),
            ("Resource", "/resource"),
            ("Namespace", "/namespace"),
            ("Name", "/name"),
        ] {
            page.field(1, label, object::text(parent, pointer));
        }
    }
    described.finished(page)
}
