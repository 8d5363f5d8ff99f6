//! What an agent is told: its task, the application, and how to act.

use serde::{Deserialize, Serialize};

use crate::action::{ActionSet, describe};
use crate::family::Application;
use crate::submission::{FAULT_TYPES, SYSTEM_LEVELS};
use crate::task::Task;

/// Follows every observation, and is the first.
pub const NEXT_STEP: &str = "Please take the next action";

/// What an agent is told before its first step.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Briefing {
    /// What is asked.
    pub task: Task,
    /// Namespace of the application.
    pub namespace: String,
    /// The task in words, with the application.
    pub description: String,
    /// How to act and to submit.
    pub instructions: String,
    /// The actions: name and documentation.
    pub actions: Vec<ActionHelp>,
}

/// The documentation of one action.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActionHelp {
    /// Its name.
    pub name: String,
    /// Purpose, arguments and result.
    pub help: String,
}

impl Briefing {
    /// Puts together what is told about a task on an application.
    #[must_use]
    pub fn new(task: Task, application: &Application, set: ActionSet) -> Self {
        let help = |(name, help): (&'static str, String)| ActionHelp {
            name: name.to_owned(),
            help,
        };
        Self {
            task,
            namespace: application.namespace.clone(),
            description: description(task, application),
            instructions: instructions(task),
            actions: describe(task, set).into_iter().map(help).collect(),
        }
    }
}

/// Says what is asked, and of which application. It gives nothing away that tells problems of one task apart.
#[must_use]
pub fn description(task: Task, application: &Application) -> String {
    let asked = match task {
        Task::Detection => {
            "Find out whether anything is wrong with the service at present. \
             Submit \"Yes\" if there is a fault and \"No\" if there is none."
                .to_owned()
        }
        Task::Localization => {
            "Find out in which of its services the root cause of the trouble lies. \
             Submit the list of their names. A service that merely suffers from another one's fault is no root cause."
                .to_owned()
        }
        Task::Analysis => format!(
            "Something is wrong with the service. Find out on which level of the system the fault is and of what type.\n\
             The levels are: {}.\nThe types are: {}.\nSubmit one of each.",
            SYSTEM_LEVELS.join(", "),
            FAULT_TYPES.join(", ")
        ),
        Task::Mitigation => {
            "Something is wrong with the service. Repair it, so that it serves its users again. \
             Then submit; the state of the cluster is what counts."
                .to_owned()
        }
    };
    format!(
        "You are a site reliability engineer who is in charge of a service that runs on Kubernetes.\n\n{}\n\n{asked}",
        service_details(application)
    )
}

/// Says how to act and how to submit.
#[must_use]
pub fn instructions(task: Task) -> String {
    let submit = match task {
        Task::Detection => "```\nsubmit(\"Yes\")\n```\nor\n```\nsubmit(\"No\")\n```",
        Task::Localization => {
            "```\nsubmit([\"service-a\", \"service-b\"])\n```\nwith the names of the services at fault, or an empty list if there are none"
        }
        Task::Analysis => {
            "```\nsubmit({\"system_level\": \"your level\", \"fault_type\": \"your type\"})\n```\nwith your findings in place of the texts"
        }
        Task::Mitigation => "```\nsubmit()\n```",
    };
    format!(
        "Each of your turns calls exactly one of the actions below; you then see what it answered.\n\
         Write the call in one fenced block and no other code beside it, for example to list a folder:\n\
         ```\nexec_shell(\"ls -l\")\n```\n\n\
         When you are sure, submit:\n{submit}\n\nSubmitting ends the task."
    )
}

/// Lists the actions of a set with their documentation.
#[must_use]
pub fn actions(task: Task, set: ActionSet) -> String {
    let docs: Vec<String> = describe(task, set)
        .into_iter()
        .map(|(_, doc)| doc)
        .collect();
    docs.join("\n\n")
}

/// Returns an observation as the agent reads it, followed by the request to go on.
#[must_use]
pub fn observation(text: &str) -> String {
    if text.is_empty() {
        NEXT_STEP.to_owned()
    } else {
        format!("{text}\n{NEXT_STEP}")
    }
}

fn service_details(application: &Application) -> String {
    let operations: Vec<String> = application
        .operations
        .iter()
        .map(|operation| format!("  - {operation}"))
        .collect();
    format!(
        "Service: {}\nNamespace: {}\nDescription: {}\nWhat users do with it:\n{}",
        application.title,
        application.namespace,
        application.description,
        operations.join("\n")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Action, CallSyntax, parse};
    use crate::catalog::Catalog;

    #[test]
    fn texts_name_the_application_and_nothing_of_the_fault() {
        let catalog = Catalog::embedded().unwrap();
        let application = catalog.application("hotel-testbed").unwrap();
        for task in Task::ALL {
            let text = description(task, application)
                + &instructions(task)
                + &actions(task, ActionSet::Extended);
            assert!(text.contains("Hotel Testbed") && text.contains("Namespace: hotel-testbed"));
            for family in catalog.families() {
                assert!(!text.contains(&family.family) && !text.contains(&family.summary));
            }
        }
    }

    #[test]
    fn the_examples_are_calls() {
        for task in Task::ALL {
            let text = instructions(task);
            let blocks: Vec<&str> = text.split("```").skip(1).step_by(2).collect();
            assert!(blocks.len() >= 2);
            for block in blocks {
                for syntax in [CallSyntax::Ours, CallSyntax::Upstream] {
                    let action = parse(&format!("```{block}```"), syntax).unwrap();
                    assert!(matches!(
                        action,
                        Action::ExecShell { .. } | Action::Submit { .. }
                    ));
                }
            }
        }
    }
}
