//! Files read, and checked against each other.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::de::DeTable;

use super::finding::{CatalogError, Finding, Notes};
use super::{Catalog, Problem, family};
use crate::condition::Condition;
use crate::family::{Application, Family};
use crate::fault::can_be_applied;

/// A file with what it says.
struct Document<'a, T> {
    file: &'a str,
    text: &'a str,
    value: T,
}

impl<T> Document<'_, T> {
    fn notes<'a>(&'a self, findings: &'a mut Vec<Finding>) -> Notes<'a> {
        Notes {
            file: self.file,
            text: self.text,
            findings,
        }
    }
}

/// Reads and checks files, given as (name, text).
pub(super) fn read<'a>(
    files: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<Catalog, CatalogError> {
    let mut findings = Vec::new();
    let mut families: Vec<Document<'_, Family>> = Vec::new();
    let mut applications: Vec<Document<'_, Application>> = Vec::new();
    for (file, text) in files {
        let parsed = DeTable::parse(text).and_then(|table| {
            let is_family = table.get_ref().contains_key("family");
            let document = toml::Deserializer::from(table);
            if is_family {
                let value = Family::deserialize(document)?;
                families.push(Document { file, text, value });
            } else {
                let value = Application::deserialize(document)?;
                applications.push(Document { file, text, value });
            }
            Ok(())
        });
        if let Err(error) = parsed {
            let mut notes = Notes {
                file,
                text,
                findings: &mut findings,
            };
            notes.malformed(&error);
        }
    }
    applications.sort_by(|left, right| left.value.name.cmp(&right.value.name));
    families.sort_by(|left, right| left.value.family.cmp(&right.value.family));
    check_applications(&applications, &mut findings);
    let problems = check_families(&families, &applications, &mut findings);
    if findings.is_empty() {
        return Ok(Catalog {
            families: families.into_iter().map(|family| family.value).collect(),
            applications: applications.into_iter().map(|one| one.value).collect(),
            problems,
        });
    }
    findings.sort();
    findings.dedup();
    Err(CatalogError { findings })
}

fn check_applications(applications: &[Document<'_, Application>], findings: &mut Vec<Finding>) {
    let mut names = BTreeMap::new();
    for document in applications {
        let application = &document.value;
        let mut notes = document.notes(findings);
        if let Some(other) = names.insert(application.name.as_str(), document.file) {
            notes.wrong("name", another("application", &application.name, other));
        }
        file_name(&mut notes, "name", &application.name);
        conditions(&mut notes, "healthy", &application.healthy);
        for (key, endpoint) in [
            ("frontend", &application.frontend),
            ("prometheus", &application.prometheus),
            ("jaeger", &application.jaeger),
        ] {
            if let Err(reason) = endpoint.check() {
                notes.wrong(key, reason);
            }
        }
        if let Some(Err(reason)) = application.source.as_ref().map(|source| source.check()) {
            notes.wrong("source", reason);
        }
        for (index, object) in application.objects.iter().enumerate() {
            if let Err(reason) = can_be_applied(object) {
                notes.wrong(&format!("objects[{index}]"), reason);
            }
        }
    }
}

fn check_families(
    families: &[Document<'_, Family>],
    applications: &[Document<'_, Application>],
    findings: &mut Vec<Finding>,
) -> Vec<Problem> {
    let mut names = BTreeMap::new();
    let mut ids = BTreeMap::new();
    let mut problems = Vec::new();
    for document in families {
        let family = &document.value;
        let mut notes = document.notes(findings);
        if let Some(other) = names.insert(family.family.as_str(), document.file) {
            notes.wrong("family", another("family", &family.family, other));
            continue;
        }
        file_name(&mut notes, "family", &family.family);
        let application = applications
            .iter()
            .map(|application| &application.value)
            .find(|application| application.name == family.application);
        let Some(application) = application else {
            let known: Vec<&str> = applications
                .iter()
                .map(|application| application.value.name.as_str())
                .collect();
            notes.wrong(
                "application",
                format!(
                    "unknown application {:?}, wanted one of: {}",
                    family.application,
                    known.join(", ")
                ),
            );
            continue;
        };
        for problem in family::check(family, application, &mut notes) {
            if let Some(other) = ids.insert(problem.id.clone(), document.file) {
                notes.wrong("family", another("problem", problem.id.as_str(), other));
            }
            problems.push(problem);
        }
    }
    problems
}

fn another(what: &str, name: &str, file: &str) -> String {
    format!("there is another {what} {name} in {file}")
}

/// Files are named as what is in them.
fn file_name(notes: &mut Notes<'_>, key: &str, name: &str) {
    let wanted = format!("{name}.toml");
    let base = notes.file.rsplit(['/', '\\']).next().unwrap_or_default();
    if base != wanted {
        notes.wrong(key, format!("the file of {name} has to be named {wanted}"));
    }
}

/// Checks that every condition can be judged.
pub(super) fn conditions(notes: &mut Notes<'_>, key: &str, conditions: &[Condition]) {
    for (index, condition) in conditions.iter().enumerate() {
        if let Err(error) = condition.check() {
            let mut message = error.to_string();
            if let Some(source) = std::error::Error::source(&error) {
                message = format!("{message}: {source}");
            }
            notes.wrong(&format!("{key}[{index}]"), message);
        }
    }
}
