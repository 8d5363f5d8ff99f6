//! The catalog: families and applications as TOML, and the problems that follow from them.

mod check;

use std::collections::BTreeMap;
use std::fmt;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::condition::ConditionError;
use crate::family::{Application, Family, Truth};
use crate::resolve::ResolveError;
use crate::task::Task;

/// The families that are built in, sorted by name.
const FAMILIES: [(&str, &str); 8] = [
    (
        "assign_to_non_existent_node_testbed.toml",
        include_str!("../catalog/assign_to_non_existent_node_testbed.toml"),
    ),
    (
        "k8s_target_port_misconfig_testbed.toml",
        include_str!("../catalog/k8s_target_port_misconfig_testbed.toml"),
    ),
    (
        "low_memory_limit_testbed.toml",
        include_str!("../catalog/low_memory_limit_testbed.toml"),
    ),
    (
        "noop_detection_testbed.toml",
        include_str!("../catalog/noop_detection_testbed.toml"),
    ),
    (
        "readiness_probe_misconfig_testbed.toml",
        include_str!("../catalog/readiness_probe_misconfig_testbed.toml"),
    ),
    (
        "revoke_auth_postgres_testbed.toml",
        include_str!("../catalog/revoke_auth_postgres_testbed.toml"),
    ),
    (
        "scale_pod_zero_testbed.toml",
        include_str!("../catalog/scale_pod_zero_testbed.toml"),
    ),
    (
        "wrong_bin_usage_testbed.toml",
        include_str!("../catalog/wrong_bin_usage_testbed.toml"),
    ),
];

/// The applications that are built in, sorted by name.
const APPLICATIONS: [(&str, &str); 1] = [(
    "hotel-testbed.toml",
    include_str!("../applications/hotel-testbed.toml"),
)];

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
    /// Name of the snapshot that it is asked about.
    pub snapshot: String,
}

/// Families, applications and the problems that follow from them.
#[derive(Debug, Clone)]
pub struct Catalog {
    families: Vec<Family>,
    applications: Vec<Application>,
    problems: Vec<Problem>,
}

/// A catalog that can't be read.
#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    /// A file is no TOML, or not of the expected form.
    #[error("malformed catalog file {file}, line {line}: {message}")]
    Malformed {
        /// Name of the file.
        file: String,
        /// Line of the file, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A family or application contradicts itself or another one.
    #[error("catalog file {file} makes no sense: {reason}")]
    Inconsistent {
        /// Name of the file.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// A condition can never be judged.
    #[error("condition in catalog file {file}")]
    Condition {
        /// Name of the file.
        file: String,
        /// What is wrong with it.
        #[source]
        source: ConditionError,
    },
    /// A variant can't be resolved.
    #[error("variables in catalog file {file}")]
    Resolve {
        /// Name of the file.
        file: String,
        /// Which.
        #[source]
        source: ResolveError,
    },
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
    pub fn with_dir(files: &[(String, String)]) -> Result<Self, CatalogError> {
        let mut families: Vec<(String, Family)> = Vec::new();
        let mut applications: Vec<(String, Application)> = Vec::new();
        let built_in = FAMILIES
            .iter()
            .chain(&APPLICATIONS)
            .map(|(file, text)| (*file, *text));
        let added = files
            .iter()
            .map(|(file, text)| (file.as_str(), text.as_str()));
        for (file, text) in built_in.chain(added) {
            let table: toml::Table = read(file, text)?;
            if table.contains_key("family") {
                families.push((file.to_owned(), read(file, text)?));
            } else {
                applications.push((file.to_owned(), read(file, text)?));
            }
        }
        applications.sort_by(|left, right| left.1.name.cmp(&right.1.name));
        families.sort_by(|left, right| left.1.family.cmp(&right.1.family));
        let problems = check::check(&families, &applications)?;
        Ok(Self {
            families: families.into_iter().map(|(_, family)| family).collect(),
            applications: applications
                .into_iter()
                .map(|(_, application)| application)
                .collect(),
            problems,
        })
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

/// Returns the three names that are most like one that was given.
fn nearest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
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

fn read<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, CatalogError> {
    toml::from_str(text).map_err(|error| {
        let start = error.span().map_or(0, |span| span.start);
        let line = text
            .bytes()
            .take(start)
            .filter(|byte| *byte == b'\n')
            .count()
            + 1;
        CatalogError::Malformed {
            file: file.to_owned(),
            line,
            message: error.message().to_owned(),
        }
    })
}

/// The problems of one family: see [`Catalog::problems`].
fn problems_of(family: &Family) -> Result<Vec<Problem>, ResolveError> {
    let mut problems = Vec::new();
    for variant in &family.variants {
        let (name, n) = (&family.family, variant.n);
        let truth = family.resolve(n)?.truth;
        let problem = |id: String, task: Task, control: bool, truth: &Truth| Problem {
            id: ProblemId(id),
            family: name.clone(),
            variant: n,
            task,
            control,
            truth: truth.clone(),
            snapshot: format!("{name}-{n}"),
        };
        // AIOpsLab's ids of no-fault problems have the task in the middle of the family's name.
        if family.inject.is_empty() {
            problems.push(problem(
                format!("{name}-{n}"),
                Task::Detection,
                false,
                &truth,
            ));
            continue;
        }
        for task in &family.tasks {
            problems.push(problem(format!("{name}-{task}-{n}"), *task, false, &truth));
            if *task == Task::Detection {
                let healthy = Truth {
                    anomaly: false,
                    faulty_components: Vec::new(),
                    system_level: None,
                    fault_type: None,
                };
                problems.push(problem(
                    format!("{name}-{task}-control-{n}"),
                    *task,
                    true,
                    &healthy,
                ));
            }
        }
    }
    Ok(problems)
}

/// The names of a file's items, to find those that occur twice.
fn first_duplicate<'a>(
    names: impl Iterator<Item = (&'a str, &'a str)>,
) -> Option<(&'a str, &'a str)> {
    let mut seen = BTreeMap::new();
    for (file, name) in names {
        if seen.insert(name, file).is_some() {
            return Some((file, name));
        }
    }
    None
}

#[cfg(test)]
mod tests;
