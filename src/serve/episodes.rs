//! The episodes that clients drive, whichever protocol they speak: opened, acted in, ended, kept.
//!
//! [`Episodes`] is their one owner. An episode belongs to whoever knows its id; it acts on its own
//! environment, in a folder of its own, and shares with others nothing but the open snapshot.

mod episode;
mod questions;
mod refusal;
mod simulation;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use aiopslab_problems::action::ActionSet;
use aiopslab_problems::episode::{EndReason, EpisodeEnd, EpisodeResult, Limits};
use aiopslab_replay::Clock;
use aiopslab_replay::environment::ReplayEnvironment;
use camino::{Utf8Path, Utf8PathBuf};
use serde_json::Value;
use tokio::sync::{OnceCell, Semaphore};
use tokio_util::sync::CancellationToken;

use self::episode::Begun;
pub use self::episode::{Answer, Episode, Standing};
pub use self::questions::Questions;
pub use self::refusal::Refusal;
pub use self::simulation::Simulated;
use super::workers::{Apart, Workers};
use crate::evaluation::{self, Asked, Options, Question};
use crate::exit::Failure;
use crate::results;
use crate::session;

/// The most steps that a client can ask for.
pub const MOST_STEPS: u32 = 1000;

/// Episodes that are over and still known; the oldest are forgotten first.
const KEPT: usize = 10_000;

/// How episodes are run.
#[derive(Debug, Clone)]
pub struct Terms {
    /// What an agent may take in each episode; a client may choose another number of steps. Time runs from when an
    /// episode is opened.
    pub limits: Limits,
    /// Episodes that may be open at a time.
    pub most_open: usize,
    /// How long an episode waits for its client.
    pub lease: Duration,
    /// Where the episodes go; none: the next free `results/NNN`.
    pub out: Option<Utf8PathBuf>,
}

/// What a client wants to be asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Wish {
    /// The problem's id.
    pub problem: String,
    /// The agent's name, for the record.
    pub agent: String,
    /// The moment; none: the problem's own.
    pub clock: Option<Clock>,
    /// Steps; none: as many as the server gives.
    pub max_steps: Option<u32>,
    /// Which actions there are.
    pub action_set: ActionSet,
    /// AIOpsLab's call syntax, answers and quirks, exactly.
    pub upstream: bool,
    /// Which repetition; part of the seed.
    pub repeat: u32,
    /// What else the agent was told or decides it, for the record.
    pub settings: Option<Value>,
}

/// All episodes of a server.
pub struct Episodes {
    questions: Questions,
    terms: Terms,
    out: OnceCell<Utf8PathBuf>,
    workers: Workers,
    slots: Arc<Semaphore>,
    known: Mutex<Known>,
    stopping: CancellationToken,
}

#[derive(Default)]
struct Known {
    by_id: BTreeMap<String, Arc<Episode>>,
    /// Their ids, the oldest first.
    order: VecDeque<String>,
    by_key: BTreeMap<String, Arc<Keyed>>,
}

/// A wish that makes sense.
struct Asking {
    asked: Asked,
    question: Question,
    options: Options,
}

/// What an idempotency key stands for.
struct Keyed {
    wish: Wish,
    episode: OnceCell<Arc<Episode>>,
}

impl Episodes {
    /// None yet. From `stopping` on none is opened.
    #[must_use]
    pub fn new(questions: Questions, terms: Terms, stopping: CancellationToken) -> Self {
        Self {
            questions,
            slots: Arc::new(Semaphore::new(terms.most_open)),
            terms,
            out: OnceCell::new(),
            workers: Workers::for_every_core(),
            known: Mutex::default(),
            stopping,
        }
    }

    /// What can be asked.
    #[must_use]
    pub fn questions(&self) -> &Questions {
        &self.questions
    }

    /// What an agent may take for one problem, where its wish does not say.
    #[must_use]
    pub fn limits(&self) -> &Limits {
        &self.terms.limits
    }

    /// How long an episode waits for its client.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.terms.lease
    }

    /// Opens an episode; the same one again for the same idempotency key.
    ///
    /// # Errors
    /// When the wish makes no sense, too many are open, or a file can't be written.
    pub async fn open(&self, wish: Wish, key: Option<String>) -> Result<Arc<Episode>, Refusal> {
        let Some(key) = key else {
            return self.begin(&wish).await;
        };
        let keyed = {
            let mut known = self.known();
            let keyed = known.by_key.entry(key.clone()).or_insert_with(|| {
                Arc::new(Keyed {
                    wish: wish.clone(),
                    episode: OnceCell::new(),
                })
            });
            Arc::clone(keyed)
        };
        if keyed.wish != wish {
            return Err(Refusal::KeyTaken);
        }
        let opened = keyed.episode.get_or_try_init(|| self.begin(&wish)).await;
        if opened.is_err() {
            self.known().by_key.remove(&key);
        }
        opened.map(Arc::clone)
    }

    /// Finds an episode; its lease begins anew.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, id: &str) -> Result<Arc<Episode>, Refusal> {
        let found = self.known().by_id.get(id).map(Arc::clone);
        let episode =
            found.ok_or_else(|| Refusal::UnknownEpisode(id.chars().take(80).collect()))?;
        episode.touch();
        Ok(episode)
    }

    /// Returns the `result.json` of an episode that is over, with AIOpsLab's count of tokens.
    ///
    /// # Errors
    /// When there is none, it goes on, or the file can't be read.
    pub async fn result(&self, id: &str) -> Result<EpisodeResult, Refusal> {
        let mut result = self.find(id)?.result().await?;
        let counted = self.apart(move || {
            results::count_tokens(&mut result);
            result
        });
        counted.await
    }

    /// Ends episodes whose lease has run out, until the server stops.
    pub async fn watch_leases(self: Arc<Self>) {
        let between =
            (self.terms.lease / 4).clamp(Duration::from_millis(10), Duration::from_secs(5));
        let mut ticks = tokio::time::interval(between);
        while !self.stopping.is_cancelled() {
            tokio::select! {
                () = self.stopping.cancelled() => return,
                _ = ticks.tick() => {}
            }
            for episode in self.all() {
                // It is logged where it is refused; there is nobody to tell.
                drop(episode.lapse());
            }
        }
    }

    /// Ends all episodes, after the steps under way; none is opened from now on.
    pub async fn stop(&self) {
        self.stopping.cancel();
        for episode in self.all() {
            drop(episode.end(interrupted()).await);
        }
        // Those that nobody knows by an id give their places back when their files are written.
        let all = u32::try_from(self.terms.most_open).unwrap_or(u32::MAX);
        drop(self.slots.acquire_many(all).await);
    }

    async fn begin(&self, wish: &Wish) -> Result<Arc<Episode>, Refusal> {
        let begun = self.start(self.ask(wish)?).await?;
        let id = format!("{:032x}", rand::random::<u128>());
        let episode = Arc::new(Episode::new(id, begun, self.terms.lease));
        self.known().remember(&episode, KEPT + self.terms.most_open);
        if self.stopping.is_cancelled() {
            episode.end(interrupted()).await?;
        }
        Ok(episode)
    }

    /// Checks a wish.
    fn ask(&self, wish: &Wish) -> Result<Asking, Refusal> {
        let question = self.questions.find(&wish.problem, wish.clock)?;
        let steps = wish.max_steps.unwrap_or(self.terms.limits.max_steps);
        if !(1..=MOST_STEPS).contains(&steps) {
            return Err(Refusal::Malformed(format!(
                "max_steps is {steps}\nhint: from 1 to {MOST_STEPS}"
            )));
        }
        let options = Options {
            limits: Limits {
                max_steps: steps,
                ..self.terms.limits
            },
            upstream: wish.upstream,
            upstream_visibility: false,
            action_set: wish.action_set,
            jobs: 1,
            repeat: wish.repeat,
            out: Utf8PathBuf::new(),
            resume: false,
        };
        let mut asked = Asked::on_snapshot(&wish.agent, &question, wish.repeat, &options);
        asked.set_agent_settings(wish.settings.clone());
        Ok(Asking {
            asked,
            question,
            options,
        })
    }

    /// Begins an episode: its environment, its folder, its session.
    async fn start(&self, asking: Asking) -> Result<Begun, Refusal> {
        if self.stopping.is_cancelled() {
            return Err(Refusal::Stopping);
        }
        let slot = Arc::clone(&self.slots).try_acquire_owned();
        let slot = slot.map_err(|_| Refusal::Full(self.terms.most_open))?;
        let asked = asking.asked;
        let environment = self.environment(asking.question, asking.options).await?;
        let out = self.out().await?;
        let folder = claim(out, &asked.folder())?;
        Ok(Begun {
            session: asked.open(Box::new(environment), out, &folder)?,
            result: out.join(&folder).join(session::RESULT),
            asked,
            folder,
            slot,
        })
    }

    async fn environment(
        &self,
        question: Question,
        options: Options,
    ) -> Result<Apart<ReplayEnvironment>, Refusal> {
        let opened = self.apart(move || Asked::replay(&question, &options));
        Ok(Apart::new(opened.await??, self.workers.clone()))
    }

    /// Computes apart from the threads that answer clients.
    async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refusal> {
        let done = self.workers.run(async move { work() }).await;
        done.map_err(|panicked| Refusal::Failed(panicked.to_string()))
    }

    /// The output folder, chosen and made with the first episode.
    async fn out(&self) -> Result<&Utf8Path, Refusal> {
        let chosen = self
            .out
            .get_or_try_init(async || {
                let out = evaluation::output_folder(self.terms.out.as_deref(), false)?;
                std::fs::create_dir_all(&out).map_err(|error| {
                    Failure::user(format!("the folder {out} can't be made: {error}"))
                })?;
                results::keep_problems(&out, self.questions.problems())?;
                Ok::<_, Failure>(out)
            })
            .await?;
        Ok(chosen)
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn all(&self) -> Vec<Arc<Episode>> {
        self.known().by_id.values().map(Arc::clone).collect()
    }
}

impl Known {
    /// Keeps an episode, and forgets the oldest beyond a number.
    fn remember(&mut self, episode: &Arc<Episode>, most: usize) {
        self.by_id.insert(episode.id.clone(), Arc::clone(episode));
        self.order.push_back(episode.id.clone());
        while self.order.len() > most {
            let Some(id) = self.order.pop_front() else {
                return;
            };
            self.by_id.remove(&id);
            self.by_key
                .retain(|_, keyed| keyed.episode.get().is_none_or(|episode| episode.id != id));
        }
    }
}

/// The end of an episode that its client did not end.
pub(crate) fn interrupted() -> EpisodeEnd {
    EpisodeEnd::without_submission(EndReason::Interrupted, None)
}

/// Takes a folder of its own for an episode: the same agent may be asked the same more than once.
fn claim(out: &Utf8Path, wanted: &str) -> Result<String, Failure> {
    let (agent, rest) = wanted.split_once('/').unwrap_or((wanted, ""));
    let mut folder = wanted.to_owned();
    for n in 2_u32.. {
        let path = out.join(&folder);
        let unmade = |error| Failure::user(format!("the folder {path} can't be made: {error}"));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent).map_err(unmade)?;
        }
        match std::fs::create_dir(&path) {
            Ok(()) => break,
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                folder = format!("{agent}-{n}/{rest}");
            }
            Err(error) => return Err(unmade(error)),
        }
    }
    Ok(folder)
}
