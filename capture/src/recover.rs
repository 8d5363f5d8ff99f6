//! What a capture left in a cluster, undone.

use aiopslab_problems::family::Application;
use serde::Serialize;

use crate::cluster::Cluster;
use crate::error::CaptureError;
use crate::fault::{self, Undone};
use crate::journal::{Entry, Journal};
use crate::live::toolbox;
use crate::{deploy, workload};

/// What became of one journal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Recovered {
    /// Family and variant that was being captured.
    pub family: String,
    /// The folder that it was recorded into.
    pub folder: String,
    /// What was done, one line each.
    pub done: Vec<String>,
    /// What could not be done; the journal is kept then.
    pub problems: Vec<String>,
}

/// Finds every journal in the cluster, undoes its fault and removes what its capture left.
///
/// `application` names an application to delete where the dead capture had deployed it. May be
/// repeated: what is as before is left alone.
///
/// # Errors
/// When the cluster can't be asked. What could not be undone is in [`Recovered::problems`].
pub async fn recover(
    cluster: &Cluster,
    application: impl Fn(&str) -> Option<Application>,
) -> Result<Vec<Recovered>, CaptureError> {
    let mut all = Vec::new();
    for found in Journal::find_all(cluster).await? {
        let application = application(&found.journal.application);
        all.push(recover_one(cluster, &found.journal, application.as_ref()).await);
    }
    Ok(all)
}

/// Undoes what one journal tells.
pub(crate) async fn recover_one(
    cluster: &Cluster,
    journal: &Journal,
    application: Option<&Application>,
) -> Recovered {
    let mut recovered = undo_fault(cluster, journal).await;
    match workload::stop(cluster).await {
        Ok(true) => recovered.done.push("deleted the workload's job".to_owned()),
        Ok(false) => {}
        Err(error) => recovered
            .problems
            .push(format!("failed to delete the workload's job: {error}")),
    }
    match toolbox::delete(cluster).await {
        Ok(true) => recovered
            .done
            .push("deleted the agent's toolbox".to_owned()),
        Ok(false) => {}
        Err(error) => recovered
            .problems
            .push(format!("failed to delete the agent's toolbox: {error}")),
    }
    if journal.delete_application
        && let Some(application) = application
    {
        match deploy::delete(cluster, application).await {
            Ok(()) => {
                recovered
                    .done
                    .push(format!("deleted the application {}", application.name));
            }
            Err(error) => recovered.problems.push(format!(
                "failed to delete the application {}: {error}",
                application.name
            )),
        }
    }
    if recovered.problems.is_empty()
        && let Err(error) = journal.delete(cluster).await
    {
        recovered.problems.push(format!(
            "failed to delete the journal {}: {error}",
            journal.name
        ));
    }
    recovered
}

/// Undoes the entries of a journal, the last one first.
pub(crate) async fn undo_fault(cluster: &Cluster, journal: &Journal) -> Recovered {
    let (done, problems) = undo_entries(cluster, &journal.namespace, &journal.entries).await;
    Recovered {
        family: journal.family.clone(),
        folder: journal.folder.clone(),
        done,
        problems,
    }
}

/// Undoes entries, the last one first; says what was done and what could not be.
///
/// Restarts come after everything else: what is started again reads what has been restored.
pub(crate) async fn undo_entries(
    cluster: &Cluster,
    namespace: &str,
    entries: &[Entry],
) -> (Vec<String>, Vec<String>) {
    let (mut done, mut problems) = (Vec::new(), Vec::new());
    let backwards = || entries.iter().rev();
    let others = backwards().filter(|entry| !entry.restarts());
    for entry in others.chain(backwards().filter(|entry| entry.restarts())) {
        let Some(object) = entry.object() else {
            continue;
        };
        match fault::undo(cluster, namespace, entry).await {
            Ok(Undone::Restored) => done.push(match entry {
                Entry::Created { .. } => format!("deleted {object}"),
                Entry::Redeployed(_) => format!("gave {object} its volumes again"),
                Entry::Exec(exec) => format!("ran {:?} in {object}", exec.recover.join(" ")),
                Entry::Chaos { .. } => format!("ended the experiment on {object}"),
                _ => format!("restored {object}"),
            }),
            Ok(Undone::AsBefore) => done.push(format!("{object} is as before")),
            Err(error) => problems.push(format!("failed to restore {object}: {error}")),
        }
    }
    (done, problems)
}
