//! Events.

use serde_json::{Value, json};

use super::super::duration::human_duration;
use super::super::{object, timestamp};
use super::{Column, Printer, name, text, wide};

pub(super) static EVENTS: Printer = Printer {
    columns: &[
        text("Last Seen"),
        text("Type"),
        text("Reason"),
        text("Object"),
        wide("Subobject"),
        wide("Source"),
        text("Message"),
        wide("First Seen"),
        wide("Count"),
        Column {
            format: "name",
            ..wide("Name")
        },
    ],
    print: events,
};

fn events(event: &Value, now: i64) -> Vec<Value> {
    let ago = |pointer: &str| {
        timestamp::nanoseconds(event, pointer).map(|then| human_duration(now.saturating_sub(then)))
    };
    let unknown = || "<unknown>".to_owned();
    let first = ago("/firstTimestamp")
        .or_else(|| ago("/eventTime"))
        .unwrap_or_else(unknown);
    let (last, count) = match object::field(event, "/series") {
        Some(series) => (
            ago("/series/lastObservedTime").unwrap_or_else(unknown),
            object::number(series, "/count"),
        ),
        None => (
            ago("/lastTimestamp").unwrap_or_else(|| first.clone()),
            object::number(event, "/count").max(1),
        ),
    };
    vec![
        json!(last),
        json!(object::text(event, "/type")),
        json!(object::text(event, "/reason")),
        json!(target(event)),
        json!(object::text(event, "/involvedObject/fieldPath")),
        json!(source(event)),
        json!(object::text(event, "/message").trim()),
        json!(first),
        json!(count),
        json!(name(event)),
    ]
}

/// `pod/NAME`: what the event is about.
fn target(event: &Value) -> String {
    let kind = object::text(event, "/involvedObject/kind").to_lowercase();
    match object::text(event, "/involvedObject/name") {
        "" => kind,
        name => format!("{kind}/{name}"),
    }
}

/// `COMPONENT, INSTANCE`: who tells of it.
fn source(event: &Value) -> String {
    let either = |one: &str, other: &str| match object::text(event, one) {
        "" => object::text(event, other).to_owned(),
        text => text.to_owned(),
    };
    let component = either("/source/component", "/reportingComponent");
    let instance = either("/source/host", "/reportingInstance");
    if instance.is_empty() {
        component
    } else {
        format!("{component}, {instance}")
    }
}
