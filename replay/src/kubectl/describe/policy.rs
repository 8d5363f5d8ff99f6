//! What limits pods and namespaces: quotas, ranges, disruption budgets and priorities.

use serde_json::Value;

use super::described::Described;
use super::metadata;
use super::page::Page;
use crate::kubectl::object;
use crate::kubectl::quantity::Quantity;
use crate::kubectl::selector::LabelSelector;
use crate::kubectl::table::format_labels;
use crate::view::RecordedObject;

/// What kubectl explains a quota's scope with.
fn scope_help(scope: &str) -> &'static str {
    match scope {
        "Terminating" => {
            "Matches all pods that have an active deadline. These pods have a limited lifespan on a \
             node before being actively terminated by the system."
        }
        "NotTerminating" => {
            "Matches all pods that do not have an active deadline. These pods usually include long \
             running pods whose container command is not expected to terminate."
        }
        "BestEffort" => {
            "Matches all pods that do not have resource requirements set. These pods have a best \
             effort quality of service."
        }
        "NotBestEffort" => {
            "Matches all pods that have at least one resource requirement set. These pods have a \
             burstable or guaranteed quality of service."
        }
        _ => "",
    }
}

/// The scopes of a quota with what they mean; `mark` stands before each meaning.
pub(super) fn scopes(page: &mut Page, level: usize, value: &Value, mark: &str) {
    let mut scopes: Vec<String> = object::list(value, "/spec/scopes")
        .iter()
        .map(object::plain)
        .collect();
    if scopes.is_empty() {
        return;
    }
    scopes.sort();
    page.field(level, "Scopes", scopes.join(", "));
    for help in scopes.iter().map(|scope| scope_help(scope)) {
        if !help.is_empty() {
            page.line(level, format!("{mark}{help}"));
        }
    }
}

/// What a quota allows and what is used of it.
pub(super) fn usage(page: &mut Page, level: usize, value: &Value) {
    let used = object::map(value, "/status/used");
    for (resource, hard) in object::map(value, "/status/hard") {
        let used = used.get(resource).copied().unwrap_or("0");
        let used = Quantity::parse(used).map_or_else(|| used.to_owned(), |used| used.to_string());
        page.line(level, format!("{resource}\t{used}\t{hard}"));
    }
}

/// The page of a ResourceQuota.
pub(super) fn resource_quota(recorded: &RecordedObject) -> Page {
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    scopes(&mut page, 0, &recorded.object, " * ");
    page.headings(0, &["Resource", "Used", "Hard"]);
    usage(&mut page, 0, &recorded.object);
    page
}

const LIMITS: [&str; 7] = [
    "Type",
    "Resource",
    "Min",
    "Max",
    "Default Request",
    "Default Limit",
    "Max Limit/Request Ratio",
];

/// The page of a LimitRange.
pub(super) fn limit_range(recorded: &RecordedObject) -> Page {
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    page.headings(0, &LIMITS);
    limits(&mut page, &recorded.object, "");
    page
}

/// The ranges of a namespace.
pub(super) fn limit_ranges(page: &mut Page, ranges: &[RecordedObject]) {
    page.line(0, "Resource Limits");
    let mut headings = LIMITS;
    headings[0] = " Type";
    page.line(0, headings.join("\t"));
    page.line(
        0,
        " ----\t--------\t---\t---\t---------------\t-------------\t-----------------------",
    );
    for range in ranges {
        limits(page, &range.object, " ");
    }
}

fn limits(page: &mut Page, range: &Value, prefix: &str) {
    const COLUMNS: [&str; 5] = [
        "/min",
        "/max",
        "/defaultRequest",
        "/default",
        "/maxLimitRequestRatio",
    ];
    for limit in object::list(range, "/spec/limits") {
        let mut resources: Vec<&str> = COLUMNS
            .iter()
            .flat_map(|column| object::map(limit, column).into_keys())
            .collect();
        resources.sort_unstable();
        resources.dedup();
        for resource in resources {
            let cells: Vec<&str> = COLUMNS
                .iter()
                .map(|column| {
                    let known = object::map(limit, column).get(resource).copied();
                    known.unwrap_or("-")
                })
                .collect();
            let kind = object::text(limit, "/type");
            page.line(
                0,
                format!("{prefix}{kind}\t{resource}\t{}", cells.join("\t")),
            );
        }
    }
}

/// A selector, `<none>` if it selects everything.
pub(super) fn shown_selector(selector: &Value) -> String {
    match LabelSelector::of(selector).to_string() {
        text if text.is_empty() => "<none>".to_owned(),
        text => text,
    }
}

/// The page of a PodDisruptionBudget.
pub(super) fn disruption_budget(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    metadata::name(&mut page, recorded);
    if object::field(value, "/spec/minAvailable").is_some() {
        let least = object::int_or_text(value, "/spec/minAvailable");
        page.field(0, "Min available", least);
    } else if object::field(value, "/spec/maxUnavailable").is_some() {
        let most = object::int_or_text(value, "/spec/maxUnavailable");
        page.field(0, "Max unavailable", most);
    }
    let selector = object::field(value, "/spec/selector").map(shown_selector);
    page.field(0, "Selector", selector.as_deref().unwrap_or("<unset>"));
    page.line(0, "Status:");
    for (label, pointer) in [
        ("Allowed disruptions", "/status/disruptionsAllowed"),
        ("Current", "/status/currentHealthy"),
        ("Desired", "/status/desiredHealthy"),
        ("Total", "/status/expectedPods"),
    ] {
        page.field(2, label, object::number(value, pointer));
    }
    described.finished(page)
}

/// The page of a PriorityClass.
pub(super) fn priority_class(described: &Described<'_>) -> Page {
    let recorded = described.recorded;
    let value = &recorded.object;
    let mut page = Page::default();
    page.field(0, "Name", &recorded.name);
    page.field(0, "Value", object::number(value, "/value"));
    page.field(0, "GlobalDefault", object::flag(value, "/globalDefault"));
    page.field(
        0,
        "PreemptionPolicy",
        object::text(value, "/preemptionPolicy"),
    );
    page.field(0, "Description", object::text(value, "/description"));
    page.field(
        0,
        "Annotations",
        format_labels(&object::map(value, "/metadata/annotations")),
    );
    described.finished(page)
}
