//! `get_logs`: the log of a service's first pod.

use aiopslab_problems::answer;
use aiopslab_problems::environment::{Observation, Verdict};
use serde_json::Value;

use super::ReplayEnvironment;
use crate::view::{LogInstance, LogQuery, ObjectQuery, RecordedObject, View, ViewError};

/// The label that the Job controller sets, by which AIOpsLab finds its load generator.
const JOB_LABEL: &str = "job-name";

impl ReplayEnvironment {
    /// The whole log of the current instance of the first pod's container.
    pub(super) async fn get_logs(
        &self,
        namespace: &str,
        service: &str,
    ) -> Result<Observation, ViewError> {
        let view = &self.recording;
        let pods = view
            .objects(&ObjectQuery::all("", "pods", Some(namespace)))
            .await?;
        let label = self.pod_label(namespace, service);
        let found = pods
            .iter()
            .find(|pod| label_is(pod, label, service))
            .or_else(|| {
                let fallback = |pod: &&RecordedObject| label_is(pod, JOB_LABEL, service);
                pods.iter().find(fallback).filter(|_| !self.upstream_quirks)
            });
        let Some(pod) = found else {
            let covered = view.covers_objects("", "pods", Some(namespace)).await?;
            let verdict = if covered {
                Verdict::Empty
            } else {
                Verdict::NotCaptured
            };
            return Ok(self.refusal(verdict, || {
                self.no_such_service(namespace, service, &pods, covered)
            }));
        };
        let containers = container_names(&pod.object);
        let [container] = containers.as_slice() else {
            return Ok(self.refusal(Verdict::Invalid, || {
                format!(
                    "Error: pod {} has several containers: {}. Choose one: kubectl logs {} -n {namespace} -c {}",
                    pod.name,
                    containers.join(", "),
                    pod.name,
                    containers.first().map_or("CONTAINER", String::as_str),
                )
            }));
        };
        let instances = view.log_instances(namespace, &pod.name).await?;
        match instances
            .iter()
            .filter(|one| one.pod_uid == pod.uid && one.container == *container)
            .max_by_key(|one| (one.restart, one.started, one.instance_id))
        {
            Some(instance) => self.whole_log(instance).await,
            None => self.no_instance(pod, container).await,
        }
    }

    async fn whole_log(&self, instance: &LogInstance) -> Result<Observation, ViewError> {
        let query = LogQuery {
            instance_ids: vec![instance.instance_id],
            ..LogQuery::default()
        };
        let lines = self.recording.log_lines(&query).await?;
        let covered = self.recording.covers_logs(&instance.namespace).await?;
        let mut text = String::new();
        for line in &lines {
            text.push_str(&String::from_utf8_lossy(&line.message));
            text.push('\n');
        }
        let verdict = match (lines.is_empty(), covered) {
            (false, _) if !instance.first_line_kept => Verdict::Partial,
            (false, _) => Verdict::Answered,
            (true, true) => Verdict::Empty,
            (true, false) => Verdict::NotCaptured,
        };
        Ok(Observation::new(text, verdict))
    }

    async fn no_instance(
        &self,
        pod: &RecordedObject,
        container: &str,
    ) -> Result<Observation, ViewError> {
        match waiting_reason(&pod.object, container) {
            Some(reason) => Ok(self.refusal(Verdict::Answered, || {
                format!(
                    "Error: container {container} of pod {} has no log: it is waiting to start: {reason}",
                    pod.name
                )
            })),
            None => Ok(Observation::new(
                format!("Error: the log of pod {} was not recorded.", pod.name),
                Verdict::NotCaptured,
            )),
        }
    }

    /// AIOpsLab has one text for everything that goes wrong; ours says what it was.
    fn refusal(&self, verdict: Verdict, text: impl FnOnce() -> String) -> Observation {
        if self.upstream_quirks {
            Observation::new(answer::unknown_service(), verdict)
        } else {
            Observation::new(text(), verdict)
        }
    }

    fn pod_label(&self, namespace: &str, service: &str) -> &str {
        let generator = namespace == "default" && service.contains("wrk2-job");
        if generator {
            JOB_LABEL
        } else {
            self.recording.service_label()
        }
    }

    fn no_such_service(
        &self,
        namespace: &str,
        service: &str,
        pods: &[RecordedObject],
        covered: bool,
    ) -> String {
        if !covered {
            return format!("Error: pods of namespace {namespace} were not recorded.");
        }
        let label = self.recording.service_label();
        let mut known: Vec<&str> = pods.iter().filter_map(|pod| label_of(pod, label)).collect();
        known.sort_unstable();
        known.dedup();
        if known.is_empty() {
            return format!(
                "Error: no pod of service {service} in namespace {namespace}, nor of any other."
            );
        }
        format!(
            "Error: no pod of service {service} in namespace {namespace}. Services with pods: {}.",
            known.join(", ")
        )
    }
}

fn label_of<'a>(pod: &'a RecordedObject, label: &str) -> Option<&'a str> {
    pod.object
        .get("metadata")?
        .get("labels")?
        .get(label)?
        .as_str()
}

fn label_is(pod: &RecordedObject, label: &str, value: &str) -> bool {
    label_of(pod, label) == Some(value)
}

fn container_names(pod: &Value) -> Vec<String> {
    let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
    containers
        .into_iter()
        .flatten()
        .filter_map(|container| container.get("name")?.as_str().map(str::to_owned))
        .collect()
}

fn waiting_reason(pod: &Value, container: &str) -> Option<String> {
    let statuses = pod
        .pointer("/status/containerStatuses")
        .and_then(Value::as_array);
    let Some(statuses) = statuses else {
        let phase = pod.pointer("/status/phase")?.as_str()?;
        return (phase == "Pending").then(|| "the pod is Pending".to_owned());
    };
    let status = statuses
        .iter()
        .find(|status| status.get("name").and_then(Value::as_str) == Some(container))?;
    Some(
        status
            .pointer("/state/waiting/reason")?
            .as_str()?
            .to_owned(),
    )
}
