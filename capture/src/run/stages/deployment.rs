//! The application deployed, under load, healthy and quiet.

use tokio::time::Instant;

use super::waiting::Purpose;
use super::{GONE_WITHIN, HEALTHY_WITHIN, POLL};
use crate::error::CaptureError;
use crate::journal::Renewal;
use crate::run::Capture;
use crate::{compare, deploy, manifests, workload};

impl Capture {
    pub(super) async fn deploy(&mut self) -> Result<(), CaptureError> {
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

    pub(super) async fn start_workload(&mut self) -> Result<(), CaptureError> {
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
    pub(super) async fn settle(&mut self) -> Result<(), CaptureError> {
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
}
