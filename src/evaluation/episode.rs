//! One episode: an agent on one problem, in whatever environment.

use std::collections::BTreeMap;

use aiopslab_capture::live::Judged;
use aiopslab_problems::action::{ActionSet, CallSyntax, describe};
use aiopslab_problems::catalog::Problem;
use aiopslab_problems::environment::Environment;
use aiopslab_problems::episode::{
    self, EPISODE_VERSION, EpisodeEnd, EpisodeHeader, EpisodeResult, EpisodeStep, SnapshotRef,
};
use aiopslab_problems::family::Application;
use aiopslab_problems::prompt;
use aiopslab_problems::score::score;
use aiopslab_problems::task::Task;
use aiopslab_replay::environment::{ReplayEnvironment, ReplayOptions};
use serde_json::json;
use sha2::{Digest, Sha256};

use super::{Evaluated, Options, Place, Question, slug};
use crate::agents::{ActionHelp, AgentSpec, Briefing};
use crate::exit::Failure;
use crate::session::{self, EpisodeFiles};

/// What the clock and the snapshot of a live episode are called.
pub(super) const LIVE: &str = "live";

/// A problem put to an agent.
pub(super) struct Asked {
    spec: AgentSpec,
    pub(super) problem: Problem,
    application: Application,
    snapshot: String,
    repeat: u32,
    pub(super) header: EpisodeHeader,
}

/// An episode whose agent is done.
pub(super) struct Talked {
    steps: Vec<EpisodeStep>,
    pub(super) end: EpisodeEnd,
    files: EpisodeFiles,
    folder: String,
}

impl Asked {
    /// On a snapshot.
    pub(super) fn on_snapshot(
        spec: &AgentSpec,
        question: &Question,
        repeat: u32,
        options: &Options,
    ) -> Self {
        let manifest = question.snapshot.manifest();
        let mut header = header(spec, &question.problem, repeat, options);
        header.snapshot = Some(SnapshotRef {
            id: manifest.snapshot.to_string(),
            digest: question.digest.clone(),
        });
        header.clock = question.clock.to_string();
        let format = manifest.format_version.to_string();
        header.versions.insert("snapshot format".to_owned(), format);
        Self {
            spec: spec.clone(),
            problem: question.problem.clone(),
            application: question.application.clone(),
            snapshot: question.recorded.name.clone(),
            repeat,
            header,
        }
    }

    /// On a running cluster.
    pub(super) fn live(
        spec: &AgentSpec,
        problem: &Problem,
        application: &Application,
        repeat: u32,
        options: &Options,
    ) -> Self {
        Self {
            spec: spec.clone(),
            problem: problem.clone(),
            application: application.clone(),
            snapshot: LIVE.to_owned(),
            repeat,
            header: header(spec, problem, repeat, options),
        }
    }

    /// Lets the agent act until it submits or runs out of steps.
    pub(super) async fn talk(
        &self,
        environment: &mut dyn Environment,
        options: &Options,
    ) -> Result<Talked, Failure> {
        let folder = format!(
            "{}/{}-r{}",
            slug(&self.spec.to_string()),
            self.problem.id,
            self.repeat
        );
        let mut files = EpisodeFiles::create(&options.out.join(&folder), &self.header)?;
        let mut agent = self.spec.agent(self.header.seed);
        let briefing = briefing(self.problem.task, &self.application, options.action_set);
        let rules = session::Rules {
            syntax: self.header.syntax,
            action_set: options.action_set,
            max_steps: options.max_steps,
        };
        let (steps, end) =
            session::run(agent.as_mut(), environment, &briefing, rules, &mut files).await?;
        Ok(Talked {
            steps,
            end,
            files,
            folder,
        })
    }

    /// The snapshot of a question as an environment.
    pub(super) fn replay(
        question: &Question,
        options: &Options,
    ) -> Result<ReplayEnvironment, Failure> {
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

    /// Scores the episode and writes how it ended.
    pub(super) fn close(mut self, asked: &Asked) -> Result<Evaluated, Failure> {
        let problem = &asked.problem;
        self.files.end(&self.end)?;
        let scores = score(problem, &episode::summary(&self.steps, &self.end));
        let name = &asked.header.agent;
        let session_id = session_id(&asked.header);
        let record = (self.steps.as_slice(), &self.end);
        let result = EpisodeResult::new(problem, name, &session_id, record, scores);
        self.files.finish(&result)?;
        let place = Place {
            snapshot: asked.snapshot.clone(),
            repeat: asked.repeat,
            folder: self.folder,
        };
        Ok(Evaluated::new(
            problem,
            &result,
            &self.end,
            self.steps.len(),
            place,
        ))
    }
}

fn briefing(task: Task, application: &Application, action_set: ActionSet) -> Briefing {
    let help = |(name, help): (String, String)| ActionHelp { name, help };
    Briefing {
        task,
        namespace: application.namespace.clone(),
        description: prompt::description(task, application),
        instructions: prompt::instructions(task),
        actions: describe(task, action_set)
            .into_iter()
            .map(|(name, text)| help((name.to_owned(), text)))
            .collect(),
    }
}

fn header(spec: &AgentSpec, problem: &Problem, repeat: u32, options: &Options) -> EpisodeHeader {
    EpisodeHeader {
        version: EPISODE_VERSION,
        problem_id: problem.id.clone(),
        agent: spec.to_string(),
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
        max_steps: options.max_steps,
        seed: seed(problem.id.as_str(), repeat),
        versions: BTreeMap::from([("aiopslab".to_owned(), env!("CARGO_PKG_VERSION").to_owned())]),
    }
}

/// Names an episode: the same for the same episode, so that results can be compared.
fn session_id(header: &EpisodeHeader) -> String {
    let digest = Sha256::digest(serde_json::to_vec(header).unwrap_or_default());
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
