//! An application on a cluster that is broken for agents, one problem after the other.
//!
//! Deploy, workload, wait until healthy; then for each problem: a baseline, journal and inject,
//! verify that the fault shows, an environment, a judgement, a reset. A reset undoes the fault from
//! its journal and is verified against the objects as they were; what it can't bring back is
//! deployed anew. In the end the cluster is compared with what it was.

use std::collections::BTreeSet;
use std::time::Duration;

use aiopslab_problems::condition::Condition;
use aiopslab_problems::family::{Application, Workload};
use aiopslab_problems::resolve::ResolvedFamily;
use aiopslab_problems::task::Task;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::environment::LiveEnvironment;
use super::guard::Standing;
use super::toolbox::{self, Toolbox, ToolboxOptions};
use crate::cluster::Cluster;
use crate::compare::{self, Inventory, Leaving};
use crate::error::CaptureError;
use crate::fault::Scene;
use crate::journal::{self, Journal, Renewal};
use crate::observe::{Anchors, Evidence, judge};
use crate::programs::{self, Call};
use crate::progress::SharedProgress;
use crate::recover::{recover_one, undo_fault};
use crate::redact_rules::RedactRules;
use crate::run::stages::{GONE_WITHIN, HEALTHY_WITHIN, MANIFESTED_WITHIN, POLL, wait_until_gone};
use crate::run::{ClusterOptions, ready, ready_once_deployed, settle_leftovers, tell};
use crate::sources::{self, SourceOptions};
use crate::windows::Window;
use crate::workload::{self, WorkloadClient};
use crate::{deploy, fault, manifests, supported};

/// How long a reset may take before everything is deployed anew.
const RESET_WITHIN: Duration = Duration::from_secs(60);

/// How incidents are brought up.
#[derive(Debug, Clone)]
pub struct LiveOptions {
    /// The cluster.
    pub cluster: ClusterOptions,
    /// How other people's applications are fetched.
    pub sources: SourceOptions,
    /// The agent's shell.
    pub toolbox: ToolboxOptions,
    /// How long the application is watched before the fault, so that there is something to go back to.
    pub baseline: Duration,
    /// How long a repair may take to show.
    pub settle: Duration,
    /// What the workload's requests are drawn from.
    pub seed: u64,
    /// Leaves the application on the cluster if this deployed it.
    pub keep: bool,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            cluster: ClusterOptions::default(),
            sources: SourceOptions::default(),
            toolbox: ToolboxOptions::default(),
            baseline: Duration::from_secs(20),
            settle: Duration::from_secs(90),
            seed: 1,
            keep: false,
        }
    }
}

/// An application that runs, broken or not.
pub struct LiveSystem {
    pub(super) options: LiveOptions,
    pub(super) application: Application,
    pub(super) cluster: Cluster,
    pub(super) progress: SharedProgress,
    pub(super) client: WorkloadClient,
    pub(super) anchors: Anchors,
    pub(super) incident: Option<Incident>,
    cancel: CancellationToken,
    pub(super) journal: Journal,
    renewal: Option<Renewal>,
    /// What was on the cluster before anything was done.
    before: Inventory,
    /// The programs that were run and not told of yet.
    calls: Vec<Call>,
    /// Since when the application runs without an earlier problem.
    since: Timestamp,
    /// What the generator sends; none: it does not run.
    pub(super) workload: Option<Workload>,
    is_ours: bool,
}

/// A fault that is there.
pub(super) struct Incident {
    pub(super) family: ResolvedFamily,
    /// What stood before it.
    pub(super) standing: Standing,
    /// The application's objects before it.
    image: Inventory,
}

impl LiveSystem {
    /// Refuses what can't be brought up, with every reason.
    ///
    /// # Errors
    /// When the family or the application asks for something that this version can't carry out.
    pub fn check(family: &ResolvedFamily, application: &Application) -> Result<(), CaptureError> {
        supported::check(family, application, false)
    }

    /// Brings an application up on a cluster, with what the agent's shell needs there.
    ///
    /// # Errors
    /// When the cluster is not ready or the application does not become healthy; what was done is
    /// undone then.
    pub async fn start(
        application: Application,
        options: LiveOptions,
        progress: SharedProgress,
        cancel: CancellationToken,
    ) -> Result<Self, CaptureError> {
        progress.stage(
            "check",
            "the cluster and what a live evaluation needs on it",
        );
        let calls = sources::fetch(&application, &options.sources, &[]).await?;
        for call in &calls {
            progress.note(&call.command);
        }
        let cluster = options.cluster.connect().await?;
        settle_leftovers(&cluster, &application, &progress).await?;
        let all = BTreeSet::new();
        ready(&cluster, &application, &options.sources, &all, &progress).await?;
        let started = Timestamp::now().as_second();
        let journal = Journal {
            version: 1,
            name: format!("{}{started:x}", journal::NAME_PREFIX),
            family: "live evaluation".to_owned(),
            namespace: application.namespace.clone(),
            application: application.name.clone(),
            folder: String::new(),
            delete_application: false,
            entries: Vec::new(),
        };
        let mut system = Self {
            options,
            application,
            cluster,
            progress,
            client: WorkloadClient::default(),
            anchors: Anchors::default(),
            incident: None,
            cancel,
            journal,
            renewal: None,
            before: Inventory::default(),
            calls,
            since: Timestamp::now(),
            workload: None,
            is_ours: false,
        };
        match system.bring_up().await {
            Ok(()) => Ok(system),
            Err(error) => Err(system.abandon(error).await),
        }
    }

    /// Name of the application.
    #[must_use]
    pub fn application(&self) -> &str {
        &self.application.name
    }

    /// The programs that were run since this was last asked, without secrets; none: nothing was run.
    pub fn programs(&mut self) -> Option<Value> {
        let mut told = programs::document(&std::mem::take(&mut self.calls))?;
        let rules = RedactRules::new(rand::random(), &[]).ok()?;
        rules.object("", &mut told);
        Some(told)
    }

    /// Whether there is an incident, which a reset takes away.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.incident.is_some()
    }

    async fn bring_up(&mut self) -> Result<(), CaptureError> {
        let name = self.application.name.clone();
        self.progress
            .stage("deploy", &format!("the application {name}"));
        let phase = deploy::phase(&self.cluster, &self.application).await?;
        if phase.as_deref() == Some("Terminating") {
            wait_until_gone(&self.cluster, Some(&self.application.namespace)).await?;
        }
        self.is_ours = phase.as_deref() != Some("Active");
        self.before = compare::settled(&self.cluster, &self.left_out()).await?;
        self.journal.delete_application = self.is_ours && !self.options.keep;
        self.journal.save(&self.cluster).await?;
        self.renewal = Some(Renewal::start(&self.cluster, &self.journal));
        let without_load = deploy::without_load(&self.application);
        if !self.is_ours
            && self
                .look("healthy without load", &without_load)
                .await?
                .holds()
        {
            self.progress.note("it is there and healthy; left as it is");
        } else {
            self.deploy().await?;
        }
        ready_once_deployed(&self.cluster, &self.application, &self.progress).await?;
        toolbox::prepare(&self.cluster, self.options.toolbox.rights).await
    }

    async fn deploy(&mut self) -> Result<(), CaptureError> {
        self.since = Timestamp::now();
        for object in manifests::objects(&self.application)? {
            self.check_cancelled()?;
            deploy::apply(&self.cluster, &self.application, &object).await?;
        }
        let conditions = deploy::without_load(&self.application);
        self.wait_for("deploy", HEALTHY_WITHIN, &conditions).await?;
        Ok(())
    }

    /// Breaks the application for a task, whose rights the agent gets: waits until it is healthy, watches
    /// it for a while, injects the fault and waits until it shows. What an earlier problem left must have
    /// been reset.
    ///
    /// # Errors
    /// When the application is not healthy, or the fault can't be injected or does not show.
    pub async fn inject(
        &mut self,
        family: &ResolvedFamily,
        task: Task,
    ) -> Result<(), CaptureError> {
        Self::check(family, &self.application)?;
        // Before anything is compared: the rights are objects of the application's namespace.
        let rights = self.options.toolbox.rights.for_task(task);
        self.progress.note(&format!("the agent's rights: {rights}"));
        toolbox::grant(&self.cluster, rights, &self.application.namespace).await?;
        self.load(family).await?;
        self.baseline().await?;
        let listed = compare::decided(&self.cluster, Leaving::Ignored).await?;
        let incident = Incident {
            family: family.clone(),
            standing: Standing::of(&listed, self.reach()),
            image: Inventory::within(&listed, &self.application.namespace),
        };
        self.incident = Some(incident);
        if family.inject.is_empty() {
            self.progress
                .stage("inject", "nothing: the family has no fault");
            return Ok(());
        }
        self.progress.stage("inject", &family.summary);
        self.carry_out(family).await?;
        self.progress
            .stage("verify", "waiting for the fault to show");
        self.wait_for("verify", MANIFESTED_WITHIN, &family.manifested)
            .await?;
        Ok(())
    }

    async fn carry_out(&mut self, family: &ResolvedFamily) -> Result<(), CaptureError> {
        let (cluster, application) = (&self.cluster, &self.application);
        self.journal.family.clone_from(&family.family);
        let values = fault::chart_values(&family.inject);
        for call in sources::fetch(application, &self.options.sources, &values).await? {
            self.progress.note(&call.command);
            self.calls.push(call);
        }
        self.journal.entries = fault::prepare(cluster, application, &family.inject).await?;
        self.journal.save(cluster).await?;
        // For waits between the steps: since the first of them.
        self.anchors.inject = Some(self.cluster.now());
        for entry in self.journal.entries.clone() {
            let mut scene = Scene {
                cluster: &self.cluster,
                application: &self.application,
                workload: Some(&mut self.client),
                anchors: self.anchors,
            };
            let carried_out = fault::inject(&mut scene, &entry);
            // A step may wait for long; whoever cancels does not.
            match self.cancel.run_until_cancelled(carried_out).await {
                Some(outcome) => outcome?,
                None => self.check_cancelled()?,
            }
        }
        self.anchors.inject = Some(self.cluster.now());
        Ok(())
    }

    /// Sees to it that the family's workload runs.
    async fn load(&mut self, family: &ResolvedFamily) -> Result<(), CaptureError> {
        let name = &family.workload;
        let wanted = workload::named(&self.application, name)?;
        let wanted = wanted.generated().cloned();
        if wanted.is_some() && self.workload == wanted {
            return Ok(());
        }
        // Known to run only when it does: what failed half-way is stopped by the next one.
        self.workload = None;
        if workload::stop(&self.cluster).await? {
            wait_until_gone(&self.cluster, None).await?;
        }
        let Some(wanted) = wanted else {
            let text = format!("{name} of the application's own");
            self.progress.stage("workload", &text);
            return Ok(());
        };
        let text = format!("{name} at {} requests per second", wanted.rate);
        self.progress.stage("workload", &text);
        workload::start(&self.cluster, &self.application, &wanted, self.options.seed).await?;
        self.client = WorkloadClient::default();
        let until = Instant::now() + HEALTHY_WITHIN;
        while workload::running_pod(&self.cluster).await?.is_none() {
            if Instant::now() > until {
                return Err(timeout(
                    "workload",
                    HEALTHY_WITHIN,
                    "the workload's pod is not ready",
                ));
            }
            self.pause(POLL).await?;
        }
        self.workload = Some(wanted);
        Ok(())
    }

    /// Waits until the application is healthy under load, and for as long as the baseline is.
    async fn baseline(&mut self) -> Result<(), CaptureError> {
        self.anchors = Anchors {
            submit: Some(self.cluster.now()), // figures of an earlier problem don't count
            ..Anchors::default()
        };
        let seconds = self.options.baseline.as_secs();
        self.progress
            .stage("baseline", &format!("{seconds} s without a fault"));
        let healthy = self.application.healthy.clone();
        self.wait_for("baseline", HEALTHY_WITHIN, &healthy).await?;
        let from = Timestamp::now();
        self.pause(self.options.baseline).await?;
        let window = Window {
            from,
            to: Timestamp::now(),
        };
        self.anchors.baseline = Some(window);
        let evidence = self.look("healthy", &healthy).await?;
        self.anchors.submit = None;
        match evidence.because() {
            None => Ok(()),
            Some(because) => Err(timeout("baseline", self.options.baseline, &because)),
        }
    }

    /// An environment on the broken application, with a shell of its own.
    ///
    /// # Errors
    /// When the shell's pod does not start.
    pub async fn environment(
        &mut self,
        upstream_quirks: bool,
    ) -> Result<LiveEnvironment, CaptureError> {
        let toolbox = Toolbox::start(&self.cluster, &self.options.toolbox.image).await?;
        Ok(LiveEnvironment::new(
            &self.cluster,
            &self.application,
            self.since,
            toolbox,
            upstream_quirks,
        ))
    }

    /// Puts the application back as it was before the fault. What recovery can't bring back is
    /// deployed anew, and so is everything where that is asked for.
    ///
    /// # Errors
    /// When the fault can't be undone, or the application does not become healthy again.
    pub async fn reset(&mut self, fresh: bool) -> Result<(), CaptureError> {
        self.progress
            .stage("reset", "undoing the fault from the journal");
        let recovered = undo_fault(&self.cluster, &self.journal).await;
        tell(&self.progress, &recovered);
        let incident = self.incident.take();
        let was_undone = recovered.problems.is_empty();
        if was_undone {
            self.journal.entries.clear();
            self.journal.save(&self.cluster).await?;
        }
        let differences = match incident {
            Some(incident) if was_undone && !fresh => self.differences(&incident.image).await?,
            _ => vec!["everything is deployed anew".to_owned()],
        };
        if differences.is_empty() {
            self.since = Timestamp::now();
            return Ok(());
        }
        for line in differences.iter().take(5) {
            self.progress.note(line);
        }
        self.redeploy().await
    }

    /// What differs from before the fault, once the application is healthy, or after a while.
    async fn differences(&mut self, image: &Inventory) -> Result<Vec<String>, CaptureError> {
        let until = Instant::now() + RESET_WITHIN;
        let conditions = deploy::without_load(&self.application);
        loop {
            let listed = compare::decided(&self.cluster, Leaving::Ignored).await?;
            let now = Inventory::within(&listed, &self.application.namespace);
            let mut differences = image.differences(&now);
            let evidence = self.look("healthy without load", &conditions).await?;
            differences.extend(evidence.because());
            if differences.is_empty() || Instant::now() > until {
                return Ok(differences);
            }
            self.pause(POLL).await?;
        }
    }

    async fn redeploy(&mut self) -> Result<(), CaptureError> {
        self.progress
            .stage("redeploy", "the application, from its manifests");
        if !self.is_ours {
            return Err(CaptureError::NotReady(vec![
                "reset: the application was there before, and is not deleted\nhint: delete it yourself, or bring it back to health".to_owned(),
            ]));
        }
        deploy::delete(&self.cluster, &self.application).await?;
        self.journal.entries.clear();
        // The workload goes on, and fails for a while.
        self.wait_until_namespace_is_gone().await?;
        self.journal.save(&self.cluster).await?;
        self.deploy().await?;
        toolbox::prepare(&self.cluster, self.options.toolbox.rights).await
    }

    async fn wait_until_namespace_is_gone(&self) -> Result<(), CaptureError> {
        let until = Instant::now() + GONE_WITHIN;
        while deploy::phase(&self.cluster, &self.application)
            .await?
            .is_some()
        {
            if Instant::now() > until {
                let because = "the old namespace is still there";
                return Err(timeout("redeploy", GONE_WITHIN, because));
            }
            self.pause(POLL).await?;
        }
        Ok(())
    }

    /// Takes everything off the cluster and compares it with what it was.
    ///
    /// # Errors
    /// When something could not be undone, or the cluster is not as it was found.
    pub async fn leave(mut self) -> Result<(), CaptureError> {
        self.progress
            .stage("clean up", "workload, shell, journal and application");
        let recovered = self.undo_all().await;
        CaptureError::unless_ready(recovered)?;
        self.progress
            .stage("compare", "is the cluster as it was found?");
        let (before, without) = (&self.before, self.left_out());
        let differences =
            compare::wait_until_same(&self.cluster, before, &without, GONE_WITHIN, &self.progress)
                .await?;
        if differences.is_empty() {
            let text = format!("as before: {} objects compared", self.before.len());
            self.progress.note(&text);
            return Ok(());
        }
        Err(CaptureError::Different(differences))
    }

    /// Gives up: undoes everything and returns the reason, with what could not be undone.
    pub async fn abandon(mut self, error: CaptureError) -> CaptureError {
        self.progress
            .stage("recover", "broken off; undoing what was done");
        let problems = self.undo_all().await;
        if problems.is_empty() {
            return error;
        }
        CaptureError::NotUndone {
            first: Box::new(error),
            problems,
        }
    }

    /// Undoes everything; returns what could not be.
    async fn undo_all(&mut self) -> Vec<String> {
        if let Some(renewal) = self.renewal.take() {
            renewal.stop().await;
        }
        let recovered = recover_one(&self.cluster, &self.journal, Some(&self.application)).await;
        tell(&self.progress, &recovered);
        recovered.problems
    }

    /// The namespace that is made here and kept can't be compared with before.
    fn left_out(&self) -> BTreeSet<String> {
        let is_kept = self.is_ours && self.options.keep;
        is_kept
            .then(|| self.application.namespace.clone())
            .into_iter()
            .collect()
    }

    /// The namespace that the agent's rights end at; none: they reach everywhere.
    pub(super) fn reach(&self) -> Option<&str> {
        let everywhere = self.options.toolbox.rights.reaches_everywhere();
        (!everywhere).then_some(self.application.namespace.as_str())
    }

    pub(super) async fn look(
        &mut self,
        what: &str,
        conditions: &[Condition],
    ) -> Result<Evidence, CaptureError> {
        judge(
            &self.cluster,
            &self.application,
            Some(&mut self.client),
            &self.anchors,
            what,
            conditions,
        )
        .await
    }

    async fn wait_for(
        &mut self,
        stage: &str,
        limit: Duration,
        conditions: &[Condition],
    ) -> Result<Evidence, CaptureError> {
        let until = Instant::now() + limit;
        loop {
            let evidence = self.look(stage, conditions).await?;
            if evidence.holds() {
                return Ok(evidence);
            }
            if Instant::now() > until {
                let because = evidence.because().unwrap_or_default();
                return Err(timeout(stage, limit, &because));
            }
            self.pause(POLL).await?;
        }
    }

    fn check_cancelled(&self) -> Result<(), CaptureError> {
        if !self.cancel.is_cancelled() {
            return Ok(());
        }
        Err(CaptureError::Cancelled {
            stage: "a live evaluation".to_owned(),
            outcome: "what it did to the cluster is undone".to_owned(),
        })
    }

    /// Sleeps, unless the caller cancels.
    pub(super) async fn pause(&self, duration: Duration) -> Result<(), CaptureError> {
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = self.cancel.cancelled() => {}
        }
        self.check_cancelled()
    }
}

fn timeout(stage: &str, limit: Duration, because: &str) -> CaptureError {
    CaptureError::Timeout {
        stage: stage.to_owned(),
        seconds: limit.as_secs(),
        because: because.to_owned(),
    }
}
