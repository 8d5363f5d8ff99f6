//! The mitigation oracle tried: it must refuse doing nothing, and repairs that don't help.

use std::time::Duration;

use aiopslab_problems::condition::Outcome;
use aiopslab_problems::family::WrongRepair;

use super::waiting::Purpose;
use crate::error::CaptureError;
use crate::fault;
use crate::journal::Entry;
use crate::recover::undo_entries;
use crate::run::Capture;

/// How long a wrong repair gets to show what it does: less than a live repair has to settle
/// (`LiveOptions`), as a family may list several and each takes so long. One that would hold only
/// later is not found out here.
const WRONG_REPAIR: Duration = Duration::from_secs(30);

impl Capture {
    /// The mitigation oracle must fail now, and know it.
    pub(super) async fn must_fail(&mut self, what: &str) -> Result<(), CaptureError> {
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
    pub(super) async fn wrong_repair(&mut self, repair: &WrongRepair) -> Result<(), CaptureError> {
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
        CaptureError::unless_ready(problems)
    }
}
