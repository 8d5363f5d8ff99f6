//! A label: what someone says is true of a recording that no family of the catalog tells of.
//!
//! It takes a family's place: problems follow from it, under its name.

use serde::{Deserialize, Serialize};

use crate::catalog::{Problem, ProblemId, check_family_name};
use crate::family::{Exercised, Truth};
use crate::submission::{FAULT_TYPES, SYSTEM_LEVELS};
use crate::task::Task;

/// What `withheld/truth.json` of a labelled snapshot says, beside what every such file does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Label {
    /// Start of the problem ids.
    pub family: String,
    /// Always 1.
    pub variant: u32,
    /// One line: what was wrong.
    pub summary: String,
    /// What is asked.
    pub tasks: Vec<Task>,
    /// What is true.
    pub truth: Truth,
    /// Always true; tells a label from the truth of a capture.
    pub labelled: bool,
    /// The moment that is asked about (RFC 3339); none: the end of the recording.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_at: Option<String>,
}

/// Why a label can't be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LabelError {
    /// Problem ids can't be made of the name.
    #[error("{0}\nhint: --name NAME gives another name")]
    Name(String),
    /// A level or type that no agent can answer.
    #[error("{value:?} is no {what}\nhint: one of: {}", known.join(", "))]
    Unknown {
        /// The value.
        value: String,
        /// What it should be.
        what: &'static str,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// Analysis has two answers.
    #[error(
        "a level without a fault type, or a type without a level\nhint: give both --level and --fault-type, or neither"
    )]
    Half,
    /// There is a fault, and none.
    #[error("where there is no fault, nothing is faulty\nhint: --no-fault stands alone")]
    NoFault,
    /// Nothing is said.
    #[error(
        "nothing is said of the fault\nhint: --faulty NAME, --level with --fault-type, or --no-fault"
    )]
    Empty,
}

impl Label {
    /// A label of a truth: it asks for what the truth can answer.
    ///
    /// # Errors
    /// When the name or the truth can't be.
    pub fn new(name: &str, summary: &str, truth: Truth) -> Result<Self, LabelError> {
        check_family_name(name).map_err(LabelError::Name)?;
        check(&truth)?;
        let mut tasks = vec![Task::Detection];
        if !truth.faulty_components.is_empty() {
            tasks.push(Task::Localization);
        }
        if !truth.fault_type.is_empty() {
            tasks.push(Task::Analysis);
        }
        Ok(Self {
            family: name.to_owned(),
            variant: 1,
            summary: summary.to_owned(),
            tasks,
            truth,
            labelled: true,
            asked_at: None,
        })
    }

    /// The problems that follow.
    #[must_use]
    pub fn problems(&self) -> Vec<Problem> {
        let Self {
            family, variant, ..
        } = self;
        let problem = |task: &Task| Problem {
            id: ProblemId::of_label(family, *task),
            family: family.clone(),
            variant: *variant,
            task: *task,
            control: false,
            truth: self.truth.clone(),
            upstream_truth: None,
            disabled: None,
            exercised: Exercised::Labelled,
            snapshot: format!("{family}-{variant}"),
        };
        self.tasks.iter().map(problem).collect()
    }
}

fn check(truth: &Truth) -> Result<(), LabelError> {
    let (levels, types) = (&truth.system_level, &truth.fault_type);
    let says = !truth.faulty_components.is_empty() || !levels.is_empty() || !types.is_empty();
    match (truth.anomaly, says) {
        (false, true) => return Err(LabelError::NoFault),
        (true, false) => return Err(LabelError::Empty),
        _ => {}
    }
    for (values, what, known) in [
        (levels, "level of the system", &SYSTEM_LEVELS[..]),
        (types, "type of fault", &FAULT_TYPES[..]),
    ] {
        if let Some(value) = values.iter().find(|value| !known.contains(&value.as_str())) {
            return Err(LabelError::Unknown {
                value: value.clone(),
                what,
                known: known.to_vec(),
            });
        }
    }
    if levels.is_empty() != types.is_empty() {
        return Err(LabelError::Half);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn truth(components: &[&str], level: Option<&str>, kind: Option<&str>) -> Truth {
        Truth {
            anomaly: true,
            faulty_components: components
                .iter()
                .map(|one| vec![(*one).to_owned()])
                .collect(),
            system_level: level.map(str::to_owned).into_iter().collect(),
            fault_type: kind.map(str::to_owned).into_iter().collect(),
        }
    }

    #[test]
    fn a_label_asks_for_what_its_truth_can_answer() {
        let ids = |truth: Truth| -> Vec<String> {
            let label = Label::new("outage-in-may", "", truth).unwrap();
            label
                .problems()
                .iter()
                .map(|one| one.id.to_string())
                .collect()
        };
        let level = Some("Application");
        let kind = Some("Code Defect");
        assert_eq!(
            ids(truth(&["driver"], level, kind)),
            [
                "outage-in-may-detection-1",
                "outage-in-may-localization-1",
                "outage-in-may-analysis-1"
            ]
        );
        assert_eq!(
            ids(truth(&[], level, kind)),
            ["outage-in-may-detection-1", "outage-in-may-analysis-1"]
        );
        let quiet = Truth {
            anomaly: false,
            ..truth(&[], None, None)
        };
        assert_eq!(ids(quiet), ["outage-in-may-detection-1"]);
    }

    #[test]
    fn what_can_not_be_is_refused() {
        let wrong = |name: &str, truth: Truth| Label::new(name, "", truth).unwrap_err().to_string();
        assert!(wrong("May 3", truth(&["a"], None, None)).contains("May 3"));
        assert!(wrong("a", truth(&[], None, None)).contains("nothing is said"));
        assert!(wrong("a", truth(&["a"], Some("Application"), None)).contains("both --level"));
        let unknown = wrong("a", truth(&[], Some("Cloud"), Some("Code Defect")));
        assert!(unknown.contains("Cloud") && unknown.contains("Virtualization"));
        let quiet = Truth {
            anomaly: false,
            ..truth(&["a"], None, None)
        };
        assert!(wrong("a", quiet).contains("no fault"));
    }
}
