//! What clients can be asked: the problems of the snapshots at hand, opened once.

use aiopslab_problems::catalog::{Problem, nearest};
use aiopslab_replay::Clock;
use camino::Utf8PathBuf;

use super::Refusal;
use crate::evaluation::{Plan, Question, Wanted};
use crate::exit::Failure;
use crate::library::Library;

/// The questions, each problem once.
pub struct Questions {
    all: Vec<Question>,
}

impl Questions {
    /// Opens the snapshots at the given places.
    ///
    /// # Errors
    /// When one can't be opened, or nothing can be asked of them.
    pub fn open(library: &Library, places: &[Utf8PathBuf]) -> Result<Self, Failure> {
        let wanted = Wanted {
            controls: true,
            ..Wanted::default()
        };
        let mut all = Plan::make(library, places, &wanted)?.questions;
        let mut seen = std::collections::BTreeSet::new();
        all.retain(|question| seen.insert(question.problem.id.to_string()));
        if all.is_empty() {
            return Err(Failure::user(
                "nothing to ask: the problems of these snapshots need a cluster\nhint: `aiopslab problems list --recorded` shows what can be asked",
            ));
        }
        Ok(Self { all })
    }

    /// Those that are shown: a control is asked by its name only.
    pub fn listed(&self) -> impl Iterator<Item = &Question> {
        self.all.iter().filter(|question| !question.problem.control)
    }

    /// Every problem, controls among them.
    pub fn problems(&self) -> impl Iterator<Item = &Problem> {
        self.all.iter().map(|question| &question.problem)
    }

    /// The question of a problem, at its own moment or another one.
    ///
    /// # Errors
    /// When it isn't there, or makes no sense at the moment.
    pub fn find(&self, id: &str, clock: Option<Clock>) -> Result<Question, Refusal> {
        let found = self.all.iter().find(|one| one.problem.id.as_str() == id);
        let Some(question) = found else {
            let ids = self.listed().map(|question| question.problem.id.as_str());
            return Err(Refusal::UnknownProblem {
                id: id.chars().take(200).collect(),
                nearest: nearest(id, ids),
            });
        };
        let mut question = question.clone();
        if let Some(clock) = clock {
            let wanted = Wanted {
                clock: Some(clock),
                ..Wanted::default()
            };
            if !wanted.includes(&question.problem) {
                return Err(Refusal::Malformed(format!(
                    "the problem {id} is not asked at the clock {clock}\nhint: leave out the clock"
                )));
            }
            if let Clock::At(at) | Clock::Play { from: Some(at) } = clock {
                let within = Clock::At(at).resolve(&question.snapshot);
                within.map_err(|error| Refusal::Malformed(error.to_string()))?;
            }
            question.clock = clock;
        }
        Ok(question)
    }
}
