//! `kubectl rollout status`: how far a rollout has come, and where time passes, how it goes on.

use aiopslab_problems::environment::Verdict;
use serde_json::Value;

use super::{Found, dotted, find, revision_of};
use crate::golang::quote::quote;
use crate::kubectl::arguments::Arguments;
use crate::kubectl::cluster::Cluster;
use crate::kubectl::failure::Failure;
use crate::kubectl::waiting::Waiting;
use crate::kubectl::{object, with_errors};
use crate::shell::{CommandOutput, END_OF_RECORDING};
use crate::view::RecordedObject;

/// What is known of a rollout.
enum Progress {
    Done(String),
    Waiting(String),
    Failed(String),
}

/// Runs `kubectl rollout status`.
pub(in crate::kubectl) async fn status(
    cluster: &Cluster<'_>,
    arguments: &Arguments,
) -> Result<CommandOutput, Failure> {
    let Found {
        objects,
        mut errors,
    } = find(cluster, arguments).await?;
    let mut output = CommandOutput::answered("");
    if objects.is_empty() && errors.is_empty() {
        output.verdict = Verdict::Empty;
        output.stderr = format!(
            "No resources found in {} namespace.\n",
            arguments.namespace()
        );
    }
    let revision = arguments.integer("revision").unwrap_or(0);
    if !arguments.is_off("watch")
        && let Some(waiting) = Waiting::begin(cluster)
    {
        let timeout = arguments.duration("timeout").filter(|limit| *limit > 0);
        follow(
            waiting,
            timeout,
            objects,
            revision,
            &mut output,
            &mut errors,
        )
        .await?;
        return Ok(with_errors(output, &errors));
    }
    for object in &objects {
        match progress(object, revision) {
            Progress::Done(text) => output.stdout.push_str(&text),
            Progress::Failed(text) => {
                errors.push((format!("error: {text}"), Verdict::Answered));
            }
            Progress::Waiting(text) => {
                output.stdout.push_str(&text);
                if arguments.is_off("watch") {
                    continue;
                }
                // What would have come after the moment is not known.
                output.verdict = Verdict::Partial;
                if arguments
                    .duration("timeout")
                    .is_some_and(|timeout| timeout > 0)
                {
                    errors.push((
                        "error: timed out waiting for the condition".to_owned(),
                        Verdict::Partial,
                    ));
                } else {
                    output.stderr.push_str(END_OF_RECORDING);
                    output.exit_code = 1;
                    break;
                }
            }
        }
    }
    Ok(with_errors(output, &errors))
}

/// Follows rollouts one after the other; each has the whole time limit.
async fn follow(
    mut waiting: Waiting<'_>,
    timeout: Option<i64>,
    objects: Vec<RecordedObject>,
    revision: i64,
    output: &mut CommandOutput,
    errors: &mut Vec<(String, Verdict)>,
) -> Result<(), Failure> {
    for object in objects {
        let limit = waiting.limit(timeout);
        let mut changes = waiting
            .changes_of(&object, limit)
            .await?
            .into_iter()
            .peekable();
        let (mut state, mut gone) = (object, false);
        while let Some(change) = changes.next_if(|change| change.moment <= waiting.now) {
            (state, gone) = (change.object, change.deleted);
        }
        loop {
            if gone {
                errors.push((
                    "error: object has been deleted".to_owned(),
                    Verdict::Answered,
                ));
                break;
            }
            match progress(&state, revision) {
                Progress::Waiting(text) => output.stdout.push_str(&text),
                Progress::Done(text) => {
                    output.stdout.push_str(&text);
                    break;
                }
                Progress::Failed(text) => {
                    errors.push((format!("error: {text}"), Verdict::Answered));
                    break;
                }
            }
            if let Some(change) = changes.next() {
                waiting.pass(change.moment);
                (state, gone) = (change.object, change.deleted);
            } else if waiting.exhaust(limit, output) {
                let text = "error: timed out waiting for the condition".to_owned();
                errors.push((text, Verdict::Answered));
                break;
            } else {
                output.waited = Some(waiting.waited());
                return Ok(());
            }
        }
    }
    output.waited = Some(waiting.waited());
    Ok(())
}

fn progress(workload: &RecordedObject, revision: i64) -> Progress {
    let kind = (workload.group.as_str(), workload.kind.as_str());
    match kind {
        ("apps", "Deployment") => deployment(&workload.object, &workload.name, revision),
        ("apps", "DaemonSet") => daemon_set(&workload.object, &workload.name),
        ("apps", "StatefulSet") => stateful_set(&workload.object),
        (group, kind) => Progress::Failed(format!(
            "no status viewer has been implemented for {}",
            dotted(kind, group)
        )),
    }
}

fn deployment(value: &Value, name: &str, revision: i64) -> Progress {
    let number = |pointer: &str| object::number(value, pointer);
    let name = quote(name);
    if revision > 0 {
        let running = revision_of(value);
        if running != revision {
            return Progress::Failed(format!(
                "desired revision ({revision}) is different from the running revision ({running})"
            ));
        }
    }
    if number("/metadata/generation") > number("/status/observedGeneration") {
        return Progress::Waiting(
            "Waiting for deployment spec update to be observed...\n".to_owned(),
        );
    }
    let late = object::list(value, "/status/conditions")
        .iter()
        .find(|condition| object::text(condition, "/type") == "Progressing")
        .is_some_and(|c| object::text(c, "/reason") == "ProgressDeadlineExceeded");
    if late {
        return Progress::Failed(format!("deployment {name} exceeded its progress deadline"));
    }
    let updated = number("/status/updatedReplicas");
    let wanted = object::field(value, "/spec/replicas").map(|_| number("/spec/replicas"));
    let waiting = |text: String| {
        Progress::Waiting(format!(
            "Waiting for deployment {name} rollout to finish: {text}...\n"
        ))
    };
    if let Some(wanted) = wanted.filter(|wanted| updated < *wanted) {
        return waiting(format!(
            "{updated} out of {wanted} new replicas have been updated"
        ));
    }
    let old = number("/status/replicas") - updated;
    if old > 0 {
        return waiting(format!("{old} old replicas are pending termination"));
    }
    let available = number("/status/availableReplicas");
    if available < updated {
        return waiting(format!(
            "{available} of {updated} updated replicas are available"
        ));
    }
    Progress::Done(format!("deployment {name} successfully rolled out\n"))
}

const ONLY_ROLLING: &str = "rollout status is only available for RollingUpdate strategy type";

fn daemon_set(value: &Value, name: &str) -> Progress {
    let number = |pointer: &str| object::number(value, pointer);
    let name = quote(name);
    if object::text(value, "/spec/updateStrategy/type") != "RollingUpdate" {
        return Progress::Failed(ONLY_ROLLING.to_owned());
    }
    if number("/metadata/generation") > number("/status/observedGeneration") {
        return Progress::Waiting(
            "Waiting for daemon set spec update to be observed...\n".to_owned(),
        );
    }
    let wanted = number("/status/desiredNumberScheduled");
    let updated = number("/status/updatedNumberScheduled");
    let available = number("/status/numberAvailable");
    if updated < wanted {
        return Progress::Waiting(format!(
            "Waiting for daemon set {name} rollout to finish: {updated} out of {wanted} new pods \
             have been updated...\n"
        ));
    }
    if available < wanted {
        return Progress::Waiting(format!(
            "Waiting for daemon set {name} rollout to finish: {available} of {wanted} updated \
             pods are available...\n"
        ));
    }
    Progress::Done(format!("daemon set {name} successfully rolled out\n"))
}

fn stateful_set(value: &Value) -> Progress {
    let number = |pointer: &str| object::number(value, pointer);
    if object::text(value, "/spec/updateStrategy/type") != "RollingUpdate" {
        return Progress::Failed(ONLY_ROLLING.to_owned());
    }
    let observed = number("/status/observedGeneration");
    if observed == 0 || number("/metadata/generation") > observed {
        return Progress::Waiting(
            "Waiting for statefulset spec update to be observed...\n".to_owned(),
        );
    }
    let wanted = object::field(value, "/spec/replicas").map(|_| number("/spec/replicas"));
    let ready = number("/status/readyReplicas");
    if let Some(wanted) = wanted.filter(|wanted| ready < *wanted) {
        return Progress::Waiting(format!(
            "Waiting for {} pods to be ready...\n",
            wanted - ready
        ));
    }
    let updated = number("/status/updatedReplicas");
    if let Some(rolling) = object::field(value, "/spec/updateStrategy/rollingUpdate") {
        let partition = object::field(rolling, "/partition").and_then(Value::as_i64);
        if let (Some(wanted), Some(partition)) = (wanted, partition)
            && updated < wanted - partition
        {
            return Progress::Waiting(format!(
                "Waiting for partitioned roll out to finish: {updated} out of {} new pods have \
                 been updated...\n",
                wanted - partition
            ));
        }
        return Progress::Done(format!(
            "partitioned roll out complete: {updated} new pods have been updated...\n"
        ));
    }
    let (update, current) = (
        object::text(value, "/status/updateRevision"),
        object::text(value, "/status/currentRevision"),
    );
    if update != current {
        return Progress::Waiting(format!(
            "waiting for statefulset rolling update to complete {updated} pods at revision \
             {update}...\n"
        ));
    }
    Progress::Done(format!(
        "statefulset rolling update complete {} pods at revision {current}...\n",
        number("/status/currentReplicas")
    ))
}
