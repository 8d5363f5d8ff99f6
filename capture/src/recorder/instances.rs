//! The container instances that a pod's status tells of.

use aiopslab_datasets::Visibility;
use aiopslab_datasets::rows::LogInstance;
use serde_json::Value;

use super::nanoseconds;

/// An instance whose log can be read.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) row: LogInstance,
    pub(super) service: Option<String>,
    /// Whether it is the one before the present one.
    pub(super) previous: bool,
    pub(super) visibility: Visibility,
}

/// The present and the previous instance of every container of a pod.
pub(super) fn instances_of(pod: &Value, service_label: &str) -> Vec<Found> {
    let metadata = &pod["metadata"];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let service = metadata["labels"][service_label]
        .as_str()
        .map(str::to_owned);
    let mut found = Vec::new();
    let lists = [
        ("initContainerStatuses", "init"),
        ("containerStatuses", "container"),
        ("ephemeralContainerStatuses", "ephemeral"),
    ];
    for (list, role) in lists {
        for status in pod["status"][list].as_array().into_iter().flatten() {
            let restarts = status["restartCount"].as_i64().unwrap_or(0);
            let mut add = |state: &Value, container_id: String, restart: i64, previous: bool| {
                if container_id.is_empty() {
                    return;
                }
                let time = |field: &str| state[field].as_str().and_then(nanoseconds);
                let row = LogInstance {
                    instance_id: 0,
                    pod_uid: text(&metadata["uid"]),
                    namespace: text(&metadata["namespace"]),
                    pod: text(&metadata["name"]),
                    container: text(&status["name"]),
                    role: role.to_owned(),
                    restart: i32::try_from(restart.max(0)).unwrap_or(i32::MAX),
                    container_id,
                    node: text(&pod["spec"]["nodeName"]),
                    started: time("startedAt"),
                    finished: time("finishedAt"),
                    exit_code: state["exitCode"]
                        .as_i64()
                        .and_then(|code| code.try_into().ok()),
                    reason: state["reason"].as_str().map(str::to_owned),
                    first_line_kept: false,
                };
                let service = service.clone();
                let visibility = Visibility::Visible;
                found.push(Found {
                    row,
                    service,
                    previous,
                    visibility,
                });
            };
            let state = &status["state"];
            let last = &status["lastState"]["terminated"];
            let last_id = text(&last["containerID"]);
            let running = &state["running"];
            let present = if running.is_object() {
                running
            } else {
                &state["terminated"]
            };
            let present_id = text(&status["containerID"]);
            // Between two attempts the dead instance is still the one whose log is the present one.
            let is_between = state["waiting"].is_object() && present_id == last_id;
            if present.is_object() && present_id != last_id {
                add(present, present_id, restarts, false);
            }
            if last.is_object() {
                add(
                    last,
                    last_id,
                    restarts - i64::from(!is_between),
                    !is_between,
                );
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pod(statuses: Value) -> Value {
        json!({"metadata": {"uid": "u", "namespace": "shop", "name": "geo-1",
            "labels": {"app.kubernetes.io/name": "geo"}},
            "spec": {"nodeName": "lab"}, "status": {"containerStatuses": statuses}})
    }

    fn found(statuses: Value) -> Vec<(String, i32, bool, Option<i32>)> {
        instances_of(&pod(statuses), "app.kubernetes.io/name")
            .into_iter()
            .map(|it| {
                (
                    it.row.container_id,
                    it.row.restart,
                    it.previous,
                    it.row.exit_code,
                )
            })
            .collect()
    }

    #[test]
    fn a_restarted_container_has_two_instances() {
        let seen = found(
            json!([{"name": "geo", "restartCount": 3, "containerID": "c://b",
            "state": {"running": {"startedAt": "2026-11-23T08:00:10Z"}},
            "lastState": {"terminated": {"containerID": "c://a", "exitCode": 1,
                "startedAt": "2026-11-23T08:00:00Z", "finishedAt": "2026-11-23T08:00:05Z"}}}]),
        );
        assert_eq!(
            seen,
            [
                ("c://b".to_owned(), 3, false, None),
                ("c://a".to_owned(), 2, true, Some(1))
            ]
        );
    }

    #[test]
    fn in_a_crash_loop_the_dead_instance_is_still_the_present_one() {
        let seen = found(
            json!([{"name": "geo", "restartCount": 3, "containerID": "c://b",
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": {"terminated": {"containerID": "c://b", "exitCode": 137}}}]),
        );
        assert_eq!(seen, [("c://b".to_owned(), 3, false, Some(137))]);
    }

    #[test]
    fn a_container_that_never_ran_has_none() {
        let waiting = json!([{"name": "geo", "restartCount": 0, "containerID": "",
            "state": {"waiting": {"reason": "ImagePullBackOff"}}, "lastState": {}}]);
        assert!(found(waiting).is_empty());
    }
}
