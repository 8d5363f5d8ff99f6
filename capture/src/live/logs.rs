//! `get_logs`: the log of a service's first pod.

use aiopslab_datasets::Visibility;
use aiopslab_problems::answer;
use aiopslab_problems::environment::{Observation, Verdict};
use serde_json::Value;

use super::environment::LiveEnvironment;
use crate::error::CaptureError;
use crate::resource::text;

impl LiveEnvironment {
    /// The whole log of the running instance of the first pod's container.
    pub(super) async fn get_logs(
        &self,
        namespace: &str,
        service: &str,
    ) -> Result<Observation, CaptureError> {
        let pods = self.visible_pods(namespace).await?;
        let label = answer::pod_label(namespace, service, &self.application.service_label);
        let with = |label: &str| {
            let mut pods = pods.iter();
            pods.find(|pod| answer::label_of(pod, label) == Some(service))
        };
        let fallback = || with(answer::JOB_LABEL).filter(|_| !self.upstream_quirks);
        let Some(pod) = with(label).or_else(fallback) else {
            let service_label = &self.application.service_label;
            let known = pods
                .iter()
                .filter_map(|pod| answer::label_of(pod, service_label));
            let text = answer::no_pod_of_service(namespace, service, known.collect());
            return Ok(self.refusal(Verdict::Empty, text));
        };
        let name = text(pod, "/metadata/name");
        let containers = answer::container_names(pod);
        let [container] = containers.as_slice() else {
            let text = answer::several_containers(namespace, name, &containers);
            return Ok(self.refusal(Verdict::Invalid, text));
        };
        if let Some(reason) = answer::waiting_reason(pod, container) {
            let text = answer::waiting_to_start(name, container, &reason);
            return Ok(self.refusal(Verdict::Answered, text));
        }
        let path = format!("/api/v1/namespaces/{namespace}/pods/{name}/log?container={container}");
        let log = self
            .cluster
            .request(http::Method::GET, &path, &[], Vec::new())
            .await?;
        if log.status != 200 {
            let status: Value = serde_json::from_slice(&log.body).unwrap_or_default();
            let text = format!("Error: {}", text(&status, "/message"));
            return Ok(self.refusal(Verdict::Answered, text));
        }
        let mut text = String::from_utf8_lossy(&log.body).into_owned();
        let verdict = match (text.is_empty(), answer::cut_output(&mut text)) {
            (true, _) => Verdict::Empty,
            (false, true) => Verdict::Partial,
            (false, false) => Verdict::Answered,
        };
        Ok(Observation::new(text, verdict))
    }

    /// The pods of a namespace that an agent may see, by name.
    pub(super) async fn visible_pods(&self, namespace: &str) -> Result<Vec<Value>, CaptureError> {
        if !is_name(namespace) {
            return Ok(Vec::new());
        }
        let path = format!("/api/v1/namespaces/{namespace}/pods");
        let mut pods = self.cluster.list(&path).await?;
        pods.retain(|pod| self.rules.of_object("pods", pod) == Visibility::Visible);
        Ok(pods)
    }

    /// AIOpsLab has one text for everything that goes wrong; ours says what it was.
    fn refusal(&self, verdict: Verdict, text: String) -> Observation {
        if self.upstream_quirks {
            Observation::new(answer::unknown_service(), verdict)
        } else {
            Observation::new(text, verdict)
        }
    }
}

/// Whether a text can be the name of a namespace: it goes into paths.
pub(super) fn is_name(text: &str) -> bool {
    let is_plain =
        |letter: u8| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == b'-';
    !text.is_empty() && text.len() <= 63 && text.bytes().all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn what_an_agent_names_can_not_leave_its_place_in_a_path() {
        assert!(is_name("hotel-testbed"));
        for wrong in ["", "a/b", "../kube-system", "a?b", "A", "a\"}"] {
            assert!(!is_name(wrong), "{wrong}");
        }
    }
}
