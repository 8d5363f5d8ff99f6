//! Probes: questions to the live system at the end of the fault window, with their answers.
//!
//! They are what a replay is compared with (`aiopslab snapshot fidelity`). Agents never see them.
//! A question during which an object changed is asked again: its answer belongs to no one moment.

mod inventory;
mod kubectl;
mod logs;
mod objects;
mod telemetry;
mod template;

use std::time::Duration;

use aiopslab_datasets::probes::{Exchange, Probe, Tool};
use aiopslab_problems::family::{Application, Endpoint};
use camino::Utf8PathBuf;
use futures::StreamExt;
use http::Method;
use jiff::Timestamp;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::cluster::{Cluster, proxy_path};
use crate::progress::SharedProgress;
use crate::recorder::{Kind, Recording};
use inventory::Inventory;

pub(crate) use kubectl::{Kubectl, minor};

/// How often a question is asked at most.
const ATTEMPTS: u32 = 4;
/// Questions that are asked at the same time.
const AT_ONCE: usize = 2;
/// How long all of them may take; what is not asked by then is left out.
const WITHIN: Duration = Duration::from_secs(300);
/// How late a recorder may see a change: a question that ended so shortly before it is asked again.
const SEEN_WITHIN: Duration = Duration::from_millis(400);

/// Which probes a capture makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeOptions {
    /// Whether there are any.
    pub wanted: bool,
    /// The kubectl to ask with; none: the one on the `PATH`.
    pub kubectl: Option<Utf8PathBuf>,
}

impl Default for ProbeOptions {
    fn default() -> Self {
        Self {
            wanted: true,
            kubectl: None,
        }
    }
}

/// A question that will be asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    tool: Tool,
    kind: &'static str,
    ask: Ask,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Ask {
    /// The words after `kubectl`.
    Kubectl(Vec<String>),
    /// Path and query of a service.
    Get(Endpoint, String),
}

/// Asks the live system.
pub(crate) struct Prober<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) application: &'a Application,
    pub(crate) recording: &'a Recording,
    /// None: only the telemetry is asked.
    pub(crate) kubectl: Option<Kubectl>,
    pub(crate) progress: SharedProgress,
    pub(crate) cancel: CancellationToken,
}

impl Prober<'_> {
    /// Makes the questions of a seed from what is on the cluster.
    pub(crate) async fn questions(
        &self,
        seed: u64,
    ) -> Result<Vec<Question>, crate::cluster::ClusterError> {
        let mut questions = Vec::new();
        if self.kubectl.is_some() {
            let inventory = Inventory::take(self.cluster, self.application).await?;
            questions.extend(objects::questions(&inventory, seed));
            questions.extend(logs::questions(&inventory, seed));
        }
        if self.recording.records(Kind::Traces) {
            questions.extend(telemetry::jaeger(self.cluster, self.application).await);
        }
        if self.recording.records(Kind::Metrics) {
            questions.extend(telemetry::prometheus(self.cluster, self.application));
        }
        Ok(questions)
    }

    /// Asks every question until nothing changed meanwhile, or for the last time; in their order.
    pub(crate) async fn ask(&self, questions: &[Question]) -> Vec<Probe> {
        let mut answered: Vec<Option<Probe>> = vec![None; questions.len()];
        let mut open: Vec<usize> = (0..questions.len()).collect();
        let until = Instant::now() + WITHIN;
        for attempt in 1..=ATTEMPTS {
            let asking = open.iter().filter_map(|index| {
                let question = questions.get(*index)?;
                Some(async move { (*index, self.ask_once(question, attempt, until).await) })
            });
            let asked: Vec<_> = futures::stream::iter(asking)
                .buffer_unordered(AT_ONCE)
                .collect()
                .await;
            // What happened during the last ones must have reached the recorders.
            tokio::time::sleep(SEEN_WITHIN).await;
            open.clear();
            for (index, probe) in asked {
                let Some(mut probe) = probe else { continue };
                probe.moving = self.is_moving(&probe);
                if probe.moving {
                    open.push(index);
                }
                if let Some(answer) = answered.get_mut(index) {
                    *answer = Some(probe);
                }
            }
            open.sort_unstable();
            if open.is_empty() || self.cancel.is_cancelled() || Instant::now() > until {
                break;
            }
            self.progress
                .note(&format!("{} asked again: objects changed", open.len()));
        }
        answered.into_iter().flatten().collect()
    }

    fn is_moving(&self, probe: &Probe) -> bool {
        let until = probe.after.checked_add(SEEN_WITHIN);
        let until = until.unwrap_or(probe.after);
        self.recording.objects_changed(probe.before, until)
    }

    /// One answer; none if there was none in time, or far too much of it.
    async fn ask_once(&self, question: &Question, attempts: u32, until: Instant) -> Option<Probe> {
        if self.cancel.is_cancelled() || Instant::now() > until {
            return None;
        }
        let before = self.recording.now();
        let exchange = match &question.ask {
            Ask::Kubectl(words) => self.command(words).await,
            Ask::Get(endpoint, path) => self.request(endpoint, path).await,
        };
        let after = self.recording.now();
        match exchange {
            Ok(exchange) => Some(Probe {
                tool: question.tool,
                kind: question.kind.to_owned(),
                before,
                after,
                attempts,
                moving: false,
                exchange,
            }),
            Err(reason) => {
                self.progress
                    .note(&format!("a probe is left out: {reason}"));
                None
            }
        }
    }

    async fn command(&self, words: &[String]) -> Result<Exchange, String> {
        let kubectl = self.kubectl.as_ref().ok_or("there is no kubectl")?;
        let mut output = kubectl.run(words).await?;
        let rules = self.recording.redaction();
        rules.printed(&mut output.stdout);
        rules.printed(&mut output.stderr);
        let program = "kubectl".to_owned();
        Ok(Exchange::Command {
            argv: std::iter::once(program)
                .chain(words.iter().cloned())
                .collect(),
            exit_code: output.exit_code,
            stdout: output.stdout,
            stderr: output.stderr,
        })
    }

    async fn request(&self, endpoint: &Endpoint, path: &str) -> Result<Exchange, String> {
        let headers = [("accept", "application/json")];
        let through = proxy_path(endpoint, &self.application.namespace, path);
        let answer = self
            .cluster
            .request(Method::GET, &through, &headers, Vec::new())
            .await
            .map_err(|error| error.to_string())?;
        let mut body = String::from_utf8_lossy(&answer.body).into_owned();
        self.recording.redaction().text(&mut body);
        Ok(Exchange::Request {
            path: path.to_owned(),
            status: answer.status,
            body,
        })
    }
}

/// Whole seconds since the Unix epoch.
fn seconds(time: Timestamp) -> i64 {
    time.as_second()
}
