//! The pipeline of a capture, from a checked cluster to a finished snapshot.
//!
//! Check, deploy, workload, wait until healthy and quiet, recorders, baseline window, journal and
//! inject, verify, fault window, verify again, probes, stop the recorders, recover, verify the recovery,
//! clean up, compare the cluster with what it was, finish the snapshot. Whatever goes wrong after
//! the journal is written, the fault is undone before [`run()`] returns; a capture that is killed
//! leaves the journal, which [`crate::recover()`] reads.

mod documents;
pub(crate) mod stages;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aiopslab_datasets::manifest::Manifest;
use aiopslab_datasets::probes::Probe;
use aiopslab_datasets::writer::SnapshotWriter;
use aiopslab_problems::family::{Application, Endpoint, Workload};
use aiopslab_problems::resolve::ResolvedFamily;
use camino::Utf8PathBuf;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

pub(crate) use self::documents::finish;
use crate::check::{CheckLine, Due, check, deployed_sources, due};
use crate::cluster::Cluster;
use crate::compare::Inventory;
use crate::error::CaptureError;
use crate::fault;
use crate::journal::{self, Journal, Renewal};
use crate::observe::{Anchors, Evidence};
use crate::probe::ProbeOptions;
use crate::programs::Call;
use crate::progress::SharedProgress;
use crate::recorder::{Kind, RecorderOptions, Recording, RecordingOutcome};
use crate::recover::{Recovered, recover_one};
use crate::redact_rules::RedactRules;
use crate::sources::{self, SourceOptions};
use crate::supported;
use crate::windows::{Lengths, Seconds, Window, Windows};
use crate::workload::{self, WorkloadClient};

/// How long saving a recording may delay the recovery of a capture that is broken off.
const SAVE_WITHIN: Duration = Duration::from_secs(45);

/// Which cluster.
#[derive(Debug, Clone, Default)]
pub struct ClusterOptions {
    /// The kubeconfig; none: `KUBECONFIG`, then the home folder's.
    pub kubeconfig: Option<Utf8PathBuf>,
    /// The context; none: the kubeconfig's current one.
    pub context: Option<String>,
}

impl ClusterOptions {
    /// Connects to the cluster.
    ///
    /// # Errors
    /// When there is no kubeconfig or nobody answers.
    pub async fn connect(&self) -> Result<Cluster, crate::cluster::ClusterError> {
        Cluster::connect(self.kubeconfig.as_deref(), self.context.as_deref()).await
    }
}

/// What to capture.
#[derive(Debug, Clone)]
pub struct CaptureRequest {
    /// One variant of a family.
    pub family: ResolvedFamily,
    /// Its application.
    pub application: Application,
    /// The folder in which the snapshot's folder `<family>-<n>` is made.
    pub out: Utf8PathBuf,
    /// The cluster.
    pub cluster: ClusterOptions,
    /// How long the application has to be quiet before the baseline.
    pub age: Seconds,
    /// Length of the baseline window.
    pub baseline: Seconds,
    /// Length of the fault window.
    pub window: Seconds,
    /// What the lengths and the workload are drawn from.
    pub seed: u64,
    /// Requests per second, instead of the workload's own.
    pub rate: Option<f64>,
    /// Leaves the application on the cluster if this capture deployed it.
    pub keep: bool,
    /// Tries the family's wrong repairs: each must fail the mitigation oracle.
    pub try_wrong_repairs: bool,
    /// How the application's manifests are fetched.
    pub sources: SourceOptions,
    /// What the recorders do.
    pub recorder: RecorderOptions,
    /// What the live system is asked at the end of the fault window.
    pub probes: ProbeOptions,
}

impl CaptureRequest {
    /// A request with the usual lengths: age and windows of about a minute.
    #[must_use]
    pub fn new(family: ResolvedFamily, application: Application, out: Utf8PathBuf) -> Self {
        Self {
            family,
            application,
            out,
            cluster: ClusterOptions::default(),
            age: Seconds { min: 30, max: 60 },
            baseline: Seconds { min: 45, max: 75 },
            window: Seconds { min: 45, max: 75 },
            seed: 1,
            rate: None,
            keep: false,
            try_wrong_repairs: false,
            sources: SourceOptions::default(),
            recorder: RecorderOptions::default(),
            probes: ProbeOptions::default(),
        }
    }

    /// Name of the snapshot's folder, `<family>-<n>`.
    #[must_use]
    pub fn name(&self) -> String {
        self.family.name()
    }

    /// What our generator sends; none: the application has a load of its own.
    fn workload(&self) -> Result<Option<Workload>, CaptureError> {
        let load = workload::named(&self.application, &self.family.workload)?;
        Ok(load.generated().cloned().map(|mut workload| {
            workload.rate = self.rate.unwrap_or(workload.rate);
            workload
        }))
    }
}

/// What a capture came to.
#[derive(Debug, Clone)]
pub struct CaptureSummary {
    /// The snapshot's folder.
    pub folder: Utf8PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// Its windows.
    pub windows: Windows,
    /// Seconds that each stage took, in order.
    pub durations: Vec<(String, f64)>,
    /// Wrong repairs that were tried and failed the oracle, as they must.
    pub wrong_repairs_failed: usize,
    /// Objects that were compared before and after.
    pub objects_compared: usize,
}

/// Captures one variant of a family.
///
/// # Errors
/// When the cluster is not ready, a fault does not manifest, an oracle judges wrongly, the caller
/// cancels, or the snapshot can't be written. The fault is undone then, and the folder without
/// manifest can be salvaged.
pub async fn run(
    mut request: CaptureRequest,
    progress: SharedProgress,
    cancel: CancellationToken,
) -> Result<CaptureSummary, CaptureError> {
    let started = Instant::now();
    supported::check(
        &request.family,
        &request.application,
        request.try_wrong_repairs,
    )?;
    progress.stage("check", "the cluster and what the capture needs on it");
    let repairs = request.family.wrong_repairs.iter();
    let repairs = repairs.flat_map(|repair| &repair.steps);
    let values = fault::chart_values(request.family.inject.iter().chain(repairs));
    let calls = sources::fetch(&request.application, &request.sources, &values).await?;
    for call in &calls {
        progress.note(&call.command);
    }
    let workload = request.workload()?;
    let cluster = request.cluster.connect().await?;
    leave_out_unnamed(&mut request);
    let (application, without) = (&request.application, &request.recorder.without);
    settle_leftovers(&cluster, application, &progress).await?;
    ready(&cluster, application, &request.sources, without, &progress).await?;
    let mut capture = Capture {
        workload,
        calls,
        stage_started: started,
        ..Capture::begun(request, cluster, progress, cancel)?
    };
    match capture.stages().await {
        Ok(()) => capture.complete().await,
        Err(error) => Err(capture.abandon(error).await),
    }
}

/// A capture under way.
struct Capture {
    request: CaptureRequest,
    workload: Option<Workload>,
    lengths: Lengths,
    folder: Utf8PathBuf,
    /// What the snapshot's opaque id is made from.
    identity: String,
    cluster: Cluster,
    progress: SharedProgress,
    cancel: CancellationToken,
    writer: Arc<SnapshotWriter>,
    /// The programs that made the application's manifests.
    calls: Vec<Call>,
    recording: Option<Recording>,
    /// What is replaced in what the live system said; none before there are recorders.
    redaction: Option<Arc<RedactRules>>,
    recording_from: Timestamp,
    /// When the recorders were stopped.
    recording_to: Option<Timestamp>,
    outcome: Option<RecordingOutcome>,
    /// What the live system answered.
    probes: Vec<Probe>,
    journal: Journal,
    renewal: Option<Renewal>,
    /// Whether this capture deployed the application.
    is_ours: bool,
    before: Inventory,
    workload_client: WorkloadClient,
    anchors: Anchors,
    evidence: Vec<Evidence>,
    windows: Windows,
    wrong_repairs_failed: usize,
    stage: String,
    stage_started: Instant,
    durations: Vec<(String, f64)>,
}

impl Capture {
    /// A capture that has made its folder and nothing else yet; what was prepared for it, load and
    /// programs, is the caller's to add.
    fn begun(
        request: CaptureRequest,
        cluster: Cluster,
        progress: SharedProgress,
        cancel: CancellationToken,
    ) -> Result<Self, CaptureError> {
        let folder = request.out.join(request.name());
        let writer = Arc::new(SnapshotWriter::create(&folder)?);
        Ok(Self {
            workload: None,
            lengths: Lengths::draw(request.seed, request.age, request.baseline, request.window),
            identity: identity(&request),
            journal: new_journal(&request, &folder),
            recording_from: cluster.now(),
            request,
            folder,
            cluster,
            progress,
            cancel,
            writer,
            calls: Vec::new(),
            recording: None,
            redaction: None,
            recording_to: None,
            outcome: None,
            probes: Vec::new(),
            renewal: None,
            is_ours: false,
            before: Inventory::default(),
            workload_client: WorkloadClient::default(),
            anchors: Anchors::default(),
            evidence: Vec::new(),
            windows: Windows::default(),
            wrong_repairs_failed: 0,
            stage: "check".to_owned(),
            stage_started: Instant::now(),
            durations: Vec::new(),
        })
    }

    fn enter(&mut self, stage: &str, what: &str) -> Result<(), CaptureError> {
        self.close_stage();
        stage.clone_into(&mut self.stage);
        self.progress.stage(stage, what);
        self.check_cancelled()
    }

    fn close_stage(&mut self) {
        let seconds = self.stage_started.elapsed().as_secs_f64();
        self.durations.push((self.stage.clone(), seconds));
        self.stage_started = Instant::now();
    }

    fn check_cancelled(&self) -> Result<(), CaptureError> {
        if self.cancel.is_cancelled() {
            return Err(CaptureError::Cancelled {
                stage: self.stage.clone(),
                outcome: String::new(),
            });
        }
        match &self.recording {
            Some(recording) => Ok(recording.check()?),
            None => Ok(()),
        }
    }

    /// Sleeps, unless the caller cancels or a recorder fails.
    async fn pause(&self, duration: Duration) -> Result<(), CaptureError> {
        let until = tokio::time::Instant::now() + duration;
        loop {
            self.check_cancelled()?;
            let left = until.saturating_duration_since(tokio::time::Instant::now());
            if left.is_zero() {
                return Ok(());
            }
            tokio::select! {
                () = tokio::time::sleep(left.min(Duration::from_secs(1))) => {}
                () = self.cancel.cancelled() => {}
            }
        }
    }

    /// Undoes everything after a failure or a cancellation and says what became of it.
    async fn abandon(&mut self, error: CaptureError) -> CaptureError {
        self.progress
            .stage("recover", "the capture is broken off; undoing what it did");
        self.save_recording().await;
        self.stop_renewal().await;
        let application = &self.request.application;
        let recovered = recover_one(&self.cluster, &self.journal, Some(application)).await;
        tell(&self.progress, &recovered);
        let error = match error {
            CaptureError::Cancelled { stage, .. } => CaptureError::Cancelled {
                stage,
                outcome: self.salvage_hint(),
            },
            other => other,
        };
        if recovered.problems.is_empty() {
            return error;
        }
        CaptureError::NotUndone {
            first: Box::new(error),
            problems: recovered.problems,
        }
    }

    /// Brings what was recorded to the disk for a salvage; a second failure would add nothing.
    async fn save_recording(&mut self) {
        let Some(recording) = self.recording.take() else {
            return;
        };
        let now = self.cluster.now();
        if let Some(window) = &mut self.windows.fault {
            window.to = window.to.max(now);
        }
        let finishing = recording.finish(self.recording_from, now);
        if let Ok(Ok(outcome)) = tokio::time::timeout(SAVE_WITHIN, finishing).await {
            self.outcome = Some(outcome);
        }
        self.note_all().await.ok();
    }

    fn salvage_hint(&self) -> String {
        format!(
            "what it did to the cluster is undone\nhint: `aiopslab snapshot salvage {}` makes what was recorded usable",
            self.folder
        )
    }

    async fn stop_renewal(&mut self) {
        if let Some(renewal) = self.renewal.take() {
            renewal.stop().await;
        }
    }
}

pub(crate) fn tell(progress: &SharedProgress, recovered: &Recovered) {
    for line in recovered.done.iter().chain(&recovered.problems) {
        progress.note(line);
    }
}

/// Undoes what dead captures left; refuses to disturb one that lives.
pub(crate) async fn settle_leftovers(
    cluster: &Cluster,
    application: &Application,
    progress: &SharedProgress,
) -> Result<(), CaptureError> {
    for found in Journal::find_all(cluster).await? {
        let family = found.journal.family.clone();
        if found.is_alive() {
            let seconds = found.age().unwrap_or_default().as_secs();
            return Err(CaptureError::Busy { family, seconds });
        }
        progress.note(&format!(
            "a dead capture of {family} left its fault or workload; undoing it"
        ));
        let is_same = found.journal.application == application.name;
        let known = is_same.then_some(application);
        let recovered = recover_one(cluster, &found.journal, known).await;
        tell(progress, &recovered);
        CaptureError::unless_ready(recovered.problems)?;
        let journal = &found.journal;
        stages::wait_until_gone(
            cluster,
            journal.delete_application.then_some(&journal.namespace),
        )
        .await?;
    }
    Ok(())
}

/// Leaves out the recorders whose source the application's file does not name; coverage tells why.
fn leave_out_unnamed(request: &mut CaptureRequest) {
    let application = &request.application;
    let sources = [
        (Kind::Metrics, "Prometheus", &application.prometheus),
        (Kind::Traces, "Jaeger", &application.jaeger),
    ];
    for (kind, what, endpoint) in sources {
        if due(endpoint, application) == Due::Never && request.recorder.without.insert(kind) {
            let name = &application.name;
            let reason = format!("the file of application {name} names no {what}");
            request.recorder.absent.insert(kind, reason);
        }
    }
}

/// Checks what the capture needs, before anything is changed. What comes with the application
/// itself need not be there yet: [`ready_once_deployed`] asks it.
pub(crate) async fn ready(
    cluster: &Cluster,
    application: &Application,
    sources: &SourceOptions,
    without: &BTreeSet<Kind>,
    progress: &SharedProgress,
) -> Result<(), CaptureError> {
    let mut problems = Vec::new();
    let is_asked_now = |kind: Kind, endpoint: &Endpoint| {
        !without.contains(&kind) && due(endpoint, application) == Due::BeforeDeployment
    };
    for line in check(Ok(cluster), application, sources).await {
        let is_needed = match line.name {
            "prometheus" => is_asked_now(Kind::Metrics, &application.prometheus),
            "jaeger" => is_asked_now(Kind::Traces, &application.jaeger),
            "application" => false, // it is applied again
            _ => true,
        };
        if line.ok {
            progress.note(&format!("{}: {}", line.name, line.detail));
        } else if is_needed {
            problems.push(as_problem(&line));
        } else {
            let text = format!("{}: {} (goes on all the same)", line.name, line.detail);
            progress.note(&text);
        }
    }
    if let Some(problem) = foreign_workload(cluster).await? {
        problems.push(problem);
    }
    CaptureError::unless_ready(problems)
}

/// Asks for what came with the application, once that is deployed: agents would miss it.
pub(crate) async fn ready_once_deployed(
    cluster: &Cluster,
    application: &Application,
    progress: &SharedProgress,
) -> Result<(), CaptureError> {
    let mut problems = Vec::new();
    for line in deployed_sources(cluster, application).await {
        if line.ok {
            progress.note(&format!("{}: {}", line.name, line.detail));
        } else {
            problems.push(as_problem(&line));
        }
    }
    CaptureError::unless_ready(problems)
}

fn as_problem(line: &CheckLine) -> String {
    let fix = line.fix.as_deref().unwrap_or_default();
    format!("{}: {}\nhint: {fix}", line.name, line.detail)
}

/// A workload that is not ours to delete; one that is on its way out gets the time to go.
async fn foreign_workload(cluster: &Cluster) -> Result<Option<String>, CaptureError> {
    let (namespace, name) = (workload::NAMESPACE, workload::NAME);
    if !workload::has_job(cluster).await? {
        stages::wait_until_gone(cluster, None).await?;
        return Ok(None);
    }
    Ok(Some(format!(
        "workload: a job {name} runs in namespace {namespace} already\nhint: `kubectl -n {namespace} delete job {name}`",
    )))
}

fn new_journal(request: &CaptureRequest, folder: &Utf8PathBuf) -> Journal {
    let started = Timestamp::now().as_second();
    Journal {
        version: 1,
        name: format!("{}{started:x}", journal::NAME_PREFIX),
        family: request.name(),
        namespace: request.application.namespace.clone(),
        application: request.application.name.clone(),
        folder: folder.to_string(),
        delete_application: false,
        entries: Vec::new(),
    }
}

/// Nothing that is guessed from a problem's id.
fn identity(request: &CaptureRequest) -> String {
    let drawn: u128 = rand::random();
    format!(
        "{}/{}/{}/{drawn:032x}",
        request.name(),
        request.seed,
        Timestamp::now()
    )
}

/// A window that starts now and has no end yet.
fn open_window(cluster: &Cluster) -> Window {
    let now = cluster.now();
    Window { from: now, to: now }
}
