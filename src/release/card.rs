//! The documents of a release that are made from its manifest: its card (a dataset card of Hugging Face, with a
//! datasheet), `croissant.json` and `CITATION.cff`.
//!
//! Of a release whose truth is held out they say nothing that its manifest and the visible part of its snapshots
//! do not say; families of faults are counted, never named.

use std::fmt::Display;

use aiopslab_datasets::release::Release;
use aiopslab_datasets::schema::Table;
use aiopslab_problems::task::Task;
use camino::Utf8Path;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, context};
use serde_json::Value;

use super::contents::Contents;
use super::croissant::{self, CROISSANT};
use super::figures::Measured;
use super::{citation, documented, huggingface};
use crate::exit::Failure;

/// The name of the card.
const CARD: &str = "README.md";
/// The name of the citation.
const CITATION: &str = "CITATION.cff";

/// The documents by their names within a release.
pub(super) const DOCUMENTS: [&str; 3] = [CARD, CROISSANT, CITATION];

/// Writes the documents of the release in a folder: each with its name. What they say follows from the manifest and
/// the snapshots; of the manifest's `files`, those of the documents themselves don't matter.
///
/// # Errors
/// When a snapshot can't be opened.
pub(crate) fn documents(
    release: &Release,
    dir: &Utf8Path,
) -> Result<Vec<(String, Vec<u8>)>, Failure> {
    let contents = Contents::of(release, dir)?;
    let summary = summary(release, &contents, &measured(release));
    let described = croissant::describe(release, &contents, &summary)?;
    let texts = [
        (CARD, render(release, &contents)?),
        (CROISSANT, format!("{described:#}\n")),
        (CITATION, citation::cff(release)),
    ];
    let named = texts.into_iter();
    Ok(named
        .map(|(name, text)| (name.to_owned(), text.into_bytes()))
        .collect())
}

/// Writes the card of the release in a folder.
///
/// # Errors
/// When a snapshot can't be opened.
pub(crate) fn card(release: &Release, dir: &Utf8Path) -> Result<String, Failure> {
    render(release, &Contents::of(release, dir)?)
}

/// What was measured when the release was built, as far as this program knows it.
fn measured(release: &Release) -> Measured {
    let figures = release.figures.clone().into_iter().collect();
    serde_json::from_value(Value::Object(figures)).unwrap_or_default()
}

/// A release in a few words.
fn summary(release: &Release, contents: &Contents, measured: &Measured) -> String {
    let names: Vec<&str> = contents.applications.keys().map(String::as_str).collect();
    let held_out = match release.about.held_out {
        true => " What was wrong is held out.",
        false => "",
    };
    format!(
        "Recordings of incidents in {} on Kubernetes: metrics, logs, traces and the history of every object, for the evaluation of agents that find out what is wrong. Snapshots: {}; kinds of faults: {}; snapshots without a fault: {}; problems: {}.{held_out}",
        names.join(", "),
        release.snapshots.len(),
        measured.families,
        measured.controls,
        measured.problems,
    )
}

fn render(release: &Release, contents: &Contents) -> Result<String, Failure> {
    let (about, measured) = (&release.about, measured(release));
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|_| AutoEscape::None);
    let example = example_table(contents);
    let (first, last) = contents.recorded.unwrap_or_default();
    let coverage = measured.coverage;
    let body = engine.render_named_str(
        CARD,
        include_str!("card.md"),
        context! {
            name => about.name.as_str(),
            version => about.version.as_str(),
            licence => about.licence.as_str(),
            citation => about.citation.as_str(),
            url => about.url.as_deref(),
            published => about.published.map(|day| day.to_string()),
            held_out => about.held_out,
            summary => summary(release, contents, &measured),
            repository => env!("CARGO_PKG_REPOSITORY"),
            snapshots => release.snapshots.len(),
            example => example.name(),
            example_files => huggingface::files(example),
            example_is_read => huggingface::is_read(example),
            tables => tables(contents),
            not_read => not_read(contents),
            baselines => baselines(&measured),
            actions => coverage.actions,
            answered => coverage.answered,
            fidelity => measured.fidelity.map(Serde),
            applications => counted(&contents.applications),
            faults => faults(contents),
            sources => list(&contents.sources),
            first => first.to_string(),
            last => last.to_string(),
            partial => contents.partial,
            lost => contents.lost,
            rules => list(&contents.rules),
            redacted => contents.redacted,
        },
    );
    let body = body.map_err(|error| Failure::Ours(error.into()))?;
    Ok(huggingface::head(release, contents) + &body + "\n")
}

/// The table that the card's examples read: what most people look at first, where it is there.
fn example_table(contents: &Contents) -> Table {
    let liked = [Table::LogLines, Table::Spans, Table::MetricSamples];
    let found = liked.iter().find(|one| contents.tables.contains_key(*one));
    let any = contents.tables.keys().next();
    found.or(any).copied().unwrap_or(Table::Coverage)
}

/// A row of a table in Markdown.
fn row(cells: impl IntoIterator<Item = impl Display>) -> String {
    let cells = cells.into_iter();
    cells.fold("|".to_owned(), |row, cell| row + &format!(" {cell} |")) + "\n"
}

fn tables(contents: &Contents) -> String {
    let header = row(["table", "rows", "bytes", "what it is"]) + "|---|---:|---:|---|\n";
    contents.tables.iter().fold(header, |rows, (table, size)| {
        let (name, about) = (format!("`{}`", table.name()), documented::about(*table));
        let (lines, bytes) = (size.rows.to_string(), size.bytes.to_string());
        rows + &row([name.as_str(), &lines, &bytes, about])
    })
}

fn not_read(contents: &Contents) -> String {
    let tables = contents.tables.keys();
    let lacking = tables.filter(|one| !huggingface::is_read(**one));
    let names: Vec<String> = lacking.map(|one| format!("`{}`", one.name())).collect();
    names.join(", ")
}

/// A row for each baseline, a column for each task that was asked.
fn baselines(measured: &Measured) -> String {
    let asked = |task: &Task| measured.baselines.values().any(|of| of.contains_key(task));
    let tasks: Vec<Task> = Task::ALL.into_iter().filter(asked).collect();
    let names = tasks.iter().map(|task| task.name());
    let header = row(std::iter::once("agent").chain(names));
    let line = format!("|---|{}\n", "---|".repeat(tasks.len()));
    let rows = measured.baselines.iter().map(|(agent, solved)| {
        let cells = tasks.iter().map(|task| match solved.get(task) {
            Some(solved) => format!("{} of {}", solved.successes, solved.asked),
            None => "-".to_owned(),
        });
        row(std::iter::once(format!("`{agent}`")).chain(cells))
    });
    header + &line + &rows.collect::<String>()
}

/// A row for each kind of fault; nothing where nobody says what was wrong.
fn faults(contents: &Contents) -> String {
    if contents.faults.is_empty() {
        return String::new();
    }
    let header = row(["family", "what is wrong", "snapshots"]) + "|---|---|---:|\n";
    contents.faults.iter().fold(header, |rows, (fault, count)| {
        let summary = fault.summary.replace('|', "\\|");
        rows + &row([format!("`{}`", fault.family), summary, count.to_string()])
    })
}

fn counted<'a>(counts: impl IntoIterator<Item = (&'a String, &'a usize)>) -> String {
    let counts = counts.into_iter();
    let told: Vec<String> = counts
        .map(|(name, count)| format!("`{name}` ({count})"))
        .collect();
    told.join(", ")
}

fn list<'a>(items: impl IntoIterator<Item = &'a String>) -> String {
    let lines = items.into_iter();
    lines.fold(String::new(), |text, line| text + "- " + line + "\n")
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::contents::{Fault, Size};
    use super::*;

    /// A release of two snapshots, and what is in them.
    pub(in crate::release) fn example() -> (Release, Contents) {
        let entry = |id: &str, problem: &str| {
            json!({
                "snapshot": id,
                "application": "shop",
                "logical_digest": id.repeat(2),
                "problems": {problem: "00".repeat(32)},
            })
        };
        let file = |sha256: &str| json!({"bytes": 7, "sha256": sha256});
        let release = json!({
            "format_version": "1",
            "name": "small",
            "version": "1.0.0",
            "held_out": false,
            "licence": "CC-BY-4.0",
            "citation": "A. Nobody: \"small\", 2026",
            "url": "https://example.org/small",
            "published": "2026-11-30",
            "snapshots": {
                "one-1": entry("01", "one-detection-1"),
                "two-1": entry("02", "two-detection-1"),
            },
            "files": {
                "README.md": file("cc"),
                "snapshots/one-1/usage/usage.parquet": file("aa"),
                "snapshots/two-1/usage/usage.parquet": file("bb"),
            },
            "figures": {
                "problems": 2,
                "families": 1,
                "controls": 1,
                "baselines": {"baseline:doctor": {
                    "localization": {"asked": 1, "successes": 0},
                    "detection": {"asked": 2, "successes": 2},
                }},
                "coverage": {"actions": 12, "answered": 11},
                "of a later program": "?",
            },
        });
        let release = serde_json::from_value(release).unwrap();
        let size = |rows| Size { rows, bytes: 2_000 };
        let quiet = Fault {
            family: "quiet".to_owned(),
            summary: "nothing is wrong".to_owned(),
        };
        let contents = Contents {
            tables: BTreeMap::from([
                (Table::MetricSeries, size(5)),
                (Table::LogLines, size(2_700)),
                (Table::Usage, size(9)),
            ]),
            applications: BTreeMap::from([("shop".to_owned(), 2)]),
            sources: ["kubernetes v1.34.4".to_owned()].into(),
            rules: ["every value of a Secret".to_owned()].into(),
            redacted: 3,
            faults: BTreeMap::from([(quiet, 1)]),
            ..Contents::default()
        };
        (release, contents)
    }

    #[test]
    fn the_card_says_what_there_is_and_what_was_measured() {
        let (release, contents) = example();
        let card = render(&release, &contents).unwrap();
        for part in [
            "---\npretty_name: \"small 1.0.0\"\n",
            "\n---\n\n# small 1.0.0\n\nRecordings of incidents in shop on Kubernetes: ",
            "Snapshots: 2; kinds of faults: 1; snapshots without a fault: 1; problems: 2.\n",
            "| `log_lines` | 2700 | 2000 | One row per log line. |\n",
            "| agent | detection | localization |\n|---|---|---|\n| `baseline:doctor` | 2 of 2 | 0 of 1 |\n",
            "Of 12 calls of the baselines the recordings could answer 11,",
            "load_dataset(os.getcwd(), \"log_lines\"",
            "`metric_series` is not among them",
            "| `quiet` | nothing is wrong | 1 |\n",
            "- every value of a Secret\n",
            "CC-BY-4.0",
            "A. Nobody",
        ] {
            assert!(card.contains(part), "{part:?} is not in\n{card}");
        }
        assert!(!card.contains("answers of the live system"), "{card}");
        assert!(!card.contains("\n\n\n"), "{card}");
        assert!(card.ends_with("changes.\n"), "{card}");
    }

    #[test]
    fn a_held_out_release_names_no_family() {
        let (mut release, mut contents) = example();
        release.about.held_out = true;
        contents.faults.clear();
        let card = render(&release, &contents).unwrap();
        assert!(card.contains("aiopslab release unlock"), "{card}");
        assert!(!card.contains("| family |"), "{card}");
        let described = croissant::describe(&release, &contents, "").unwrap();
        for text in [card, described.to_string(), citation::cff(&release)] {
            assert!(!text.contains("quiet") && !text.contains("-detection-"));
        }
    }
}
