//! `get_logs`: the log of a service's first pod.

use aiopslab_problems::answer;
use aiopslab_problems::environment::{Observation, Verdict};

use super::ReplayEnvironment;
use crate::view::{LogInstance, LogQuery, ObjectQuery, RecordedObject, View, ViewError};

impl ReplayEnvironment {
    /// The whole log of the current instance of the first pod's container.
    pub(super) async fn get_logs(
        &self,
        namespace: &str,
        service: &str,
    ) -> Result<Observation, ViewError> {
        if self.has_no_objects().await? {
            return self.logs_by_name(namespace, service).await;
        }
        let view = &self.recording;
        let pods = view
            .objects(&ObjectQuery::all("", "pods", Some(namespace)))
            .await?;
        let label = answer::pod_label(namespace, service, view.service_label());
        let found = pods
            .iter()
            .find(|pod| label_is(pod, label, service))
            .or_else(|| {
                let fallback = |pod: &&RecordedObject| label_is(pod, answer::JOB_LABEL, service);
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
        let containers = answer::container_names(&pod.object);
        let [container] = containers.as_slice() else {
            return Ok(self.refusal(Verdict::Invalid, || {
                answer::several_containers(namespace, &pod.name, &containers)
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

    pub(super) async fn whole_log(&self, instance: &LogInstance) -> Result<Observation, ViewError> {
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
        match answer::waiting_reason(&pod.object, container) {
            Some(reason) => Ok(self.refusal(Verdict::Answered, || {
                answer::waiting_to_start(&pod.name, container, &reason)
            })),
            None => Ok(Observation::new(
                format!("Error: the log of pod {} was not recorded.", pod.name),
                Verdict::NotCaptured,
            )),
        }
    }

    /// AIOpsLab has one text for everything that goes wrong; ours says what it was.
    pub(super) fn refusal(&self, verdict: Verdict, text: impl FnOnce() -> String) -> Observation {
        if self.upstream_quirks {
            Observation::new(answer::unknown_service(), verdict)
        } else {
            Observation::new(text(), verdict)
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
        let known = pods
            .iter()
            .filter_map(|pod| answer::label_of(&pod.object, label));
        answer::no_pod_of_service(namespace, service, known.collect())
    }
}

fn label_is(pod: &RecordedObject, label: &str, value: &str) -> bool {
    answer::label_of(&pod.object, label) == Some(value)
}
