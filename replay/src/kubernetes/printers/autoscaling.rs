//! What keeps the number of pods.

use serde_json::{Value, json};

use super::super::object;
use super::super::quantity::Quantity;
use super::{AGE, NAME, Printer, age, name, number, text};

pub(super) static AUTOSCALERS: Printer = Printer {
    columns: &[
        NAME,
        text("Reference"),
        text("Targets"),
        text("MinPods"),
        text("MaxPods"),
        text("Replicas"),
        AGE,
    ],
    print: |scaler, now| {
        let reference = format!(
            "{}/{}",
            object::text(scaler, "/spec/scaleTargetRef/kind"),
            object::text(scaler, "/spec/scaleTargetRef/name")
        );
        let minimum = super::or(object::int_or_text(scaler, "/spec/minReplicas"), "<unset>");
        vec![
            json!(name(scaler)),
            json!(reference),
            json!(targets(scaler)),
            json!(minimum),
            json!(object::number(scaler, "/spec/maxReplicas")),
            json!(object::number(scaler, "/status/currentReplicas")),
            json!(age(scaler, now)),
        ]
    },
};

/// Of the subresource that says how many replicas a workload has.
pub(super) static SCALES: Printer = Printer {
    columns: &[NAME, number("Desired"), number("Available"), AGE],
    print: |scale, now| {
        vec![
            json!(name(scale)),
            json!(object::number(scale, "/spec/replicas")),
            json!(object::number(scale, "/status/replicas")),
            json!(age(scale, now)),
        ]
    },
};

pub(super) static DISRUPTION_BUDGETS: Printer = Printer {
    columns: &[
        NAME,
        text("Min Available"),
        text("Max Unavailable"),
        number("Allowed Disruptions"),
        AGE,
    ],
    print: |budget, now| {
        let bound = |field: &str| super::or(object::int_or_text(budget, field), "N/A");
        vec![
            json!(name(budget)),
            json!(bound("/spec/minAvailable")),
            json!(bound("/spec/maxUnavailable")),
            json!(object::number(budget, "/status/disruptionsAllowed")),
            json!(age(budget, now)),
        ]
    },
};

/// The first two metrics as `current/wanted`, and how many more there are.
fn targets(scaler: &Value) -> String {
    let specs = object::list(scaler, "/spec/metrics");
    if specs.is_empty() {
        return "<none>".to_owned();
    }
    let statuses = object::list(scaler, "/status/currentMetrics");
    let all: Vec<String> = specs
        .iter()
        .enumerate()
        .map(|(position, spec)| target(spec, statuses.get(position)))
        .collect();
    let shown = all.get(..2.min(all.len())).unwrap_or_default().join(", ");
    if all.len() > 2 {
        format!("{shown} + {} more...", all.len() - 2)
    } else {
        shown
    }
}

fn target(spec: &Value, status: Option<&Value>) -> String {
    let source = match object::text(spec, "/type") {
        "External" => "external",
        "Pods" => "pods",
        "Object" => "object",
        "Resource" => "resource",
        "ContainerResource" => "containerResource",
        _ => return "<unknown type>".to_owned(),
    };
    let wanted = |field: &str| quantity(spec, &format!("/{source}/target/{field}"));
    let current = |field: &str| {
        status
            .and_then(|status| quantity(status, &format!("/{source}/current/{field}")))
            .unwrap_or_else(|| "<unknown>".to_owned())
    };
    let average = wanted("averageValue");
    match source {
        "pods" => format!(
            "{}/{}",
            current("averageValue"),
            average.unwrap_or_default()
        ),
        "resource" | "containerResource" => {
            let name = object::text(spec, &format!("/{source}/name"));
            if let Some(average) = average {
                return format!("{name}: {}/{average}", current("averageValue"));
            }
            let percent = |value: &Value, pointer: String, absent: &str| {
                object::field(value, &pointer)
                    .map_or(absent.to_owned(), |n| format!("{}%", object::plain(n)))
            };
            let now = status.map_or("<unknown>".to_owned(), |status| {
                let pointer = format!("/{source}/current/averageUtilization");
                percent(status, pointer, "<unknown>")
            });
            let pointer = format!("/{source}/target/averageUtilization");
            format!("{name}: {now}/{}", percent(spec, pointer, "<auto>"))
        }
        _ => match average {
            Some(average) => format!("{}/{average} (avg)", current("averageValue")),
            None => format!(
                "{}/{}",
                current("value"),
                wanted("value").unwrap_or_default()
            ),
        },
    }
}

/// A quantity in its canonical form; none if absent.
fn quantity(value: &Value, pointer: &str) -> Option<String> {
    let text = object::plain(object::field(value, pointer)?);
    Some(Quantity::parse(&text).map_or(text, |quantity| quantity.to_string()))
}
