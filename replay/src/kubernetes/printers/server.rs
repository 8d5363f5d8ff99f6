//! What configures the API server itself.

use serde_json::{Value, json};

use super::super::object;
use super::{AGE, NAME, Printer, age, name, number, or_none, text};

pub(super) static API_SERVICES: Printer = Printer {
    columns: &[NAME, text("Service"), text("Available"), AGE],
    print: |service, now| {
        let target = object::field(service, "/spec/service").map_or("Local".to_owned(), |target| {
            format!(
                "{}/{}",
                object::text(target, "/namespace"),
                object::text(target, "/name")
            )
        });
        vec![
            json!(name(service)),
            json!(target),
            json!(available(service)),
            json!(age(service, now)),
        ]
    },
};

pub(super) static FLOW_SCHEMAS: Printer = Printer {
    columns: &[
        NAME,
        text("PriorityLevel"),
        text("MatchingPrecedence"),
        text("DistinguisherMethod"),
        AGE,
        text("MissingPL"),
    ],
    print: |schema, now| {
        let method = object::text(schema, "/spec/distinguisherMethod/type").to_owned();
        let dangling = condition(schema, "Dangling")
            .map_or("?", |condition| object::text(condition, "/status"));
        vec![
            json!(name(schema)),
            json!(object::text(
                schema,
                "/spec/priorityLevelConfiguration/name"
            )),
            json!(object::number(schema, "/spec/matchingPrecedence")),
            json!(or_none(method)),
            json!(age(schema, now)),
            json!(dangling),
        ]
    },
};

pub(super) static PRIORITY_LEVELS: Printer = Printer {
    columns: &[
        NAME,
        text("Type"),
        text("NominalConcurrencyShares"),
        text("Queues"),
        text("HandSize"),
        text("QueueLengthLimit"),
        AGE,
    ],
    print: |level, now| {
        let limited = |field: &str| {
            object::field(level, &format!("/spec/limited/{field}"))
                .cloned()
                .unwrap_or_else(|| json!("<none>"))
        };
        vec![
            json!(name(level)),
            json!(object::text(level, "/spec/type")),
            limited("nominalConcurrencyShares"),
            limited("limitResponse/queuing/queues"),
            limited("limitResponse/queuing/handSize"),
            limited("limitResponse/queuing/queueLengthLimit"),
            json!(age(level, now)),
        ]
    },
};

pub(super) static WEBHOOKS: Printer = Printer {
    columns: &[NAME, number("Webhooks"), AGE],
    print: |configuration, now| {
        let webhooks = object::list(configuration, "/webhooks").len();
        vec![
            json!(name(configuration)),
            json!(webhooks),
            json!(age(configuration, now)),
        ]
    },
};

pub(super) static ADMISSION_POLICIES: Printer = Printer {
    columns: &[NAME, number("Validations"), text("ParamKind"), AGE],
    print: |policy, now| {
        let kind = object::field(policy, "/spec/paramKind").map_or("<unset>".to_owned(), |kind| {
            format!(
                "{}/{}",
                object::text(kind, "/apiVersion"),
                object::text(kind, "/kind")
            )
        });
        vec![
            json!(name(policy)),
            json!(object::list(policy, "/spec/validations").len()),
            json!(kind),
            json!(age(policy, now)),
        ]
    },
};

fn condition<'a>(value: &'a Value, r#type: &str) -> Option<&'a Value> {
    object::list(value, "/status/conditions")
        .iter()
        .find(|condition| object::text(condition, "/type") == r#type)
}

fn available(service: &Value) -> String {
    let Some(condition) = condition(service, "Available") else {
        return "Unknown".to_owned();
    };
    let status = object::text(condition, "/status");
    match object::text(condition, "/reason") {
        _ if status == "True" => status.to_owned(),
        "" => status.to_owned(),
        reason => format!("{status} ({reason})"),
    }
}
