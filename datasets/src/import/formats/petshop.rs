//! PetShop (Amazon, CC-BY-4.0): metrics of a microservice application around issues that were made.
//!
//! Layout, from <https://github.com/amazon-science/petshop-root-cause-analysis> and its files:
//! `TRAFFIC/{train,test}/issue_N/{metrics.csv,target.json}`, `TRAFFIC/noissue/metrics.csv`, `TRAFFIC/graph.csv`. Four rows
//! are the header of a metrics.csv: node, metric, statistic, and the name of the time's column. A row every
//! 300 s.
//!
//! An incident is an issue; a folder without one is a control. Names are made of the traffic and the
//! time: numbers and halves (`train`) follow the kind of fault.

use std::fs::File;
use std::io::BufReader;

use camino::{Utf8Path, Utf8PathBuf};
use serde::Deserialize;

use super::Format;
use crate::error::SnapshotError;
use crate::files;
use crate::import::engine::csv::Reader;
use crate::import::engine::defects::{Notes, rules};
use crate::import::engine::incident::{Found, ImportedTruth, Incident, Part};
use crate::import::engine::names::series;
use crate::import::engine::sheet::{Rows, Series, Sheet, When, Wide};
use crate::import::engine::time::{Unit, moment, since_epoch};
use crate::import::{ImportError, LeftOut};

pub(super) const FORMAT: Format = Format {
    name: "petshop",
    about: "PetShop (Amazon): the folder dataset, with low_traffic and others in it",
    proven: true,
    find,
};

const HEADER_ROWS: usize = 4;
const TIME: &str = "unix_timestamp";
const METRICS: &str = "metrics.csv";
/// Stands between node, metric and statistic in the name of a column.
const BETWEEN: char = '\u{1f}';

static SHEET: Sheet = Sheet {
    name: "metric rows",
    columns: &[TIME],
    unique: false,
    time: When::Column(TIME, Unit::Seconds),
    rows: Rows::Wide(Wide {
        of: None,
        series: of_column,
    }),
    partial: None,
};

fn of_column(column: &str, _: &str) -> Series {
    let mut parts = column.split(BETWEEN);
    let mut next = || parts.next().unwrap_or_default();
    let (node, metric, statistic) = (next(), next(), next());
    let labels = [("service", node), ("statistic", statistic)];
    let mut series = series(metric, &labels);
    if let Some(metadata) = series.metadata.as_mut().filter(|_| metric == "latency") {
        metadata.unit = Some("s".to_owned());
    }
    series
}

#[derive(Deserialize)]
struct Target {
    target: Symptom,
    root_cause: RootCause,
    #[serde(default)]
    metadata: serde_json::Value,
}

#[derive(Deserialize)]
struct Symptom {
    node: String,
    metric: String,
    timestamp: i64,
}

#[derive(Deserialize)]
struct RootCause {
    node: String,
}

fn find(root: &Utf8Path, _: &str) -> Result<Found, ImportError> {
    let mut found = Found::default();
    for traffic in files::list(root)? {
        for half in ["train", "test"] {
            let folder = Utf8PathBuf::from(format!("{traffic}/{half}"));
            for issue in files::list(&root.join(&folder))? {
                let folder = folder.join(issue);
                match root.join(&folder).join(METRICS).exists() {
                    true => found.take(&folder, issue_in(root, &traffic, &folder)),
                    false => found.left_out.push(without_metrics(&folder)),
                }
            }
        }
        let folder = Utf8PathBuf::from(format!("{traffic}/noissue"));
        if root.join(&folder).join(METRICS).exists() {
            let head = head(&root.join(&folder).join(METRICS));
            let control =
                head.map(|(columns, first)| incident(&traffic, &folder, columns, first, None));
            found.take(&folder, control);
        } else if root.join(&traffic).join("graph.csv").exists() {
            found.left_out.push(without_metrics(&folder));
        }
    }
    // The order of the folders follows the kind of fault.
    found
        .incidents
        .sort_by(|one, other| one.name.cmp(&other.name));
    match found.incidents.is_empty() && found.left_out.is_empty() {
        false => Ok(found),
        true => Err(ImportError::NotASource {
            dir: root.to_owned(),
            what: "folder of PetShop",
            missing: "TRAFFIC/train/issue_N/metrics.csv",
            hint: "name the folder dataset of the repository",
        }),
    }
}

fn without_metrics(folder: &Utf8Path) -> LeftOut {
    LeftOut {
        what: folder.to_string(),
        reason: format!("it has no {METRICS}"),
    }
}

fn issue_in(root: &Utf8Path, traffic: &str, folder: &Utf8Path) -> Result<Incident, ImportError> {
    let (columns, _) = head(&root.join(folder).join(METRICS))?;
    let path = root.join(folder).join("target.json");
    let target: Target = serde_json::from_value(files::read_json(&path)?)
        .map_err(|cause| ImportError::labels(path, &cause))?;
    let seen = target.target.timestamp.saturating_mul(1_000_000_000);
    Ok(incident(traffic, folder, columns, seen, Some(target)))
}

fn incident(
    traffic: &str,
    folder: &Utf8Path,
    columns: Vec<String>,
    time: i64,
    target: Option<Target>,
) -> Incident {
    let mut words = traffic.replace('_', "-");
    words.retain(|letter| letter.is_ascii_alphanumeric() || letter == '-');
    let name = format!(
        "petshop-{words}-{}",
        moment(time).strftime("%Y-%m-%dT%H%MZ")
    );
    let application = "petshop".to_owned();
    let truth = ImportedTruth {
        name: name.clone(),
        application: application.clone(),
        anomaly: target.is_some(),
        faulty: Vec::new(),
        // The symptom's time is told, the fault's is not.
        injected: None,
        ended: None,
        kind: "none".to_owned(),
        summary: "no issue (PetShop)".to_owned(),
    };
    let truth = match target {
        None => truth,
        Some(target) => ImportedTruth {
            faulty: vec![vec![target.root_cause.node.clone()]],
            kind: target
                .metadata
                .pointer("/reproducibility/command")
                .and_then(|command| command.as_str())
                .unwrap_or_default()
                .to_owned(),
            summary: format!(
                "{} made the {} of {} worse (PetShop)",
                target.root_cause.node, target.target.metric, target.target.node
            ),
            ..truth
        },
    };
    Incident {
        name,
        namespace: application.clone(),
        application,
        parts: vec![Part {
            header: Some(columns),
            header_rows: HEADER_ROWS,
            ..Part::new(folder.join(METRICS), &SHEET)
        }],
        unread: vec![LeftOut {
            what: format!("{traffic}/graph.csv"),
            reason: "a graph of calls has no table".to_owned(),
        }],
        truth: Some(truth),
        defects: vec![(&rules::OPAQUE_NAME, folder.to_string())],
    }
}

/// The names of the columns, and the first row's time.
fn head(path: &Utf8Path) -> Result<(Vec<String>, i64), ImportError> {
    let mut reader = Reader::new(BufReader::new(files::open(path)?));
    let next = |reader: &mut Reader<BufReader<File>>| {
        let record = reader
            .next()
            .map_err(|cause| SnapshotError::io("read", path, cause))?;
        let fields = record.and_then(|record| record.content.ok());
        fields.map(|fields| fields.to_texts()).ok_or_else(|| {
            ImportError::labels(path.to_owned(), &"its header has fewer than four rows")
        })
    };
    let (nodes, metrics) = (next(&mut reader)?, next(&mut reader)?);
    let (statistics, times) = (next(&mut reader)?, next(&mut reader)?);
    let is_header = times.first().is_some_and(|name| name == TIME);
    if !is_header || metrics.len() != nodes.len() || statistics.len() != nodes.len() {
        let cause =
            "its header is not one row each of nodes, metrics, statistics and unix_timestamp";
        return Err(ImportError::labels(path.to_owned(), &cause));
    }
    let parts = nodes.iter().zip(&metrics).zip(&statistics).skip(1);
    let columns = parts
        .map(|((node, metric), statistic)| format!("{node}{BETWEEN}{metric}{BETWEEN}{statistic}"));
    let columns = std::iter::once(TIME.to_owned()).chain(columns).collect();
    let first = next(&mut reader)?;
    let first = first.first().map_or("", String::as_str);
    let first = since_epoch(first, Unit::Seconds, &mut Notes::default())
        .map_err(|cause| ImportError::labels(path.to_owned(), &cause))?;
    Ok((columns, first))
}

#[cfg(test)]
mod tests {
    use crate::import::formats::testing::{Source, Taken};
    use crate::rows::{Coverage, MetricSample, MetricSeries};

    const HEAD: &str = "microservice,PetSite,PetSearch_AWS::ECS::Fargate\nmetric,latency,requests\nstatistic,p90,Sum\nunix_timestamp,,\n";
    const TARGET: &str = r#"{"target": {"node": "PetSite", "metric": "latency", "agg": "Average", "timestamp": 1681855803},
        "root_cause": {"node": "PetSearch_AWS::ECS::Fargate", "metric": null},
        "metadata": {"reproducibility": {"command": "aws ssm put-parameter"}}}"#;

    fn source(rows: &str) -> Source {
        let metrics = format!("{HEAD}{rows}");
        Source::of(&[
            ("low_traffic/train/issue_0/metrics.csv", &metrics),
            ("low_traffic/train/issue_0/target.json", TARGET),
            ("low_traffic/test/issue_1/target.json", TARGET),
            ("low_traffic/graph.csv", ",PetSite\n"),
        ])
    }

    #[test]
    fn an_issue_is_an_incident() {
        let taken = source("1681855320.0,0.25,\n1681855620.0,0.5,7\n1681855620.0,0.5,7\nx,1,1\n")
            .import("petshop");
        assert_eq!(taken.tally("metric rows"), [4, 2, 2, 0]);
        let one = taken.one();
        assert_eq!(
            one.dir.file_name(),
            Some("petshop-low-traffic-2023-04-18T2210Z-1")
        );
        let series: Vec<MetricSeries> = taken.rows();
        let of: Vec<_> = series
            .iter()
            .map(|one| (one.name.as_str(), one.labels.clone()))
            .collect();
        let label = |key: &str, value: &str| (key.to_owned(), value.to_owned());
        assert_eq!(
            of[1],
            (
                "requests",
                vec![
                    label("namespace", "petshop"),
                    label("service", "PetSearch_AWS::ECS::Fargate"),
                    label("statistic", "Sum")
                ]
            )
        );
        let samples: Vec<MetricSample> = taken.rows();
        let samples: Vec<_> = samples
            .iter()
            .map(|one| (one.timestamp, one.value))
            .collect();
        assert_eq!(
            samples,
            [
                (1_681_855_320_000, 0.25),
                (1_681_855_620_000, 0.5),
                (1_681_855_620_000, 7.0)
            ]
        );
        let truth = one.truth.as_ref().unwrap();
        assert_eq!(truth.faulty, [["PetSearch_AWS::ECS::Fargate"]]);
        assert_eq!(truth.injected, None);
        let reasons: Vec<_> = taken
            .source
            .left_out
            .iter()
            .map(|one| one.what.as_str())
            .collect();
        assert_eq!(reasons, ["low_traffic/test/issue_1", "low_traffic/noissue"]);
        let coverage: Vec<Coverage> = taken.rows();
        let lines = coverage
            .iter()
            .find(|row| row.table == "log_lines")
            .unwrap();
        assert_eq!(lines.state, "missing");
    }

    #[test]
    fn an_issue_that_can_not_be_read_is_left_out() {
        let metrics = format!("{HEAD}1681855320,0.25,\n");
        let taken = Source::of(&[
            ("low_traffic/train/issue_0/metrics.csv", &metrics),
            ("low_traffic/train/issue_0/target.json", "{"),
            ("low_traffic/train/issue_1/metrics.csv", &metrics),
            ("low_traffic/train/issue_1/target.json", TARGET),
            ("low_traffic/noissue/metrics.csv", "microservice\n"),
        ])
        .import("petshop");
        assert!(taken.one().truth.as_ref().unwrap().anomaly);
        let left_out = &taken.source.left_out;
        let what: Vec<_> = left_out.iter().map(|one| one.what.as_str()).collect();
        assert_eq!(what, ["low_traffic/train/issue_0", "low_traffic/noissue"]);
        let reason = &left_out[0].reason;
        assert!(
            reason.contains("target.json") && !reason.contains("hint:"),
            "{reason}"
        );
    }

    #[test]
    fn no_issue_is_a_control() {
        let metrics = format!("{HEAD}1681855320,0.25,\n");
        let source = Source::of(&[("low_traffic/noissue/metrics.csv", &metrics)]);
        let taken: Taken = source.import("petshop");
        let truth = taken.one().truth.as_ref().unwrap();
        assert!(!truth.anomaly && truth.faulty.is_empty());
        assert!(!taken.out.as_str().contains("noissue") && !truth.name.contains("noissue"));
    }
}
