//! HorizontalPodAutoscalers.

use serde_json::Value;

use super::described::Described;
use super::metadata;
use super::page::Page;
use crate::golang::quote::quote;
use crate::kubectl::object;

/// The page of a HorizontalPodAutoscaler.
pub(super) fn describe(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    metadata::labels_and_annotations(&mut page, value);
    metadata::created(&mut page, value);
    let target = value
        .pointer("/spec/scaleTargetRef")
        .unwrap_or(&Value::Null);
    let kind = object::text(target, "/kind");
    let name = object::text(target, "/name");
    page.field(0, "Reference", format!("{kind}/{name}"));
    if recorded.version == "v1" {
        utilization(&mut page, value);
    } else {
        page.line(0, "Metrics:\t( current / target )");
        let current = object::list(value, "/status/currentMetrics");
        for (position, metric) in object::list(value, "/spec/metrics").iter().enumerate() {
            page.line(1, self::metric(metric, current.get(position)));
        }
    }
    let least = object::field(value, "/spec/minReplicas").map(object::plain);
    page.field(0, "Min replicas", least.as_deref().unwrap_or("<unset>"));
    page.field(
        0,
        "Max replicas",
        object::number(value, "/spec/maxReplicas"),
    );
    if let Some(behavior) = object::field(value, "/spec/behavior") {
        page.line(0, "Behavior:");
        direction(&mut page, "Scale Up", object::field(behavior, "/scaleUp"));
        direction(
            &mut page,
            "Scale Down",
            object::field(behavior, "/scaleDown"),
        );
    }
    let (have, want) = (
        object::number(value, "/status/currentReplicas"),
        object::number(value, "/status/desiredReplicas"),
    );
    page.field(
        0,
        &format!("{kind} pods"),
        format!("{have} current / {want} desired"),
    );
    metadata::conditions(&mut page, value, &["Type", "Status", "Reason", "Message"]);
    described.finished(page)
}

/// The one metric of the first version.
fn utilization(page: &mut Page, value: &Value) {
    let Some(target) = object::field(value, "/spec/targetCPUUtilizationPercentage") else {
        return;
    };
    page.field(0, "Target CPU utilization", format!("{target}%"));
    let current = object::field(value, "/status/currentCPUUtilizationPercentage");
    let current = current.map(object::plain);
    let current = current.as_deref().unwrap_or("<unknown>");
    page.field(0, "Current CPU utilization", format!("{current}%"));
}

/// `"requests" on pods:` with what is measured and what is wanted.
fn metric(metric: &Value, status: Option<&Value>) -> String {
    let kind = object::text(metric, "/type");
    let key = match kind {
        "External" => "/external",
        "Pods" => "/pods",
        "Object" => "/object",
        "Resource" => "/resource",
        "ContainerResource" => "/containerResource",
        other => return format!("<unknown metric type {}>", quote(other)),
    };
    let spec = metric.pointer(key).unwrap_or(&Value::Null);
    let status = status.and_then(|status| object::field(status, key));
    let current = |field: &str| match status {
        None => "<unknown>".to_owned(),
        Some(status) => match object::text(status, &format!("/current/{field}")) {
            "" => "0".to_owned(),
            amount => amount.to_owned(),
        },
    };
    let target = |field: &str| match object::text(spec, &format!("/target/{field}")) {
        "" => "0".to_owned(),
        amount => amount.to_owned(),
    };
    let averaged = object::field(spec, "/target/averageValue").is_some();
    let name = quote(object::text(spec, "/metric/name"));
    match kind {
        "External" if averaged => {
            let known = status.is_some_and(|s| object::field(s, "/current/averageValue").is_some());
            let current = if known {
                current("averageValue")
            } else {
                "<unknown>".to_owned()
            };
            format!(
                "{name} (target average value):\t{current} / {}",
                target("averageValue")
            )
        }
        "External" => format!(
            "{name} (target value):\t{} / {}",
            current("value"),
            target("value")
        ),
        "Pods" => format!(
            "{name} on pods:\t{} / {}",
            current("averageValue"),
            target("averageValue")
        ),
        "Object" => {
            let on = format!(
                "{}/{}",
                object::text(spec, "/describedObject/kind"),
                object::text(spec, "/describedObject/name")
            );
            let (label, field) = if object::text(spec, "/target/type") == "AverageValue" {
                ("(target average value)", "averageValue")
            } else {
                ("(target value)", "value")
            };
            format!(
                "{name} on {on} {label}:\t{} / {}",
                current(field),
                target(field)
            )
        }
        _ => {
            let container = match object::text(spec, "/container") {
                "" => String::new(),
                container => format!(" of container \"{container}\""),
            };
            let what = format!(
                "resource {}{container} on pods",
                object::text(spec, "/name")
            );
            if averaged {
                return format!(
                    "{what}:\t{} / {}",
                    current("averageValue"),
                    target("averageValue")
                );
            }
            let used = status
                .and_then(|status| object::field(status, "/current/averageUtilization"))
                .map(|percent| format!("{percent}% ({})", current("averageValue")));
            let wanted = object::field(spec, "/target/averageUtilization");
            format!(
                "{what}  (as a percentage of request):\t{} / {}",
                used.as_deref().unwrap_or("<unknown>"),
                wanted.map_or("<auto>".to_owned(), |percent| format!("{percent}%"))
            )
        }
    }
}

fn direction(page: &mut Page, title: &str, rules: Option<&Value>) {
    let Some(rules) = rules else { return };
    page.line(1, format!("{title}:"));
    if let Some(seconds) = object::field(rules, "/stabilizationWindowSeconds") {
        page.line(2, format!("Stabilization Window: {seconds} seconds"));
    }
    let policies = object::list(rules, "/policies");
    if policies.is_empty() {
        return;
    }
    let select = match object::text(rules, "/selectPolicy") {
        "" => "Max",
        select => select,
    };
    page.line(2, format!("Select Policy: {select}"));
    page.line(2, "Policies:");
    for policy in policies {
        page.line(
            3,
            format!(
                "- Type: {}\tValue: {}\tPeriod: {} seconds",
                object::text(policy, "/type"),
                object::number(policy, "/value"),
                object::number(policy, "/periodSeconds")
            ),
        );
    }
}
