//! Conditions answered from a live cluster.

use std::collections::BTreeSet;
use std::time::Duration;

use aiopslab_problems::condition::{Anchor, Answers, Condition, Outcome, Question};
use aiopslab_problems::family::Application;
use jiff::Timestamp;
use regex::bytes::Regex;
use serde::Serialize;
use serde_json::{Value, json};

use crate::cluster::{Cluster, ClusterError};
use crate::error::CaptureError;
use crate::resource::{text, with_labels};
use crate::windows::Window;
use crate::workload::{Figures, WorkloadClient};

/// How far back "now" reaches for logs and the workload's figures.
const PRESENT: Duration = Duration::from_secs(15);
/// The last moments are left out of the workload's figures: the generator tells a second only when
/// no request of it is under way any more.
const UNDER_WAY: Duration = Duration::from_secs(5);
/// Fewer seconds than this are no figure.
const SHORTEST_PRESENT: Duration = Duration::from_secs(4);

/// The moments that conditions refer to, as far as they have come.
#[derive(Debug, Clone, Copy, Default)]
pub struct Anchors {
    /// The baseline window, once it has begun; its end moves until it is over.
    pub baseline: Option<Window>,
    /// When the fault had been injected.
    pub inject: Option<Timestamp>,
    /// When the agent submitted, or the fault was undone: figures before don't count.
    pub submit: Option<Timestamp>,
}

/// One condition with what it came to.
#[derive(Debug, Clone, Serialize)]
pub struct Judgement {
    /// What must hold, in words.
    pub condition: String,
    /// Whether it does.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// Conditions judged at one moment, with what was found: kept as evidence.
#[derive(Debug, Clone, Serialize)]
pub struct Evidence {
    /// What was judged, e.g. `manifested`.
    pub what: String,
    /// When.
    pub at: Timestamp,
    /// The conditions in their order.
    pub judgements: Vec<Judgement>,
    /// The questions and what the cluster answered.
    pub answers: Vec<(Question, Value)>,
}

impl Evidence {
    /// Whether every condition holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        self.judgements
            .iter()
            .all(|judgement| judgement.outcome == Outcome::Holds)
    }

    /// The first condition that does not hold and why; none: all hold.
    #[must_use]
    pub fn because(&self) -> Option<String> {
        self.judgements
            .iter()
            .find_map(|judgement| match &judgement.outcome {
                Outcome::Holds => None,
                Outcome::Fails(because) => Some(because.clone()),
                Outcome::Unknown(because) => Some(format!("unknown: {because}")),
            })
    }
}

/// Judges conditions by what a cluster answers now.
pub async fn judge(
    cluster: &Cluster,
    application: &Application,
    workload: Option<&mut WorkloadClient>,
    anchors: &Anchors,
    what: &str,
    conditions: &[Condition],
) -> Result<Evidence, CaptureError> {
    let needs = conditions.iter().flat_map(Condition::needs).collect();
    let answers = answers(cluster, application, workload, anchors, &needs).await?;
    let judgements = conditions
        .iter()
        .map(|condition| Judgement {
            condition: condition.describe(),
            outcome: condition.eval(&answers),
        })
        .collect();
    let answers = answers
        .into_iter()
        .map(|(question, answer)| (question, condense(answer)))
        .collect();
    Ok(Evidence {
        what: what.to_owned(),
        at: cluster.now(),
        judgements,
        answers,
    })
}

/// Drops what no condition reads and only fills the record.
fn condense(mut answer: Value) -> Value {
    let objects: Vec<&mut Value> = match &mut answer {
        Value::Array(objects) => objects.iter_mut().collect(),
        other => vec![other],
    };
    for object in objects {
        if object.pointer("/spec/containers").is_some() {
            *object = condensed_pod(object);
        } else if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
            metadata.shift_remove("annotations");
            metadata.shift_remove("managedFields");
        }
    }
    answer
}

fn condensed_pod(pod: &Value) -> Value {
    let statuses = pod
        .pointer("/status/containerStatuses")
        .and_then(Value::as_array);
    let statuses: Vec<Value> = statuses
        .into_iter()
        .flatten()
        .map(|status| {
            json!({"name": status["name"], "ready": status["ready"],
                "restartCount": status["restartCount"], "state": status["state"]})
        })
        .collect();
    json!({
        "metadata": {"name": pod["metadata"]["name"],
            "deletionTimestamp": pod["metadata"]["deletionTimestamp"]},
        "status": {"phase": pod["status"]["phase"], "containerStatuses": statuses},
    })
}

/// Fetches the answers to questions; what can't be answered is left out.
pub async fn answers(
    cluster: &Cluster,
    application: &Application,
    mut workload: Option<&mut WorkloadClient>,
    anchors: &Anchors,
    needs: &BTreeSet<Question>,
) -> Result<Answers, CaptureError> {
    let namespace = &application.namespace;
    let mut answers = Answers::new();
    for question in needs {
        let answer = match question {
            Question::Object(object) => {
                let path = cluster.object_path(namespace, object).await?;
                Some(cluster.find_json(&path).await?.unwrap_or(Value::Null))
            }
            Question::Pods(service) => Some(Value::Array(
                pods(cluster, application, service.as_deref()).await?,
            )),
            Question::Endpoints(service) => {
                let labels = with_labels([("kubernetes.io/service-name", service.as_str())]);
                let path = format!(
                    "/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices?{labels}"
                );
                Some(Value::Array(cluster.list(&path).await?))
            }
            Question::Restarts { service, since } => match begin(cluster, anchors, *since) {
                Some(since) => Some(restarts(cluster, application, service, since).await?),
                None => None,
            },
            Question::Log {
                service,
                matches,
                since,
            } => match begin(cluster, anchors, *since) {
                Some(since) => Some(log(cluster, application, service, matches, since).await?),
                None => None,
            },
            Question::Workload => match workload.as_deref_mut() {
                Some(client) => figures(cluster, client, anchors).await?,
                None => None,
            },
        };
        if let Some(answer) = answer {
            answers.insert(question.clone(), answer);
        }
    }
    Ok(answers)
}

/// The pods of the application, or of one of its services.
pub(crate) async fn pods(
    cluster: &Cluster,
    application: &Application,
    service: Option<&str>,
) -> Result<Vec<Value>, CaptureError> {
    let label = &application.service_label;
    let selector = match service {
        Some(service) => with_labels([(label.as_str(), service)]),
        None => format!("labelSelector={label}"),
    };
    let path = format!(
        "/api/v1/namespaces/{}/pods?{selector}",
        application.namespace
    );
    Ok(cluster.list(&path).await?)
}

fn begin(cluster: &Cluster, anchors: &Anchors, anchor: Anchor) -> Option<Timestamp> {
    match anchor {
        Anchor::Baseline => anchors.baseline.map(|window| window.from),
        Anchor::Inject => anchors.inject,
        Anchor::Submit => anchors.submit,
        Anchor::Now => Some(before(cluster.now(), PRESENT)),
    }
}

fn before(moment: Timestamp, by: Duration) -> Timestamp {
    moment.saturating_sub(by).unwrap_or(moment)
}

/// Counts the containers of a service that were started since a moment.
async fn restarts(
    cluster: &Cluster,
    application: &Application,
    service: &str,
    since: Timestamp,
) -> Result<Value, CaptureError> {
    let pods = pods(cluster, application, Some(service)).await?;
    let statuses = pods.iter().filter_map(|pod| {
        pod.pointer("/status/containerStatuses")
            .and_then(Value::as_array)
    });
    Ok(json!({"count": statuses.flatten().filter(|status| started_since(status, since)).count()}))
}

/// Whether a container, or the one that it took the place of, was started since a moment.
fn started_since(status: &Value, since: Timestamp) -> bool {
    let states = [
        "/state/running",
        "/state/terminated",
        "/lastState/terminated",
    ];
    states.into_iter().any(|state| {
        let started = text(status, &format!("{state}/startedAt")).parse::<Timestamp>();
        started.is_ok_and(|started| started >= since)
    })
}

async fn log(
    cluster: &Cluster,
    application: &Application,
    service: &str,
    matches: &str,
    since: Timestamp,
) -> Result<Value, CaptureError> {
    let pattern = Regex::new(matches).map_err(CaptureError::json("a log pattern"))?;
    let mut count = 0_u64;
    let mut first = Value::Null;
    for pod in pods(cluster, application, Some(service)).await? {
        let name = text(&pod, "/metadata/name");
        let containers = pod.pointer("/spec/containers").and_then(Value::as_array);
        for container in containers.into_iter().flatten() {
            let path = format!(
                "/api/v1/namespaces/{}/pods/{name}/log?container={}&sinceTime={since}",
                application.namespace,
                text(container, "/name"),
            );
            let answer = cluster
                .request(http::Method::GET, &path, &[], Vec::new())
                .await?;
            // A container that has not started has no log yet.
            if answer.status != 200 {
                continue;
            }
            for line in answer.body.split(|byte| *byte == b'\n') {
                if pattern.is_match(line) {
                    count += 1;
                    if first.is_null() {
                        first = json!(String::from_utf8_lossy(line));
                    }
                }
            }
        }
    }
    Ok(json!({"count": count, "first": first}))
}

/// The workload's figures; none while the generator can't be asked or has measured too little.
async fn figures(
    cluster: &Cluster,
    client: &mut WorkloadClient,
    anchors: &Anchors,
) -> Result<Option<Value>, CaptureError> {
    match client.fetch(cluster).await {
        Ok(()) => {}
        Err(CaptureError::Cluster(ClusterError::Refused { .. } | ClusterError::Broken { .. })) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    }
    let to = before(cluster.now(), UNDER_WAY);
    let mut from = before(to, PRESENT);
    for anchor in [anchors.inject, anchors.submit].into_iter().flatten() {
        from = from.max(anchor);
    }
    if to.duration_since(from)
        < jiff::SignedDuration::try_from(SHORTEST_PRESENT).unwrap_or_default()
    {
        return Ok(None);
    }
    let present = client.figures(Window { from, to });
    let baseline = anchors.baseline.map(|window| client.figures(window));
    Ok(Some(json!({
        "baseline": baseline.as_ref().map(Figures::json),
        "present": present.json(),
    })))
}
