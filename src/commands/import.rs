//! `aiopslab import`: what other tools collected, as a snapshot.

use aiopslab_datasets::import::{Report, SupportBundle, Tally, import_support_bundle};
use serde_json::json;

use crate::cli::Import;
use crate::exit::Failure;
use crate::output::print;

pub(super) fn run(arguments: Import) -> Result<(), Failure> {
    let Import::K8sSupportBundle {
        source,
        out,
        at,
        json,
    } = arguments;
    let at = at.map(|text| text.parse()).transpose().map_err(|_| {
        Failure::user("--at is no time\nhint: give it in RFC 3339, e.g. 2026-01-31T12:00:00Z")
    })?;
    let bundle = SupportBundle { dir: source, at };
    let (manifest, report) = import_support_bundle(&bundle, &out)?;
    if json {
        print(&format!(
            "{:#}\n",
            json!({"snapshot": out, "moment": manifest.end, "report": report})
        ));
    } else {
        print(&format!(
            "snapshot  {} in {out}\nmoment    {}\n\n{}",
            manifest.snapshot,
            manifest.end,
            describe(&report)
        ));
    }
    Ok(())
}

fn describe(report: &Report) -> String {
    let tallies = [
        ("files", &report.files),
        ("objects", &report.objects),
        ("logs", &report.logs),
    ];
    let mut out = format!(
        "{:<9} {:>6} {:>8} {:>9}\n",
        "", "read", "written", "left out"
    );
    for (
        name,
        Tally {
            read,
            written,
            left_out,
        },
    ) in tallies
    {
        let left_out = left_out.len();
        out.push_str(&format!("{name:<9} {read:>6} {written:>8} {left_out:>9}\n"));
    }
    for (name, tally) in tallies {
        if !tally.left_out.is_empty() {
            out.push_str(&format!("\nleft out of the {name}:\n"));
        }
        for one in &tally.left_out {
            out.push_str(&format!("  {}: {}\n", one.what, one.reason));
        }
    }
    out
}
