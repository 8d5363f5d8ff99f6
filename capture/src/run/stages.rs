//! The stages of a capture, in order.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use aiopslab_problems::condition::{Condition, Outcome};
use aiopslab_problems::family::WrongRepair;
use tokio::time::Instant;

use super::{Capture, open_window, tell};
use crate::cluster::Cluster;
use crate::compare::{self, wait_until_same};
use crate::error::CaptureError;
use crate::fault::Scene;
use crate::journal::{Entry, Renewal};
use crate::observe::{Evidence, judge};
use crate::probe::{Kubectl, Prober, minor};
use crate::recorder::Recording;
use crate::recover::{undo_entries, undo_fault};
use crate::{deploy, fault, manifests, resource, workload};

/// How long the application may take to become healthy and quiet.
pub(crate) const HEALTHY_WITHIN: Duration = Duration::from_secs(420);
/// How long a fault may take to show.
pub(crate) const MANIFESTED_WITHIN: Duration = Duration::from_secs(90);
/// Figures are noisy: how long a fault may take to show again at the end of its window.
const STILL_THERE_WITHIN: Duration = Duration::from_secs(15);
/// How long an application may take to recover.
const RECOVERED_WITHIN: Duration = Duration::from_secs(120);
/// How long deleted objects may take to be gone.
pub(crate) const GONE_WITHIN: Duration = Duration::from_secs(180);
/// How often conditions are judged while they are waited for.
pub(crate) const POLL: Duration = Duration::from_secs(2);
/// How often the baseline's health is judged.
const BASELINE_POLL: Duration = Duration::from_secs(10);
/// How long the recorders run on after the end, for what arrives late.
const AFTERMATH: Duration = Duration::from_secs(4);
/// How long a wrong repair gets to show what it does.
const WRONG_REPAIR: Duration = Duration::from_secs(30);

impl Capture {
    pub(super) async fn stages(&mut self) -> Result<(), CaptureError> {
        self.deploy().await?;
        self.start_workload().await?;
        self.settle().await?;
        self.start_recorders().await?;
        self.baseline().await?;
        self.inject().await?;
        self.fault_window().await?;
        self.ask_probes().await?;
        self.stop_recorders().await?;
        if self.request.try_wrong_repairs {
            for repair in self.request.family.wrong_repairs.clone() {
                self.wrong_repair(&repair).await?;
            }
        }
        self.recover().await?;
        self.clean_up().await
    }

    async fn deploy(&mut self) -> Result<(), CaptureError> {
        let application = self.request.application.clone();
        self.enter("deploy", &format!("the application {}", application.name))?;
        let is_there = self.namespace_is_there().await?;
        self.is_ours = !is_there;
        self.before = compare::settled(&self.cluster, &self.left_out()).await?;
        self.check_cancelled()?;
        self.journal.delete_application = !is_there && !self.request.keep;
        self.journal.save(&self.cluster).await?;
        self.renewal = Some(Renewal::start(&self.cluster, &self.journal));
        self.note_all().await?;
        if is_there && self.judge(Purpose::WithoutLoad).await?.holds() {
            self.progress.note("it is there and healthy; left as it is");
            return Ok(());
        }
        for object in manifests::objects(&application)? {
            self.check_cancelled()?;
            deploy::apply(&self.cluster, &application, &object).await?;
        }
        self.wait_for("deploy", HEALTHY_WITHIN, Purpose::WithoutLoad)
            .await?;
        Ok(())
    }

    /// Whether the application's namespace is there; one that is on its way out is waited for.
    async fn namespace_is_there(&mut self) -> Result<bool, CaptureError> {
        let until = Instant::now() + GONE_WITHIN;
        loop {
            let phase = deploy::phase(&self.cluster, &self.request.application).await?;
            match phase.as_deref() {
                None => return Ok(false),
                Some("Terminating") if Instant::now() < until => self.pause(POLL).await?,
                Some("Terminating") => {
                    return Err(self.timeout(GONE_WITHIN, "its old namespace is terminating"));
                }
                Some(_) => return Ok(true),
            }
        }
    }

    async fn start_workload(&mut self) -> Result<(), CaptureError> {
        let name = &self.request.family.workload;
        let Some(workload) = self.workload.clone() else {
            return self.enter("workload", &format!("{name} of the application's own"));
        };
        let what = format!("{name} at {} requests per second", workload.rate);
        self.enter("workload", &what)?;
        let application = &self.request.application;
        workload::start(&self.cluster, application, &workload, self.request.seed).await?;
        let until = Instant::now() + HEALTHY_WITHIN;
        while workload::running_pod(&self.cluster).await?.is_none() {
            if Instant::now() > until {
                return Err(self.timeout(HEALTHY_WITHIN, "the workload's pod is not ready"));
            }
            self.pause(POLL).await?;
        }
        Ok(())
    }

    /// Waits until the application is healthy under load and no container started of late.
    async fn settle(&mut self) -> Result<(), CaptureError> {
        let age = self.lengths.age;
        self.enter(
            "settle",
            &format!("healthy and quiet for {} s", age.as_secs()),
        )?;
        let until = Instant::now() + HEALTHY_WITHIN;
        loop {
            let evidence = self.judge(Purpose::Healthy).await?;
            let quiet = deploy::quiet_for(&self.cluster, &self.request.application).await?;
            let is_quiet = quiet.is_some_and(|quiet| quiet >= age);
            if evidence.holds() && is_quiet {
                return Ok(());
            }
            if Instant::now() > until {
                let because = evidence
                    .because()
                    .unwrap_or_else(|| "containers restart".to_owned());
                return Err(self.timeout(HEALTHY_WITHIN, &because));
            }
            self.pause(POLL).await?;
        }
    }

    async fn start_recorders(&mut self) -> Result<(), CaptureError> {
        self.enter("record", "starting the recorders")?;
        let recording = Recording::start(
            &self.cluster,
            &self.request.application,
            self.writer.clone(),
            self.request.recorder.clone(),
            self.progress.clone(),
        )
        .await;
        let recording = recording?;
        self.redaction = Some(Arc::clone(recording.redaction()));
        self.recording = Some(recording);
        self.recording_from = self.cluster.now();
        self.note_all().await
    }

    async fn baseline(&mut self) -> Result<(), CaptureError> {
        let length = self.lengths.baseline;
        self.enter(
            "baseline",
            &format!("{} s without a fault", length.as_secs()),
        )?;
        let mut window = open_window(&self.cluster);
        let until = Instant::now() + length;
        self.windows.baseline = Some(window);
        self.note_all().await?;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.pause(left.min(BASELINE_POLL)).await?;
            window.to = self.cluster.now();
            self.windows.baseline = Some(window);
            self.anchors.baseline = Some(window);
            let evidence = self.judge(Purpose::Healthy).await?;
            if let Some(because) = evidence.because() {
                return Err(self.timeout(window_length(window), &because));
            }
            if Instant::now() >= until {
                self.evidence.push(evidence);
                return Ok(());
            }
        }
    }

    /// Journals and injects, and waits until the fault shows.
    async fn inject(&mut self) -> Result<(), CaptureError> {
        let steps = self.request.family.inject.clone();
        if steps.is_empty() {
            self.enter("inject", "nothing: the family has no fault")?;
            // As long as a fault may take to show, so that the lengths don't tell.
            let pretended = Duration::from_millis(8_000 + self.request.seed % 8 * 1_000);
            self.pause(pretended).await?;
            return self.open_fault_window().await;
        }
        self.enter("inject", &self.request.family.summary.clone())?;
        let application = self.request.application.clone();
        self.journal.entries = fault::prepare(&self.cluster, &application, &steps).await?;
        self.journal.save(&self.cluster).await?;
        self.windows.injected = Some(self.cluster.now());
        self.note_all().await?;
        // For waits between the steps: since the first of them.
        self.anchors.inject = self.windows.injected;
        self.carry_out(&self.journal.entries.clone()).await?;
        self.anchors.inject = Some(self.cluster.now());
        self.enter("verify", "waiting for the fault to show")?;
        let evidence = self
            .wait_for("verify", MANIFESTED_WITHIN, Purpose::Manifested)
            .await
            .map_err(|error| self.not_manifested(error))?;
        self.evidence.push(evidence);
        self.open_fault_window().await
    }

    async fn carry_out(&mut self, entries: &[Entry]) -> Result<(), CaptureError> {
        for entry in entries {
            self.check_cancelled()?;
            let mut scene = Scene {
                cluster: &self.cluster,
                application: &self.request.application,
                workload: Some(&mut self.workload_client),
                anchors: self.anchors,
            };
            let carried_out = fault::inject(&mut scene, entry);
            // What is half carried out is finished before it is undone; a wait need not be.
            let cancelled = async {
                match entry {
                    Entry::Wait { .. } => self.cancel.cancelled().await,
                    _ => std::future::pending().await,
                }
            };
            tokio::select! {
                outcome = carried_out => outcome?,
                () = cancelled => self.check_cancelled()?,
            }
        }
        Ok(())
    }

    async fn open_fault_window(&mut self) -> Result<(), CaptureError> {
        self.windows.fault = Some(open_window(&self.cluster));
        self.note_all().await
    }

    /// Waits the fault window out and proves at its end that the fault is there and unmitigated.
    async fn fault_window(&mut self) -> Result<(), CaptureError> {
        let length = self.lengths.fault;
        let has_fault = !self.request.family.inject.is_empty();
        let kind = if has_fault {
            "with the fault"
        } else {
            "without a fault"
        };
        self.enter("window", &format!("{} s {kind}", length.as_secs()))?;
        self.pause(length).await?;
        self.enter("probe", "is it still as it should be at the end?")?;
        let purpose = if has_fault {
            Purpose::Manifested
        } else {
            Purpose::Healthy
        };
        let evidence = self
            .wait_for("probe", STILL_THERE_WITHIN, purpose)
            .await
            .map_err(|error| self.not_manifested(error))?;
        self.evidence.push(evidence);
        if has_fault {
            self.must_fail("doing nothing").await?;
        }
        if let Some(window) = &mut self.windows.fault {
            window.to = self.cluster.now();
        }
        self.note_all().await
    }

    /// Tells which kubectl asks: one of another version than the cluster's prints other text than a replay.
    async fn tell_of(&self, kubectl: &Kubectl) {
        let version = kubectl.version().await.unwrap_or_default();
        let text = format!("with {} {version}", kubectl.program());
        self.progress.note(text.trim_end());
        let server = self.cluster.version()["gitVersion"].as_str();
        let server = server.unwrap_or_default();
        if minor(&version) != minor(server) {
            let text = format!(
                "the cluster is {server}: answers will differ from a replay's; --kubectl FILE names another"
            );
            self.progress.note(&text);
        }
    }

    /// Asks the live system what a replay will be asked, while the recorders go on.
    async fn ask_probes(&mut self) -> Result<(), CaptureError> {
        let options = self.request.probes.clone();
        if !options.wanted {
            return Ok(());
        }
        self.enter("probes", "what the live system answers")?;
        let Some(recording) = &self.recording else {
            return Ok(());
        };
        let kubectl = Kubectl::find(options.kubectl.as_deref(), &self.request.cluster);
        match &kubectl {
            Ok(kubectl) => self.tell_of(kubectl).await,
            Err(reason) => {
                let text = format!("no kubectl: probes of kubectl are left out ({reason})");
                self.progress.note(&text);
            }
        }
        let prober = Prober {
            cluster: &self.cluster,
            application: &self.request.application,
            recording,
            kubectl: kubectl.ok(),
            progress: self.progress.clone(),
            cancel: self.cancel.clone(),
        };
        // A capture is good without probes too.
        let questions = match prober.questions(self.request.seed).await {
            Ok(questions) => questions,
            Err(error) => {
                self.progress.note(&format!("no probes: {error}"));
                return Ok(());
            }
        };
        let probes = prober.ask(&questions).await;
        let moving = probes.iter().filter(|probe| probe.moving).count();
        let text = format!(
            "{} answers to {} questions, {moving} of them while objects changed",
            probes.len(),
            questions.len()
        );
        self.progress.note(&text);
        self.probes = probes;
        self.check_cancelled()
    }

    async fn stop_recorders(&mut self) -> Result<(), CaptureError> {
        self.enter("stop", "the recorders take what arrives late, and stop")?;
        let end = self.cluster.now();
        self.pause(AFTERMATH).await?;
        self.recording_to = Some(end);
        if let Some(recording) = self.recording.take() {
            let outcome = recording.finish(self.recording_from, end).await;
            self.outcome = Some(outcome?);
        }
        self.workload_client.fetch(&self.cluster).await?; // the last seconds have settled by now
        self.note_all().await
    }

    /// The mitigation oracle must fail now, and know it.
    async fn must_fail(&mut self, what: &str) -> Result<(), CaptureError> {
        if self.request.family.mitigated.is_empty() {
            return Ok(());
        }
        let mut evidence = self.judge(Purpose::Mitigated).await?;
        evidence.what = format!("mitigated, after {what}: must fail");
        let fails = |outcome: &Outcome| matches!(outcome, Outcome::Fails(_));
        let has_failed = evidence
            .judgements
            .iter()
            .any(|judgement| fails(&judgement.outcome));
        let because = evidence.because();
        self.evidence.push(evidence);
        if has_failed {
            return Ok(());
        }
        let because = match because {
            Some(because) => format!("it can't judge {what}: {because}"),
            None => format!("it holds after {what}"),
        };
        Err(CaptureError::Oracle {
            family: self.request.name(),
            because,
        })
    }

    /// Carries out a repair that must not help, judges it, and undoes it.
    async fn wrong_repair(&mut self, repair: &WrongRepair) -> Result<(), CaptureError> {
        self.enter("wrong repair", &repair.summary)?;
        let application = self.request.application.clone();
        let entries = fault::prepare(&self.cluster, &application, &repair.steps).await?;
        let fault_entries = self.journal.entries.len();
        self.journal.entries.extend(entries.clone());
        self.journal.save(&self.cluster).await?;
        self.carry_out(&entries).await?;
        self.anchors.submit = Some(self.cluster.now());
        self.pause(WRONG_REPAIR).await?;
        self.must_fail(&format!("the wrong repair {:?}", repair.summary))
            .await?;
        self.undo_wrong_repair(&entries).await?;
        self.journal.entries.truncate(fault_entries);
        self.journal.save(&self.cluster).await?;
        self.wrong_repairs_failed += 1;
        Ok(())
    }

    async fn undo_wrong_repair(&self, entries: &[Entry]) -> Result<(), CaptureError> {
        let (done, problems) = undo_entries(&self.cluster, &self.journal.namespace, entries).await;
        for line in &done {
            self.progress.note(line);
        }
        if problems.is_empty() {
            Ok(())
        } else {
            Err(CaptureError::NotReady(problems))
        }
    }

    async fn recover(&mut self) -> Result<(), CaptureError> {
        if self.journal.entries.is_empty() {
            return Ok(());
        }
        self.enter("recover", "undoing the fault from the journal")?;
        let recovered = undo_fault(&self.cluster, &self.journal).await;
        tell(&self.progress, &recovered);
        if !recovered.problems.is_empty() {
            return Err(CaptureError::NotReady(recovered.problems));
        }
        self.anchors.submit = Some(self.cluster.now());
        self.verify_recovery().await?;
        self.windows.recovered = Some(self.cluster.now());
        self.note_all().await
    }

    /// Waits until the recovery has repaired the fault and the application is as healthy as it was
    /// before: a family without a mitigation condition says nothing by itself.
    async fn verify_recovery(&mut self) -> Result<(), CaptureError> {
        if !self.request.family.mitigated.is_empty() {
            let mut evidence = self
                .wait_for("recover", RECOVERED_WITHIN, Purpose::Mitigated)
                .await?;
            "mitigated, after the recorded recovery: must hold".clone_into(&mut evidence.what);
            self.evidence.push(evidence);
        }
        // A container that was killed again and again is started only after minutes.
        let mut evidence = self
            .wait_for("recover", HEALTHY_WITHIN, Purpose::Healthy)
            .await?;
        "healthy, after the recorded recovery: must hold".clone_into(&mut evidence.what);
        self.evidence.push(evidence);
        Ok(())
    }

    async fn clean_up(&mut self) -> Result<(), CaptureError> {
        self.enter(
            "clean up",
            "workload, journal and what else the capture brought",
        )?;
        workload::stop(&self.cluster).await?;
        let deleted = self
            .journal
            .delete_application
            .then(|| self.journal.namespace.clone());
        if deleted.is_some() {
            deploy::delete(&self.cluster, &self.request.application).await?;
        }
        wait_until_gone(&self.cluster, deleted.as_ref()).await?;
        self.stop_renewal().await;
        self.journal.delete(&self.cluster).await
    }

    /// Compares the cluster with what it was; deleted things get time to go.
    pub(super) async fn compare(&mut self) -> Result<Vec<String>, CaptureError> {
        self.close_stage();
        "compare".clone_into(&mut self.stage);
        self.progress
            .stage("compare", "is the cluster as it was found?");
        let without = self.left_out();
        wait_until_same(
            &self.cluster,
            &self.before,
            &without,
            GONE_WITHIN,
            &self.progress,
        )
        .await
    }

    fn not_manifested(&self, error: CaptureError) -> CaptureError {
        match error {
            CaptureError::Timeout { because, .. } => CaptureError::NotManifested {
                family: self.request.name(),
                because,
                folder: self.folder.clone(),
            },
            other => other,
        }
    }

    fn timeout(&self, limit: Duration, because: &str) -> CaptureError {
        CaptureError::Timeout {
            stage: self.stage.clone(),
            seconds: limit.as_secs(),
            because: because.to_owned(),
        }
    }

    async fn wait_for(
        &mut self,
        stage: &str,
        limit: Duration,
        purpose: Purpose,
    ) -> Result<Evidence, CaptureError> {
        let until = Instant::now() + limit;
        loop {
            let evidence = self.judge(purpose).await?;
            if evidence.holds() {
                return Ok(evidence);
            }
            if Instant::now() > until {
                let because = evidence.because().unwrap_or_default();
                self.evidence.push(evidence);
                return Err(CaptureError::Timeout {
                    stage: stage.to_owned(),
                    seconds: limit.as_secs(),
                    because,
                });
            }
            self.pause(POLL).await?;
        }
    }

    /// The namespace that this capture makes and keeps can't be compared with before.
    fn left_out(&self) -> BTreeSet<String> {
        let is_kept = self.is_ours && self.request.keep;
        is_kept
            .then(|| self.request.application.namespace.clone())
            .into_iter()
            .collect()
    }

    async fn judge(&mut self, purpose: Purpose) -> Result<Evidence, CaptureError> {
        let (what, conditions) = self.conditions(purpose);
        judge(
            &self.cluster,
            &self.request.application,
            Some(&mut self.workload_client),
            &self.anchors,
            what,
            &conditions,
        )
        .await
    }

    fn conditions(&self, purpose: Purpose) -> (&'static str, Vec<Condition>) {
        let application = &self.request.application;
        let family = &self.request.family;
        match purpose {
            Purpose::WithoutLoad => ("healthy without load", deploy::without_load(application)),
            Purpose::Healthy => ("healthy", application.healthy.clone()),
            Purpose::Manifested => ("manifested", family.manifested.clone()),
            Purpose::Mitigated => ("mitigated", family.mitigated.clone()),
        }
    }
}

/// What conditions are judged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    WithoutLoad,
    Healthy,
    Manifested,
    Mitigated,
}

fn window_length(window: crate::windows::Window) -> Duration {
    Duration::try_from(window.to.duration_since(window.from)).unwrap_or_default()
}

/// Waits until the workload and a deleted namespace are gone.
pub(crate) async fn wait_until_gone(
    cluster: &Cluster,
    namespace: Option<&String>,
) -> Result<(), CaptureError> {
    let until = Instant::now() + GONE_WITHIN;
    loop {
        let mut left = Vec::new();
        if !workload::is_gone(cluster).await? {
            left.push("the workload's job".to_owned());
        }
        if let Some(namespace) = namespace {
            let path = format!("/api/v1/namespaces/{namespace}");
            if let Some(found) = cluster.find_json(&path).await? {
                let phase = resource::text(&found, "/status/phase");
                left.push(format!("namespace {namespace} ({phase})"));
            }
        }
        if left.is_empty() {
            return Ok(());
        }
        if Instant::now() > until {
            return Err(CaptureError::Timeout {
                stage: "clean up".to_owned(),
                seconds: GONE_WITHIN.as_secs(),
                because: format!("still there: {}", left.join(", ")),
            });
        }
        tokio::time::sleep(POLL).await;
    }
}
