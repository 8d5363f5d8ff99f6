//! `aiopslab snapshot`: what a snapshot holds, whether it is sound, how true its replay is, and saving
//! what a killed capture recorded.

use aiopslab_datasets::Snapshot as Opened;
use aiopslab_datasets::release::Release;
use aiopslab_datasets::schema::Table;
use aiopslab_datasets::verify::{Report, verify};
use aiopslab_datasets::writer::{Visibility, salvage};
use aiopslab_problems::task::Task;
use camino::Utf8PathBuf;
use serde_json::json;

use crate::audit::{Leak, Patterns, Shortcuts, held_out, held_out_release, leaks, shortcuts};
use crate::cli::Snapshot;
use crate::evaluation::{Plan, Wanted};
use crate::exit::Failure;
use crate::fidelity;
use crate::library::{Library, base_name, is_release};
use crate::output::print;
use crate::settings::Settings;

pub(super) async fn run(arguments: Snapshot, settings: &Settings) -> Result<(), Failure> {
    match arguments {
        Snapshot::Info { snapshot, json } => {
            let opened = Opened::open(&Library::open(settings)?.find(&snapshot)?)?;
            if json {
                print(&format!("{:#}\n", serde_json::to_value(opened.manifest())?));
            } else {
                print(&describe(&opened)?);
            }
            Ok(())
        }
        Snapshot::Verify {
            snapshot,
            content,
            json,
        } => {
            let library = Library::open(settings)?;
            let opened = Opened::open(&library.find(&snapshot)?)?;
            check(&verify(&opened, content), json)
        }
        Snapshot::Fidelity {
            compared,
            show,
            json,
        } => compare_with_live(&compared, show, json, settings).await,
        Snapshot::Audit {
            snapshots,
            held_out: true,
            json,
        } => audit_held_out(&snapshots, json, settings),
        Snapshot::Audit {
            snapshots, json, ..
        } => audit(&snapshots, json, settings),
        Snapshot::Salvage { folder } => {
            salvage(&folder)?;
            print(&describe(&Opened::open(&folder)?)?);
            Ok(())
        }
    }
}

async fn compare_with_live(
    names: &[String],
    show: usize,
    json: bool,
    settings: &Settings,
) -> Result<(), Failure> {
    let library = Library::open(settings)?;
    let mut all = Vec::new();
    for name in names {
        let opened = Opened::open(&library.find(name)?)?;
        all.push(fidelity::measure(name, opened, settings.jobs.value).await?);
    }
    let passed = fidelity::passes(&all);
    if json {
        let rules: Vec<_> = all.iter().map(fidelity::Fidelity::rules_needed).collect();
        let report = json!({"passed": passed, "snapshots": all, "rules": rules});
        print(&format!("{report:#}\n"));
    } else {
        print(&fidelity::render(&all, show));
    }
    if passed {
        return Ok(());
    }
    Err(Failure::user(
        "the replay is not as close to the live system as it has to be",
    ))
}

/// What one snapshot gives away.
struct Audited {
    name: String,
    texts: usize,
    leaks: Vec<Leak>,
}

fn audit(places: &[Utf8PathBuf], json: bool, settings: &Settings) -> Result<(), Failure> {
    let library = Library::open_for(settings, places)?;
    let mut audited = Vec::new();
    for dir in library.snapshots(places)? {
        let snapshot = Opened::open(&dir)?;
        let recorded = library.recorded(&dir)?;
        let truth = snapshot.withheld_json("truth")?;
        let patterns = Patterns::of(&library.catalog, &recorded.family, &truth)?;
        audited.push(Audited {
            name: recorded.name,
            texts: patterns.texts,
            leaks: leaks(&snapshot, &patterns)?,
        });
    }
    let wanted = Wanted {
        task: Some(Task::Detection),
        ..Wanted::default()
    };
    let shortcuts = shortcuts(&Plan::make(&library, places, &wanted)?.questions)?;
    let leaks: usize = audited.iter().map(|one| one.leaks.len()).sum();
    let found = shortcuts.features.iter().filter(|one| one.found).count();
    if json {
        let each: Vec<_> = audited
            .iter()
            .map(|one| json!({"snapshot": one.name, "texts": one.texts, "leaks": one.leaks}))
            .collect();
        print(&format!(
            "{:#}\n",
            json!({"passed": leaks + found == 0, "snapshots": each, "shortcuts": shortcuts})
        ));
    } else {
        print(&describe_audit(&audited, &shortcuts));
    }
    if leaks + found == 0 {
        return Ok(());
    }
    Err(Failure::user(format!(
        "{leaks} leaks and {found} shortcuts"
    )))
}

fn audit_held_out(places: &[Utf8PathBuf], json: bool, settings: &Settings) -> Result<(), Failure> {
    let library = Library::open_for(settings, places)?;
    let mut audited = Vec::new();
    for place in places.iter().filter(|place| is_release(place)) {
        let release = Release::open(place, settings.release_key()?.as_deref())?;
        audited.push((base_name(place), held_out_release(&release)));
    }
    for dir in library.snapshots(places)? {
        audited.push((base_name(&dir), held_out(&library, &Opened::open(&dir)?)?));
    }
    let (mut rows, mut count) = (Vec::new(), 0);
    for (name, found) in audited {
        count += found.len();
        if json {
            rows.push(json!({"snapshot": name, "found": found}));
            continue;
        }
        print(&format!("{name}: {} found\n", found.len()));
        for what in found {
            print(&format!("  {what}\n"));
        }
    }
    if json {
        let report = json!({"passed": count == 0, "snapshots": rows});
        print(&format!("{report:#}\n"));
    }
    match count {
        0 => Ok(()),
        _ => Err(Failure::user(format!(
            "{count} things that must not be in a held-out snapshot\nhint: `aiopslab release build --held-out` leaves them out"
        ))),
    }
}

fn describe_audit(audited: &[Audited], shortcuts: &Shortcuts) -> String {
    let mut out = String::new();
    for one in audited {
        let (texts, count) = (one.texts, one.leaks.len());
        out.push_str(&format!(
            "{}: {texts} texts searched for, {count} leaks\n",
            one.name
        ));
        for leak in &one.leaks {
            let Leak { depth, place, text } = leak;
            out.push_str(&format!("  {depth}: {place} says {text:?}\n"));
        }
    }
    let Shortcuts {
        incidents,
        controls,
        enough,
        features,
    } = shortcuts;
    out.push_str(&format!(
        "\nshortcuts: {incidents} incidents and {controls} controls{}\n",
        if *enough {
            ""
        } else {
            ", too few to tell a shortcut from chance; not judged"
        }
    ));
    for one in features {
        let of = incidents + controls;
        out.push_str(&format!(
            "  {:<24} right {} of {of}, by chance {:.3}{}\n",
            one.feature,
            one.right,
            one.by_chance,
            if one.found { "  SHORTCUT" } else { "" }
        ));
    }
    out
}

fn describe(opened: &Opened) -> Result<String, Failure> {
    let (manifest, dir) = (opened.manifest(), opened.dir());
    let withheld = if !opened.has_withheld() {
        "left out"
    } else if opened.find_withheld_json("truth")?.is_some() {
        "truth, windows and hidden rows are here"
    } else {
        "hidden rows are here; no truth yet (aiopslab truth add)"
    };
    let mut out = format!(
        "snapshot     {} in {dir}\nformat       {}, {}\napplication  {} in {}\nobserved     {} to {}\nclock `end`  {}\nwithheld     {}\n\n",
        manifest.snapshot,
        manifest.format_version,
        serde_json::to_value(manifest.state)
            .ok()
            .and_then(|state| state.as_str().map(str::to_owned))
            .unwrap_or_default(),
        manifest.application,
        manifest.namespaces.join(", "),
        manifest.observed.from,
        manifest.observed.to,
        manifest.end,
        withheld,
    );
    out.push_str(&format!("{:<17} {:>9} {:>10}\n", "table", "rows", "bytes"));
    for table in Table::ALL {
        if let Some(entry) = manifest.files.get(Visibility::Visible.file(table).as_str()) {
            out.push_str(&format!(
                "{:<17} {:>9} {:>10}\n",
                table.name(),
                entry.rows,
                entry.bytes
            ));
        }
    }
    let bytes: u64 = manifest.files.values().map(|entry| entry.bytes).sum();
    out.push_str(&format!("{:<17} {:>9} {:>10}\n", "all", "", bytes));
    Ok(out)
}

pub(super) fn check(report: &Report, json: bool) -> Result<(), Failure> {
    let failed = report.checks.iter().filter(|check| !check.passed).count();
    if json {
        let checks: Vec<_> = report
            .checks
            .iter()
            .map(
                |check| json!({"name": check.name, "passed": check.passed, "detail": check.detail}),
            )
            .collect();
        print(&format!(
            "{:#}\n",
            json!({"passed": failed == 0, "checks": checks})
        ));
    } else {
        for check in &report.checks {
            let mark = if check.passed { "ok  " } else { "FAIL" };
            print(&format!("{mark} {:<28} {}\n", check.name, check.detail));
        }
    }
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::user(format!(
        "{failed} of {} checks failed",
        report.checks.len()
    )))
}
