//! Commands that agents like to run in pods, run once and kept.

use std::sync::Arc;
use std::time::Duration;

use aiopslab_datasets::rows::Exec;
use serde_json::{Value, json};

use super::Context;
use super::coverage::Covered;
use super::sink::Sink;

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(10);
/// How many run at once.
const AT_ONCE: usize = 4;

/// A container that a command can be run in.
struct Place {
    pod_uid: String,
    pod: String,
    container: String,
    container_id: String,
    pod_object: Value,
}

/// Runs every command in the first container of every running pod of the application.
pub(super) async fn record(context: &Arc<Context>, sink: &Sink<Exec>) -> Vec<Covered> {
    let scope = format!("namespace={}", context.namespace);
    let path = format!("/api/v1/namespaces/{}/pods", context.namespace);
    let pods = match context.cluster.list(&path).await {
        Ok(pods) => pods,
        Err(error) => {
            return vec![Covered::missing(
                "exec",
                "kubernetes",
                &scope,
                &error.to_string(),
            )];
        }
    };
    let places: Vec<_> = pods.into_iter().filter_map(place).collect();
    let mut jobs = Vec::new();
    for place in &places {
        for command in &context.options.exec {
            jobs.push(run(
                context,
                sink,
                place,
                &command.argv,
                command.holds_for_instance,
            ));
        }
    }
    let runs = futures::StreamExt::buffer_unordered(futures::stream::iter(jobs), AT_ONCE);
    let reasons: Vec<Option<String>> = futures::StreamExt::collect(runs).await;
    let reasons: Vec<_> = reasons.into_iter().flatten().collect();
    let mut all = vec!["only a fixed list of commands is run".to_owned()];
    all.extend(reasons);
    vec![Covered::recorded("exec", "kubernetes", &scope).unless(all)]
}

fn place(pod: Value) -> Option<Place> {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let container = text(&pod["spec"]["containers"][0]["name"])?;
    let statuses = pod["status"]["containerStatuses"].as_array()?;
    let status = statuses
        .iter()
        .find(|status| status["name"] == container.as_str())?;
    if !status["state"]["running"].is_object() || pod["metadata"]["deletionTimestamp"].is_string() {
        return None;
    }
    Some(Place {
        pod_uid: text(&pod["metadata"]["uid"])?,
        pod: text(&pod["metadata"]["name"])?,
        container_id: text(&status["containerID"])?,
        container,
        pod_object: pod,
    })
}

/// Runs one command; returns why there is no answer.
async fn run(
    context: &Context,
    sink: &Sink<Exec>,
    place: &Place,
    argv: &[String],
    holds_for_instance: bool,
) -> Option<String> {
    let container = Some(place.container.as_str());
    let answer = context
        .cluster
        .exec(&context.namespace, &place.pod, container, argv, LIMIT)
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => return Some(format!("{}: {error}", place.pod)),
    };
    let (stdout, stdout_redacted) = context.redaction.line(&answer.stdout);
    let (stderr, stderr_redacted) = context.redaction.line(&answer.stderr);
    let row = Exec {
        pod_uid: place.pod_uid.clone(),
        namespace: context.namespace.clone(),
        pod: place.pod.clone(),
        container: place.container.clone(),
        container_id: place.container_id.clone(),
        argv: json!(argv).to_string(),
        stdout,
        stderr,
        exit_code: answer.exit_code,
        asked: context.now(),
        validity: if holds_for_instance {
            "instance"
        } else {
            "instant"
        }
        .to_owned(),
    };
    let visibility = context.visibility.of_object("pods", &place.pod_object);
    sink.put(row, visibility, stdout_redacted || stderr_redacted)
        .await;
    None
}
