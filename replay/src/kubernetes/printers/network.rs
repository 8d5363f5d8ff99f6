//! Services and what stands behind and before them.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::object;
use super::{
    AGE, NAME, Printer, age, labels, name, or_none, selector, shortened, text, text_or, wide,
};

pub(super) static SERVICES: Printer = Printer {
    columns: &[
        NAME,
        text("Type"),
        text("Cluster-IP"),
        text("External-IP"),
        text("Port(s)"),
        AGE,
        wide("Selector"),
    ],
    print: |service, now| {
        vec![
            json!(name(service)),
            json!(object::text(service, "/spec/type")),
            json!(text_or(service, "/spec/clusterIPs/0", "<none>")),
            json!(external_address(service)),
            json!(or_none(service_ports(service))),
            json!(age(service, now)),
            json!(labels(service, "/spec/selector")),
        ]
    },
};

pub(super) static ENDPOINTS: Printer = Printer {
    columns: &[NAME, text("Endpoints"), AGE],
    print: |endpoints, now| {
        vec![
            json!(name(endpoints)),
            json!(ready_addresses(endpoints)),
            json!(age(endpoints, now)),
        ]
    },
};

pub(super) static ENDPOINT_SLICES: Printer = Printer {
    columns: &[
        NAME,
        text("AddressType"),
        text("Ports"),
        text("Endpoints"),
        AGE,
    ],
    print: |slice, now| {
        vec![
            json!(name(slice)),
            json!(object::text(slice, "/addressType")),
            json!(slice_ports(slice)),
            json!(slice_addresses(slice)),
            json!(age(slice, now)),
        ]
    },
};

pub(super) static INGRESSES: Printer = Printer {
    columns: &[
        NAME,
        text("Class"),
        text("Hosts"),
        text("Address"),
        text("Ports"),
        AGE,
    ],
    print: |ingress, now| {
        let secure = !object::list(ingress, "/spec/tls").is_empty();
        vec![
            json!(name(ingress)),
            json!(text_or(ingress, "/spec/ingressClassName", "<none>")),
            json!(hosts(ingress)),
            json!(load_balancers(ingress)),
            json!(if secure { "80, 443" } else { "80" }),
            json!(age(ingress, now)),
        ]
    },
};

pub(super) static INGRESS_CLASSES: Printer = Printer {
    columns: &[NAME, text("Controller"), text("Parameters"), AGE],
    print: |class, now| {
        let parameters = object::field(class, "/spec/parameters").map_or_else(
            || "<none>".to_owned(),
            |parameters| {
                let group = match object::text(parameters, "/apiGroup") {
                    "" => String::new(),
                    group => format!(".{group}"),
                };
                let kind = object::text(parameters, "/kind");
                format!("{kind}{group}/{}", object::text(parameters, "/name"))
            },
        );
        vec![
            json!(name(class)),
            json!(object::text(class, "/spec/controller")),
            json!(parameters),
            json!(age(class, now)),
        ]
    },
};

pub(super) static NETWORK_POLICIES: Printer = Printer {
    columns: &[NAME, text("Pod-Selector"), AGE],
    print: |policy, now| {
        vec![
            json!(name(policy)),
            json!(selector(policy, "/spec/podSelector")),
            json!(age(policy, now)),
        ]
    },
};

/// The server prints an age that none of its columns is for.
pub(super) static IP_ADDRESSES: Printer = Printer {
    columns: &[NAME, text("ParentRef")],
    print: |address, now| {
        let parent = object::field(address, "/spec/parentRef").map_or_else(
            || "<none>".to_owned(),
            |parent| {
                let resource = match object::text(parent, "/group") {
                    "" => object::text(parent, "/resource").to_owned(),
                    group => format!("{}.{group}", object::text(parent, "/resource")),
                };
                let namespace = match object::text(parent, "/namespace") {
                    "" => String::new(),
                    namespace => format!("/{namespace}"),
                };
                format!("{resource}{namespace}/{}", object::text(parent, "/name"))
            },
        );
        vec![
            json!(name(address)),
            json!(parent),
            json!(age(address, now)),
        ]
    },
};

pub(super) static SERVICE_CIDRS: Printer = Printer {
    columns: &[NAME, text("CIDRs"), AGE],
    print: |range, now| {
        vec![
            json!(name(range)),
            json!(texts(range, "/spec/cidrs").join(",")),
            json!(age(range, now)),
        ]
    },
};

fn texts(value: &Value, pointer: &str) -> Vec<String> {
    object::list(value, pointer)
        .iter()
        .map(object::plain)
        .collect()
}

fn external_address(service: &Value) -> String {
    let mut addresses = texts(service, "/spec/externalIPs");
    match object::text(service, "/spec/type") {
        "ClusterIP" | "NodePort" => or_none(addresses.join(",")),
        "LoadBalancer" => {
            let balancers = load_balancers(service);
            if !balancers.is_empty() {
                addresses.insert(0, balancers);
            }
            super::or(addresses.join(","), "<pending>")
        }
        "ExternalName" => object::text(service, "/spec/externalName").to_owned(),
        _ => "<unknown>".to_owned(),
    }
}

/// Addresses or names of load balancers, sorted.
fn load_balancers(value: &Value) -> String {
    let all: BTreeSet<&str> = object::list(value, "/status/loadBalancer/ingress")
        .iter()
        .map(|ingress| match object::text(ingress, "/ip") {
            "" => object::text(ingress, "/hostname"),
            address => address,
        })
        .filter(|address| !address.is_empty())
        .collect();
    all.into_iter().collect::<Vec<_>>().join(",")
}

fn service_ports(service: &Value) -> String {
    let ports: Vec<String> = object::list(service, "/spec/ports")
        .iter()
        .map(|port| {
            let number = object::number(port, "/port");
            let protocol = object::text(port, "/protocol");
            match object::number(port, "/nodePort") {
                0 => format!("{number}/{protocol}"),
                node_port => format!("{number}:{node_port}/{protocol}"),
            }
        })
        .collect();
    ports.join(",")
}

fn ready_addresses(endpoints: &Value) -> String {
    let subsets = object::list(endpoints, "/subsets");
    if subsets.is_empty() {
        return "<none>".to_owned();
    }
    let mut all = Vec::new();
    for subset in subsets {
        let addresses: Vec<&str> = object::list(subset, "/addresses")
            .iter()
            .map(|address| object::text(address, "/ip"))
            .collect();
        let ports = object::list(subset, "/ports");
        if ports.is_empty() {
            all.extend(addresses.iter().map(|&address| address.to_owned()));
        }
        for port in ports {
            let port = object::number(port, "/port");
            all.extend(addresses.iter().map(|address| {
                if address.contains(':') {
                    format!("[{address}]:{port}")
                } else {
                    format!("{address}:{port}")
                }
            }));
        }
    }
    shortened(&all, ",")
}

fn slice_ports(slice: &Value) -> String {
    let ports: Vec<String> = object::list(slice, "/ports")
        .iter()
        .map(
            |port| match (object::field(port, "/port"), object::field(port, "/name")) {
                (Some(number), _) => object::plain(number),
                (None, Some(name)) => object::plain(name),
                (None, None) => "*".to_owned(),
            },
        )
        .collect();
    super::or(shortened(&ports, ","), "<unset>")
}

fn slice_addresses(slice: &Value) -> String {
    let addresses: Vec<String> = object::list(slice, "/endpoints")
        .iter()
        .flat_map(|endpoint| texts(endpoint, "/addresses"))
        .collect();
    super::or(shortened(&addresses, ","), "<unset>")
}

fn hosts(ingress: &Value) -> String {
    let rules = object::list(ingress, "/spec/rules");
    let all: Vec<String> = rules
        .iter()
        .map(|rule| object::text(rule, "/host").to_owned())
        .filter(|host| !host.is_empty())
        .collect();
    super::or(shortened(&all, ","), "*")
}
