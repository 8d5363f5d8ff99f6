//! Kept answers of Prometheus' remote read: every series of some selectors with its raw samples.
//!
//! Layout: a file is the body of an answer to `POST /api/v1/read` of the type SAMPLES, a `ReadResponse` in one block of snappy, as a capture reads it too
//! ([`crate::remote_read`]). Native histograms are kept as they are encoded; exemplars are not asked for by a remote read.
//! Chunks that are streamed (STREAMED_XOR_CHUNKS) are another format, which is refused.
//!
//! A folder of such files, a time after the other, is one recording; nothing in it says what is true.

use std::sync::Arc;

use camino::Utf8Path;
use prost::Message;
use serde_json::{Value, json};

use super::Format;
use super::recording::Recording;
use crate::files;
use crate::import::ImportError;
use crate::import::engine::defects::{Notes, rules};
use crate::import::engine::documents::{Cut, Documents, Taken};
use crate::import::engine::incident::Found;
use crate::import::engine::item::{Item, Point, Reading};
use crate::import::engine::sheet::{Series, Sheet};
use crate::import::engine::time::{Unit, since_epoch};
use crate::remote_read::{TimeSeries, histogram_time};

pub(super) const FORMAT: Format = Format {
    name: "remote-read",
    about: "kept answers of Prometheus' remote read (SAMPLES): a file, or a folder of *.snappy, *.sz, *.pb",
    proven: false,
    find,
};

const KIND: &str = "samples";
const NAME: &str = "__name__";

static SHEET: Sheet = Sheet::of_documents(
    "series",
    Documents {
        cut: Cut::Series,
        read,
        last: None,
    },
    Some("only the series and the time that were asked for"),
);

static RECORDING: Recording = Recording {
    name: "remote-read",
    sheet: &SHEET,
    endings: &[".snappy", ".sz", ".pb"],
    namespace: "",
    what: "answer of a remote read, or folder of such",
    missing: "a file *.snappy, *.sz or *.pb",
    hint: "name the file with the body of the answer to POST /api/v1/read, or the folder it is in",
};

fn find(source: &Utf8Path, _: &str) -> Result<Found, ImportError> {
    RECORDING.find(source)
}

fn read(encoded: &[u8], taken: &mut Taken<'_>) {
    let told = match TimeSeries::decode(encoded) {
        Ok(told) => told,
        Err(cause) => {
            let row = Value::String(files::hex(encoded));
            return taken.refuse_all(&rules::MALFORMED_DOCUMENT, cause.to_string(), row);
        }
    };
    let (mut name, mut labels) = (String::new(), Vec::new());
    for label in told.labels {
        match label.name.as_str() {
            NAME => name = label.value,
            _ => labels.push((label.name, label.value)),
        }
    }
    labels.sort();
    let series = Arc::new(Series {
        name,
        labels,
        metadata: None,
    });
    let samples = told.samples.iter();
    let samples = samples.map(|one| (Some(one.timestamp), one.value, None));
    let histograms = told.histograms.into_iter();
    let histograms = histograms.map(|one| (histogram_time(&one), 0.0, Some(one)));
    for (time, value, histogram) in samples.chain(histograms) {
        let mut notes = Notes::default();
        let time = time.ok_or_else(|| "a native histogram without a time".to_owned());
        let time =
            time.and_then(|time| since_epoch(&time.to_string(), Unit::Milliseconds, &mut notes));
        match time {
            Ok(time) if !series.name.is_empty() => {
                let reading = Reading {
                    histogram,
                    ..Reading::new(Arc::clone(&series), value)
                };
                let readings = vec![reading];
                let point = Point { time, readings };
                let identity = point.identity();
                taken.take(KIND, Item::Point(point), Some(identity), notes);
            }
            time => {
                let reason = time
                    .err()
                    .unwrap_or_else(|| "its series has no name".to_owned());
                let row = json!({"labels": series.labels, "value": value.to_string()});
                taken.refuse(KIND, &rules::UNREADABLE_VALUE, reason, row);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::import::formats::testing::Source;
    use crate::remote_read::{Label, Sample, TimeSeries, encode_response};
    use crate::rows::{MetricSample, MetricSeries};

    const STALE: u64 = 0x7ff0_0000_0000_0002;
    const TIME: i64 = 1_767_225_600_000;

    fn series(pod: &str, samples: &[(i64, f64)]) -> TimeSeries {
        let label = |name: &str, value: &str| Label {
            name: name.to_owned(),
            value: value.to_owned(),
        };
        let samples = samples.iter();
        TimeSeries {
            labels: vec![
                label("__name__", "up"),
                label("namespace", "shop"),
                label("pod", pod),
            ],
            samples: samples
                .map(|(timestamp, value)| Sample {
                    value: *value,
                    timestamp: *timestamp,
                })
                .collect(),
            // Field 15, a varint: the time.
            histograms: Vec::new(),
        }
    }

    #[test]
    fn answers_one_after_the_other_are_one_recording() {
        println!(
            "unproven: kept answers were tried on these only; captures read such answers of a real Prometheus"
        );
        let stale = f64::from_bits(STALE);
        let mut native = series("c", &[]);
        native.histograms = vec![vec![0x78, 0x80, 0xd0, 0xea, 0xb6, 0xb7, 0x33], vec![0x12]];
        let first = encode_response(&[
            series("a", &[(TIME, 1.0)]),
            series("b", &[(TIME, 1.0), (0, 1.0)]),
        ]);
        let second =
            encode_response(&[series("a", &[(TIME, 1.0), (TIME + 15_000, stale)]), native]);
        let streamed = vec![0x0c, 0x12, 0x34, 0x56, 0x78, 0x0a, 0x00];
        let taken = Source::of_bytes(&[
            ("1.snappy", first),
            ("2.snappy", second),
            ("3.pb", streamed),
        ])
        .import("remote-read");
        let report = &taken.one().report;
        assert_eq!(
            (report.files.read, report.files.written),
            (3, 2),
            "{:?}",
            report.files
        );
        assert!(report.files.left_out[0].reason.contains("streamed chunks"));
        assert_eq!(
            taken.tally("samples")[..3],
            [7, 4, 3],
            "{:?}",
            report.defects
        );
        let defects: Vec<_> = taken.defects().into_iter().collect();
        assert_eq!(defects, [("duplicate_sample", 1), ("unreadable_value", 2)]);
        assert_eq!(taken.one().manifest.namespaces, ["shop"]);
        let series: Vec<MetricSeries> = taken.rows();
        let pods: Vec<_> = series.iter().map(|one| one.pod.as_deref()).collect();
        assert_eq!(pods, [Some("a"), Some("b"), Some("c")]);
        let samples: Vec<MetricSample> = taken.rows();
        assert_eq!(samples[1].value.to_bits(), STALE);
        assert!(samples[3].histogram.is_some());
    }
}
