//! Who may do what, and kinds of which the server tells no more than when they were made.

use serde_json::{Value, json};

use super::super::duration::human_duration;
use super::super::object;
use super::{AGE, Column, NAME, Printer, age, name, text, wide};

/// The table of kinds that have none of their own.
pub(super) static CREATED_AT: Printer = Printer {
    columns: &[
        NAME,
        Column {
            name: "Created At",
            r#type: "date",
            format: "",
            priority: 0,
        },
    ],
    print: |object, _| {
        let created = object::text(object, "/metadata/creationTimestamp");
        vec![json!(name(object)), json!(created)]
    },
};

pub(super) static BINDINGS: Printer = Printer {
    columns: &[
        NAME,
        text("Role"),
        AGE,
        wide("Users"),
        wide("Groups"),
        wide("ServiceAccounts"),
    ],
    print: |binding, now| {
        let role = format!(
            "{}/{}",
            object::text(binding, "/roleRef/kind"),
            object::text(binding, "/roleRef/name")
        );
        vec![
            json!(name(binding)),
            json!(role),
            json!(age(binding, now)),
            json!(subjects(binding, "User")),
            json!(subjects(binding, "Group")),
            json!(subjects(binding, "ServiceAccount")),
        ]
    },
};

pub(super) static SIGNING_REQUESTS: Printer = Printer {
    columns: &[
        NAME,
        AGE,
        text("SignerName"),
        text("Requestor"),
        text("RequestedDuration"),
        text("Condition"),
    ],
    print: |request, now| {
        let seconds = object::field(request, "/spec/expirationSeconds").and_then(Value::as_i64);
        let duration = seconds.map_or("<none>".to_owned(), |seconds| {
            human_duration(seconds.saturating_mul(1_000_000_000))
        });
        vec![
            json!(name(request)),
            json!(age(request, now)),
            json!(super::text_or(request, "/spec/signerName", "<none>")),
            json!(object::text(request, "/spec/username")),
            json!(duration),
            json!(request_status(request)),
        ]
    },
};

fn subjects(binding: &Value, kind: &str) -> String {
    let all: Vec<String> = object::list(binding, "/subjects")
        .iter()
        .filter(|subject| object::text(subject, "/kind") == kind)
        .map(|subject| {
            let name = object::text(subject, "/name");
            match (kind, object::text(subject, "/namespace")) {
                ("ServiceAccount", namespace) => format!("{namespace}/{name}"),
                _ => name.to_owned(),
            }
        })
        .collect();
    all.join(", ")
}

fn request_status(request: &Value) -> String {
    let has = |r#type: &str| {
        object::list(request, "/status/conditions")
            .iter()
            .any(|condition| object::text(condition, "/type") == r#type)
    };
    let mut status = if has("Denied") {
        "Denied"
    } else if has("Approved") {
        "Approved"
    } else {
        "Pending"
    }
    .to_owned();
    if has("Failed") {
        status.push_str(",Failed");
    }
    if !object::text(request, "/status/certificate").is_empty() {
        status.push_str(",Issued");
    }
    status
}

#[cfg(test)]
mod tests {
    use super::super::super::timestamp;
    use super::*;

    #[test]
    fn times_of_creation_are_printed_as_they_are() {
        let role = json!({"metadata": {"name": "a", "creationTimestamp": "2026-01-01T00:00:00Z"}});
        assert_eq!(
            CREATED_AT.cells(&role, timestamp::parse("2027-01-01T00:00:00Z").unwrap()),
            [json!("a"), json!("2026-01-01T00:00:00Z")]
        );
    }
}
