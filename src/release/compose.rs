//! Putting a release together, and giving a held-out one its truth back.

use std::collections::BTreeMap;

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::release::{
    About, Builder, CATALOG_FOLDER, Identities, Release, SNAPSHOTS_FOLDER, Seal,
};
use aiopslab_datasets::verify::Check;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;

use super::card::documents;
use super::figures::{figures, recorded};
use crate::evaluation::problems_on;
use crate::exit::Failure;
use crate::library::{Library, Recorded};
use crate::settings::Settings;

/// What is asked of a build.
pub(crate) struct Order {
    /// Snapshots, or folders of them.
    pub(crate) snapshots: Vec<Utf8PathBuf>,
    /// What is said of the release.
    pub(crate) about: About,
    /// How its truth is held out; none: it is published.
    pub(crate) seal: Option<Seal>,
    /// The release's folder.
    pub(crate) out: Utf8PathBuf,
}

/// Builds a release.
///
/// # Errors
/// When a snapshot has no truth, the folder is in use, or something can't be measured or written.
pub(crate) async fn build(
    library: &Library,
    settings: &Settings,
    order: Order,
) -> Result<Release, Failure> {
    let dirs = library.snapshots(&order.snapshots)?;
    let all = dirs.iter().map(|dir| library.recorded(dir));
    let all: Vec<Recorded> = all.collect::<Result<_, _>>()?;
    let mut builder = Builder::create(&order.out, order.about)?;
    let measured = figures(library, settings, &dirs).await?;
    match &order.seal {
        None => {
            builder.measured(measured);
            add_open(&mut builder, library, &all)?;
        }
        Some(seal) => {
            let mut shown = Vec::new();
            for one in &all {
                let slice = slice(library, one)?;
                let name = builder.add_sealed(&Snapshot::open(&one.dir)?, seal, &slice)?;
                shown.push(order.out.join(SNAPSHOTS_FOLDER).join(name));
            }
            let mut measured = without_names(measured, &all);
            // What is later than `end` is not in it.
            measured.extend(recorded(&shown)?);
            builder.measured(measured);
        }
    }
    finish(builder, &order.out)
}

/// Makes an ordinary release of a held-out one.
///
/// # Errors
/// When it is none, the identity does not open it, or what is in it is not what its manifest says.
pub(crate) fn unlock(
    settings: &Settings,
    dir: &Utf8Path,
    identity: &Utf8Path,
    out: &Utf8Path,
) -> Result<Release, Failure> {
    let locked = Release::open(dir, settings.release_key()?.as_deref())?;
    if !locked.about.held_out {
        return Err(Failure::user(format!(
            "{dir} is not held out: its truth is in it\nhint: evaluate it as it is"
        )));
    }
    let identities = Identities::read(identity)?;
    let about = About {
        held_out: false,
        ..locked.about.clone()
    };
    let mut builder = Builder::create(out, about)?;
    let mut catalog: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    for (name, entry) in &locked.snapshots {
        catalog.extend(builder.add_unlocked(dir, name, entry, &identities)?);
    }
    for (name, text) in &catalog {
        builder.add_file(&format!("{CATALOG_FOLDER}/{name}"), text)?;
    }
    let library = Library::with_slices(settings, &[out.join(CATALOG_FOLDER)])?;
    for name in locked.snapshots.keys() {
        let recorded = library.recorded(&out.join(SNAPSHOTS_FOLDER).join(name))?;
        builder.ask(name, asked_on(&library, &recorded));
    }
    builder.measured(locked.figures);
    finish(builder, out)
}

/// Adds snapshots as they are, and the files of the catalog that they need.
fn add_open(builder: &mut Builder, library: &Library, all: &[Recorded]) -> Result<(), Failure> {
    let mut catalog: BTreeMap<String, String> = BTreeMap::new();
    for one in all {
        builder.add_snapshot(&one.name, &Snapshot::open(&one.dir)?)?;
        builder.ask(&one.name, asked_on(library, one));
        catalog.extend(slice(library, one)?);
    }
    for (name, text) in catalog {
        builder.add_file(&format!("{CATALOG_FOLDER}/{name}"), text.as_bytes())?;
    }
    Ok(())
}

fn finish(mut builder: Builder, out: &Utf8Path) -> Result<Release, Failure> {
    for (path, bytes) in documents(builder.release(), out)? {
        builder.add_file(&path, &bytes)?;
    }
    Ok(builder.finish()?)
}

/// Whether the problems of a release are, for this program, what they were when it was built; one check for each
/// snapshot. A held-out release has none to compare.
///
/// # Errors
/// When the release, its catalog or a snapshot can't be read.
pub(crate) fn check_problems(settings: &Settings, dir: &Utf8Path) -> Result<Vec<Check>, Failure> {
    let release = Release::open(dir, None)?;
    if release.about.held_out {
        return Ok(Vec::new());
    }
    let library = Library::with_slices(settings, &[dir.join(CATALOG_FOLDER)])?;
    let checks = release.snapshots.iter().map(|(name, entry)| {
        let recorded = library.recorded(&dir.join(SNAPSHOTS_FOLDER).join(name))?;
        let asked = asked_on(&library, &recorded);
        let then = entry.problems.iter();
        let others: Vec<&str> = then
            .filter(|(id, digest)| asked.get(*id) != Some(*digest))
            .map(|(id, _)| id.as_str())
            .collect();
        let detail = match others.as_slice() {
            [] => entry.problems.len().to_string(),
            others => format!("asked or scored otherwise now: {}", others.join(", ")),
        };
        Ok(Check {
            name: format!("problems of {name}"),
            passed: others.is_empty(),
            detail,
        })
    });
    checks.collect()
}

/// The problems that are asked on a snapshot: ids, and digests.
fn asked_on(library: &Library, recorded: &Recorded) -> BTreeMap<String, String> {
    let problems = problems_on(library, recorded).into_iter();
    let asked = problems.filter(|problem| problem.disabled.is_none());
    asked
        .map(|problem| (problem.id.to_string(), problem.digest()))
        .collect()
}

/// The catalog files that a snapshot's problems follow from, by name: of its family, unless it is labelled, and of its
/// application, if the catalog knows it.
fn slice(library: &Library, recorded: &Recorded) -> Result<BTreeMap<String, String>, Failure> {
    let family = library.catalog.family(&recorded.family);
    let application = match family {
        Some(family) => family.application.clone(),
        None => Snapshot::open(&recorded.dir)?
            .manifest()
            .application
            .clone(),
    };
    let mut files = BTreeMap::new();
    for name in [&recorded.family, &application] {
        if let Some(text) = library.catalog_file(name) {
            files.insert(format!("{name}.toml"), text.to_owned());
        }
    }
    Ok(files)
}

/// Figures that name no snapshot and no family: the others would tell what is held out.
fn without_names(
    mut figures: BTreeMap<String, Value>,
    all: &[Recorded],
) -> BTreeMap<String, Value> {
    figures.retain(|_, figure| {
        let text = figure.to_string();
        let told = |one: &Recorded| text.contains(&one.name) || text.contains(&one.family);
        !all.iter().any(told)
    });
    figures
}
