//! When a bundle was collected: nothing in it says so but the times in its objects.

use jiff::Timestamp;
use serde_json::Value;

/// Fields that the cluster stamps with its present time; a deadline or an expiry is none.
const STAMPS: [&str; 13] = [
    "creationTimestamp",
    "completionTime",
    "eventTime",
    "finishedAt",
    "firstTimestamp",
    "lastHeartbeatTime",
    "lastProbeTime",
    "lastTimestamp",
    "lastTransitionTime",
    "lastUpdateTime",
    "startTime",
    "startedAt",
    "time",
];

/// The latest time that the cluster stamped an object with.
pub(super) fn latest(object: &Value) -> Option<Timestamp> {
    match object {
        Value::Array(items) => items.iter().filter_map(latest).max(),
        Value::Object(fields) => fields
            .iter()
            // What people write may name any time.
            .filter(|(name, _)| !["spec", "data", "annotations"].contains(&name.as_str()))
            .filter_map(|(name, value)| match value.as_str() {
                Some(text) if STAMPS.contains(&name.as_str()) => text.parse().ok(),
                _ => latest(value),
            })
            .max(),
        _ => None,
    }
}

/// When an object was made.
pub(super) fn created(object: &Value) -> Option<Timestamp> {
    object
        .pointer("/metadata/creationTimestamp")?
        .as_str()?
        .parse()
        .ok()
}
