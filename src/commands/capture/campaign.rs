//! `aiopslab capture --all GLOB`: one capture after another, until all are there.
//!
//! A campaign that was broken off goes on where it stopped when it is run again: what has a
//! manifest is left as it is, what has none is kept beside. One that fails does not stop the rest.

use std::collections::BTreeMap;
use std::fs;
use std::time::Instant;

use aiopslab_capture::{CaptureError, CaptureSummary};
use camino::Utf8Path;
use serde::Serialize;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::cli::Capture;
use crate::exit::Failure;
use crate::library::{Library, MANIFEST};
use crate::output::print;
use crate::settings::Settings;

/// Where a campaign tells what became of each capture.
const REPORT: &str = "campaign.json";

/// What became of one capture.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
enum Outcome {
    /// It is there now.
    Captured { rows: u64, bytes: u64, seconds: u64 },
    /// It was there before.
    AlreadyThere,
    /// This version can't capture it.
    NotSupported { reason: String },
    /// It went wrong.
    Failed { reason: String, seconds: u64 },
    /// The campaign was stopped before.
    NotReached,
}

impl Outcome {
    fn name(&self) -> &'static str {
        match self {
            Self::Captured { .. } => "captured",
            Self::AlreadyThere => "already there",
            Self::NotSupported { .. } => "not supported",
            Self::Failed { .. } => "failed",
            Self::NotReached => "not reached",
        }
    }

    fn of(captured: Result<CaptureSummary, CaptureError>, seconds: u64) -> Self {
        match captured {
            Ok(summary) => {
                let files = summary.manifest.files.values();
                Self::Captured {
                    rows: files.clone().map(|file| file.rows).sum(),
                    bytes: files.map(|file| file.bytes).sum(),
                    seconds,
                }
            }
            Err(
                error @ (CaptureError::NotImplemented(_) | CaptureError::NotOnKubernetes { .. }),
            ) => Self::NotSupported {
                reason: error.to_string(),
            },
            Err(error) => Self::Failed {
                reason: error.to_string(),
                seconds,
            },
        }
    }
}

/// Captures every variant that the pattern names.
pub(super) async fn run(
    pattern: &str,
    arguments: &Capture,
    settings: &Settings,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let library = Library::open(settings)?;
    let names = chosen(&library, pattern)?;
    fs::create_dir_all(arguments.out())
        .map_err(|error| Failure::user(format!("can't make {}: {error}", arguments.out())))?;
    let mut outcomes: BTreeMap<&str, Outcome> = names
        .iter()
        .map(|name| {
            let outcome = match is_finished(arguments.out(), name) {
                true => Outcome::AlreadyThere,
                false => Outcome::NotReached,
            };
            (name.as_str(), outcome)
        })
        .collect();
    for (index, name) in names.iter().enumerate() {
        if cancel.is_cancelled() {
            break;
        }
        let at = format!("{} of {}", index + 1, names.len());
        let outcome = match prepare(arguments.out(), name)? {
            Folder::Finished => Outcome::AlreadyThere,
            Folder::Free { kept } => {
                eprintln!("{name}, {at}");
                if let Some(kept) = kept {
                    eprintln!("  what an earlier capture left is kept as {kept}");
                }
                let started = Instant::now();
                let captured = super::one(name, arguments, settings, cancel.clone()).await?;
                Outcome::of(captured, started.elapsed().as_secs())
            }
        };
        if let Outcome::NotSupported { reason } | Outcome::Failed { reason, .. } = &outcome {
            eprintln!("  {name}: {}", reason.replace('\n', "\n  "));
        }
        outcomes.insert(name, outcome);
        // After each: a campaign that is killed leaves what it came to.
        write_report(arguments.out(), &outcomes)?;
    }
    print(&describe(&outcomes));
    if outcomes.values().all(|outcome| {
        matches!(
            outcome,
            Outcome::Captured { .. } | Outcome::AlreadyThere | Outcome::NotSupported { .. }
        )
    }) {
        return Ok(());
    }
    Err(Failure::user(format!(
        "the campaign is not complete\nhint: run it again; what is in {} stays",
        arguments.out()
    )))
}

/// The captures that a pattern names, in the catalog's order.
fn chosen(library: &Library, pattern: &str) -> Result<Vec<String>, Failure> {
    let glob = glob::Pattern::new(pattern)
        .map_err(|error| Failure::user(format!("{pattern:?} is no pattern: {error}")))?;
    let families = library.catalog.families().iter();
    let names: Vec<String> = families
        .flat_map(|family| {
            let numbers = family.variants.iter().map(|variant| variant.n);
            numbers.map(move |n| format!("{}-{n}", family.family))
        })
        .filter(|name| glob.matches(name))
        .collect();
    if names.is_empty() {
        return Err(Failure::user(format!(
            "no variant of a family is named like {pattern:?}\nhint: they are FAMILY-N, like scale_pod_zero_testbed-1; '*_testbed-1' are the first of all on the testbed; `aiopslab problems list` shows the families"
        )));
    }
    Ok(names)
}

/// What is at the place of a snapshot.
#[derive(Debug, PartialEq, Eq)]
enum Folder {
    Finished,
    /// Nothing, or nothing any more: its new name.
    Free {
        kept: Option<String>,
    },
}

fn is_finished(out: &Utf8Path, name: &str) -> bool {
    out.join(name).join(MANIFEST).is_file()
}

/// Looks whether a snapshot is there; what an unfinished capture left is moved aside.
fn prepare(out: &Utf8Path, name: &str) -> Result<Folder, Failure> {
    let folder = out.join(name);
    if is_finished(out, name) {
        return Ok(Folder::Finished);
    }
    if !folder.exists() {
        return Ok(Folder::Free { kept: None });
    }
    let kept = (1..)
        .map(|n| format!("{name}.unfinished-{n}"))
        .find(|kept| !out.join(kept).exists())
        .unwrap_or_default();
    fs::rename(&folder, out.join(&kept))
        .map_err(|error| Failure::user(format!("can't rename {folder} to {kept}: {error}")))?;
    Ok(Folder::Free { kept: Some(kept) })
}

/// Writes what became of each, beside what earlier campaigns into the same folder told.
fn write_report(out: &Utf8Path, outcomes: &BTreeMap<&str, Outcome>) -> Result<(), Failure> {
    let path = out.join(REPORT);
    let mut told: BTreeMap<String, Value> = match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes)?,
        Err(_) => BTreeMap::new(),
    };
    for (name, outcome) in outcomes {
        // The campaign that captured it knows more of it.
        let is_captured = |known: &Value| known["outcome"] == "captured";
        let is_told = told.get(*name).is_some_and(is_captured);
        if !(is_told && matches!(outcome, Outcome::AlreadyThere)) {
            told.insert((*name).to_owned(), serde_json::to_value(outcome)?);
        }
    }
    let text = format!("{:#}\n", serde_json::to_value(told)?);
    fs::write(&path, text).map_err(|error| Failure::user(format!("can't write {path}: {error}")))
}

/// A line for each capture, and how many came to what.
fn describe(outcomes: &BTreeMap<&str, Outcome>) -> String {
    let widest = outcomes.keys().map(|name| name.len()).max().unwrap_or(0);
    let mut out = String::new();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, outcome) in outcomes {
        *counts.entry(outcome.name()).or_default() += 1;
        let detail = match outcome {
            Outcome::Captured {
                rows,
                bytes,
                seconds,
            } => format!(
                "{rows} rows, {:.2} MiB, {seconds} s",
                *bytes as f64 / f64::from(1 << 20)
            ),
            Outcome::NotSupported { reason } | Outcome::Failed { reason, .. } => {
                reason.lines().next().unwrap_or_default().to_owned()
            }
            Outcome::AlreadyThere | Outcome::NotReached => String::new(),
        };
        let line = format!("{name:<widest$}  {:<13}  {detail}", outcome.name());
        out.push_str(line.trim_end());
        out.push('\n');
    }
    let counts: Vec<String> = counts
        .iter()
        .map(|(name, count)| format!("{count} {name}"))
        .collect();
    out.push_str(&format!("{}\n", counts.join(", ")));
    out
}

#[cfg(test)]
mod tests {
    use camino::Utf8PathBuf;

    use super::*;

    fn folder() -> (tempfile::TempDir, Utf8PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = Utf8PathBuf::from_path_buf(folder.path().to_owned()).unwrap();
        (folder, path)
    }

    #[test]
    fn what_is_finished_stays_and_what_is_not_is_kept_beside() {
        let (_keep, out) = folder();
        assert_eq!(prepare(&out, "a-1").unwrap(), Folder::Free { kept: None });
        fs::create_dir(out.join("a-1")).unwrap();
        fs::write(out.join("a-1/half"), "rows").unwrap();
        let kept = Some("a-1.unfinished-1".to_owned());
        assert_eq!(prepare(&out, "a-1").unwrap(), Folder::Free { kept });
        assert_eq!(
            fs::read_to_string(out.join("a-1.unfinished-1/half")).unwrap(),
            "rows"
        );
        fs::create_dir(out.join("a-1")).unwrap();
        let kept = Some("a-1.unfinished-2".to_owned());
        assert_eq!(prepare(&out, "a-1").unwrap(), Folder::Free { kept });
        fs::create_dir(out.join("a-1")).unwrap();
        fs::write(out.join("a-1").join(MANIFEST), "{}").unwrap();
        assert_eq!(prepare(&out, "a-1").unwrap(), Folder::Finished);
    }

    #[test]
    fn a_report_keeps_what_earlier_campaigns_told() {
        let (_keep, out) = folder();
        let captured = |rows| Outcome::Captured {
            rows,
            bytes: 1,
            seconds: 2,
        };
        write_report(&out, &BTreeMap::from([("a-1", captured(7))])).unwrap();
        let outcomes = [("a-1", Outcome::AlreadyThere), ("b-1", captured(8))];
        write_report(&out, &BTreeMap::from(outcomes)).unwrap();
        let text = fs::read_to_string(out.join(REPORT)).unwrap();
        let report: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            (&report["a-1"]["rows"], &report["b-1"]["rows"]),
            (&7.into(), &8.into())
        );
    }

    #[test]
    fn the_summary_has_a_line_for_each_and_counts() {
        let outcomes = BTreeMap::from([
            ("a-1", Outcome::AlreadyThere),
            (
                "longer-2",
                Outcome::Failed {
                    reason: "the fault did not show\nhint: x".to_owned(),
                    seconds: 9,
                },
            ),
        ]);
        assert_eq!(
            describe(&outcomes),
            "a-1       already there\nlonger-2  failed         the fault did not show\n1 already there, 1 failed\n"
        );
    }
}
