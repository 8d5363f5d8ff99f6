//! From a recording to the tables of the algorithms. Components are services, or pods of none.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use aiopslab_datasets::rows::{LogLine, MetricSample, MetricSeries, Span};
use aiopslab_datasets::{Snapshot, SnapshotError};

use crate::algorithms::{Window, logs, metrics, traces};

const NS_PER_MS: i64 = 1_000_000;

/// A recording as several algorithms ask for it.
pub struct Recorded<'a> {
    snapshot: &'a Snapshot,
    /// Its log lines, once somebody has asked for them.
    lines: Option<Vec<LogLine>>,
}

impl<'a> Recorded<'a> {
    /// A recording of which nothing has been read yet.
    #[must_use]
    pub fn new(snapshot: &'a Snapshot) -> Self {
        Self {
            snapshot,
            lines: None,
        }
    }

    fn lines(&mut self) -> Result<&[LogLine], SnapshotError> {
        let lines = match self.lines.take() {
            Some(lines) => lines,
            None => self.snapshot.read_rows()?,
        };
        Ok(self.lines.insert(lines))
    }
}

/// The series that belong to a component, with their samples within the windows.
pub(super) fn metrics(
    recorded: &mut Recorded<'_>,
    window: &Window,
) -> Result<Vec<metrics::Series>, SnapshotError> {
    let snapshot = recorded.snapshot;
    let services = services_of_pods(recorded.lines()?);
    let mut samples: BTreeMap<u64, Vec<(i64, f64)>> = BTreeMap::new();
    let whole = whole(window);
    for sample in snapshot.read_rows::<MetricSample>()? {
        if whole.contains(&sample.timestamp) {
            let of_series = samples.entry(sample.series_id).or_default();
            of_series.push((sample.timestamp, sample.value));
        }
    }
    let series = snapshot.read_rows::<MetricSeries>()?.into_iter();
    let series = series.filter_map(|series| {
        let component = component(&series, &services)?;
        let samples = samples.remove(&series.series_id)?;
        Some(metrics::Series {
            component,
            // Prometheus' rule for names.
            kind: match series.name.ends_with("_total") {
                true => metrics::Kind::Counter,
                false => metrics::Kind::Gauge,
            },
            metric: series.name,
            samples,
        })
    });
    Ok(series.collect())
}

/// Whose a series is: its service's, else that of its pod.
fn component(series: &MetricSeries, services: &BTreeMap<&str, &str>) -> Option<String> {
    let mut labels = series.labels.iter();
    let service = labels.find(|(name, _)| name == "service");
    service.map(|(_, value)| value.clone()).or_else(|| {
        let pod = series.pod.as_deref()?;
        let service = services.get(pod).copied();
        Some(service.unwrap_or(pod).to_owned())
    })
}

/// The services of pods, as their log lines tell.
fn services_of_pods(lines: &[LogLine]) -> BTreeMap<&str, &str> {
    let services = lines
        .iter()
        .filter_map(|line| Some((line.pod.as_str(), line.service.as_deref()?)));
    services.collect()
}

/// From the start of the one window to the end of the other.
fn whole(window: &Window) -> Range<i64> {
    let (baseline, fault) = (&window.baseline, &window.fault);
    baseline.start.min(fault.start)..baseline.end.max(fault.end)
}

pub(super) fn traces(recorded: &Recorded<'_>) -> Result<Vec<traces::Span>, SnapshotError> {
    let spans = recorded.snapshot.read_rows::<Span>()?.into_iter();
    let spans = spans.map(|span| traces::Span {
        trace: span.trace_id,
        id: span.span_id,
        parent: span.parent_span_id,
        component: span.service,
        operation: span.operation,
        start: span.start.div_euclid(NS_PER_MS),
        duration: span.end.saturating_sub(span.start) as f64 / NS_PER_MS as f64,
        failed: span.status == "error",
    });
    Ok(spans.collect())
}

pub(super) fn logs(recorded: &mut Recorded<'_>) -> Result<logs::Logs, SnapshotError> {
    let mut components = BTreeSet::new();
    let mut lines = Vec::new();
    for line in recorded.lines()? {
        let component = line.service.as_ref().unwrap_or(&line.pod);
        components.insert(component.clone());
        lines.push(logs::Line {
            at: line.timestamp.div_euclid(NS_PER_MS),
            component: component.clone(),
            text: String::from_utf8_lossy(&line.message).into_owned(),
        });
    }
    Ok(logs::Logs { components, lines })
}
