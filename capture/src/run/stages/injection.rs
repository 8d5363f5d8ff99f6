//! The fault injected, shown to be there, and kept for its window.

use std::time::Duration;

use super::MANIFESTED_WITHIN;
use super::waiting::Purpose;
use crate::error::CaptureError;
use crate::fault::{self, Scene};
use crate::journal::Entry;
use crate::run::{Capture, open_window};

/// Figures are noisy: how long a fault may take to show again at the end of its window.
const STILL_THERE_WITHIN: Duration = Duration::from_secs(15);

impl Capture {
    /// Journals and injects, and waits until the fault shows.
    pub(super) async fn inject(&mut self) -> Result<(), CaptureError> {
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

    pub(super) async fn carry_out(&mut self, entries: &[Entry]) -> Result<(), CaptureError> {
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
    pub(super) async fn fault_window(&mut self) -> Result<(), CaptureError> {
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

    fn not_manifested(&self, error: CaptureError) -> CaptureError {
        let has_fault = !self.request.family.inject.is_empty();
        match error {
            CaptureError::Timeout { because, .. } if has_fault => CaptureError::NotManifested {
                family: self.request.name(),
                because,
                folder: self.folder.clone(),
            },
            other => other,
        }
    }
}
