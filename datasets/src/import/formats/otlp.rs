//! OTLP as JSON, a document per line: what the OpenTelemetry collector's file exporter writes.
//!
//! Layout: a line is an `ExportTraceServiceRequest`, `ExportLogsServiceRequest` or `ExportMetricsServiceRequest`
//! (`resourceSpans`, `resourceLogs`, `resourceMetrics`). Names of fields are those of `opentelemetry/proto/{trace,logs,metrics}/v1/*.proto`
//! in lowerCamelCase (<https://github.com/open-telemetry/opentelemetry-proto>), encoded as the OTLP specification says in "JSON Protobuf
//! Encoding": ids in hexadecimal, 64-bit integers as decimal strings, enums as numbers. What proto3's own JSON mapping would write (ids in base64,
//! enums by name) is read too.
//!
//! Every span, log record and data point is a row of its own: a wrong one costs no other. A folder is
//! one recording; nothing in it says what is true.

mod envelope;
mod logs;
mod metrics;
mod spans;
#[cfg(test)]
mod tests;
mod values;

use camino::Utf8Path;
use serde_json::Value;

use super::Format;
use super::recording::Recording;
use crate::import::ImportError;
use crate::import::engine::defects::rules;
use crate::import::engine::documents::{Cut, Documents, Taken};
use crate::import::engine::incident::Found;
use crate::import::engine::sheet::Sheet;

use envelope::Envelope;

pub(super) const FORMAT: Format = Format {
    name: "otlp",
    about: "OTLP as JSON lines, as the OpenTelemetry collector's file exporter writes: a file, or a folder of *.json, *.jsonl, also .gz or .zst",
    proven: false,
    find,
};

static SHEET: Sheet = Sheet::of_documents(
    "documents",
    Documents {
        cut: Cut::Lines,
        read,
        last: None,
    },
    Some("only what the exporter was sent"),
);

static RECORDING: Recording = Recording {
    name: "otlp",
    sheet: &SHEET,
    endings: &[".json", ".jsonl", ".ndjson"],
    namespace: "otlp",
    what: "file or folder of OTLP as JSON lines",
    missing: "a file *.json or *.jsonl",
    hint: "name the file that the collector's file exporter wrote, or the folder it is in",
};

fn find(source: &Utf8Path, _: &str) -> Result<Found, ImportError> {
    RECORDING.find(source)
}

fn read(line: &[u8], taken: &mut Taken<'_>) {
    if line.trim_ascii().is_empty() {
        return;
    }
    let refused = |reason: String, taken: &mut Taken<'_>| {
        let text = String::from_utf8_lossy(line).into_owned();
        taken.refuse_all(&rules::MALFORMED_DOCUMENT, reason, Value::String(text));
    };
    let envelope = match serde_json::from_slice::<Envelope>(line) {
        Ok(envelope) => envelope,
        Err(cause) => return refused(format!("it is no OTLP: {cause}"), taken),
    };
    if envelope.is_none_of_ours() {
        let reason = "it has none of resourceSpans, resourceLogs and resourceMetrics";
        return refused(reason.to_owned(), taken);
    }
    for of in envelope.resource_spans {
        spans::read(of, taken);
    }
    for of in envelope.resource_logs {
        logs::read(of, taken);
    }
    for of in envelope.resource_metrics {
        metrics::read(of, taken);
    }
}
