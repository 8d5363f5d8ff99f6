//! The samples of Prometheus, read back at the end: it has kept them exactly.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aiopslab_datasets::Visibility;
use aiopslab_datasets::rows::{MetricSample, MetricSeries};
use tokio::time::sleep;

use super::coverage::{Covered, Hole};
use super::options::namespace_selector;
use super::remote_read::{
    Label, Matcher, TimeSeries, decode_response, encode_request, histogram_time,
};
use super::scrapes::Scrapes;
use super::sink::Sink;
use super::{Context, SECOND, nanoseconds};
use super::{range_query, selector};

/// How far before the start of the recording samples are read: look-back and ranges reach there.
pub(super) const BEFORE_START: i64 = 300 * SECOND;
/// Length of one slice; Prometheus holds an answer in memory.
const SLICE_MS: i64 = 60_000;
/// Pauses between attempts, for all slices together: a Prometheus that was killed comes back.
const PAUSES: [u64; 7] = [1, 2, 4, 8, 15, 15, 15];
/// Selects everything.
const ALL: &str = "{__name__=~\".+\"}";

/// Series by their labels, in the order in which they were found.
#[derive(Default)]
struct Catalog {
    ids: BTreeMap<Vec<Label>, u64>,
    series: Vec<Found>,
    scrapes: Scrapes,
}

struct Found {
    labels: Vec<Label>,
    visibility: Visibility,
    first: i64,
    last: i64,
}

/// When the first of the namespaces was made: what Prometheus has of these names from before is another
/// deployment's, and would tell of incidents that this snapshot is not about.
async fn namespace_made(context: &Context) -> Option<i64> {
    let mut first = None;
    for namespace in &context.namespaces {
        let path = format!("/api/v1/namespaces/{namespace}");
        let namespace = context.cluster.get_json(&path).await.ok()?;
        let made = nanoseconds(namespace["metadata"]["creationTimestamp"].as_str()?)?;
        first = Some(first.map_or(made, |first: i64| first.min(made)));
    }
    first
}

/// Reads the samples of a window (nanoseconds) and writes series and samples.
pub(super) async fn record(
    context: &Context,
    (from, to): (i64, i64),
    series_sink: &Sink<MetricSeries>,
    samples: &Sink<MetricSample>,
) -> Vec<Covered> {
    let from = first_moment(from, namespace_made(context).await);
    let (from_ms, to_ms) = (from / 1_000_000, to / 1_000_000);
    let texts = context.options.selectors(&context.namespaces);
    // They were checked when the recording began.
    let selectors: Vec<_> = texts
        .iter()
        .filter_map(|text| selector::parse(text).ok())
        .collect();
    let mut catalog = Catalog::default();
    let mut holes = Vec::new();
    let mut pauses = PAUSES.iter();
    let mut may_post = true;
    let mut start = from_ms;
    while start < to_ms {
        let end = (start + SLICE_MS).min(to_ms);
        let mut slice = Err(Unread::Refused);
        if may_post {
            slice = read_slice(context, &selectors, start, end, &mut pauses).await;
        }
        if matches!(slice, Err(Unread::Refused)) {
            may_post = false;
            slice = query_slice(context, &texts, start, end).await;
        }
        match slice {
            Ok(series) => write_slice(context, &mut catalog, series, (start, end), samples).await,
            Err(reason) => holes.push(Hole {
                when: start * 1_000_000..end * 1_000_000,
                reason: reason.to_string(),
            }),
        }
        start = end;
    }
    // What can't be read was perhaps scraped.
    if holes.is_empty() {
        holes = catalog.scrapes.holes((from_ms, to_ms));
    }
    if let Some(started) = started(context).await {
        holes.extend(catalog.scrapes.restart(started / 1_000_000));
    }
    for (id, found) in (0_u64..).zip(catalog.series) {
        let mut row = series_row(id, &found);
        let mut redacted = false;
        for (name, value) in &mut row.labels {
            redacted |= context.redaction.named(name, value);
        }
        series_sink.put(row, found.visibility, redacted).await;
    }
    let lacks = (!may_post).then(|| range_query::LACKS.to_owned());
    covered(context, &texts, from, (&holes, lacks))
}

/// From when on series are read: some time before the start of the recording, but not from before the namespace was
/// made. One that was made anew since then cuts off nothing.
fn first_moment(start: i64, namespace_made: Option<i64>) -> i64 {
    let made = namespace_made.unwrap_or(i64::MIN);
    (start - BEFORE_START).max(made.min(start))
}

/// When Prometheus was started, by its clock.
async fn started(context: &Context) -> Option<i64> {
    let path = "/api/v1/status/runtimeinfo";
    let (cluster, prometheus) = (&context.cluster, &context.prometheus);
    let answer = cluster.proxy_json(prometheus, &context.namespace, path);
    nanoseconds(answer.await.ok()?["data"]["startTime"].as_str()?)
}

/// Why a slice was not read.
#[derive(Debug, thiserror::Error)]
enum Unread {
    /// We may not post.
    #[error("remote read was refused")]
    Refused,
    /// Anything else.
    #[error("{0}")]
    Failed(String),
}

/// One slice, half-open, by queries.
async fn query_slice(
    context: &Context,
    selectors: &[String],
    start: i64,
    end: i64,
) -> Result<Vec<TimeSeries>, Unread> {
    let mut all = Vec::new();
    for selector in selectors {
        let found = range_query::read(context, selector, (start, end)).await;
        all.extend(found.map_err(Unread::Failed)?);
    }
    Ok(all)
}

/// One slice, half-open.
async fn read_slice(
    context: &Context,
    selectors: &[Vec<Matcher>],
    start: i64,
    end: i64,
    pauses: &mut std::slice::Iter<'_, u64>,
) -> Result<Vec<TimeSeries>, Unread> {
    let request = encode_request(selectors, start, end - 1).map_err(Unread::Failed)?;
    let headers = [
        ("content-encoding", "snappy"),
        ("content-type", "application/x-protobuf"),
        ("x-prometheus-remote-read-version", "0.1.0"),
    ];
    loop {
        let (method, path) = (http::Method::POST, "/api/v1/read");
        let answer = context.cluster.proxy(
            &context.prometheus,
            &context.namespace,
            method,
            path,
            &headers,
            request.clone(),
        );
        let error = match answer.await {
            Ok(answer) => return decode_response(&answer.body).map_err(Unread::Failed),
            Err(error) if matches!(error.status(), Some(401 | 403 | 405)) => {
                return Err(Unread::Refused);
            }
            Err(error) => Unread::Failed(error.to_string()),
        };
        match pauses.next() {
            Some(pause) => sleep(Duration::from_secs(*pause)).await,
            None => return Err(error),
        }
    }
}

/// Writes the samples of a slice; new series get the next ids in the order of their labels.
async fn write_slice(
    context: &Context,
    catalog: &mut Catalog,
    mut series: Vec<TimeSeries>,
    (start, end): (i64, i64),
    sink: &Sink<MetricSample>,
) {
    let is_inside = |timestamp: i64| (start..end).contains(&timestamp);
    series.sort_by(|left, right| left.labels.cmp(&right.labels));
    let mut done = BTreeSet::new();
    for one in series {
        let times = one.samples.iter().map(|sample| sample.timestamp);
        let times = times.chain(one.histograms.iter().filter_map(|it| histogram_time(it)));
        let (first, last) = times
            .filter(|time| is_inside(*time))
            .fold((i64::MAX, i64::MIN), |(first, last), time| {
                (first.min(time), last.max(time))
            });
        if first > last {
            continue;
        }
        let (id, visibility) = catalog.id(context, one.labels, first, last);
        // Two selectors may match the same series.
        if !done.insert(id) {
            continue;
        }
        let times = one.samples.iter().map(|sample| sample.timestamp);
        catalog.scrapes.see(times.filter(|time| is_inside(*time)));
        let row = |timestamp, value, histogram| MetricSample {
            series_id: id,
            timestamp,
            value,
            histogram,
        };
        for sample in one
            .samples
            .iter()
            .filter(|sample| is_inside(sample.timestamp))
        {
            sink.put(row(sample.timestamp, sample.value, None), visibility, false)
                .await;
        }
        for histogram in one.histograms {
            match histogram_time(&histogram) {
                Some(time) if is_inside(time) => {
                    sink.put(row(time, 0.0, Some(histogram)), visibility, false)
                        .await;
                }
                Some(_) => {}
                None => sink.lose(1),
            }
        }
    }
}

impl Catalog {
    fn id(
        &mut self,
        context: &Context,
        labels: Vec<Label>,
        first: i64,
        last: i64,
    ) -> (u64, Visibility) {
        if let Some(id) = self.ids.get(&labels).copied() {
            let known = usize::try_from(id)
                .ok()
                .and_then(|index| self.series.get_mut(index));
            if let Some(known) = known {
                known.first = known.first.min(first);
                known.last = known.last.max(last);
                return (id, known.visibility);
            }
        }
        let id = self.series.len() as u64;
        let (namespace, pod) = (label(&labels, "namespace"), label(&labels, "pod"));
        let visibility = context.visibility.of_reference("pods", namespace, pod);
        self.ids.insert(labels.clone(), id);
        self.series.push(Found {
            labels,
            visibility,
            first,
            last,
        });
        (id, visibility)
    }
}

fn label<'a>(labels: &'a [Label], name: &str) -> &'a str {
    labels
        .iter()
        .find(|label| label.name == name)
        .map_or("", |label| &label.value)
}

fn series_row(series_id: u64, found: &Found) -> MetricSeries {
    let column = |name: &str| {
        let value = label(&found.labels, name);
        (!value.is_empty()).then(|| value.to_owned())
    };
    let labels = found.labels.iter().filter(|label| label.name != "__name__");
    let mut labels: Vec<_> = labels
        .map(|label| (label.name.clone(), label.value.clone()))
        .collect();
    labels.sort();
    // A scrape of a kubelet has the node's name for its instance; an address has a port.
    let instance = column("instance").filter(|instance| !instance.contains(':'));
    MetricSeries {
        series_id,
        source: "prometheus".to_owned(),
        name: label(&found.labels, "__name__").to_owned(),
        labels,
        namespace: column("namespace"),
        pod: column("pod"),
        container: column("container"),
        node: column("node").or(instance),
        first: found.first,
        last: found.last,
    }
}

/// What the selectors cover: everything, whole namespaces, or less than one can say.
fn covered(
    context: &Context,
    texts: &[String],
    from: i64,
    (holes, lacks): (&[Hole], Option<String>),
) -> Vec<Covered> {
    let mut rows = Vec::new();
    for table in ["metric_samples", "metric_series"] {
        let row = |scope: &str| {
            Covered::recorded(table, "prometheus", scope)
                .since(from)
                .with_holes(holes.to_vec())
                .unless(lacks.iter().cloned().collect())
        };
        if texts.iter().any(|text| text == ALL) {
            rows.push(row(""));
            continue;
        }
        for namespace in &context.namespaces {
            if texts.contains(&namespace_selector(namespace)) {
                rows.push(row(&format!("namespace={namespace}")));
            }
        }
        let reason = format!("only series that match one of {}", texts.join(" "));
        rows.push(row("").unless(vec![reason]));
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_that_is_made_anew_cuts_off_nothing() {
        let start = 10 * BEFORE_START;
        for (made, expected) in [
            (None, start - BEFORE_START),
            (Some(1), start - BEFORE_START),
            (Some(start - 1), start - 1),
            (Some(start + 5), start),
        ] {
            assert_eq!(first_moment(start, made), expected, "{made:?}");
        }
    }
}
