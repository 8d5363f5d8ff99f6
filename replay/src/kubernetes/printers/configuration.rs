//! Namespaces and what configures the objects in them.

use serde_json::{Value, json};

use super::super::object;
use super::super::quantity::Quantity;
use super::{AGE, NAME, Printer, age, flag, name, number, text, text_or};

pub(super) static NAMESPACES: Printer = Printer {
    columns: &[NAME, text("Status"), AGE],
    print: |namespace, now| {
        vec![
            json!(name(namespace)),
            json!(object::text(namespace, "/status/phase")),
            json!(age(namespace, now)),
        ]
    },
};

pub(super) static CONFIG_MAPS: Printer = Printer {
    columns: &[NAME, text("Data"), AGE],
    print: |map, now| {
        let entries = entries(map, "/data") + entries(map, "/binaryData");
        vec![json!(name(map)), json!(entries), json!(age(map, now))]
    },
};

pub(super) static SECRETS: Printer = Printer {
    columns: &[NAME, text("Type"), text("Data"), AGE],
    print: |secret, now| {
        vec![
            json!(name(secret)),
            json!(object::text(secret, "/type")),
            json!(entries(secret, "/data")),
            json!(age(secret, now)),
        ]
    },
};

pub(super) static SERVICE_ACCOUNTS: Printer = Printer {
    columns: &[NAME, text("Secrets"), AGE],
    print: |account, now| {
        let secrets = object::list(account, "/secrets").len();
        vec![
            json!(name(account)),
            json!(secrets),
            json!(age(account, now)),
        ]
    },
};

pub(super) static RESOURCE_QUOTAS: Printer = Printer {
    columns: &[NAME, text("Request"), text("Limit"), AGE],
    print: |quota, now| {
        let (mut requests, mut limits) = (Vec::new(), Vec::new());
        for (resource, hard) in object::map(quota, "/status/hard") {
            let used = object::map(quota, "/status/used");
            let used = used.get(resource).copied().unwrap_or("0");
            let line = format!("{resource}: {}/{}", canonical(used), canonical(hard));
            if resource.starts_with("limits.") {
                limits.push(line);
            } else {
                requests.push(line);
            }
        }
        vec![
            json!(name(quota)),
            json!(requests.join(", ")),
            json!(limits.join(", ")),
            json!(age(quota, now)),
        ]
    },
};

pub(super) static PRIORITY_CLASSES: Printer = Printer {
    columns: &[
        NAME,
        number("Value"),
        flag("Global-Default"),
        AGE,
        text("PreemptionPolicy"),
    ],
    print: |class, now| {
        vec![
            json!(name(class)),
            json!(object::number(class, "/value")),
            json!(object::flag(class, "/globalDefault")),
            json!(age(class, now)),
            json!(text_or(class, "/preemptionPolicy", "<unset>")),
        ]
    },
};

fn entries(value: &Value, pointer: &str) -> usize {
    object::map(value, pointer).len()
}

fn canonical(quantity: &str) -> String {
    Quantity::parse(quantity).map_or(quantity.to_owned(), |quantity| quantity.to_string())
}
