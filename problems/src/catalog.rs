//! The catalog: families and applications as TOML, and the problems that follow from them.

mod check;
mod family;
mod finding;
mod names;
mod oracle;

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::finding::{CatalogError, Finding};
pub(crate) use self::names::check_name as check_family_name;
use crate::family::{Application, Exercised, Family, Truth};
use crate::task::Task;

/// The files that are built in: (name, text).
const BUILT_IN: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/catalog.rs"));

/// The files that are built in: (name, text).
pub fn built_in() -> impl Iterator<Item = (&'static str, &'static str)> {
    BUILT_IN.iter().copied()
}

/// Name of a problem, e.g. `k8s_target_port_misconfig_testbed-localization-1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProblemId(String);

impl ProblemId {
    /// Returns the name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The name of a problem that follows from a label.
    pub(crate) fn of_label(name: &str, task: Task) -> Self {
        Self(format!("{name}-{task}-1"))
    }
}

impl fmt::Display for ProblemId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Honours width and alignment in tables.
        formatter.pad(&self.0)
    }
}

/// One scored question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Its name.
    pub id: ProblemId,
    /// Name of its family.
    pub family: String,
    /// Number of its variant.
    pub variant: u32,
    /// What is asked.
    pub task: Task,
    /// Whether an incident's snapshot is asked about at `before-fault`, where the truth is No.
    pub control: bool,
    /// What is true, with variables put in.
    pub truth: Truth,
    /// What AIOpsLab takes for true; none: the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_truth: Option<Truth>,
    /// Why it is listed and never asked; none: it is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<String>,
    /// How far its family has been tried.
    pub exercised: Exercised,
    /// Name of the snapshot that it is asked about.
    pub snapshot: String,
}

impl Problem {
    /// SHA-256, in hexadecimal, of what is asked and what is right: two problems of one digest are scored
    /// the same. `docs/formats/release-v1.md` says of what exactly.
    #[must_use]
    pub fn digest(&self) -> String {
        #[derive(Serialize)]
        struct Asked<'a> {
            id: &'a ProblemId,
            task: Task,
            control: bool,
            truth: &'a Truth,
            upstream_truth: &'a Option<Truth>,
        }
        let asked = Asked {
            id: &self.id,
            task: self.task,
            control: self.control,
            truth: &self.truth,
            upstream_truth: &self.upstream_truth,
        };
        let text = serde_json::to_vec(&asked).unwrap_or_default();
        let digest = Sha256::digest(text);
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// Families, applications and the problems that follow from them.
#[derive(Debug, Clone)]
pub struct Catalog {
    families: Vec<Family>,
    applications: Vec<Application>,
    problems: Vec<Problem>,
}

/// A name that is no problem.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown problem {name:?}\nhint: the nearest are {}", nearest.join(", "))]
pub struct UnknownProblem {
    /// The name as given.
    pub name: String,
    /// The nearest names that there are, at most three.
    pub nearest: Vec<String>,
}

impl Catalog {
    /// Reads the families and applications that are built in.
    pub fn embedded() -> Result<Self, CatalogError> {
        Self::with_dir(&[])
    }

    /// Adds files of the user's, given as (file name, text), to what is built in.
    ///
    /// A file with the key `family` is a family, any other an application.
    ///
    /// # Errors
    /// When anything is wrong with any file; the error has every finding.
    pub fn with_dir(files: &[(String, String)]) -> Result<Self, CatalogError> {
        Self::with_frozen(&[], files)
    }

    /// The same, with files of a release, given as (path, text), in the place of what is built in under their names.
    ///
    /// Built-in families of an application that is replaced are left out: they are written for another one.
    ///
    /// # Errors
    /// When anything is wrong with any file; the error has every finding.
    pub fn with_frozen(
        frozen: &[(String, String)],
        files: &[(String, String)],
    ) -> Result<Self, CatalogError> {
        let is_frozen = |file: &str| {
            let mut names = frozen.iter().map(|(path, _)| path.rsplit('/').next());
            names.any(|name| name == Some(file))
        };
        let is_kept = |(file, text): &(&str, &str)| {
            let application = || application_of(text).map(|name| format!("{name}.toml"));
            !is_frozen(file)
                && (frozen.is_empty() || !application().is_some_and(|it| is_frozen(&it)))
        };
        let built_in = BUILT_IN.iter().copied().filter(is_kept);
        let added = frozen.iter().chain(files);
        let added = added.map(|(file, text)| (file.as_str(), text.as_str()));
        check::read(built_in.chain(added))
    }

    /// Returns every family, sorted by name.
    #[must_use]
    pub fn families(&self) -> &[Family] {
        &self.families
    }

    /// Returns a family.
    #[must_use]
    pub fn family(&self, name: &str) -> Option<&Family> {
        self.families.iter().find(|family| family.family == name)
    }

    /// Returns every application, sorted by name.
    #[must_use]
    pub fn applications(&self) -> &[Application] {
        &self.applications
    }

    /// Returns an application.
    #[must_use]
    pub fn application(&self, name: &str) -> Option<&Application> {
        self.applications
            .iter()
            .find(|application| application.name == name)
    }

    /// Returns every problem: by family, then variant, then task, the control after its detection.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// Returns a problem.
    pub fn problem(&self, name: &str) -> Result<&Problem, UnknownProblem> {
        self.problems
            .iter()
            .find(|problem| problem.id.as_str() == name)
            .ok_or_else(|| UnknownProblem {
                name: name.to_owned(),
                nearest: nearest(
                    name,
                    self.problems.iter().map(|problem| problem.id.as_str()),
                ),
            })
    }

    /// Takes in problems that none of its files tells of, such as those that follow from a label. What it
    /// knows itself stays as it is.
    pub fn learn(&mut self, problems: impl IntoIterator<Item = Problem>) {
        for problem in problems {
            if self.problem(problem.id.as_str()).is_err() {
                self.problems.push(problem);
            }
        }
    }

    /// Returns the problems that are asked about a snapshot.
    pub fn problems_of_snapshot<'a>(
        &'a self,
        snapshot: &'a str,
    ) -> impl Iterator<Item = &'a Problem> {
        self.problems
            .iter()
            .filter(move |problem| problem.snapshot == snapshot)
    }
}

/// The application that a family's file names.
fn application_of(text: &str) -> Option<String> {
    let file: toml::Table = text.parse().ok()?;
    let name = file.get("application")?.as_str()?;
    Some(name.to_owned())
}

/// Returns the three names that are most like one that was given.
#[must_use]
pub fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut ranked: Vec<(usize, &str)> = names
        .map(|known| (strsim::damerau_levenshtein(name, known), known))
        .collect();
    ranked.sort_unstable();
    ranked
        .into_iter()
        .take(3)
        .map(|(_, known)| known.to_owned())
        .collect()
}

#[cfg(test)]
mod tests;
