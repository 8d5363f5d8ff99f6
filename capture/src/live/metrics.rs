//! `get_metrics`: the cAdvisor metrics of a namespace, as CSV files, from Prometheus.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_datasets::Visibility;
use aiopslab_problems::answer::{self, KPI_NAMES, KPI_STEP_S, KpiPoint};
use aiopslab_problems::environment::{Observation, Verdict};
use jiff::Timestamp;
use serde::Deserialize;

use super::environment::LiveEnvironment;
use super::logs::is_name;
use crate::cluster::ClusterError;
use crate::error::CaptureError;
use crate::resource::text;

/// The part of Prometheus' answer to `query_range` that is read.
#[derive(Deserialize)]
struct Answer {
    data: Data,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Series>,
}

#[derive(Deserialize)]
struct Series {
    metric: BTreeMap<String, String>,
    #[serde(default)]
    values: Vec<(f64, String)>,
}

impl LiveEnvironment {
    /// Asks for the metrics of the last minutes on a grid of 15 seconds.
    pub(super) async fn get_metrics(
        &self,
        namespace: &str,
        duration: i64,
    ) -> Result<Observation, CaptureError> {
        let now = Timestamp::now().as_millisecond();
        let start = match answer::window_start(now * 1_000_000, duration) {
            Ok(start) => (start / 1_000_000).max(self.since.as_millisecond()),
            Err(text) => return Ok(Observation::new(text, Verdict::Invalid)),
        };
        let series = match self.query_range(namespace, start, now).await {
            Ok(series) => series,
            Err(error) => {
                let text = format!("Error: the metrics could not be read: {error}");
                return Ok(Observation::new(text, Verdict::NotCaptured));
            }
        };
        let alive = self.visible_pods(namespace).await?;
        let alive = alive
            .iter()
            .map(|pod| text(pod, "/metadata/name").to_owned())
            .collect();
        let points: Vec<KpiPoint> = series
            .iter()
            .flat_map(|series| self.points(namespace, series, &alive))
            .collect();
        let files = answer::metrics_files(&points);
        let folder = answer::metrics_folder(self.calls);
        let exported: Vec<(String, String)> = files
            .iter()
            .map(|(path, text)| (format!("{folder}/{path}"), text.clone()))
            .collect();
        self.export(&exported).await?;
        let verdict = if files.is_empty() {
            Verdict::Empty
        } else {
            Verdict::Answered
        };
        Ok(Observation::new(
            answer::metrics_message(&folder, &files),
            verdict,
        ))
    }

    /// Asks Prometheus; times are in milliseconds.
    async fn query_range(
        &self,
        namespace: &str,
        start: i64,
        end: i64,
    ) -> Result<Vec<Series>, ClusterError> {
        let mut names = KPI_NAMES.to_vec();
        if !self.upstream_quirks {
            names.extend(answer::KPI_NAMES_LOST_UPSTREAM);
        }
        if !is_name(namespace) {
            return Ok(Vec::new());
        }
        let seconds = |ms: i64| format!("{}.{:03}", ms / 1000, ms % 1000);
        let query = format!(
            "{{__name__=~\"{}\",namespace=\"{namespace}\"}}",
            names.join("|")
        );
        let query = url::form_urlencoded::Serializer::new(String::new())
            .append_pair("query", &query)
            .append_pair("start", &seconds(start))
            .append_pair("end", &seconds(end))
            .append_pair("step", &KPI_STEP_S.to_string())
            .finish();
        let path = format!("/api/v1/query_range?{query}");
        let answer = self
            .cluster
            .proxy_json(
                &self.application.prometheus,
                &self.application.namespace,
                &path,
            )
            .await?;
        let answer: Answer =
            serde_json::from_value(answer).map_err(|error| ClusterError::Nonsense {
                path,
                reason: error.to_string(),
            })?;
        Ok(answer.data.result)
    }

    fn points(&self, namespace: &str, series: &Series, alive: &BTreeSet<String>) -> Vec<KpiPoint> {
        let label = |name: &str| series.metric.get(name).map_or("", String::as_str);
        let pod = label("pod");
        let left_out = answer::KPI_PODS_LEFT_OUT_UPSTREAM
            .iter()
            .any(|start| pod.starts_with(start));
        let is_hidden = self.rules.of_reference("pods", namespace, pod) != Visibility::Visible;
        let quirk = self.upstream_quirks && (left_out || !alive.contains(pod));
        if pod.is_empty() || is_hidden || quirk {
            return Vec::new();
        }
        let pod = if self.upstream_quirks {
            pod.to_owned()
        } else {
            answer::kpi_pod(pod, label("container"), !label("name").is_empty())
        };
        let values = series.values.iter();
        values
            .filter_map(|(at, value)| {
                Some(KpiPoint {
                    metric: label("__name__").to_owned(),
                    instance: label("instance").to_owned(),
                    pod: pod.clone(),
                    timestamp_s: whole_seconds(*at),
                    value: value.parse().ok()?,
                    interface: series.metric.get("interface").cloned(),
                })
            })
            .collect()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "seconds since the epoch, rounded down, fit"
)]
fn whole_seconds(at: f64) -> i64 {
    at.floor() as i64
}
