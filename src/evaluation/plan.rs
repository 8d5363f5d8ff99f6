//! Which problems are asked on which snapshots, and at which moment.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_datasets::Snapshot;
use aiopslab_problems::catalog::{Problem, ProblemId};
use aiopslab_problems::family::Application;
use aiopslab_problems::label::Label;
use aiopslab_problems::task::Task;
use aiopslab_replay::clock::Clock;

use crate::exit::Failure;
use crate::library::{Library, Recorded};

/// The problems to ask.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// Those that are asked, in the catalog's order; disabled ones never are.
    pub questions: Vec<Question>,
    /// Those that need a cluster: neither run nor counted.
    pub not_run: Vec<String>,
    /// How many snapshots there are.
    pub snapshots: usize,
}

/// One problem on one snapshot at one moment.
#[derive(Debug, Clone)]
pub struct Question {
    /// The problem.
    pub problem: Problem,
    /// Where the snapshot is, and of what.
    pub recorded: Recorded,
    /// The snapshot, opened and checked once.
    pub snapshot: Snapshot,
    /// Its logical digest.
    pub digest: String,
    /// The application that it is of.
    pub application: Application,
    /// The moment.
    pub clock: Clock,
    /// Whether the problem is asked on another snapshot, too.
    pub is_asked_elsewhere: bool,
}

/// What is asked for on the command line.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only this task.
    pub task: Option<Task>,
    /// Only these problems.
    pub problems: Vec<String>,
    /// One moment for all.
    pub clock: Option<Clock>,
    /// Whether there is a cluster, for what needs one.
    pub with_cluster: bool,
    /// Controls, too, without being asked for by name.
    pub controls: bool,
}

impl Plan {
    /// Finds what can be asked of the given snapshots.
    ///
    /// # Errors
    /// When a snapshot can't be opened, a problem is unknown, or nothing is left to ask.
    pub fn make(
        library: &Library,
        places: &[camino::Utf8PathBuf],
        wanted: &Wanted,
    ) -> Result<Self, Failure> {
        for id in &wanted.problems {
            let problem = library.catalog.problem(id).ok();
            if let Some(reason) = problem.and_then(|problem| problem.disabled.as_ref()) {
                return Err(Failure::user(format!("{id} is disabled: {reason}")));
            }
        }
        let mut plan = Self::default();
        let mut seen: BTreeSet<String> = BTreeSet::new();
        let mut digests: BTreeSet<String> = BTreeSet::new();
        for dir in library.snapshots(places)? {
            let recorded = library.recorded(&dir)?;
            let snapshot = Snapshot::open(&dir)?;
            let application = match recorded.label {
                Some(_) => library.application_or_unknown(snapshot.manifest()),
                None => library
                    .application(&snapshot.manifest().application)?
                    .clone(),
            };
            let digest = snapshot.logical_digest()?;
            // The same recording in two places is one.
            if !digests.insert(digest.clone()) {
                continue;
            }
            plan.snapshots += 1;
            for problem in &problems_on(library, &recorded) {
                seen.insert(problem.id.to_string());
                if !wanted.includes(problem) || problem.disabled.is_some() {
                    continue;
                }
                if problem.task.needs_cluster() && !wanted.with_cluster {
                    plan.not_run.push(problem.id.to_string());
                    continue;
                }
                plan.questions.push(Question {
                    problem: problem.clone(),
                    recorded: recorded.clone(),
                    snapshot: snapshot.clone(),
                    digest: digest.clone(),
                    application: application.clone(),
                    clock: match wanted.clock {
                        Some(clock) => clock,
                        None => own_clock(problem, recorded.label.as_ref())?,
                    },
                    is_asked_elsewhere: false,
                });
            }
        }
        plan.mark_several();
        if let Some(missing) = wanted.problems.iter().find(|id| !seen.contains(*id)) {
            library.catalog.problem(missing)?;
            let known: Vec<String> = seen.into_iter().collect();
            return Err(Failure::user(format!(
                "there is no snapshot for the problem {missing}\nhint: there are snapshots for {}",
                known.join(", ")
            )));
        }
        if plan.questions.is_empty() && plan.not_run.is_empty() {
            return Err(Failure::user(
                "nothing to ask: no snapshot has a problem like that\nhint: `aiopslab problems list` shows what can be asked",
            ));
        }
        Ok(plan)
    }

    /// Finds the problems that are asked on several snapshots: their episodes are told apart.
    fn mark_several(&mut self) {
        let mut asked: BTreeMap<ProblemId, usize> = BTreeMap::new();
        for question in &self.questions {
            *asked.entry(question.problem.id.clone()).or_default() += 1;
        }
        for question in &mut self.questions {
            question.is_asked_elsewhere = asked.get(&question.problem.id) > Some(&1);
        }
    }
}

impl Wanted {
    /// Whether a problem is asked for.
    #[must_use]
    pub fn includes(&self, problem: &Problem) -> bool {
        let named =
            self.problems.is_empty() || self.problems.iter().any(|id| id == problem.id.as_str());
        let of_task = self.task.is_none_or(|task| task == problem.task);
        // A moment given by name decides which of a detection problem and its control makes sense.
        let at_clock = match self.clock {
            Some(Clock::End | Clock::Play { from: None }) => !problem.control,
            Some(Clock::BeforeFault) => problem.control,
            Some(Clock::At(_) | Clock::Play { from: Some(_) }) => true,
            // A control stands earlier in the recording than its incident: how little has been
            // recorded by then tells that nothing is wrong. It is asked where it is asked for.
            None => !problem.control || self.controls || !self.problems.is_empty(),
        };
        named && of_task && at_clock
    }
}

/// What is asked about a snapshot: by its label, else by the catalog.
pub(crate) fn problems_on(library: &Library, recorded: &Recorded) -> Vec<Problem> {
    if let Some(label) = &recorded.label {
        return label.problems();
    }
    let name = format!("{}-{}", recorded.family, recorded.variant);
    let known = library.catalog.problems_of_snapshot(&name);
    known.cloned().collect()
}

/// Whether something is wrong in a snapshot at some time; otherwise it is a control.
pub(crate) fn has_fault(library: &Library, recorded: &Recorded) -> bool {
    let problems = problems_on(library, recorded);
    problems.iter().any(|problem| problem.truth.anomaly)
}

fn own_clock(problem: &Problem, label: Option<&Label>) -> Result<Clock, Failure> {
    if problem.control {
        return Ok(Clock::BeforeFault);
    }
    match label.and_then(|label| label.asked_at.as_ref()) {
        Some(moment) => Ok(moment.parse()?),
        None => Ok(Clock::End),
    }
}
