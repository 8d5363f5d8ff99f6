//! The stages of a capture, in order; one file for each group of them.
//!
//! [`deployment`], [`recording`] (with the baseline), [`injection`] (with the fault window),
//! [`probes`], [`oracle`], [`recovery`]. All of them use [`waiting`].

mod deployment;
mod injection;
mod oracle;
mod probes;
mod recording;
mod recovery;
mod waiting;

use std::collections::BTreeSet;
use std::time::Duration;

use super::Capture;
use crate::error::CaptureError;

pub(crate) use self::recovery::wait_until_gone;

/// How long the application may take to become healthy and quiet.
pub(crate) const HEALTHY_WITHIN: Duration = Duration::from_secs(420);
/// How long a fault may take to show.
pub(crate) const MANIFESTED_WITHIN: Duration = Duration::from_secs(90);
/// How long deleted objects may take to be gone.
pub(crate) const GONE_WITHIN: Duration = Duration::from_secs(180);
/// How often conditions are judged while they are waited for.
pub(crate) const POLL: Duration = Duration::from_secs(2);

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

    /// The namespace that this capture makes and keeps can't be compared with before.
    fn left_out(&self) -> BTreeSet<String> {
        let is_kept = self.is_ours && self.request.keep;
        is_kept
            .then(|| self.request.application.namespace.clone())
            .into_iter()
            .collect()
    }
}
