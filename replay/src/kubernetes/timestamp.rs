//! Times in objects.

use serde_json::Value;

use super::duration::human_duration;
use super::object;

/// Nanoseconds since the epoch of a time field; none if absent or null.
pub(crate) fn nanoseconds(value: &Value, pointer: &str) -> Option<i64> {
    parse(object::text(value, pointer))
}

/// Nanoseconds since the epoch of an RFC 3339 time.
pub(crate) fn parse(text: &str) -> Option<i64> {
    let time: jiff::Timestamp = text.parse().ok()?;
    i64::try_from(time.as_nanosecond()).ok()
}

/// How long ago a time field was; `<unknown>` if absent.
pub(crate) fn age(value: &Value, pointer: &str, now: i64) -> String {
    match nanoseconds(value, pointer) {
        Some(then) => human_duration(now.saturating_sub(then)),
        None => "<unknown>".to_owned(),
    }
}

/// A time field as `describe` prints it; Go's zero time if absent.
pub(crate) fn rfc1123(value: &Value, pointer: &str) -> String {
    match object::text(value, pointer).parse::<jiff::Timestamp>() {
        Ok(time) => time.strftime("%a, %d %b %Y %H:%M:%S +0000").to_string(),
        Err(_) => "Mon, 01 Jan 0001 00:00:00 +0000".to_owned(),
    }
}

/// RFC 3339 with nine digits, as the kubelet stamps log lines.
pub(crate) fn log_stamp(nanoseconds: i64) -> String {
    jiff::Timestamp::from_nanosecond(i128::from(nanoseconds))
        .map(|time| time.strftime("%Y-%m-%dT%H:%M:%S.%9fZ").to_string())
        .unwrap_or_default()
}
