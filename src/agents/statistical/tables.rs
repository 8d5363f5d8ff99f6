//! From what the actions print to the tables of the algorithms: pure functions over text.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use crate::algorithms::{logs, metrics, traces};

/// The path that an answer says it exported to: what follows the colon of its first line.
pub(super) fn exported_to(answer: &str) -> Option<&str> {
    let (_, path) = answer.lines().next()?.split_once(": ")?;
    let path = path.trim();
    path.starts_with('/').then_some(path)
}

/// Moments in milliseconds, each with a value.
type Samples = Vec<(i64, f64)>;

/// A table of `read_metrics`: timestamp, `cmdb_id`, name, value. One series for each pod: its containers
/// share it, of which the largest value, the pod's own, counts.
pub(super) fn series(
    table: &str,
    metric: &str,
    components: &BTreeSet<String>,
) -> Vec<metrics::Series> {
    let mut series: BTreeMap<(&str, &str, &str), Samples> = BTreeMap::new();
    for row in table.lines().skip(1) {
        let words: Vec<&str> = row.split_whitespace().collect();
        let [seconds, id, name, value] = words.as_slice() else {
            continue;
        };
        let Some((component, pod)) = component_and_pod(id, components) else {
            continue;
        };
        if let (Ok(seconds), Ok(value)) = (seconds.parse::<i64>(), value.parse()) {
            let samples = series.entry((component, pod, name)).or_default();
            samples.push((seconds.saturating_mul(1000), value));
        }
    }
    // Prometheus' rule for names.
    let kind = if metric.ends_with("_total") {
        metrics::Kind::Counter
    } else {
        metrics::Kind::Gauge
    };
    let series = series
        .into_iter()
        .map(|((component, _, name), samples)| metrics::Series {
            component: component.to_owned(),
            metric: name.to_owned(),
            kind,
            samples,
        });
    series.collect()
}

/// The component and the pod of a `cmdb_id`, which is `node.pod` or `node.pod.container`: where the name
/// of a component and a dash follow a dot.
fn component_and_pod<'a, 'b>(
    id: &'a str,
    components: &'b BTreeSet<String>,
) -> Option<(&'b str, &'a str)> {
    let mut parts = id.split('.');
    parts.find_map(|part| Some((component_of(part, components)?, part)))
}

/// The component whose pod has this name: of those that the name begins with the longest.
fn component_of<'a>(pod: &str, components: &'a BTreeSet<String>) -> Option<&'a str> {
    let begins = |component: &&String| {
        let rest = pod.strip_prefix(component.as_str());
        rest.is_some_and(|rest| rest.starts_with('-'))
    };
    let longest = components
        .iter()
        .filter(begins)
        .max_by_key(|name| name.len());
    longest.map(String::as_str)
}

/// A table of `read_traces`; operations may hold blanks.
pub(super) fn spans(table: &str) -> Vec<traces::Span> {
    let spans = table.lines().skip(1).filter_map(|row| {
        let words: Vec<&str> = row.split_whitespace().collect();
        let [
            trace,
            id,
            parent,
            component,
            operation @ ..,
            start,
            duration,
            failed,
            _response,
        ] = words.as_slice()
        else {
            return None;
        };
        Some(traces::Span {
            trace: (*trace).to_owned(),
            id: (*id).to_owned(),
            parent: (*parent != "ROOT").then(|| (*parent).to_owned()),
            component: (*component).to_owned(),
            operation: operation.join(" "),
            start: start.parse::<i64>().ok()? / 1000,
            duration: duration.parse::<f64>().ok()? / 1000.0,
            failed: failed.eq_ignore_ascii_case("true"),
        })
    });
    spans.collect()
}

/// Logs as printed pod by pod: `pod/NAME`, then its lines, each after its time.
pub(super) fn lines(printed: &str, components: &BTreeSet<String>) -> Vec<logs::Line> {
    let mut lines = Vec::new();
    let mut writer = None;
    for line in printed.lines() {
        if let Some(pod) = line.strip_prefix("pod/") {
            writer = component_of(pod.trim(), components);
            continue;
        }
        let timed = line
            .split_once(' ')
            .and_then(|(time, text)| Some((time.parse::<Timestamp>().ok()?, text)));
        if let Some(((at, text), writer)) = timed.zip(writer) {
            lines.push(logs::Line {
                at: at.as_millisecond(),
                component: writer.to_owned(),
                text: text.to_owned(),
            });
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::answer::{self, KpiPoint, TraceSpan};

    use super::*;

    fn components() -> BTreeSet<String> {
        ["geo", "postgres-geo", "rate"].map(str::to_owned).into()
    }

    #[test]
    fn metrics_are_read_as_the_action_prints_them() {
        let point = |pod: &str, timestamp_s, value| KpiPoint {
            metric: "container_cpu_usage_seconds_total".to_owned(),
            instance: "10.0.0.7:10250".to_owned(),
            pod: pod.to_owned(),
            timestamp_s,
            value,
            interface: None,
        };
        let files = answer::metrics_files(&[
            point("geo-75b64-4spmm", 15, 2.5),
            point("geo-75b64-4spmm.geo", 15, 2.25),
            point("geo-75b64-4spmm", 30, f64::NAN),
            point("postgres-geo-5bb-b7lqx.postgres-geo", 15, 1.0),
            point("workload-x", 15, 1.0),
        ]);
        let message = answer::metrics_message("/aiopslab/metrics_output/call-0001", &files);
        assert_eq!(
            exported_to(&message),
            Some("/aiopslab/metrics_output/call-0001")
        );
        let table = answer::table_text(&files[0].1).unwrap();
        let series = series(&table, "container_cpu_usage_seconds_total", &components());
        let read: Vec<(&str, usize)> = series
            .iter()
            .map(|one| {
                assert_eq!(one.kind, metrics::Kind::Counter);
                let numbers = one.samples.iter().filter(|(_, value)| value.is_finite());
                (&*one.component, numbers.count())
            })
            .collect();
        assert_eq!(read, [("geo", 2), ("postgres-geo", 1)]);
        assert_eq!(series[1].samples, [(15_000, 1.0)]);
    }

    #[test]
    fn traces_are_read_as_the_action_prints_them() {
        let span = TraceSpan {
            trace_id: "t".to_owned(),
            span_id: "b".to_owned(),
            parent_span_id: Some("a".to_owned()),
            service: "geo".to_owned(),
            operation: "SELECT geo.points of near hotels".to_owned(),
            start_us: 1_795_324_393_123_456,
            duration_us: 1500,
            has_error: true,
            response: None,
        };
        let path = "/aiopslab/trace_output/call-0001/traces.csv";
        assert_eq!(exported_to(&answer::traces_message(path)), Some(path));
        let table = answer::table_text(&answer::traces_csv(&[span])).unwrap();
        let expected = traces::Span {
            trace: "t".to_owned(),
            id: "b".to_owned(),
            parent: Some("a".to_owned()),
            component: "geo".to_owned(),
            operation: "SELECT geo.points of near hotels".to_owned(),
            start: 1_795_324_393_123,
            duration: 1.5,
            failed: true,
        };
        assert_eq!(spans(&table), [expected]);
        assert_eq!(
            spans(&answer::table_text(&answer::traces_csv(&[])).unwrap()),
            []
        );
    }

    #[test]
    fn logs_are_read_pod_by_pod_and_what_has_no_time_is_no_line() {
        let printed = "pod/geo-75b64-4spmm\n2026-11-23T09:35:55.891Z call failed\nError: no such thing\npod/workload-x\n2026-11-23T09:35:55.891Z sent\n";
        let expected = logs::Line {
            at: 1_795_426_555_891,
            component: "geo".to_owned(),
            text: "call failed".to_owned(),
        };
        assert_eq!(lines(printed, &components()), [expected]);
        assert_eq!(exported_to("Error: no traces"), None);
    }
}
