//! Commands that agents like to run in pods, run once and kept.

use std::sync::Arc;
use std::time::Duration;

use aiopslab_datasets::rows::Exec;
use serde_json::{Value, json};

use super::Context;
use super::coverage::Covered;
use super::sink::Sink;
use crate::cluster::ClusterError;
use crate::resource;

/// How long a command may take.
const LIMIT: Duration = Duration::from_secs(10);
/// In how many pods something runs at once.
const AT_ONCE: usize = 4;
/// What stands for the exit code of a program that the container does not have.
const NEVER_STARTED: i32 = -1;

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
    let service = first_service(context).await;
    let places: Vec<_> = pods.into_iter().filter_map(place).collect();
    let jobs = places
        .iter()
        .map(|place| run_all(context, sink, place, service.as_deref()));
    let runs = futures::StreamExt::buffer_unordered(futures::stream::iter(jobs), AT_ONCE);
    let reasons: Vec<Vec<String>> = futures::StreamExt::collect(runs).await;
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

/// A Service of the application with an address of its own, for [`ExecCommand::SERVICE`].
async fn first_service(context: &Context) -> Option<String> {
    let path = format!("/api/v1/namespaces/{}/services", context.namespace);
    let services = context.cluster.list(&path).await.ok()?;
    let with_address = services.iter().filter(|service| {
        !matches!(
            resource::text(service, "/spec/clusterIP"),
            "" | "None" | "none"
        )
    });
    with_address
        .map(|service| resource::text(service, "/metadata/name").to_owned())
        .min()
}

/// Runs every command in one place; returns why answers are missing.
async fn run_all(
    context: &Context,
    sink: &Sink<Exec>,
    place: &Place,
    service: Option<&str>,
) -> Vec<String> {
    let mut reasons = Vec::new();
    let mut lacking: Vec<String> = Vec::new();
    for command in &context.options.exec {
        let Some(argv) = command.for_service(service) else {
            continue;
        };
        if argv
            .first()
            .is_some_and(|program| lacking.contains(program))
        {
            continue;
        }
        let container = Some(place.container.as_str());
        let answer = context
            .cluster
            .exec(&context.namespace, &place.pod, container, &argv, LIMIT)
            .await;
        let (stdout, stderr, exit_code) = match answer {
            Ok(answer) => (answer.stdout, answer.stderr, answer.exit_code),
            // One answer is enough: it is the same for all arguments.
            Err(ClusterError::NoProgram { program, message }) => {
                lacking.push(program);
                (Vec::new(), message.into_bytes(), NEVER_STARTED)
            }
            Err(error) => {
                reasons.push(format!("{}: {error}", place.pod));
                continue;
            }
        };
        let (stdout, stdout_redacted) = context.redaction.line(&stdout);
        let (stderr, stderr_redacted) = context.redaction.line(&stderr);
        let row = Exec {
            pod_uid: place.pod_uid.clone(),
            namespace: context.namespace.clone(),
            pod: place.pod.clone(),
            container: place.container.clone(),
            container_id: place.container_id.clone(),
            argv: json!(argv).to_string(),
            stdout,
            stderr,
            exit_code,
            asked: context.now(),
            validity: if command.holds_for_instance {
                "instance"
            } else {
                "instant"
            }
            .to_owned(),
        };
        let visibility = context.visibility.of_object("pods", &place.pod_object);
        sink.put(row, visibility, stdout_redacted || stderr_redacted)
            .await;
    }
    reasons
}
