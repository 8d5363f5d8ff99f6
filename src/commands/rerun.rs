//! `aiopslab rerun`: what agents did in kept episodes, done again on a snapshot.

use std::sync::Arc;

use aiopslab_datasets::Snapshot;
use aiopslab_problems::action::{self, Action, CallSyntax};
use aiopslab_problems::environment::Verdict;
use aiopslab_problems::episode::{EpisodeHeader, EpisodeStep};
use aiopslab_problems::family::Application;
use aiopslab_replay::environment::{ReplayEnvironment, ReplayOptions};
use camino::Utf8PathBuf;
use futures::{StreamExt, TryStreamExt};
use serde::Serialize;

use crate::cli::Rerun;
use crate::evaluation::problems_on;
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::results::{self, Kept};
use crate::session::{self, Rules};
use crate::settings::Settings;

/// The snapshots that episodes can be replayed on.
struct Shelf {
    snapshots: Vec<Shelved>,
    /// Whether the user named them: then another version will do.
    is_chosen: bool,
}

struct Shelved {
    snapshot: Snapshot,
    digest: String,
    application: Application,
    problems: Vec<String>,
}

/// What came of replaying.
#[derive(Default, Serialize)]
pub(super) struct Reran {
    /// Episodes that were replayed.
    episodes: usize,
    /// Responses that were acted on again.
    steps: usize,
    /// Those that a running cluster had answered, which were not.
    live_steps: usize,
    changed: Vec<Change>,
    /// Episodes that could not be replayed, with the reason.
    not_rerun: Vec<String>,
}

/// An answer that is another one now.
#[derive(Serialize)]
struct Change {
    folder: Utf8PathBuf,
    problem: String,
    step: u32,
    action: String,
    before: Said,
    now: Said,
    /// The first line that differs, from 1; none: only what else was recorded does.
    line: Option<usize>,
}

/// What of an answer is shown.
#[derive(Serialize)]
struct Said {
    verdict: Verdict,
    /// The line at which the answers part; none: it ends before.
    line: Option<String>,
}

pub(super) async fn run(arguments: &Rerun, settings: &Settings) -> Result<(), Failure> {
    let library = Library::open_for(settings, &arguments.on)?;
    let kept = results::read(&arguments.results)?;
    let jobs = settings.jobs.clone().under(arguments.jobs).value.max(1);
    let reran = replay_all(&library, kept, &arguments.on, jobs).await?;
    if arguments.json {
        print(&format!("{:#}\n", serde_json::to_value(&reran)?));
    } else {
        print(&reran.text());
    }
    reran.is_same()
}

/// Replays episodes on the snapshots at the given places; without any, on those that episodes can be of.
pub(super) async fn replay_all(
    library: &Library,
    kept: Vec<Kept>,
    places: &[Utf8PathBuf],
    jobs: usize,
) -> Result<Reran, Failure> {
    let shelf = Arc::new(Shelf::open(library, places)?);
    let replays = kept.into_iter().map(|kept| {
        let shelf = Arc::clone(&shelf);
        async move {
            let replay = tokio::spawn(async move { replay(&shelf, &kept).await });
            replay.await.map_err(|panic| Failure::Ours(panic.into()))
        }
    });
    let reran: Vec<Reran> = futures::stream::iter(replays)
        .buffered(jobs)
        .try_collect()
        .await?;
    Ok(reran.into_iter().fold(Reran::default(), Reran::and))
}

impl Shelf {
    fn open(library: &Library, places: &[Utf8PathBuf]) -> Result<Self, Failure> {
        let mut snapshots = Vec::new();
        for dir in library.snapshots(places)? {
            let snapshot = Snapshot::open(&dir)?;
            // Where the truth is kept elsewhere, the snapshot is known by its id.
            let problems = match library.recorded(&dir) {
                Ok(recorded) => problems_on(library, &recorded),
                Err(_) => Vec::new(),
            };
            snapshots.push(Shelved {
                digest: snapshot.logical_digest()?,
                application: library.application_or_unknown(snapshot.manifest()),
                problems: problems.iter().map(|one| one.id.to_string()).collect(),
                snapshot,
            });
        }
        Ok(Self {
            snapshots,
            is_chosen: !places.is_empty(),
        })
    }

    /// The snapshot that an episode was recorded on, else another version of it.
    fn find(&self, header: &EpisodeHeader) -> Option<&Shelved> {
        let recorded_on = header.snapshot.as_ref()?;
        let problem = header.problem_id.as_str();
        let all = || self.snapshots.iter();
        all()
            .find(|one| one.digest == recorded_on.digest)
            .or_else(|| {
                all().find(|one| one.snapshot.manifest().snapshot.to_string() == recorded_on.id)
            })
            .or_else(|| {
                let asked = |one: &&Shelved| one.problems.iter().any(|id| id == problem);
                all().find(|one| self.is_chosen && asked(one))
            })
    }
}

impl Shelved {
    /// The snapshot as the episode saw it.
    fn environment(&self, header: &EpisodeHeader) -> Result<ReplayEnvironment, Failure> {
        let options = ReplayOptions {
            clock: header.clock.parse()?,
            upstream_quirks: header.syntax == CallSyntax::Upstream,
            upstream_visibility: header.upstream_visibility,
            action_set: header.action_set,
            ..ReplayOptions::new(self.application.clone())
        };
        Ok(ReplayEnvironment::new(&self.snapshot, &options)?)
    }
}

async fn replay(shelf: &Shelf, kept: &Kept) -> Reran {
    let mut reran = Reran::default();
    if let Err(because) = reran.replay(shelf, kept).await {
        let line = format!("{}: {because}", kept.folder);
        reran.not_rerun.push(line);
    }
    reran
}

impl Reran {
    async fn replay(&mut self, shelf: &Shelf, kept: &Kept) -> Result<(), String> {
        let header = kept.header.as_ref().filter(|_| !kept.is_session);
        let header = header.ok_or("a session file does not hold what the environment answered")?;
        let (live, recorded): (Vec<_>, Vec<_>) = kept.steps.iter().partition(|step| step.live);
        let on_cluster = header.snapshot.is_none();
        self.live_steps += live.len();
        if on_cluster {
            self.live_steps += recorded.len();
            return Ok(());
        }
        let shelved = shelf.find(header).ok_or_else(|| {
            let id = kept.snapshot.as_deref().unwrap_or_default();
            format!("its snapshot {id} is not among those that were searched")
        })?;
        let environment = shelved.environment(header);
        let mut environment = environment.map_err(|failure| failure.reason())?;
        let rules = Rules {
            syntax: header.syntax,
            action_set: header.action_set,
            limits: header.limits,
        };
        self.episodes += 1;
        for before in recorded {
            let response = before.response.clone();
            let mut now = session::answer(&mut environment, &rules, before.step, response).await?;
            // Nobody is asked again.
            now.thoughts.clone_from(&before.thoughts);
            self.steps += 1;
            self.changed.extend(Change::between(kept, before, &now));
        }
        Ok(())
    }

    fn and(mut self, other: Self) -> Self {
        self.episodes += other.episodes;
        self.steps += other.steps;
        self.live_steps += other.live_steps;
        self.changed.extend(other.changed);
        self.not_rerun.extend(other.not_rerun);
        self
    }

    /// For people: every change, then the counts.
    pub(super) fn text(&self) -> String {
        let mut text: String = self.changed.iter().map(Change::text).collect();
        for line in &self.not_rerun {
            text.push_str(&format!("not rerun: {line}\n"));
        }
        text.push_str(&format!(
            "{} steps of {} episodes: {} answers changed; {} steps on a cluster skipped, {} episodes not rerun\n",
            self.steps,
            self.episodes,
            self.changed.len(),
            self.live_steps,
            self.not_rerun.len()
        ));
        text
    }

    fn is_same(&self) -> Result<(), Failure> {
        if !self.changed.is_empty() {
            return Err(Failure::user(format!(
                "{} answers changed",
                self.changed.len()
            )));
        }
        if !self.not_rerun.is_empty() {
            return Err(Failure::user(format!(
                "{} episodes could not be rerun\nhint: name their snapshots with --snapshot, or a folder of them with --snapshots",
                self.not_rerun.len()
            )));
        }
        Ok(())
    }
}

impl Change {
    /// What of a step is another now, if anything is.
    fn between(kept: &Kept, before: &EpisodeStep, now: &EpisodeStep) -> Option<Self> {
        if before == now {
            return None;
        }
        let (old, new): (Vec<_>, Vec<_>) = (
            before.observation.lines().collect(),
            now.observation.lines().collect(),
        );
        let parting = (0..old.len().max(new.len())).find(|line| old.get(*line) != new.get(*line));
        let said = |step: &EpisodeStep, lines: &[&str]| Said {
            verdict: step.verdict,
            line: parting.and_then(|line| lines.get(line).map(|line| (*line).to_owned())),
        };
        Some(Self {
            folder: kept.folder.clone(),
            problem: kept.problem.clone(),
            step: before.step,
            action: match &before.action {
                Some(action) => call(action),
                None => "no call".to_owned(),
            },
            before: said(before, &old),
            now: said(now, &new),
            line: parting.map(|line| line + 1),
        })
    }

    fn text(&self) -> String {
        let mut text = format!("{}, step {}: {}\n", self.folder, self.step, self.action);
        if let Some(line) = self.line {
            let shown = |sign: char, said: &Said| match &said.line {
                Some(line) => format!("  {sign} {line}\n"),
                None => format!("  {sign} (it ends before)\n"),
            };
            text.push_str(&format!("  line {line} of the answer\n"));
            text.push_str(&shown('-', &self.before));
            text.push_str(&shown('+', &self.now));
        }
        if self.before.verdict != self.now.verdict {
            text.push_str(&format!(
                "  verdict: {} before, {} now\n",
                word(self.before.verdict),
                word(self.now.verdict)
            ));
        } else if self.line.is_none() {
            text.push_str(
                "  the answer is the same, but not the call that was read or its moment\n",
            );
        }
        text
    }
}

/// A verdict as transcripts call it.
fn word(verdict: Verdict) -> String {
    let word = serde_json::to_value(verdict).unwrap_or_default();
    word.as_str().unwrap_or_default().to_owned()
}

/// A call without its fence.
fn call(action: &Action) -> String {
    action::render(action).trim_matches(['`', '\n']).to_owned()
}
