//! What became of a fault that an agent was asked to repair.

use std::collections::BTreeSet;
use std::time::Duration;

use aiopslab_problems::condition::{Condition, FigureTest, Outcome, WorkloadTest};
use jiff::Timestamp;
use serde::Serialize;
use tokio::time::Instant;

use super::guard::Standing;
use super::system::LiveSystem;
use crate::compare::{self, Leaving};
use crate::error::CaptureError;
use crate::journal::Entry;
use crate::observe::Evidence;
use crate::run::stages::POLL;
use crate::{resource, workload};

/// How much more of the requests may fail than before the fault.
const ERROR_RATIO: f64 = 0.02;
/// A repair has to hold for a second look, so long after the first.
const AGAIN: Duration = Duration::from_secs(5);

/// The judgement on a repair, with what it rests on.
#[derive(Debug, Clone, Serialize)]
pub struct Judged {
    /// By the family's conditions, the requests and the guard.
    pub mitigation: Outcome,
    /// By AIOpsLab's own tests, at the moment of submission.
    pub upstream_mitigation: Outcome,
    /// When the agent was done.
    pub submitted: Timestamp,
    /// Seconds until the judgement was final.
    pub settled_after: f64,
    /// What must not have been broken and was, one line each.
    pub broken: Vec<String>,
    /// The last look at AIOpsLab's tests, then at ours.
    pub evidence: Vec<Evidence>,
}

impl LiveSystem {
    /// Judges what an agent made of the fault, from this moment on: it gets time to take effect.
    ///
    /// # Errors
    /// When the cluster can't be asked.
    pub async fn judge(&mut self) -> Result<Judged, CaptureError> {
        let submitted = Timestamp::now();
        self.anchors.submit = Some(submitted);
        self.progress
            .stage("judge", "does the repair hold, and is nothing else broken?");
        let Some((family, before)) = self
            .incident
            .as_ref()
            .map(|incident| (incident.family.clone(), incident.standing.clone()))
        else {
            return Err(CaptureError::NotReady(vec![
                "judge: there is no fault to judge".to_owned(),
            ]));
        };
        let upstream = self
            .look("upstream", &upstream_tests(family.upstream_mitigated()))
            .await?;
        let conditions = conditions(&family.mitigated, self.workload.is_some());
        let started = Instant::now();
        let until = started + self.options.settle;
        let evidence = loop {
            let mut evidence = self.look("mitigated", &conditions).await?;
            if evidence.holds() {
                self.pause(AGAIN).await?;
                evidence = self.look("mitigated", &conditions).await?;
            }
            if evidence.holds() || Instant::now() > until {
                break evidence;
            }
            self.pause(POLL).await?;
        };
        let broken = before.broken(&self.standing().await?, &self.of_fault().await?);
        let runs = self.workload.is_none() || workload::running_pod(&self.cluster).await?.is_some();
        let mitigation = outcome(&evidence, runs, &broken);
        let said = match &mitigation {
            Outcome::Holds => "the repair holds".to_owned(),
            Outcome::Fails(because) | Outcome::Unknown(because) => because.clone(),
        };
        self.progress.note(&said);
        Ok(Judged {
            mitigation,
            upstream_mitigation: match upstream.because() {
                None => Outcome::Holds,
                Some(because) => Outcome::Fails(because),
            },
            submitted,
            settled_after: started.elapsed().as_secs_f64(),
            broken,
            evidence: vec![upstream, evidence],
        })
    }

    /// The objects that the fault changes, as the guard calls them.
    async fn of_fault(&self) -> Result<BTreeSet<String>, CaptureError> {
        let mut keys = BTreeSet::new();
        for object in self.journal.entries.iter().filter_map(Entry::object) {
            let (kind, name) = resource::split(object)?;
            let kind = self.cluster.resolve(kind).await?.full_name();
            keys.insert(format!("{kind} {}/{name}", self.application.namespace));
        }
        Ok(keys)
    }

    /// What stands now, as far as the agent's rights reach.
    pub(super) async fn standing(&self) -> Result<Standing, CaptureError> {
        let listed = compare::decided(&self.cluster, Leaving::Ignored).await?;
        Ok(Standing::of(&listed, self.reach()))
    }
}

/// The family's conditions, and requests that succeed as before: of whatever a family thinks, users
/// must be served.
///
/// Nobody counts the requests of a load that is the application's own.
fn conditions(mitigated: &[Condition], is_generated: bool) -> Vec<Condition> {
    let served = WorkloadTest::ErrorRatio(FigureTest::BackToBaselineWithin(ERROR_RATIO));
    let mut conditions = mitigated.to_vec();
    if is_generated {
        conditions.push(Condition::Workload { workload: served });
    }
    conditions
}

/// AIOpsLab looks at objects only: it measures no requests.
fn upstream_tests(conditions: &[Condition]) -> Vec<Condition> {
    let measures = |condition: &Condition| matches!(condition, Condition::Workload { .. });
    let mut tests = Vec::new();
    for condition in conditions {
        match condition {
            Condition::All { all } => tests.extend(upstream_tests(all)),
            other if measures(other) => {}
            other => tests.push(other.clone()),
        }
    }
    tests
}

/// What could not be shown does not hold: an agent may not win by stopping what measures.
fn outcome(evidence: &Evidence, workload_runs: bool, broken: &[String]) -> Outcome {
    if !workload_runs {
        return Outcome::Fails("the workload no longer runs".to_owned());
    }
    if let Some(because) = evidence.because() {
        return Outcome::Fails(because);
    }
    if broken.is_empty() {
        return Outcome::Holds;
    }
    Outcome::Fails(format!("broken: {}", broken.join("; ")))
}

#[cfg(test)]
mod tests {
    use aiopslab_problems::catalog::Catalog;

    use super::*;
    use crate::observe::Judgement;

    fn evidence(outcome: Outcome) -> Evidence {
        Evidence {
            what: String::new(),
            at: Timestamp::UNIX_EPOCH,
            judgements: vec![Judgement {
                condition: String::new(),
                outcome,
            }],
            answers: Vec::new(),
        }
    }

    #[test]
    fn a_repair_must_hold_break_nothing_and_leave_the_workload_alone() {
        let holds = evidence(Outcome::Holds);
        assert_eq!(outcome(&holds, true, &[]), Outcome::Holds);
        let broken = ["services shop/geo is gone".to_owned()];
        for failed in [
            outcome(&holds, false, &[]),
            outcome(&holds, true, &broken),
            outcome(&evidence(Outcome::Unknown(String::new())), true, &[]),
            outcome(&evidence(Outcome::Fails(String::new())), true, &[]),
        ] {
            assert!(matches!(failed, Outcome::Fails(_)), "{failed:?}");
        }
    }

    #[test]
    fn every_repair_is_measured_by_requests_and_upstreams_tests_are_not() {
        let catalog = Catalog::embedded().unwrap();
        for family in catalog
            .families()
            .iter()
            .filter(|one| !one.mitigated.is_empty())
        {
            let measured = conditions(&family.mitigated, true);
            let measures = |one: &&Condition| matches!(one, Condition::Workload { .. });
            assert!(measured.iter().any(|one| measures(&one)));
            assert_eq!(conditions(&family.mitigated, false), family.mitigated);
            let upstream = upstream_tests(family.upstream_mitigated());
            assert_eq!(upstream.iter().filter(measures).count(), 0);
        }
    }
}
