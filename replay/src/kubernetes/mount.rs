//! Whether a pod's files are what a ConfigMap holds.

use serde_json::Value;

use super::timestamp;
use crate::view::RecordedObject;

/// How long a mounted ConfigMap may lag behind the object: a kubelet's period and cache.
const LAG_NS: i64 = 5 * 60 * 1_000_000_000;

/// Whether a ConfigMap has not changed since a pod was started.
pub(crate) fn is_as_at_start(map: &RecordedObject, pod: &Value) -> bool {
    let started = timestamp::nanoseconds(pod, "/status/startTime");
    started.is_some_and(|started| map.valid_from <= started)
}

/// Whether the last change of a ConfigMap has reached every pod whose files follow it.
pub(crate) fn has_arrived(map: &RecordedObject, now: i64) -> bool {
    now.saturating_sub(map.valid_from) > LAG_NS
}
