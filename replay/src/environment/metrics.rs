//! `get_metrics`: the cAdvisor metrics of a namespace, as CSV files.

use std::collections::BTreeSet;

use aiopslab_datasets::rows::MetricSeries;
use aiopslab_datasets::schema::Table;
use aiopslab_problems::answer::{self, KPI_NAMES, KPI_STEP_S, KpiPoint};
use aiopslab_problems::environment::Observation;

use super::without_objects::source_of;
use super::{ReplayEnvironment, window_start, window_verdict};
use crate::metrics::{RangeQuery, query_range};
use crate::view::{ObjectQuery, View, ViewError};

impl ReplayEnvironment {
    /// Evaluates the metrics of the last minutes on a grid of 15 seconds.
    pub(super) async fn get_metrics(
        &mut self,
        namespace: &str,
        duration: i64,
    ) -> Result<Observation, ViewError> {
        let now = self.recording.now();
        let start = match window_start(now, duration) {
            Ok(start) => start,
            Err(refusal) => return Ok(refusal),
        };
        let mut names = KPI_NAMES.to_vec();
        if !self.upstream_quirks {
            names.extend(answer::KPI_NAMES_LOST_UPSTREAM);
        }
        // Another dataset's metrics have other names than cAdvisor's.
        let by_name = self.has_no_objects().await?;
        if by_name {
            names.clear();
        }
        let query = RangeQuery {
            namespace,
            names: &names,
            start: start / 1_000_000,
            end: now / 1_000_000,
            step: KPI_STEP_S * 1000,
        };
        let alive = self.alive_pods(namespace).await?;
        let mut points = Vec::new();
        for series in query_range(self.recording.tables(), &query).await? {
            let pod = if by_name {
                Some(source_of(&series.series))
            } else {
                self.pod_column(&series.series, &alive)
            };
            let Some(pod) = pod else {
                continue;
            };
            let of_prometheus = |name| label(&series.series, name).filter(|_| !by_name);
            let instance = of_prometheus("instance").unwrap_or_default();
            let interface = of_prometheus("interface");
            points.extend(series.points.iter().map(|(at, value)| KpiPoint {
                metric: series.series.name.clone(),
                instance: instance.clone(),
                pod: pod.clone(),
                timestamp_s: at / 1000,
                value: *value,
                interface: interface.clone(),
            }));
        }
        let files = answer::metrics_files(&points);
        let folder = answer::metrics_folder(self.calls);
        for (path, text) in &files {
            self.files.write(format!("{folder}/{path}"), text.as_str());
        }
        let coverage = self.recording.coverage().await?;
        let covered = coverage.window(Table::MetricSamples, &[("namespace", namespace)], start);
        let message = answer::metrics_message(&folder, &files);
        Ok(Observation::new(
            message,
            window_verdict(covered, files.is_empty()),
        ))
    }

    /// The pod's part of `cmdb_id`. AIOpsLab drops the container, so that different series get the
    /// same id, and pods that are gone; ours keeps both.
    fn pod_column(&self, series: &MetricSeries, alive: &BTreeSet<String>) -> Option<String> {
        let pod = series.pod.as_deref().filter(|pod| !pod.is_empty())?;
        if self.upstream_quirks {
            let left_out = answer::KPI_PODS_LEFT_OUT_UPSTREAM
                .iter()
                .any(|start| pod.starts_with(start));
            return (alive.contains(pod) && !left_out).then(|| pod.to_owned());
        }
        let container = series.container.as_deref().unwrap_or_default();
        let names_container = label(series, "name").is_some_and(|name| !name.is_empty());
        Some(answer::kpi_pod(pod, container, names_container))
    }

    async fn alive_pods(&self, namespace: &str) -> Result<BTreeSet<String>, ViewError> {
        let pods = self
            .recording
            .objects(&ObjectQuery::all("", "pods", Some(namespace)))
            .await?;
        Ok(pods.into_iter().map(|pod| pod.name).collect())
    }
}

fn label(series: &MetricSeries, name: &str) -> Option<String> {
    series
        .labels
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.clone())
}
