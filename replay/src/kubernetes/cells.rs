//! Cells of the server's tables at the moment: recorded, but for those that a clock makes.

use serde_json::Value;

use super::duration::human_duration;
use super::{object, timestamp};
use crate::view::{ColumnDefinition, RecordedObject};

/// The text of a cell at the moment; none if the server printed null.
pub(crate) fn at(
    recorded: &RecordedObject,
    column: &ColumnDefinition,
    cell: &Value,
    now: i64,
) -> Option<String> {
    clocked(recorded, column, cell, now).or_else(|| match cell {
        Value::Null => None,
        cell => Some(object::plain(cell)),
    })
}

/// A cell that depends on the clock; none for any other.
fn clocked(
    recorded: &RecordedObject,
    column: &ColumnDefinition,
    cell: &Value,
    now: i64,
) -> Option<String> {
    let object = &recorded.object;
    let ago = |pointer: &str| {
        timestamp::nanoseconds(object, pointer).map(|then| human_duration(now - then))
    };
    match (
        recorded.group.as_str(),
        recorded.resource.as_str(),
        column.name.as_str(),
    ) {
        ("" | "events.k8s.io", "events", "Last Seen") => Some(last_seen(object, now)),
        ("" | "events.k8s.io", "events", "First Seen") => Some(
            ago("/firstTimestamp")
                .or_else(|| ago("/deprecatedFirstTimestamp"))
                .or_else(|| ago("/eventTime"))
                .unwrap_or_else(|| "<unknown>".to_owned()),
        ),
        ("", "pods", "Restarts") => restarts(object, cell, now),
        ("batch", "jobs", "Duration")
            if object::field(object, "/status/completionTime").is_none() =>
        {
            // A job that failed keeps the cell that the server printed then.
            let ended = object::list(object, "/status/conditions")
                .iter()
                .any(|condition| {
                    object::text(condition, "/type") == "Failed"
                        && object::text(condition, "/status") == "True"
                });
            if ended {
                None
            } else {
                ago("/status/startTime")
            }
        }
        ("batch", "cronjobs", "Last Schedule") => ago("/status/lastScheduleTime"),
        (_, _, "Age") => {
            Some(ago("/metadata/creationTimestamp").unwrap_or_else(|| "<unknown>".to_owned()))
        }
        _ => None,
    }
}

/// When an event was last seen: its series, else its last, first or only time.
fn last_seen(event: &Value, now: i64) -> String {
    [
        "/series/lastObservedTime",
        "/lastTimestamp",
        "/deprecatedLastTimestamp",
        "/firstTimestamp",
        "/eventTime",
    ]
    .iter()
    .find_map(|pointer| timestamp::nanoseconds(event, pointer))
    .map_or_else(|| "<unknown>".to_owned(), |then| human_duration(now - then))
}

/// `3 (5m ago)`: the recorded count with the time since the last container ended.
fn restarts(pod: &Value, cell: &Value, now: i64) -> Option<String> {
    let cell = object::plain(cell);
    let (count, _) = cell.split_once(" (")?;
    let ended = |pointer: &str| {
        object::list(pod, pointer)
            .iter()
            .filter_map(|status| timestamp::nanoseconds(status, "/lastState/terminated/finishedAt"))
            .max()
    };
    let last = ended("/status/containerStatuses").max(ended("/status/initContainerStatuses"))?;
    Some(format!("{count} ({} ago)", human_duration(now - last)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::testing;
    use serde_json::json;

    #[test]
    fn restarts_and_last_seen_follow_the_clock() {
        let pod = json!({"status": {"containerStatuses": [
            {"lastState": {"terminated": {"finishedAt": "2026-01-01T00:00:00Z"}}}
        ]}});
        let now = timestamp::parse("2026-01-01T00:05:30Z").unwrap();
        assert_eq!(
            restarts(&pod, &json!("3 (10s ago)"), now).unwrap(),
            "3 (5m30s ago)"
        );
        assert_eq!(restarts(&pod, &json!("0"), now), None);
        let event = json!({"lastTimestamp": null, "eventTime": "2026-01-01T00:00:00.000000Z"});
        assert_eq!(last_seen(&event, now), "5m30s");
        let job = testing::object(
            "batch",
            "jobs",
            "Job",
            "ns",
            "j",
            json!({
                "status": {"startTime": "2026-01-01T00:00:00Z"}
            }),
        );
        let column = testing::column("Duration", 0);
        assert_eq!(at(&job, &column, &json!("1s"), now).unwrap(), "5m30s");
    }
}
