//! One episode: an agent on one problem, in whatever environment.

use std::collections::BTreeMap;

use aiopslab_capture::live::Judged;
use aiopslab_problems::action::CallSyntax;
use aiopslab_problems::catalog::Problem;
use aiopslab_problems::environment::Environment;
use aiopslab_problems::episode::{
    EPISODE_VERSION, EndReason, EpisodeEnd, EpisodeHeader, EpisodeResult, EpisodeStep, SnapshotRef,
    Usage,
};
use aiopslab_problems::family::{Application, Family};
use aiopslab_replay::environment::{ReplayEnvironment, ReplayOptions};
use camino::Utf8Path;
use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{Evaluated, Options, Place, Question, slug};
use crate::agents::{Agent, AgentSpec, Briefing};
use crate::exit::Failure;
use crate::session::{self, EpisodeFiles, Session};

/// What the clock and the snapshot of a live episode are called.
pub(super) const LIVE: &str = "live";

/// A problem put to an agent.
pub struct Asked {
    pub(super) problem: Problem,
    snapshot: String,
    /// What tells it from the same problem on another snapshot; empty: it is asked on one.
    apart: String,
    repeat: u32,
    briefing: Briefing,
    pub(super) header: EpisodeHeader,
}

/// An episode whose agent is done.
pub struct Talked {
    steps: Vec<EpisodeStep>,
    pub(super) end: EpisodeEnd,
    usage: Option<Usage>,
    files: EpisodeFiles,
    folder: String,
}

impl Asked {
    /// On a snapshot; `agent` is its name in the record.
    #[must_use]
    pub fn on_snapshot(agent: &str, question: &Question, repeat: u32, options: &Options) -> Self {
        let manifest = question.snapshot.manifest();
        let mut asked = Self::live(
            agent,
            &question.problem,
            &question.application,
            repeat,
            options,
        );
        asked.snapshot.clone_from(&question.recorded.name);
        if question.is_asked_elsewhere {
            asked.apart = question.digest.chars().take(8).collect();
        }
        let header = &mut asked.header;
        header.snapshot = Some(SnapshotRef {
            id: manifest.snapshot.to_string(),
            digest: question.digest.clone(),
        });
        header.clock = question.clock.to_string();
        let format = manifest.format_version.to_string();
        header.versions.insert("snapshot format".to_owned(), format);
        asked
    }

    /// On a running cluster.
    #[must_use]
    pub fn live(
        agent: &str,
        problem: &Problem,
        application: &Application,
        repeat: u32,
        options: &Options,
    ) -> Self {
        let briefing = Briefing::new(problem.task, application, options.action_set);
        let header = EpisodeHeader {
            version: EPISODE_VERSION,
            problem_id: problem.id.clone(),
            agent: agent.to_owned(),
            snapshot: None,
            clock: LIVE.to_owned(),
            on_write_live: false,
            action_set: options.action_set,
            upstream_visibility: options.upstream_visibility,
            syntax: if options.upstream {
                CallSyntax::Upstream
            } else {
                CallSyntax::Ours
            },
            limits: options.limits,
            seed: seed(problem.id.as_str(), repeat),
            versions: BTreeMap::from([
                ("aiopslab".to_owned(), env!("CARGO_PKG_VERSION").to_owned()),
                ("application".to_owned(), digest(application)),
            ]),
            briefing: Some(briefing.clone()),
            agent_settings: None,
        };
        Self {
            problem: problem.clone(),
            snapshot: LIVE.to_owned(),
            apart: String::new(),
            repeat,
            briefing,
            header,
        }
    }

    /// The incident is brought up as its family says.
    pub(super) fn of_family(&mut self, family: &Family) {
        let versions = &mut self.header.versions;
        versions.insert("family".to_owned(), digest(family));
    }

    /// Makes the agent, and takes into the record what decides it.
    pub fn agent(&mut self, spec: &AgentSpec) -> Box<dyn Agent> {
        let agent = spec.agent(self.header.seed);
        self.header.agent_settings = agent.settings();
        agent
    }

    /// The episode's folder below the output folder.
    #[must_use]
    pub fn folder(&self) -> String {
        let agent = slug(&self.header.agent);
        let (id, repeat) = (&self.problem.id, self.repeat);
        match self.apart.as_str() {
            "" => format!("{agent}/{id}-r{repeat}"),
            apart => format!("{agent}/{id}-{apart}-r{repeat}"),
        }
    }

    /// Sums up the episode that came of it.
    pub(super) fn evaluated(
        &self,
        result: &EpisodeResult,
        end: &EpisodeEnd,
        steps: usize,
        folder: String,
    ) -> Evaluated {
        let place = Place {
            snapshot: self.snapshot.clone(),
            repeat: self.repeat,
            folder,
        };
        Evaluated::new(&self.problem, result, end, steps, place)
    }

    /// Takes into the record what decides the agent.
    pub fn set_agent_settings(&mut self, settings: Option<Value>) {
        self.header.agent_settings = settings;
    }

    /// The problem.
    #[must_use]
    pub fn problem(&self) -> &Problem {
        &self.problem
    }

    /// What is recorded of it before the first step.
    #[must_use]
    pub fn header(&self) -> &EpisodeHeader {
        &self.header
    }

    /// What the agent is told.
    #[must_use]
    pub fn briefing(&self) -> &Briefing {
        &self.briefing
    }

    /// Opens the session, with its files in `folder` below the output folder.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn open<'a>(
        &self,
        environment: Box<dyn Environment + 'a>,
        out: &Utf8Path,
        folder: &str,
    ) -> Result<Session<'a>, Failure> {
        let files = EpisodeFiles::create(&out.join(folder), &self.header)?;
        let rules = session::Rules {
            syntax: self.header.syntax,
            action_set: self.header.action_set,
            limits: self.header.limits,
        };
        Ok(Session::new(environment, rules, files))
    }

    /// Lets the agent act until its session ends.
    pub(super) async fn talk(
        &self,
        agent: &mut dyn Agent,
        environment: &mut dyn Environment,
        options: &Options,
    ) -> Result<Talked, Failure> {
        let folder = self.folder();
        let mut session = self.open(Box::new(environment), &options.out, &folder)?;
        let end = session::run(agent, &mut session, &self.briefing).await?;
        Ok(Talked::new(session, end, folder))
    }

    /// The end of an episode whose environment can't be had.
    pub(super) fn without_environment(
        &self,
        broken: &Failure,
        options: &Options,
    ) -> Result<Talked, Failure> {
        let folder = self.folder();
        let reason = EndReason::EnvironmentFailed;
        Ok(Talked {
            steps: Vec::new(),
            end: EpisodeEnd::without_submission(reason, Some(broken.reason())),
            usage: None,
            files: EpisodeFiles::create(&options.out.join(&folder), &self.header)?,
            folder,
        })
    }

    /// The snapshot of a question as an environment.
    ///
    /// # Errors
    /// When the snapshot is damaged.
    pub fn replay(question: &Question, options: &Options) -> Result<ReplayEnvironment, Failure> {
        let replay = ReplayOptions {
            clock: question.clock,
            upstream_quirks: options.upstream,
            upstream_visibility: options.upstream_visibility,
            action_set: options.action_set,
            ..ReplayOptions::new(question.application.clone())
        };
        Ok(ReplayEnvironment::new(&question.snapshot, &replay)?)
    }
}

impl Talked {
    /// Takes what a session in `folder` left.
    #[must_use]
    pub fn new(session: Session<'_>, end: EpisodeEnd, folder: String) -> Self {
        let (steps, usage, files) = session.into_parts();
        Self {
            steps,
            end,
            usage,
            files,
            folder,
        }
    }

    /// Whether a running cluster was acted on.
    pub(super) fn went_live(&self) -> bool {
        self.steps.iter().any(|step| step.live)
    }

    /// Takes in what became of the fault.
    pub(super) fn judged(&mut self, judged: &Judged) -> Result<(), Failure> {
        self.end.mitigation = Some(judged.mitigation.clone());
        self.end.upstream_mitigation = Some(judged.upstream_mitigation.clone());
        self.files.keep("evidence.json", &json!(judged))
    }

    /// Keeps which programs were run to bring its incident up.
    pub(super) fn ran(&self, programs: &Value) -> Result<(), Failure> {
        self.files.keep("programs.json", programs)
    }

    /// Scores the episode and writes how it ended.
    ///
    /// # Errors
    /// When a file can't be written.
    pub fn close(mut self, asked: &Asked) -> Result<Evaluated, Failure> {
        let problem = &asked.problem;
        self.files.end(&self.end)?;
        let name = &asked.header.agent;
        let session_id = session_id(&asked.header);
        let record = (self.steps.as_slice(), &self.end);
        let mut result = super::result(problem, name, &session_id, record);
        result.usage = self.usage;
        result.not_reproducible = asked.header.not_reproducible().map(str::to_owned);
        self.files.finish(&result)?;
        Ok(asked.evaluated(&result, &self.end, self.steps.len(), self.folder))
    }
}

/// Names an episode: the same for the same episode, so that results can be compared.
fn session_id(header: &EpisodeHeader) -> String {
    digest(header)
}

/// Names what a document says.
pub(super) fn digest(document: &impl Serialize) -> String {
    let digest = Sha256::digest(serde_json::to_vec(document).unwrap_or_default());
    digest
        .iter()
        .take(8)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// Decides whatever an agent leaves to chance; the same on every machine.
fn seed(problem: &str, repeat: u32) -> u64 {
    let digest = Sha256::digest(format!("{problem}#{repeat}").as_bytes());
    digest
        .iter()
        .take(8)
        .fold(0, |seed, byte| (seed << 8) | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::seed;

    #[test]
    fn seeds_depend_on_problem_and_repetition_only() {
        assert_eq!(seed("a", 1), seed("a", 1));
        assert_ne!(seed("a", 1), seed("a", 2));
        assert_ne!(seed("a", 1), seed("b", 1));
    }
}
