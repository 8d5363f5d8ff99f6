//! OpenMetrics or Prometheus text with times: a line per sample.
//!
//! Layout, from the OpenMetrics specification (<https://github.com/prometheus/OpenMetrics>, its ABNF), Prometheus' "Exposition formats" and
//! `promtool tsdb dump-openmetrics` (`cmd/promtool/tsdb.go`): `NAME{LABEL="VALUE",…} VALUE TIME`, times in seconds with a fraction (in the older format in
//! milliseconds), `# TYPE`, `# HELP` and `# UNIT` before the samples, perhaps an exemplar after a sample, and `# EOF` as the last line.
//! Histograms and summaries are series already.
//!
//! A line without a time says nothing of when. A folder is one recording; nothing in it says what is true.

mod line;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use camino::Utf8Path;
use serde_json::Value;

use super::Format;
use super::recording::Recording;
use crate::import::ImportError;
use crate::import::engine::defects::{Notes, Rule, rules};
use crate::import::engine::documents::{Cut, Documents, Taken};
use crate::import::engine::incident::Found;
use crate::import::engine::item::{Item, Point, Reading};
use crate::import::engine::sheet::{Metadata, Series, Sheet};
use crate::import::engine::time::{Unit, since_epoch};

use line::{Sample, sample};

pub(super) const FORMAT: Format = Format {
    name: "openmetrics",
    about: "OpenMetrics or Prometheus text with times, as promtool tsdb dump-openmetrics writes: a file, or a folder of *.om, *.prom, *.txt, also .gz or .zst",
    proven: false,
    find,
};

const NO_END: Rule = Rule::noted(
    "no_eof",
    "the last line is not \"# EOF\": the text is Prometheus' older format, or it was cut off",
);
const EXEMPLAR: Rule = Rule::noted(
    "exemplar_left_out",
    "a sample has an exemplar, which a snapshot has no place for",
);

const SAMPLES: &str = "samples";
const METADATA: &str = "metadata lines";

static SHEET: Sheet = Sheet::of_documents(
    "lines",
    Documents {
        cut: Cut::Lines,
        read,
        last: Some(("# EOF", &NO_END)),
    },
    Some("only the series that were dumped; a dump does not tell when a series ended"),
);

static RECORDING: Recording = Recording {
    name: "openmetrics",
    sheet: &SHEET,
    endings: &[".om", ".openmetrics", ".prom", ".txt"],
    namespace: "",
    what: "file or folder of OpenMetrics text",
    missing: "a file *.om, *.prom or *.txt",
    hint: "name the file that promtool tsdb dump-openmetrics wrote, or the folder it is in",
};

fn find(source: &Utf8Path, _: &str) -> Result<Found, ImportError> {
    RECORDING.find(source)
}

fn read(line: &[u8], taken: &mut Taken<'_>) {
    let Ok(text) = std::str::from_utf8(line) else {
        let row = Value::String(String::from_utf8_lossy(line).into_owned());
        let reason = "it is no UTF-8".to_owned();
        return taken.refuse_all(&rules::MALFORMED_DOCUMENT, reason, row);
    };
    let text = text.trim();
    if let Some(comment) = text.strip_prefix('#') {
        if let Some(metadata) = metadata(comment) {
            taken.take(METADATA, Item::Metadata(metadata), None, Notes::default());
        }
        return;
    }
    if text.is_empty() {
        return;
    }
    let mut notes = Notes::default();
    match sample(text).and_then(|sample| point(sample, &mut notes)) {
        Ok(point) => {
            let identity = point.identity();
            taken.take(SAMPLES, Item::Point(point), Some(identity), notes);
        }
        Err(reason) => {
            let row = Value::String(text.to_owned());
            taken.refuse(SAMPLES, &rules::UNREADABLE_VALUE, reason, row);
        }
    }
}

/// What a comment tells of a metric; none: it is for people.
fn metadata(comment: &str) -> Option<Metadata> {
    let comment = comment.trim_start();
    let (keyword, rest) = comment.split_once([' ', '\t'])?;
    let (name, told) = rest
        .trim()
        .split_once([' ', '\t'])
        .unwrap_or((rest.trim(), ""));
    let name = line::unquoted(name);
    let told = Some(told.trim().to_owned()).filter(|text| !text.is_empty());
    let metadata = Metadata {
        name,
        ..Metadata::default()
    };
    match keyword {
        "TYPE" => Some(Metadata {
            kind: told,
            ..metadata
        }),
        "HELP" => Some(Metadata {
            help: told.map(|text| line::unescaped(&text)),
            ..metadata
        }),
        "UNIT" => Some(Metadata {
            unit: told,
            ..metadata
        }),
        _ => None,
    }
}

fn point(sample: Sample, notes: &mut Notes) -> Result<Point, String> {
    let time = sample.time.ok_or("it has no time: a scrape tells none")?;
    let time = since_epoch(&time, Unit::Seconds, notes)?;
    if sample.has_exemplar {
        notes.note(&EXEMPLAR);
    }
    let series = Series {
        name: sample.name,
        labels: sample.labels,
        metadata: None,
    };
    Ok(Point {
        time,
        readings: vec![Reading::new(Arc::new(series), sample.value)],
    })
}
