//! `aiopslab import`: what other tools and data sets hold, as snapshots.

mod describe;

use aiopslab_capture::{Window, Windows};
use aiopslab_datasets::import::{
    Collector, Format, ImportRequest, Imported, ImportedTruth, SupportBundle, format, import,
    import_support_bundle,
};
use aiopslab_datasets::{Manifest, Snapshot};
use aiopslab_problems::family::Truth;
use aiopslab_problems::label::Label;
use serde_json::json;

use crate::cli::{Import, MUST_GATHER, SUPPORT_BUNDLE};
use crate::exit::Failure;
use crate::output::{ImportProgress, print};

pub(super) fn run(arguments: &Import) -> Result<(), Failure> {
    match arguments.format.as_str() {
        SUPPORT_BUNDLE => return support_bundle(Collector::Troubleshoot, arguments),
        MUST_GATHER => return support_bundle(Collector::MustGather, arguments),
        _ => {}
    }
    if arguments.at.is_some() {
        return Err(Failure::user(format!(
            "--at is for {SUPPORT_BUNDLE} and {MUST_GATHER}: {} tells its times itself",
            arguments.format
        )));
    }
    // The command line takes no others.
    match format(&arguments.format) {
        Some(format) => incidents(format, arguments),
        None => Err(Failure::user(format!(
            "unknown format {}",
            arguments.format
        ))),
    }
}

fn incidents(format: &Format, arguments: &Import) -> Result<(), Failure> {
    let progress = ImportProgress::start();
    let request = ImportRequest {
        source: arguments.source.clone(),
        out: arguments.out.clone(),
        key: arguments.key.clone(),
        only: arguments.only.clone(),
    };
    let mut problems = Vec::new();
    // Each is labelled at once: what ends the import later must not cost it its truth.
    let imported = import(format, &request, &progress, |one| -> Result<(), Failure> {
        problems.push(match &one.truth {
            Some(truth) => label(one, truth, format)?,
            None => Vec::new(),
        });
        Ok(())
    });
    progress.finish();
    let imported = imported?;
    print(&match arguments.json {
        true => format!("{:#}\n", describe::json(format, &imported, &problems)),
        false => describe::text(format, &imported, &problems),
    });
    Ok(())
}

/// Writes what the source says is true, as `truth add` would; hands back the ids of the problems that follow.
fn label(
    imported: &Imported,
    truth: &ImportedTruth,
    format: &Format,
) -> Result<Vec<String>, Failure> {
    let said = Truth {
        anomaly: truth.anomaly,
        faulty_components: truth.faulty.clone(),
        // No data set says these in AIOpsLab's terms, so that analysis is not asked.
        system_level: Vec::new(),
        fault_type: Vec::new(),
    };
    let mut label = Label::new(&truth.name, &truth.summary, said)?;
    if let Some(ended) = truth.ended {
        label.asked_at = Some(ended.to_string());
    }
    let mut document = serde_json::to_value(&label)?;
    document["application"] = json!(truth.application);
    document["imported"] = json!({"from": format.name, "kind": truth.kind});
    let windows = serde_json::to_value(windows(truth, &imported.manifest))?;
    let mut snapshot = Snapshot::open(&imported.dir)?;
    snapshot.write_withheld_json(&[("truth", document), ("windows", windows)])?;
    let problems = label.problems();
    Ok(problems.iter().map(|one| one.id.to_string()).collect())
}

fn windows(truth: &ImportedTruth, manifest: &Manifest) -> Windows {
    let Some(injected) = truth.injected else {
        return Windows::default();
    };
    Windows {
        baseline: Some(Window {
            from: manifest.observed.from.min(injected),
            to: injected,
        }),
        injected: Some(injected),
        fault: Some(Window {
            from: injected,
            to: truth.ended.unwrap_or(manifest.end).max(injected),
        }),
        recovered: truth.ended,
    }
}

fn support_bundle(collector: Collector, arguments: &Import) -> Result<(), Failure> {
    let at = arguments.at.as_ref().map(|text| text.parse());
    let at = at.transpose().map_err(|_| {
        Failure::user("--at is no time\nhint: give it in RFC 3339, e.g. 2026-01-31T12:00:00Z")
    })?;
    let out = &arguments.out;
    let bundle = SupportBundle {
        collector,
        dir: arguments.source.clone(),
        at,
    };
    let progress = ImportProgress::start();
    let imported = import_support_bundle(&bundle, out, &progress);
    progress.finish();
    let (manifest, report) = imported?;
    // A real support bundle is at hand, a must-gather is not.
    let proven = collector == Collector::Troubleshoot;
    print(&match arguments.json {
        true => format!(
            "{:#}\n",
            json!({"snapshot": out, "moment": manifest.end, "proven": proven, "report": report})
        ),
        false => format!(
            "snapshot  {} in {out}\nmoment    {}\nproblems  {}\n\n{}{}",
            manifest.snapshot,
            manifest.end,
            describe::no_problems(out),
            describe::report(&report),
            if proven { "" } else { describe::UNPROVEN }
        ),
    });
    Ok(())
}
