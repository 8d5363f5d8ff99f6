//! NetworkPolicies.

use serde_json::Value;

use super::metadata;
use super::page::Page;
use super::policy::shown_selector;
use crate::kubectl::object;
use crate::view::RecordedObject;

/// One direction of traffic, with kubectl's words for it.
struct Direction {
    policy: &'static str,
    rules: &'static str,
    peers: &'static str,
    title: &'static str,
    noun: &'static str,
    end: &'static str,
}

const DIRECTIONS: [Direction; 2] = [
    Direction {
        policy: "Ingress",
        rules: "/spec/ingress",
        peers: "/from",
        title: "From",
        noun: "ingress",
        end: "source",
    },
    Direction {
        policy: "Egress",
        rules: "/spec/egress",
        peers: "/to",
        title: "To",
        noun: "egress",
        end: "destination",
    },
];

/// The page of a NetworkPolicy.
pub(super) fn describe(recorded: &RecordedObject) -> Page {
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    let created = object::text(value, "/metadata/creationTimestamp");
    let created = created.replace('T', " ").replace('Z', " +0000 UTC");
    page.field(0, "Created on", created);
    metadata::labels_and_annotations(&mut page, value);
    page.line(0, "Spec:");
    let selector = value.pointer("/spec/podSelector").unwrap_or(&Value::Null);
    let selector = match shown_selector(selector).as_str() {
        "<none>" => {
            "<none> (Allowing the specific traffic to all pods in this namespace)".to_owned()
        }
        selector => selector.to_owned(),
    };
    page.line(1, format!("PodSelector:     {selector}"));
    let types: Vec<String> = object::list(value, "/spec/policyTypes")
        .iter()
        .map(object::plain)
        .collect();
    for direction in &DIRECTIONS {
        let noun = direction.noun;
        if types.iter().any(|known| known == direction.policy) {
            page.line(1, format!("Allowing {noun} traffic:"));
            rules(&mut page, value, direction);
        } else {
            page.line(1, format!("Not affecting {noun} traffic"));
        }
    }
    let types = if types.is_empty() {
        "<none>".to_owned()
    } else {
        types.join(", ")
    };
    page.line(1, format!("Policy Types: {types}"));
    page
}

fn rules(page: &mut Page, value: &Value, direction: &Direction) {
    let rules = object::list(value, direction.rules);
    if rules.is_empty() {
        let noun = direction.noun;
        page.line(
            2,
            format!("<none> (Selected pods are isolated for {noun} connectivity)"),
        );
    }
    for (position, rule) in rules.iter().enumerate() {
        if position > 0 {
            page.line(2, "----------");
        }
        ports(page, object::list(rule, "/ports"));
        let (title, end) = (direction.title, direction.end);
        let peers = object::list(rule, direction.peers);
        if peers.is_empty() {
            page.line(
                2,
                format!("{title}: <any> (traffic not restricted by {end})"),
            );
        }
        for one in peers {
            page.line(2, format!("{title}:"));
            peer(page, one);
        }
    }
}

fn ports(page: &mut Page, ports: &[Value]) {
    if ports.is_empty() {
        page.line(2, "To Port: <any> (traffic allowed to all ports)");
    }
    for port in ports {
        let protocol = match object::text(port, "/protocol") {
            "" => "TCP",
            protocol => protocol,
        };
        let number = match object::int_or_text(port, "/port") {
            number if number.is_empty() => "<nil>".to_owned(),
            number => number,
        };
        page.line(
            2,
            match object::field(port, "/endPort") {
                None => format!("To Port: {number}/{protocol}"),
                Some(end) => format!("To Port Range: {number}-{end}/{protocol}"),
            },
        );
    }
}

fn peer(page: &mut Page, peer: &Value) {
    let selectors = [
        ("NamespaceSelector", "/namespaceSelector"),
        ("PodSelector", "/podSelector"),
    ];
    let mut selected = false;
    for (label, pointer) in selectors {
        if let Some(selector) = object::field(peer, pointer) {
            selected = true;
            page.line(3, format!("{label}: {}", shown_selector(selector)));
        }
    }
    if let Some(block) = object::field(peer, "/ipBlock").filter(|_| !selected) {
        let except: Vec<String> = object::list(block, "/except")
            .iter()
            .map(object::plain)
            .collect();
        page.line(3, "IPBlock:");
        page.line(4, format!("CIDR: {}", object::text(block, "/cidr")));
        page.line(4, format!("Except: {}", except.join(", ")));
    }
}
