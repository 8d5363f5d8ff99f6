//! The report of an import, for people and as JSON.

use aiopslab_datasets::import::{Format, ImportedSource, LeftOut, Report, Tally};
use camino::Utf8Path;
use serde_json::{Value, json};

/// Said where no real file of the format was at hand.
pub(super) const UNPROVEN: &str =
    "unproven: this format was tried on files of its documented layout only, not on real ones\n";

/// Everything, with the problems that follow from each incident.
pub(super) fn json(format: &Format, imported: &ImportedSource, problems: &[Vec<String>]) -> Value {
    let incidents = imported.incidents.iter().zip(problems);
    let incidents: Vec<_> = incidents
        .map(|(one, problems)| {
            json!({
                "snapshot": one.dir,
                "id": one.manifest.snapshot.as_str(),
                "from": one.manifest.observed.from,
                "to": one.manifest.end,
                "problems": problems,
                "report": one.report,
            })
        })
        .collect();
    json!({
        "format": format.name,
        "proven": format.proven,
        "incidents": incidents,
        "left_out": imported.left_out,
    })
}

/// The same as text.
pub(super) fn text(format: &Format, imported: &ImportedSource, problems: &[Vec<String>]) -> String {
    let mut out = String::new();
    for (one, problems) in imported.incidents.iter().zip(problems) {
        let asked = match problems.is_empty() {
            true => no_problems(&one.dir),
            false => problems.join(", "),
        };
        out.push_str(&format!(
            "snapshot  {} in {}\nrecorded  {} to {}\nproblems  {asked}\n\n{}\n",
            one.manifest.snapshot,
            one.dir,
            one.manifest.observed.from,
            one.manifest.end,
            report(&one.report)
        ));
    }
    let incidents = imported.incidents.len();
    let plural = if incidents == 1 { "" } else { "s" };
    out.push_str(&format!("{incidents} incident{plural} imported\n"));
    left_out("incidents", &imported.left_out, &mut out);
    if !format.proven {
        out.push_str(UNPROVEN);
    }
    out
}

/// Why nothing is asked about a snapshot, and the way out.
pub(super) fn no_problems(dir: &Utf8Path) -> String {
    format!(
        "none: the source says not what is true\nhint: say it with `aiopslab truth add {dir} --faulty NAME`, or --no-fault"
    )
}

/// One report.
pub(super) fn report(report: &Report) -> String {
    let things = [
        ("files", &report.files),
        ("objects", &report.objects),
        ("logs", &report.logs),
    ];
    let rows = report
        .rows
        .iter()
        .map(|(name, tally)| (name.as_str(), tally));
    let tallies: Vec<(&str, &Tally)> = things
        .into_iter()
        .filter(|(_, tally)| tally.read > 0)
        .chain(rows)
        .collect();
    let width = tallies
        .iter()
        .map(|(name, _)| name.len())
        .max()
        .unwrap_or(0);
    let mut out = format!(
        "{:<width$} {:>8} {:>8} {:>11} {:>12} {:>8}\n",
        "", "read", "written", "quarantined", "another time", "left out"
    );
    for (name, tally) in &tallies {
        out.push_str(&format!(
            "{name:<width$} {:>8} {:>8} {:>11} {:>12} {:>8}\n",
            tally.read,
            tally.written,
            tally.quarantined,
            tally.outside,
            tally.left_out.len()
        ));
    }
    if !report.defects.is_empty() {
        out.push_str("\ndefects of the source:\n");
    }
    for defect in &report.defects {
        let treatment = json!(defect.treatment);
        out.push_str(&format!(
            "  {:>8} {:<11} {}: {} (first at {})\n",
            defect.count,
            treatment.as_str().unwrap_or_default(),
            defect.name,
            defect.rule,
            defect.first
        ));
    }
    if let Some(skew) = report.clock_skew_ms {
        out.push_str(&format!(
            "\nlog lines are {skew} ms after the first spans of their traces (median)\n"
        ));
    }
    for (name, tally) in tallies {
        left_out(name, &tally.left_out, &mut out);
    }
    out
}

fn left_out(name: &str, left_out: &[LeftOut], out: &mut String) {
    if !left_out.is_empty() {
        out.push_str(&format!("\nleft out of the {name}:\n"));
    }
    for one in left_out {
        out.push_str(&format!("  {}: {}\n", one.what, one.reason));
    }
}
