//! The metric series of an incident: their ids, and what is known of them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::sheet::{Metadata, Series};
use crate::rows::{MetricMetadata, MetricSeries};

/// Series are numbered in the order in which they are met.
#[derive(Debug, Default)]
pub(super) struct AllSeries {
    ids: HashMap<(String, Vec<(String, String)>), usize>,
    rows: Vec<MetricSeries>,
    /// What is known of metrics, by name.
    names: BTreeMap<String, Metadata>,
    /// The series of a part's columns, or of its metrics, by whose they are.
    part: HashMap<String, Vec<Option<usize>>>,
    metrics: HashMap<Vec<String>, usize>,
    /// The series that was asked for last: neighbours are often of one.
    last: Option<(Arc<Series>, usize)>,
}

impl AllSeries {
    /// Forgets what belonged to the columns of the part before.
    pub(super) fn next_part(&mut self) {
        self.part.clear();
        self.metrics.clear();
    }

    /// The series of a column; `make` is asked once.
    pub(super) fn of_column(
        &mut self,
        of: &str,
        column: usize,
        namespace: &str,
        make: impl FnOnce() -> Series,
    ) -> usize {
        let known = self.part.get(of).and_then(|ids| ids.get(column));
        if let Some(Some(id)) = known {
            return *id;
        }
        let id = self.id(make(), namespace);
        let columns = self.part.entry(of.to_owned()).or_default();
        if columns.len() <= column {
            columns.resize(column + 1, None);
        }
        if let Some(place) = columns.get_mut(column) {
            *place = Some(id);
        }
        id
    }

    /// The series of a metric by all that tells it from others.
    pub(super) fn of_metric(
        &mut self,
        key: Vec<String>,
        namespace: &str,
        make: impl FnOnce() -> Series,
    ) -> usize {
        if let Some(id) = self.metrics.get(&key) {
            return *id;
        }
        let id = self.id(make(), namespace);
        self.metrics.insert(key, id);
        id
    }

    /// A series that the source itself tells.
    pub(super) fn of_series(&mut self, series: &Arc<Series>, namespace: &str) -> usize {
        if let Some((last, id)) = &self.last
            && Arc::ptr_eq(last, series)
        {
            return *id;
        }
        let id = self.id(series.as_ref().clone(), namespace);
        self.last = Some((Arc::clone(series), id));
        id
    }

    /// Takes what is known of a metric; what was known before stays.
    pub(super) fn describe(&mut self, metadata: Metadata) {
        match self.names.get_mut(&metadata.name) {
            Some(known) => {
                known.kind = known.kind.take().or(metadata.kind);
                known.help = known.help.take().or(metadata.help);
                known.unit = known.unit.take().or(metadata.unit);
            }
            None => {
                self.names.insert(metadata.name.clone(), metadata);
            }
        }
    }

    /// The namespaces that series tell.
    pub(super) fn namespaces(&self) -> impl Iterator<Item = String> {
        self.rows.iter().filter_map(|row| row.namespace.clone())
    }

    fn id(&mut self, series: Series, namespace: &str) -> usize {
        let Series {
            name,
            mut labels,
            metadata,
        } = series;
        let has_namespace = labels.iter().any(|(key, _)| key == "namespace");
        if !has_namespace && !namespace.is_empty() {
            labels.push(("namespace".to_owned(), namespace.to_owned()));
        }
        labels.sort();
        if let Some(id) = self.ids.get(&(name.clone(), labels.clone())) {
            return *id;
        }
        let id = self.rows.len();
        let label = |key: &str| {
            let found = labels.iter().find(|(one, _)| one == key);
            found.map(|(_, value)| value.clone())
        };
        if let Some(metadata) = metadata {
            self.describe(metadata);
        }
        self.rows.push(MetricSeries {
            series_id: id as u64,
            source: super::SOURCE.to_owned(),
            namespace: label("namespace"),
            pod: label("pod"),
            container: label("container"),
            node: label("node"),
            name: name.clone(),
            labels: labels.clone(),
            first: i64::MAX,
            last: i64::MIN,
        });
        self.ids.insert((name, labels), id);
        id
    }

    /// A sample of a series (ms).
    pub(super) fn sampled(&mut self, id: usize, time: i64) {
        if let Some(row) = self.rows.get_mut(id) {
            row.first = row.first.min(time);
            row.last = row.last.max(time);
        }
    }

    /// The rows, and those of the metadata, which hold from a moment on.
    pub(super) fn finish(self, from: i64) -> (Vec<MetricSeries>, Vec<MetricMetadata>) {
        let metadata = self.names.into_values().map(|known| MetricMetadata {
            kind: "metadata".to_owned(),
            name: known.name,
            r#type: known.kind,
            help: known.help,
            unit: known.unit,
            json: None,
            valid_from: from,
            valid_to: None,
        });
        (self.rows, metadata.collect())
    }
}
