//! Recording a system that is not ours: nothing is deployed, loaded or broken, and nothing is written
//! to the cluster.
//!
//! What Prometheus, Jaeger and the kubelets have kept is read back for some time; objects and events
//! are recorded as they are found, and from then on. What can't be read is told by the coverage.

mod backends;
mod gaps;
mod rights;
mod service_label;

use std::sync::Arc;
use std::time::Duration;

use aiopslab_datasets::manifest::{Manifest, ManifestDraft, Observed};
use aiopslab_datasets::writer::{DRAFT_NOTE, SnapshotWriter};
use aiopslab_problems::family::{Application, Endpoint};
use camino::Utf8PathBuf;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::cluster::Cluster;
use crate::error::CaptureError;
use crate::progress::SharedProgress;
use crate::recorder::{Kind, RecorderOptions, Recording, RecordingOutcome};
use crate::run::{ClusterOptions, finish};
use backends::Backend;

pub use rights::{ServiceAccount, UnknownAccount, print_rights};

/// How long the recorders run on after the end, for what arrives late.
const AFTERMATH: Duration = Duration::from_secs(4);

/// What to record.
#[derive(Debug, Clone)]
pub struct AttachRequest {
    /// What is recorded. Its namespace is the first of those that are recorded; an empty service
    /// label is guessed from the pods; endpoints that name none are looked for.
    pub application: Application,
    /// Further namespaces.
    pub more_namespaces: Vec<String>,
    /// The snapshot's folder: new or empty.
    pub out: Utf8PathBuf,
    /// The cluster.
    pub cluster: ClusterOptions,
    /// How far logs, samples and spans are read back.
    pub since: Duration,
    /// How long is recorded from now on.
    pub duration: Duration,
    /// Recorders that are left out. Commands are never run in pods of others.
    pub recorder: RecorderOptions,
}

/// What a recording came to.
#[derive(Debug, Clone)]
pub struct AttachSummary {
    /// The snapshot's folder.
    pub folder: Utf8PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// What could not be recorded, one line each, as coverage has it.
    pub gaps: Vec<String>,
}

/// Records a running system until the duration is over or the caller cancels; either ends in a
/// finished snapshot.
///
/// # Errors
/// When nobody answers, a namespace is not there or its pods may not be read, or the snapshot can't
/// be written.
pub async fn attach(
    request: AttachRequest,
    progress: SharedProgress,
    cancel: CancellationToken,
) -> Result<AttachSummary, CaptureError> {
    progress.stage("check", "the namespaces, and where metrics and traces are");
    let cluster = request.cluster.connect().await?;
    let attached = Attached::find(request, &cluster, &progress).await?;
    let writer = Arc::new(SnapshotWriter::create(&attached.request.out)?);
    progress.stage("record", "reading what is there");
    let recording = Recording::start(
        &cluster,
        &attached.request.application,
        Arc::clone(&writer),
        attached.request.recorder.clone(),
        Arc::clone(&progress),
    )
    .await?;
    let start = recording.now();
    let mut draft = attached.draft(start);
    draft.begun = recording.begun();
    let note = serde_json::to_value(&draft).map_err(CaptureError::json("the manifest"))?;
    writer.note(DRAFT_NOTE, &note)?;
    let outcome = attached.record(recording, &progress, &cancel).await;
    let (outcome, end) = outcome.map_err(|error| unfinished(&attached.request.out, &error))?;
    progress.stage("finish", "sorting the tables and writing the manifest");
    let draft = attached.complete(draft, outcome, end);
    let folder = attached.request.out;
    let manifest = finish(writer, &folder, draft).await?;
    let gaps = gaps::of(&folder)?;
    Ok(AttachSummary {
        folder,
        manifest,
        gaps,
    })
}

/// A request with everything found that it left open.
struct Attached {
    request: AttachRequest,
    /// What the snapshot's opaque id is made from.
    identity: String,
}

impl Attached {
    async fn find(
        mut request: AttachRequest,
        cluster: &Cluster,
        progress: &SharedProgress,
    ) -> Result<Self, CaptureError> {
        request.recorder.more_namespaces = request.more_namespaces.clone();
        let namespaces = request.recorder.namespaces(&request.application.namespace);
        let pods = pods_of(cluster, &namespaces).await?;
        let application = &mut request.application;
        if application.service_label.is_empty() {
            application.service_label = service_label::guess(&pods).to_owned();
        }
        progress.note(&format!(
            "{} pods in {}; a service's pods are told by the label {}",
            pods.len(),
            namespaces.join(", "),
            application.service_label
        ));
        let options = &mut request.recorder;
        options.confined = true;
        options.since = Some(request.since);
        options.without.insert(Kind::Exec);
        let reason = "no commands are run in pods of a system that is not ours";
        options.absent.insert(Kind::Exec, reason.to_owned());
        for backend in [Backend::PROMETHEUS, Backend::JAEGER] {
            if options.without.contains(&backend.kind) {
                continue;
            }
            let place = match backend.kind {
                Kind::Metrics => &mut application.prometheus,
                _ => &mut application.jaeger,
            };
            match backend.find(cluster, place, &namespaces).await {
                Ok(found) => {
                    progress.note(&format!("{} at {found}", backend.name));
                    *place = found;
                }
                Err(reason) => {
                    progress.note(&format!(
                        "{reason}: goes on without {}; --{} names a place",
                        backend.kind, backend.option
                    ));
                    *place = Endpoint::nowhere();
                    options.without.insert(backend.kind);
                    options.absent.insert(backend.kind, reason);
                }
            }
        }
        let drawn: u128 = rand::random();
        let identity = format!("{}/{}/{drawn:032x}", namespaces.join("+"), Timestamp::now());
        Ok(Self { request, identity })
    }

    /// Waits until the end, and reads what is read at the end.
    async fn record(
        &self,
        recording: Recording,
        progress: &SharedProgress,
        cancel: &CancellationToken,
    ) -> Result<(RecordingOutcome, Timestamp), CaptureError> {
        let started = recording.now();
        let duration = self.request.duration;
        if !duration.is_zero() {
            let what = format!("for {} s; Ctrl-C ends it earlier", duration.as_secs());
            progress.stage("record", &what);
            pause(&recording, duration, cancel).await;
        }
        let end = recording.now();
        if !duration.is_zero() {
            pause(&recording, AFTERMATH, cancel).await;
        }
        progress.stage("stop", "reading back logs, metrics and traces to their end");
        let outcome = recording.finish(started, end).await?;
        Ok((outcome, end))
    }

    fn draft(&self, start: Timestamp) -> ManifestDraft {
        let application = &self.request.application;
        let namespaces = self.request.recorder.namespaces(&application.namespace);
        let from = start.checked_sub(self.request.since).unwrap_or(start);
        ManifestDraft {
            seed: self.identity.clone(),
            application: application.name.clone(),
            namespaces,
            service_label: application.service_label.clone(),
            observed: Some(Observed { from, to: start }),
            settings: self.settings(),
            ..ManifestDraft::default()
        }
    }

    fn settings(&self) -> Value {
        let place = |endpoint: &Endpoint| (!endpoint.is_nowhere()).then(|| endpoint.to_string());
        json!({"attach": {
            "since_s": self.request.since.as_secs(),
            "prometheus": place(&self.request.application.prometheus),
            "jaeger": place(&self.request.application.jaeger),
        }})
    }

    fn complete(
        &self,
        mut draft: ManifestDraft,
        outcome: RecordingOutcome,
        end: Timestamp,
    ) -> ManifestDraft {
        if let Some(observed) = &mut draft.observed {
            observed.to = end;
        }
        draft.end = Some(end);
        draft.versions = outcome.versions;
        let version = json!(env!("CARGO_PKG_VERSION"));
        draft.versions.insert("aiopslab".to_owned(), version);
        draft.clock_offsets = outcome.clock_offsets;
        draft.recorders = outcome.counts;
        draft.redaction = outcome.redaction;
        draft.settings["recorders"] = outcome.settings;
        draft
    }
}

/// The pods of the namespaces; what can't be read at all is no recording.
async fn pods_of(cluster: &Cluster, namespaces: &[String]) -> Result<Vec<Value>, CaptureError> {
    let mut all = Vec::new();
    let mut problems = Vec::new();
    for namespace in namespaces {
        let path = format!("/api/v1/namespaces/{namespace}");
        // Who may not ask is told by the list of pods.
        if let Ok(None) = cluster.find_json(&path).await {
            problems.push(format!(
                "there is no namespace {namespace}\nhint: `kubectl get namespaces`"
            ));
            continue;
        }
        match cluster.list(&format!("{path}/pods")).await {
            Ok(pods) => all.extend(pods),
            Err(error) => problems.push(format!(
                "{error}\nhint: `aiopslab capture --print-rbac -n {namespace}` prints the rights that are needed"
            )),
        }
    }
    CaptureError::unless_ready(problems)?;
    Ok(all)
}

/// Sleeps, unless the caller cancels or a recorder fails.
async fn pause(recording: &Recording, duration: Duration, cancel: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(duration) => {}
        () = cancel.cancelled() => {}
        () = recording.broken() => {}
    }
}

fn unfinished(folder: &Utf8PathBuf, error: &CaptureError) -> CaptureError {
    CaptureError::Unfinished {
        folder: folder.clone(),
        reason: error.to_string(),
    }
}
