//! Can a snapshot be published without its truth?

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::release::{Release, later_rows};
use aiopslab_problems::catalog::Catalog;
use serde_json::Value;

use super::{Leak, Patterns, leaks};
use crate::exit::Failure;
use crate::library::{Library, base_name};

/// What must not be in a snapshot whose truth is held out, in words; nothing: it can be published.
///
/// # Errors
/// When the snapshot is damaged.
pub fn held_out(library: &Library, snapshot: &Snapshot) -> Result<Vec<String>, Failure> {
    let manifest = snapshot.manifest();
    let mut found = Vec::new();
    if snapshot.has_withheld() {
        found.push("withheld/ is there".to_owned());
    }
    for (table, rows) in later_rows(snapshot)? {
        let end = manifest.end;
        found.push(format!(
            "{rows} rows of {table} tell of what is after {end}"
        ));
    }
    let (name, id) = (base_name(snapshot.dir()), &manifest.snapshot);
    if name != id.as_str() {
        found.push(format!("the folder is named {name}, not by the id {id}"));
    }
    let told = serde_json::to_value(manifest)?.to_string();
    for family in families_in(&library.catalog, &told) {
        found.push(format!("manifest.json names the family {family}"));
    }
    if manifest
        .recorders
        .values()
        .any(|counts| counts.withheld > 0)
    {
        found.push("manifest.json counts withheld rows".to_owned());
    }
    let truth = snapshot.find_withheld_json("truth")?.unwrap_or(Value::Null);
    // Without the truth at hand, what every injector leaves behind is searched for.
    let family = truth["family"].as_str().unwrap_or_default();
    let patterns = Patterns::of(&library.catalog, family, &truth)?;
    for Leak { depth, place, text } in leaks(snapshot, &patterns)? {
        found.push(format!("{depth}: {place} says {text:?}"));
    }
    Ok(found)
}

/// What must not be in the manifest of a release whose truth is held out, in words.
pub fn held_out_release(release: &Release) -> Vec<String> {
    let mut found = Vec::new();
    if !release.about.held_out {
        found.push("release.json does not say that the truth is held out".to_owned());
    }
    let told = release.told().into_iter();
    found.extend(told.map(|(place, what)| format!("{place}: {what}")));
    found
}

fn families_in<'a>(catalog: &'a Catalog, text: &'a str) -> impl Iterator<Item = &'a str> {
    let names = catalog
        .families()
        .iter()
        .map(|family| family.family.as_str());
    names.filter(move |name| text.contains(*name))
}
