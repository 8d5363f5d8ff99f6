//! What the doctor reads out of the answers: pure functions from text to findings.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// A Deployment that wants no replica, whose Service has no endpoint.
pub(super) fn scaled_to_zero(deployments: &str, endpoints: &str) -> Option<String> {
    let idle = rows(deployments).filter(|row| row.get(1).is_some_and(|ready| ready == "0/0"));
    let mut orphaned = idle.filter(|row| {
        rows(endpoints).any(|endpoint| {
            endpoint.first() == row.first() && endpoint.get(1).is_some_and(|at| at == "<none>")
        })
    });
    orphaned.next().and_then(|row| row.into_iter().next())
}

/// A Service with a numeric target port that none of its pods' containers declares.
pub(super) fn port_mismatch(services: &str, pods: &str) -> Option<String> {
    let pods = items(pods);
    items(services).iter().find_map(|service| {
        let selector = service.pointer("/spec/selector")?.as_object()?;
        let selected: Vec<&Value> = pods
            .iter()
            .filter(|pod| {
                selector.iter().all(|(key, value)| {
                    pod.pointer("/metadata/labels")
                        .and_then(|labels| labels.get(key))
                        == Some(value)
                })
            })
            .collect();
        let declared: BTreeSet<i64> = selected
            .iter()
            .flat_map(|pod| array(pod, "/spec/containers"))
            .flat_map(|container| array(container, "/ports"))
            .filter_map(|port| port.get("containerPort")?.as_i64())
            .collect();
        let target = array(service, "/spec/ports").iter().find_map(|port| {
            port.get("targetPort")?
                .as_i64()
                .filter(|target| !declared.contains(target))
        });
        // Pods that declare no port can't be judged by what they declare.
        (target.is_some() && !declared.is_empty()).then(|| text(service, "/metadata/name"))
    })
}

/// Why a pod is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unready {
    /// No node takes it.
    Unschedulable,
    /// A container was killed for the memory that it took.
    OutOfMemory,
    /// A container ends as soon as it has begun.
    Crashing,
    /// Its containers run, and are not asked or don't answer as the probe wants it.
    NotAnswering,
    /// A container waits for something else, an image for instance.
    Waiting,
}

/// Seconds after which a pod that is still being made is stuck: images are there as a rule.
const STARTING: u64 = 30;

/// The service of a pod that is not ready, and why it is not.
pub(super) fn unready(listed: &str, pods: &str) -> Option<(String, Unready)> {
    let broken = rows(listed).find(|row| {
        let ready = row.get(1).and_then(|ready| ready.split_once('/'));
        let done = row.get(2).is_some_and(|status| status == "Completed");
        !done && !is_starting(row) && ready.is_some_and(|(have, want)| have != want)
    })?;
    let name = broken.first()?;
    let pod = items(pods)
        .into_iter()
        .find(|pod| text(pod, "/metadata/name") == *name)?;
    let label = text(&pod, "/metadata/labels/app.kubernetes.io~1name");
    let component = if label.is_empty() {
        name.clone()
    } else {
        label
    };
    Some((component, why(&pod)))
}

/// Whether a pod has only just been made, as a CronJob makes one every minute.
fn is_starting(row: &[String]) -> bool {
    let being_made = ["Pending", "ContainerCreating", "PodInitializing"];
    let age = row
        .last()
        .and_then(|age| age.strip_suffix('s')?.parse().ok());
    row.get(2)
        .is_some_and(|status| being_made.contains(&status.as_str()))
        && age.is_some_and(|seconds: u64| seconds < STARTING)
}

fn why(pod: &Value) -> Unready {
    let conditions = array(pod, "/status/conditions");
    let unscheduled = conditions
        .iter()
        .any(|one| text(one, "/type") == "PodScheduled" && text(one, "/status") == "False");
    if unscheduled {
        return Unready::Unschedulable;
    }
    let containers = array(pod, "/status/containerStatuses");
    let ended = |reason: &str| {
        containers.iter().any(|one| {
            ["/state", "/lastState"]
                .iter()
                .any(|state| text(one, &format!("{state}/terminated/reason")) == reason)
        })
    };
    let is_running = |one: &Value| one.pointer("/state/running").is_some();
    if ended("OOMKilled") {
        Unready::OutOfMemory
    } else if ended("Error") {
        Unready::Crashing
    } else if !containers.is_empty() && containers.iter().all(is_running) {
        Unready::NotAnswering
    } else {
        Unready::Waiting
    }
}

/// Spans as `read_traces` prints them.
pub(super) struct ErrorSpans {
    spans: Vec<Span>,
}

struct Span {
    trace: String,
    id: String,
    parent: String,
    service: String,
    failed: bool,
}

impl ErrorSpans {
    /// Reads the printed table: columns by name, operations may hold blanks.
    pub(super) fn read(table: &str) -> Self {
        let spans = table.lines().skip(1).filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            // trace_id span_id parent_span service_name operation… start_time duration has_error response
            let [trace, id, parent, service, .., failed, _response] = words.as_slice() else {
                return None;
            };
            Some(Span {
                trace: (*trace).to_owned(),
                id: (*id).to_owned(),
                parent: (*parent).to_owned(),
                service: (*service).to_owned(),
                failed: failed.eq_ignore_ascii_case("true"),
            })
        });
        Self {
            spans: spans.collect(),
        }
    }

    /// Share of traces that hold an error.
    pub(super) fn error_ratio(&self) -> f64 {
        let all: BTreeSet<&str> = self.spans.iter().map(|span| span.trace.as_str()).collect();
        let failed: BTreeSet<&str> = self
            .spans
            .iter()
            .filter(|span| span.failed)
            .map(|span| span.trace.as_str())
            .collect();
        if all.is_empty() {
            0.0
        } else {
            failed.len() as f64 / all.len() as f64
        }
    }

    /// The service in which most errors begin: failed spans that no failed span descends from.
    pub(super) fn culprit(&self) -> Option<String> {
        let blamed: BTreeSet<(&str, &str)> = self
            .spans
            .iter()
            .filter(|span| span.failed)
            .map(|span| (span.trace.as_str(), span.parent.as_str()))
            .collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for span in &self.spans {
            if span.failed && !blamed.contains(&(span.trace.as_str(), span.id.as_str())) {
                *counts.entry(&span.service).or_default() += 1;
            }
        }
        let (service, _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        Some(service.to_owned())
    }
}

/// The cells of a printed table's rows, header left out.
fn rows(table: &str) -> impl Iterator<Item = Vec<String>> {
    table
        .lines()
        .skip(1)
        .map(|line| line.split_whitespace().map(str::to_owned).collect())
}

/// The items of a printed list; nothing of what is no JSON.
fn items(list: &str) -> Vec<Value> {
    let list: Value = serde_json::from_str(list).unwrap_or_default();
    array(&list, "/items").to_vec()
}

fn array<'a>(value: &'a Value, pointer: &str) -> &'a [Value] {
    value
        .pointer(pointer)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

fn text(value: &Value, pointer: &str) -> String {
    value
        .pointer(pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_scaled_to_zero_is_found_and_a_starting_one_is_not() {
        let endpoints = "NAME   ENDPOINTS         AGE\ngeo    <none>            5m\nrate   10.244.0.9:8080   5m\n";
        let deployments = |geo: &str| {
            format!(
                "NAME   READY   UP-TO-DATE   AVAILABLE   AGE\ngeo    {geo}     0            0           5m\nrate   1/1     1            1           5m\n"
            )
        };
        assert_eq!(
            scaled_to_zero(&deployments("0/0"), endpoints),
            Some("geo".to_owned())
        );
        assert_eq!(scaled_to_zero(&deployments("0/1"), endpoints), None);
    }

    #[test]
    fn a_target_port_that_no_container_declares_is_found() {
        let services = |port: u16| {
            serde_json::json!({"items": [{"metadata": {"name": "rate"},
            "spec": {"selector": {"a": "rate"}, "ports": [{"port": 8080, "targetPort": port}]}}]})
            .to_string()
        };
        let pods =
            serde_json::json!({"items": [{"metadata": {"name": "rate-1", "labels": {"a": "rate"}},
            "spec": {"containers": [{"ports": [{"containerPort": 8080}]}]}}]})
            .to_string();
        assert_eq!(
            port_mismatch(&services(9999), &pods),
            Some("rate".to_owned())
        );
        assert_eq!(port_mismatch(&services(8080), &pods), None);
    }

    #[test]
    fn the_state_of_a_pod_tells_why_it_is_not_ready() {
        let listed = "NAME   READY   STATUS   RESTARTS   AGE\ngeo-1   0/1     Whatever   0   5m\n";
        let check = |status: Value, expected: Unready| {
            let pod = serde_json::json!({"metadata": {"name": "geo-1",
                "labels": {"app.kubernetes.io/name": "geo"}}, "status": status});
            let pods = serde_json::json!({ "items": [pod] }).to_string();
            assert_eq!(unready(listed, &pods), Some(("geo".to_owned(), expected)));
        };
        let container = |state: Value, last: Value| serde_json::json!({"containerStatuses": [{"state": state, "lastState": last}]});
        let waiting = serde_json::json!({"waiting": {"reason": "CrashLoopBackOff"}});
        let ended = |reason: &str| serde_json::json!({"terminated": {"reason": reason}});
        let nothing = serde_json::json!({});
        let conditions =
            serde_json::json!({"conditions": [{"type": "PodScheduled", "status": "False"}]});
        check(conditions, Unready::Unschedulable);
        check(
            container(waiting.clone(), ended("OOMKilled")),
            Unready::OutOfMemory,
        );
        check(
            container(waiting.clone(), ended("Error")),
            Unready::Crashing,
        );
        check(
            container(serde_json::json!({"running": {}}), nothing.clone()),
            Unready::NotAnswering,
        );
        check(container(waiting, nothing), Unready::Waiting);
    }

    #[test]
    fn a_pod_that_has_just_been_made_is_not_broken() {
        let pods = serde_json::json!({"items": [{"metadata": {"name": "tick-1"}}]}).to_string();
        let found = |status: &str, age: &str| {
            let row = format!("tick-1 0/1 {status} 0 {age}");
            unready(&format!("NAME READY STATUS RESTARTS AGE\n{row}\n"), &pods)
        };
        let broken = Some(("tick-1".to_owned(), Unready::Waiting));
        assert_eq!(found("ContainerCreating", "4s"), None);
        assert_eq!(found("ContainerCreating", "31s"), broken);
        assert_eq!(found("ContainerCreating", "2m4s"), broken);
        assert_eq!(found("ErrImagePull", "4s"), broken);
    }

    #[test]
    fn errors_are_blamed_on_where_they_begin() {
        let table = "trace_id span_id parent_span service_name operation_name start_time duration has_error response\n\
            t a ROOT frontend GET /hotels 1 9 True 500\n\
            t b a search GET /nearby 2 5 True 500\n\
            t c b geo select hotels 3 1 True Unknown\n\
            u d ROOT frontend GET /hotels 4 9 False 200\n";
        let spans = ErrorSpans::read(table);
        assert_eq!(spans.culprit(), Some("geo".to_owned()));
        assert!((spans.error_ratio() - 0.5).abs() < 1e-9);
    }
}
