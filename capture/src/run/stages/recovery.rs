//! The fault undone, the recovery verified, and the cluster left as it was found.

use std::time::Duration;

use tokio::time::Instant;

use super::waiting::Purpose;
use super::{GONE_WITHIN, HEALTHY_WITHIN, POLL};
use crate::cluster::Cluster;
use crate::compare::wait_until_same;
use crate::error::CaptureError;
use crate::recover::undo_fault;
use crate::run::{Capture, tell};
use crate::{deploy, resource, workload};

/// How long an application may take to recover.
const RECOVERED_WITHIN: Duration = Duration::from_secs(120);

impl Capture {
    pub(super) async fn recover(&mut self) -> Result<(), CaptureError> {
        if self.journal.entries.is_empty() {
            return Ok(());
        }
        self.enter("recover", "undoing the fault from the journal")?;
        let recovered = undo_fault(&self.cluster, &self.journal).await;
        tell(&self.progress, &recovered);
        CaptureError::unless_ready(recovered.problems)?;
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

    pub(super) async fn clean_up(&mut self) -> Result<(), CaptureError> {
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
    pub(in crate::run) async fn compare(&mut self) -> Result<Vec<String>, CaptureError> {
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
