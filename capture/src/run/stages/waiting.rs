//! Conditions judged, once or until they hold.

use std::time::Duration;

use aiopslab_problems::condition::Condition;
use tokio::time::Instant;

use super::POLL;
use crate::deploy;
use crate::error::CaptureError;
use crate::observe::{Evidence, judge};
use crate::run::Capture;

/// What conditions are judged for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    WithoutLoad,
    Healthy,
    Manifested,
    Mitigated,
}

impl Capture {
    /// Judges until all conditions hold, for as long as the limit.
    pub(super) async fn wait_for(
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

    pub(super) async fn judge(&mut self, purpose: Purpose) -> Result<Evidence, CaptureError> {
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

    pub(super) fn timeout(&self, limit: Duration, because: &str) -> CaptureError {
        CaptureError::Timeout {
            stage: self.stage.clone(),
            seconds: limit.as_secs(),
            because: because.to_owned(),
        }
    }
}
