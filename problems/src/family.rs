//! Families of problems: application, fault, verification, truth and oracle, for all variants.

mod application;

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub use self::application::{
    Application, BuiltIn, Endpoint, Flags, Git, HelmChart, Load, Platform, Provided, Source,
    UnknownEndpoint, Workload,
};
use crate::condition::Condition;
use crate::fault::Step;
use crate::task::Task;

/// One kind of fault on one application, as its catalog file says it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Family {
    /// Start of the problem ids; also the file's name.
    pub family: String,
    /// One line: what is broken.
    pub summary: String,
    /// Name of the application.
    pub application: String,
    /// Name of one of the application's workloads.
    pub workload: String,
    /// What is asked. A family without a fault asks for detection only.
    pub tasks: Vec<Task>,
    /// Those of the tasks that are listed and never asked, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub disabled: BTreeMap<Task, String>,
    /// Whether problem ids end with the variant's number; a few of AIOpsLab's don't.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub numbered: bool,
    /// Where it has been run.
    #[serde(deserialize_with = "in_catalog")]
    pub exercised: Exercised,
    /// The variants, each with its variables.
    pub variants: Vec<Variant>,
    /// The fault; empty: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inject: Vec<Step>,
    /// Must hold before the fault window counts, and again at its end.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub manifested: Vec<Condition>,
    /// Must hold for a mitigation to succeed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mitigated: Vec<Condition>,
    /// Repairs that look right and must fail `mitigated`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wrong_repairs: Vec<WrongRepair>,
    /// What is true of the incident.
    pub truth: Truth,
    /// What AIOpsLab's evaluators test, where they are mistaken.
    #[serde(default, skip_serializing_if = "Upstream::is_empty")]
    pub upstream: Upstream,
}

impl Family {
    /// The tasks that are asked.
    pub fn asked(&self) -> impl Iterator<Item = Task> {
        self.tasks
            .iter()
            .copied()
            .filter(|task| !self.disabled.contains_key(task))
    }

    /// What AIOpsLab's evaluators take for true: of several right answers, they know the first.
    #[must_use]
    pub fn upstream_truth(&self) -> Truth {
        let Upstream {
            faulty_components,
            system_level,
            fault_type,
            ..
        } = &self.upstream;
        let first = |given: &Option<String>, ours: &[String]| {
            given.iter().chain(ours).take(1).cloned().collect()
        };
        Truth {
            anomaly: self.truth.anomaly,
            faulty_components: faulty_components
                .clone()
                .unwrap_or_else(|| self.truth.faulty_components.clone()),
            system_level: first(system_level, &self.truth.system_level),
            fault_type: first(fault_type, &self.truth.fault_type),
        }
    }

    /// What AIOpsLab's evaluators test of a mitigation.
    #[must_use]
    pub fn upstream_mitigated(&self) -> &[Condition] {
        if self.upstream.mitigated.is_empty() {
            &self.mitigated
        } else {
            &self.upstream.mitigated
        }
    }
}

/// What AIOpsLab's evaluators test, where that differs from what is right; for `upstream` scores only.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Upstream {
    /// Instead of the truth's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub faulty_components: Option<Vec<Vec<String>>>,
    /// Instead of the truth's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_level: Option<String>,
    /// Instead of the truth's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fault_type: Option<String>,
    /// Instead of `mitigated`; empty: the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mitigated: Vec<Condition>,
}

impl Upstream {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// How far a family has been tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Exercised {
    /// Captured on the lab's cluster.
    Lab,
    /// Rendered and validated, not run.
    DryRun,
    /// Never.
    Never,
    /// Not injected by anybody here: a recording was labelled. No catalog file may say so.
    Labelled,
}

impl Exercised {
    /// Its name in catalog files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Lab => "lab",
            Self::DryRun => "dry-run",
            Self::Never => "never",
            Self::Labelled => "labelled",
        }
    }
}

/// How far a catalog file says that something has been tried.
fn in_catalog<'de, D: Deserializer<'de>>(value: D) -> Result<Exercised, D::Error> {
    match Exercised::deserialize(value)? {
        Exercised::Labelled => {
            let known = &["lab", "dry-run", "never"];
            Err(serde::de::Error::unknown_variant("labelled", known))
        }
        tried => Ok(tried),
    }
}

fn maybe_in_catalog<'de, D: Deserializer<'de>>(value: D) -> Result<Option<Exercised>, D::Error> {
    in_catalog(value).map(Some)
}

/// One variant of a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variant {
    /// Its number, the end of the problem ids.
    pub n: u32,
    /// How far this one has been tried; none: as far as the family.
    #[serde(
        default,
        deserialize_with = "maybe_in_catalog",
        skip_serializing_if = "Option::is_none"
    )]
    pub exercised: Option<Exercised>,
    /// Its variables.
    #[serde(flatten)]
    pub variables: BTreeMap<String, String>,
}

/// A repair that looks right and isn't.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WrongRepair {
    /// What it does.
    pub summary: String,
    /// How.
    pub steps: Vec<Step>,
}

/// What is true of an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Truth {
    /// Whether there is a fault.
    #[serde(default = "yes")]
    pub anomaly: bool,
    /// Sets of components, any of which is a right answer: `[["postgres-geo"], ["geo"]]`.
    #[serde(default)]
    pub faulty_components: Vec<Vec<String>>,
    /// `Hardware`, `Operating System`, `Virtualization` or `Application`; one, or a list of those that are right.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub system_level: Vec<String>,
    /// `Misconfiguration`, `Code Defect`, `Authentication Issue`, `Network/Storage Issue`, `Operation Error` or
    /// `Dependency Problem`; likewise.
    #[serde(default, with = "one_or_many", skip_serializing_if = "Vec::is_empty")]
    pub fault_type: Vec<String>,
}

impl Truth {
    /// The right answer to a task in words; none: a mitigation has no answer.
    #[must_use]
    pub fn right_answer(&self, task: Task) -> Option<String> {
        let any_of = |answers: &[String]| answers.join(", or ");
        match task {
            Task::Detection => Some(if self.anomaly { "Yes" } else { "No" }.to_owned()),
            Task::Localization => {
                let sets = self.faulty_components.iter();
                Some(any_of(
                    &sets.map(|set| set.join(" and ")).collect::<Vec<_>>(),
                ))
            }
            Task::Analysis => Some(format!(
                "{}; {}",
                any_of(&self.system_level),
                any_of(&self.fault_type)
            )),
            Task::Mitigation => None,
        }
    }
}

fn yes() -> bool {
    true
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
fn is_yes(value: &bool) -> bool {
    *value
}

/// A list that is written as its only item where it has one.
mod one_or_many {
    use super::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Deserialize)]
    #[serde(untagged, expecting = "expected a text or a list of texts")]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }

    pub(super) fn serialize<S: Serializer>(
        values: &[String],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match values {
            [only] => only.serialize(serializer),
            several => several.serialize(serializer),
        }
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<String>, D::Error> {
        Ok(match OneOrMany::deserialize(deserializer)? {
            OneOrMany::One(one) => vec![one],
            OneOrMany::Many(many) => many,
        })
    }
}
