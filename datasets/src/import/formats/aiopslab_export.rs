//! What AIOpsLab's own `get_metrics` and `get_traces` write: a working folder with `metrics_output` and `trace_output` in it.
//!
//! Layout, from <https://github.com/microsoft/AIOpsLab> (`aiopslab/observer/{metric_api,trace_api}.py`) and files that it wrote:
//! `metrics_output/metric_*/container/kpi_METRIC.csv` with `timestamp` (s), `cmdb_id` (instance and pod), `kpi_name` and `value`;
//! `trace_output/traces_*.csv` with times in microseconds, a trace once per service that is in it.
//!
//! A folder is one recording; nothing in it says what is true.

use camino::{Utf8Path, Utf8PathBuf};

use super::Format;
use crate::files;
use crate::import::engine::defects::Rule;
use crate::import::engine::incident::{Found, Part};
use crate::import::engine::names::{series, service_of_pod};
use crate::import::engine::sheet::{Long, Row, Rows, Series, Sheet, Spans, Until, When};
use crate::import::engine::time::Unit;
use crate::import::{ImportError, LeftOut};

pub(super) const FORMAT: Format = Format {
    name: "aiopslab-export",
    about: "what AIOpsLab's get_metrics and get_traces wrote: the folder with metrics_output and trace_output",
    proven: true,
    find,
};

const COLLAPSED_SERIES: Rule = Rule::repaired(
    "collapsed_series",
    "the export drops labels, so that a pod's containers and their sum have one name: of the samples of a pod and moment, the second largest has the label duplicate=\"2\", and so on",
);

static METRICS: Sheet = Sheet {
    name: "metric rows",
    columns: &["timestamp", "cmdb_id", "kpi_name", "value"],
    unique: false,
    time: When::Column("timestamp", Unit::Seconds),
    rows: Rows::Long(Long {
        of: "cmdb_id",
        metric: "kpi_name",
        value: "value",
        series: of_pod,
        labels: &[],
        several: Some(&COLLAPSED_SERIES),
    }),
    partial: Some("values are rounded to three digits, and pods that were gone are not there"),
};

static TRACES: Sheet = Sheet {
    name: "span rows",
    columns: &[
        "trace_id",
        "span_id",
        "parent_span",
        "service_name",
        "operation_name",
        "start_time",
        "duration",
        "has_error",
        "response",
    ],
    unique: true,
    time: When::Column("start_time", Unit::Microseconds),
    rows: Rows::Spans(Spans {
        trace: "trace_id",
        span: "span_id",
        parent: "parent_span",
        root: &["ROOT"],
        of: "service_name",
        service: str::to_owned,
        of_is_pod: false,
        operation: Some("operation_name"),
        until: Until::Duration("duration", Unit::Microseconds),
        status,
        attributes: &["response"],
    }),
    partial: Some("Jaeger's limit of traces per service"),
};

/// `INSTANCE.POD`.
fn of_pod(metric: &str, cmdb_id: &str) -> Series {
    let (instance, pod) = cmdb_id.rsplit_once('.').unwrap_or(("", cmdb_id));
    let service = service_of_pod(pod);
    let labels = [("instance", instance), ("pod", pod), ("service", &service)];
    series(metric, &labels)
}

fn status(row: &Row<'_>) -> &'static str {
    match row.get("has_error") {
        Ok("True") => "error",
        _ => "unset",
    }
}

fn find(root: &Utf8Path, _: &str) -> Result<Found, ImportError> {
    let mut parts = Vec::new();
    let mut unread = Vec::new();
    let leave = |path: Utf8PathBuf, reason: &str| LeftOut {
        what: path.into_string(),
        reason: reason.to_owned(),
    };
    for export in files::list(&root.join("metrics_output"))? {
        let folder = Utf8PathBuf::from(format!("metrics_output/{export}"));
        for kind in files::list(&root.join(&folder))? {
            for name in files::list(&root.join(&folder).join(&kind))? {
                let path = folder.join(&kind).join(&name);
                match name.starts_with("kpi_") && name.ends_with(".csv") {
                    true => parts.push(Part::new(path, &METRICS)),
                    false => unread.push(leave(path, "it is no kpi_*.csv")),
                }
            }
        }
    }
    for name in files::list(&root.join("trace_output"))? {
        let path = Utf8PathBuf::from(format!("trace_output/{name}"));
        match name.ends_with(".csv") {
            true => parts.push(Part::new(path, &TRACES)),
            false => unread.push(leave(path, "it is no traces_*.csv")),
        }
    }
    if parts.is_empty() {
        return Err(ImportError::NotASource {
            dir: root.to_owned(),
            what: "working folder of AIOpsLab",
            missing: "metrics_output or trace_output",
            hint: "name the folder that AIOpsLab ran in",
        });
    }
    Ok(Found::recording(
        "aiopslab-export",
        "aiopslab",
        parts,
        unread,
    ))
}

#[cfg(test)]
mod tests {
    use crate::import::formats::testing::Source;
    use crate::rows::{MetricSample, MetricSeries, Span};

    #[test]
    fn an_export_is_one_recording() {
        let metric = "timestamp,cmdb_id,kpi_name,value\n\
            1795324087,lab.frontend-68fcfc749f-vvs5x,container_threads,1.0\n\
            1795324087,lab.frontend-68fcfc749f-vvs5x,container_threads,3.0\n\
            1795324102,lab.frontend-68fcfc749f-vvs5x,container_threads,4.0\n";
        let span =
            "0100d87f03f6cc3d,24b814b62c87a9ec,ROOT,rate,get,1795324090290032,434,True,500\n";
        let traces = format!(
            "trace_id,span_id,parent_span,service_name,operation_name,start_time,duration,has_error,response\n{span}{span}"
        );
        let taken = Source::of(&[
            (
                "metrics_output/metric_1/container/kpi_container_threads.csv",
                metric,
            ),
            ("trace_output/traces_1.csv", &traces),
        ])
        .import("aiopslab-export");
        assert_eq!(taken.tally("metric rows"), [3, 3, 0, 0]);
        assert_eq!(taken.tally("span rows"), [2, 1, 1, 0]);
        let defects: Vec<_> = taken.defects().into_iter().collect();
        assert_eq!(defects, [("collapsed_series", 1), ("duplicate_row", 1)]);
        assert!(taken.out.join("manifest.json").exists());
        let series: Vec<MetricSeries> = taken.rows();
        let labels = |index: usize| {
            let labels = series[index].labels.iter();
            labels
                .map(|(key, value)| format!("{key}={value}"))
                .collect::<Vec<_>>()
        };
        assert_eq!(
            labels(0),
            [
                "instance=lab",
                "pod=frontend-68fcfc749f-vvs5x",
                "service=frontend"
            ]
        );
        assert_eq!(labels(1)[0], "duplicate=2");
        let samples: Vec<MetricSample> = taken.rows();
        let values: Vec<_> = samples
            .iter()
            .map(|one| (one.series_id, one.value))
            .collect();
        assert_eq!(values, [(0, 3.0), (0, 4.0), (1, 1.0)]);
        let spans: Vec<Span> = taken.rows();
        assert_eq!(spans[0].trace_id, "00000000000000000100d87f03f6cc3d");
        assert_eq!(
            (spans[0].status.as_str(), spans[0].end - spans[0].start),
            ("error", 434_000)
        );
    }
}
