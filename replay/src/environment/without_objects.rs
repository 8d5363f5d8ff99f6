//! What actions answer of a recording that has nothing of Kubernetes: in an imported dataset,
//! services and pods are known by the names that log lines and series carry.

use std::collections::BTreeMap;

use aiopslab_datasets::rows::MetricSeries;
use aiopslab_datasets::schema::Table;
use aiopslab_problems::answer;
use aiopslab_problems::environment::{Observation, Verdict};
use arrow::array::AsArray;
use arrow::compute::cast;
use arrow::datatypes::{DataType, UInt64Type};
use datafusion::prelude::lit;

use super::ReplayEnvironment;
use crate::coverage::TableCoverage;
use crate::tables::{Selection, column, moment};
use crate::view::{View, ViewError};

/// The first instance that each service of a namespace logged from, in the order of pods.
type Loggers = BTreeMap<String, (String, u64)>;

impl ReplayEnvironment {
    /// Whether nobody looked at the objects of the recorded system.
    pub(super) async fn has_no_objects(&self) -> Result<bool, ViewError> {
        let coverage = self.recording.coverage().await?;
        Ok(coverage.table(Table::ObjectVersions) == TableCoverage::None)
    }

    /// The log of the first pod whose lines carry the service's name.
    pub(super) async fn logs_by_name(
        &self,
        namespace: &str,
        service: &str,
    ) -> Result<Observation, ViewError> {
        let loggers = self.loggers(namespace).await?;
        if let Some((pod, instance)) = loggers.get(service) {
            let instances = self.recording.log_instances(namespace, pod).await?;
            if let Some(instance) = instances.iter().find(|one| one.instance_id == *instance) {
                return self.whole_log(instance).await;
            }
        }
        if self.recording.covers_logs(namespace).await? {
            let known = loggers.keys().map(String::as_str).collect();
            return Ok(self.refusal(Verdict::Empty, || {
                answer::no_pod_of_service(namespace, service, known)
            }));
        }
        Ok(self.refusal(Verdict::NotCaptured, || {
            format!("Error: logs of namespace {namespace} were not recorded.")
        }))
    }

    async fn loggers(&self, namespace: &str) -> Result<Loggers, ViewError> {
        let selection = Selection::default()
            .and(column("namespace").eq(lit(namespace)))
            .and(column("timestamp").lt_eq(moment(self.recording.now())))
            .columns(&["service", "pod", "instance_id"]);
        let batches = self
            .recording
            .tables()
            .batches(Table::LogLines, selection)
            .await?;
        let mut loggers = Loggers::new();
        for batch in batches {
            let text = |index: usize| {
                let column = cast(batch.column(index), &DataType::Utf8);
                column.map_err(|error| ViewError::new("logs", error))
            };
            let (services, pods) = (text(0)?, text(1)?);
            let instances = batch.column(2).as_primitive::<UInt64Type>();
            let (services, pods) = (services.as_string::<i32>(), pods.as_string::<i32>());
            for ((service, pod), instance) in services.iter().zip(pods).zip(instances) {
                let (Some(service), Some(pod), Some(instance)) = (service, pod, instance) else {
                    continue;
                };
                // The file is sorted by pod.
                if !loggers.contains_key(service) {
                    loggers.insert(service.to_owned(), (pod.to_owned(), instance));
                }
            }
        }
        Ok(loggers)
    }
}

/// Names a series' source in `cmdb_id`: its service and pod, and labels of other names with them.
pub(super) fn source_of(series: &MetricSeries) -> String {
    let label = |name: &str| {
        let mut labels = series.labels.iter();
        labels.find(|(key, _)| key == name).map(|(_, value)| value)
    };
    let named = ["service", "pod"];
    let mut parts: Vec<String> = named
        .iter()
        .filter_map(|name| label(name))
        .cloned()
        .collect();
    for (key, value) in &series.labels {
        if !named.contains(&key.as_str()) && key != "namespace" {
            parts.push(format!("{key}={value}"));
        }
    }
    parts.join(".")
}
