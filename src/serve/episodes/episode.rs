//! One episode that a client drives, a response at a time.

use std::sync::{Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use aiopslab_problems::action::ActionSet;
use aiopslab_problems::episode::{EndReason, EpisodeEnd, EpisodeResult, Limits};
use camino::{Utf8Path, Utf8PathBuf};
use tokio::sync::{Mutex, OwnedSemaphorePermit};

use super::{Refusal, interrupted};
use crate::agents::{Briefing, Response};
use crate::evaluation::{Asked, Talked};
use crate::exit::Failure;
use crate::session::{Session, StepClock, Turn};

/// What a client is told of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The step that is answered.
    pub step: u32,
    /// What the action answered; empty: a submission answers nothing.
    pub observation: String,
    /// Why the episode has ended; none: it goes on.
    pub ended: Option<EndReason>,
    /// Responses that are left.
    pub steps_left: u32,
}

/// Where an episode stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The number of the response that is awaited, or would be.
    pub step: u32,
    /// Why it has ended; none: it goes on.
    pub ended: Option<EndReason>,
    /// How long it waits for its client from now on.
    pub lease: Duration,
}

/// An episode: open until it ends, then a memory of how it ended.
pub struct Episode {
    /// Names it among its server's; can't be guessed.
    pub id: String,
    asked: Asked,
    folder: String,
    result: Utf8PathBuf,
    lease: Duration,
    touched: StdMutex<Instant>,
    course: Mutex<Course>,
}

/// How far it has come; whoever holds it acts, everybody else waits.
struct Course {
    open: Option<Open>,
    ended: Option<EndReason>,
    lapsed: bool,
    /// The last response and its answer: a client that did not hear it asks again.
    last: Option<(String, Answer)>,
}

/// What an episode has while it goes on.
struct Open {
    session: Session<'static>,
    /// Runs since the agent was told what it has to respond to.
    clock: StepClock,
    /// Its place among those that are open.
    _slot: OwnedSemaphorePermit,
}

/// What an episode begins with.
pub(super) struct Begun {
    pub(super) asked: Asked,
    pub(super) session: Session<'static>,
    pub(super) folder: String,
    pub(super) result: Utf8PathBuf,
    pub(super) slot: OwnedSemaphorePermit,
}

impl Episode {
    pub(super) fn new(id: String, begun: Begun, lease: Duration) -> Self {
        Self {
            id,
            asked: begun.asked,
            folder: begun.folder,
            result: begun.result,
            lease,
            touched: StdMutex::new(Instant::now()),
            course: Mutex::new(Course {
                open: Some(Open {
                    session: begun.session,
                    clock: StepClock::start(),
                    _slot: begun.slot,
                }),
                ended: None,
                lapsed: false,
                last: None,
            }),
        }
    }

    /// The problem's id, which an agent must not be told.
    #[must_use]
    pub fn problem(&self) -> &str {
        self.asked.problem().id.as_str()
    }

    /// The agent's name.
    #[must_use]
    pub fn agent(&self) -> &str {
        &self.asked.header().agent
    }

    /// What the agent is told.
    #[must_use]
    pub fn briefing(&self) -> &Briefing {
        self.asked.briefing()
    }

    /// Which actions it has.
    #[must_use]
    pub fn action_set(&self) -> ActionSet {
        self.asked.header().action_set
    }

    /// What the agent may take.
    #[must_use]
    pub fn limits(&self) -> Limits {
        self.asked.header().limits
    }

    /// Takes a response. `step` is its number, where the client counts.
    ///
    /// # Errors
    /// When it is out of turn, the episode is over, or a file can't be written.
    pub async fn step(&self, step: Option<u32>, response: Response) -> Result<Answer, Refusal> {
        let mut course = self.course.lock().await;
        let text = response.text.clone();
        if let Some(answer) = course.answered(step, &text)? {
            self.touch();
            return Ok(answer);
        }
        if course.lapsed {
            return Err(Refusal::Lapsed);
        }
        let Some(mut open) = course.open.take() else {
            let reason = course.ended.unwrap_or(EndReason::Interrupted);
            return Err(Refusal::Over(reason));
        };
        let next = open.session.next_step();
        if let Some(given) = step.filter(|given| *given != next) {
            course.open = Some(open);
            return Err(Refusal::OutOfTurn { given, next });
        }
        let clock = std::mem::replace(&mut open.clock, StepClock::start());
        let end = match open.session.take(response, clock).await {
            Ok(Turn::Observation(_)) => None,
            Ok(Turn::Ended(end)) => Some(end),
            Err(failure) => Some(broken(&failure)),
        };
        let answer = self.answer(&open.session, next, end.as_ref());
        course.last = Some((text, answer.clone()));
        match end {
            Some(end) => self.close(&mut course, open, end)?,
            None => {
                open.clock = StepClock::start();
                course.open = Some(open);
                self.touch();
            }
        }
        Ok(answer)
    }

    /// Ends the episode, if it goes on, and tells where it stands.
    ///
    /// # Errors
    /// When a file can't be written.
    pub async fn end(&self, end: EpisodeEnd) -> Result<Standing, Refusal> {
        let mut course = self.course.lock().await;
        if let Some(open) = course.open.take() {
            self.close(&mut course, open, end)?;
        }
        Ok(self.standing_in(&course))
    }

    /// Tells where the episode stands, after the step under way.
    pub async fn standing(&self) -> Standing {
        self.standing_in(&*self.course.lock().await)
    }

    /// Returns the episode's `result.json`.
    ///
    /// # Errors
    /// When it goes on, or the file can't be read.
    pub(super) async fn result(&self) -> Result<EpisodeResult, Refusal> {
        let course = self.course.lock().await;
        if course.ended.is_none() {
            return Err(Refusal::Running);
        }
        read_result(&self.result)
    }

    /// Its lease begins anew.
    pub(super) fn touch(&self) {
        *self.touched.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    /// Ends the episode if nobody has touched it for a lease. One that acts is not waited for.
    pub(super) fn lapse(&self) -> Result<(), Refusal> {
        if self.lease_left() > Duration::ZERO {
            return Ok(());
        }
        let Ok(mut course) = self.course.try_lock() else {
            return Ok(());
        };
        let Some(open) = course.open.take() else {
            return Ok(());
        };
        course.lapsed = true;
        self.close(&mut course, open, interrupted())
    }

    fn lease_left(&self) -> Duration {
        let touched = *self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        self.lease.saturating_sub(touched.elapsed())
    }

    fn standing_in(&self, course: &Course) -> Standing {
        let next = course.open.as_ref().map(|open| open.session.next_step());
        let answered = course.last.as_ref().map_or(0, |(_, last)| last.step);
        Standing {
            step: next.unwrap_or(answered + 1),
            ended: course.ended,
            lease: self.lease_left(),
        }
    }

    fn answer(&self, session: &Session<'_>, step: u32, end: Option<&EpisodeEnd>) -> Answer {
        // When time is over nothing is acted on, and nothing answered.
        let acted = session.steps().last().filter(|acted| acted.step == step);
        Answer {
            step,
            observation: acted
                .map(|acted| acted.observation.clone())
                .unwrap_or_default(),
            ended: end.map(|end| end.end_reason),
            steps_left: match end {
                None => self.limits().max_steps.saturating_sub(step),
                Some(_) => 0,
            },
        }
    }

    /// Scores the episode and writes its result.
    fn close(&self, course: &mut Course, open: Open, end: EpisodeEnd) -> Result<(), Refusal> {
        course.ended = Some(end.end_reason);
        self.touch();
        Talked::new(open.session, end, self.folder.clone()).close(&self.asked)?;
        Ok(())
    }
}

impl Course {
    /// The answer to a response that was answered before.
    fn answered(&self, step: Option<u32>, response: &str) -> Result<Option<Answer>, Refusal> {
        match &self.last {
            Some((taken, last)) if step == Some(last.step) => {
                if taken == response {
                    return Ok(Some(last.clone()));
                }
                Err(Refusal::TakenOtherwise(last.step))
            }
            _ => Ok(None),
        }
    }
}

/// Reads a `result.json`.
pub(super) fn read_result(path: &Utf8Path) -> Result<EpisodeResult, Refusal> {
    let unread = |error: String| Refusal::Failed(format!("{path} can't be read: {error}"));
    let text = std::fs::read(path).map_err(|error| unread(error.to_string()))?;
    serde_json::from_slice(&text).map_err(|error| unread(error.to_string()))
}

fn broken(failure: &Failure) -> EpisodeEnd {
    let reason = failure.reason();
    tracing::error!("{reason}");
    EpisodeEnd::without_submission(EndReason::EnvironmentFailed, Some(reason))
}
