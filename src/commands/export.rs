//! `aiopslab export`: kept episodes as session files of AIOpsLab.

use aiopslab_problems::episode::{EpisodeResult, Usage};
use aiopslab_problems::task::Task;
use camino::Utf8Path;
use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::cli::Export;
use crate::exit::Failure;
use crate::output::print;
use crate::results::{self, Kept};
use crate::session::{Measurement, TIMING, Totals};

pub(super) fn run(arguments: &Export) -> Result<(), Failure> {
    let out = &arguments.out;
    let kept = results::read(&arguments.results)?;
    std::fs::create_dir_all(out)
        .map_err(|error| Failure::user(format!("the folder {out} can't be made: {error}")))?;
    let mut written = 0;
    for kept in &kept {
        match Exported::of(kept, &arguments.results)? {
            Ok(session) => {
                session.write(out)?;
                written += 1;
            }
            Err(because) => print(&format!("not exported: {}: {because}\n", kept.folder)),
        }
    }
    print(&format!("{written} sessions are in {out}\n"));
    Ok(())
}

/// A session as AIOpsLab keeps one.
struct Exported {
    /// `SESSION_START`.
    name: String,
    document: Value,
}

impl Exported {
    /// Puts a session together, or says why there is none.
    fn of(kept: &Kept, root: &Utf8Path) -> Result<Result<Self, &'static str>, Failure> {
        if kept.is_session {
            return Ok(Err("it is a session file already"));
        }
        let (Some(header), Some(end), Some(mut result)) = (&kept.header, &kept.end, kept.result()?)
        else {
            return Ok(Err("it is not finished"));
        };
        let Some((started, totals)) = times(&root.join(&kept.folder).join(TIMING))? else {
            return Ok(Err(
                "its timing.jsonl does not tell when it began and ended",
            ));
        };
        let start = seconds(started);
        result.start_time = Some(start);
        result.end_time = Some(seconds(totals.ended));
        result.results = figures(&result, &totals);
        let mut document = serde_json::to_value(&result)?;
        document["repeat"] = json!(kept.repeat);
        document["header"] = json!(header);
        document["end"] = json!(end);
        Ok(Ok(Self {
            name: format!("{}_{start:?}.json", result.session_id),
            document,
        }))
    }

    fn write(&self, folder: &Utf8Path) -> Result<(), Failure> {
        let path = folder.join(&self.name);
        let mut text = Vec::new();
        let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        self.document
            .serialize(&mut serde_json::Serializer::with_formatter(
                &mut text, indent,
            ))?;
        std::fs::write(&path, text)
            .map_err(|error| Failure::user(format!("{path} can't be written: {error}")))
    }
}

/// AIOpsLab's figures, those first that are measured.
fn figures(result: &EpisodeResult, totals: &Totals) -> Map<String, Value> {
    let time = match result.task {
        Task::Detection => "TTD",
        Task::Localization => "TTL",
        Task::Analysis => "TTA",
        Task::Mitigation => "TTM",
    };
    let mut figures = Map::new();
    figures.insert(time.to_owned(), json!(totals.elapsed_ms / 1e3));
    figures.extend(result.results.clone());
    // What an agent does not tell is not known: AIOpsLab counts the words of its trace.
    if let Some(Usage {
        input_tokens,
        output_tokens,
        ..
    }) = result.usage
    {
        figures.insert("in_tokens".to_owned(), json!(input_tokens));
        figures.insert("out_tokens".to_owned(), json!(output_tokens));
    }
    figures
}

/// When an episode began, and what it took; none: it was broken off, or is of a version that did not
/// say so.
fn times(path: &Utf8Path) -> Result<Option<(Timestamp, Totals)>, Failure> {
    let (mut started, mut totals) = (None, None);
    for measurement in results::measurements(path)? {
        match measurement {
            Measurement::Header(header) => started = Some(header.started),
            Measurement::End(end) => totals = Some(end),
            Measurement::Step(_) => {}
        }
    }
    Ok(started.zip(totals))
}

/// Seconds since the epoch, to the microsecond as Python tells them.
fn seconds(moment: Timestamp) -> f64 {
    moment.as_microsecond() as f64 / 1e6
}
