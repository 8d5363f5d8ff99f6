//! Problems on a running cluster, one after the other.

use std::collections::BTreeMap;

use aiopslab_capture::CaptureError;
use aiopslab_capture::live::{Judged, LiveEnvironment, LiveOptions, LiveSystem};
use aiopslab_capture::progress::SharedProgress;
use aiopslab_problems::catalog::Problem;
use aiopslab_problems::episode::{EndReason, EpisodeEnd};
use aiopslab_problems::family::{Application, Family};
use aiopslab_problems::task::Task;
use tokio_util::sync::CancellationToken;

use super::episode::{Asked, Talked};
use super::rounds::{self, Round};
use super::{Evaluated, Evaluation, Options};
use crate::agents::{Agent, AgentSpec};
use crate::exit::Failure;
use crate::library::Library;

/// How a running cluster is used.
#[derive(Clone)]
pub struct Stage {
    /// How incidents are brought up.
    pub options: LiveOptions,
    /// Deploys everything anew for each problem.
    pub fresh: bool,
    /// Listens.
    pub progress: SharedProgress,
    /// Ends it.
    pub cancel: CancellationToken,
}

/// Problems to ask on a running cluster.
#[derive(Debug, Clone, Default)]
pub struct LivePlan {
    /// Those that are asked, by application.
    pub questions: BTreeMap<String, Vec<LiveQuestion>>,
}

/// One problem.
#[derive(Debug, Clone)]
pub struct LiveQuestion {
    /// The problem.
    pub problem: Problem,
    /// One variant of its family.
    pub family: Family,
    /// The application.
    pub application: Application,
}

impl LivePlan {
    /// Finds problems by name, or all of a family's variant by `FAMILY-N`.
    ///
    /// # Errors
    /// When a name is unknown, a problem is disabled, or nothing is left to ask.
    pub fn make(library: &Library, names: &[String], task: Option<Task>) -> Result<Self, Failure> {
        let mut plan = Self::default();
        for name in names {
            let problems: Vec<&Problem> = match library.family(name) {
                Ok((family, n)) => {
                    let snapshot = format!("{}-{n}", family.family);
                    let all = library.catalog.problems().iter();
                    all.filter(|one| one.snapshot == snapshot && !one.control)
                        .filter(|one| one.disabled.is_none())
                        .collect()
                }
                Err(_) => vec![library.catalog.problem(name)?],
            };
            for problem in problems {
                if let Some(reason) = &problem.disabled {
                    return Err(Failure::user(format!("{name} is disabled: {reason}")));
                }
                if task.is_none_or(|task| task == problem.task) {
                    let question = LiveQuestion::find(library, problem)?;
                    let application = question.application.name.clone();
                    plan.questions
                        .entry(application)
                        .or_default()
                        .push(question);
                }
            }
        }
        if plan.questions.is_empty() {
            return Err(Failure::user(
                "nothing to ask on the cluster\nhint: name problems or families, `aiopslab problems list` shows them",
            ));
        }
        Ok(plan)
    }

    /// How many problems there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.questions.values().map(Vec::len).sum()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl LiveQuestion {
    /// Finds what belongs to a problem.
    ///
    /// # Errors
    /// When the catalog lacks it, or it can't be brought up by this version.
    pub fn find(library: &Library, problem: &Problem) -> Result<Self, Failure> {
        let name = format!("{}-{}", problem.family, problem.variant);
        let (family, n) = library.family(&name)?;
        let mut family = family.resolve(n)?;
        if problem.control {
            family.inject.clear();
            family.manifested.clear();
        }
        let application = library.application(&family.application)?.clone();
        LiveSystem::check(&family, &application)?;
        Ok(Self {
            problem: problem.clone(),
            application,
            family,
        })
    }
}

/// Runs every problem of a plan on the cluster for every agent: an application stays deployed as long as
/// it is the next problem's too.
///
/// A problem whose incident can't be brought up or judged ends as `environment_failed`, and the next
/// one is asked.
///
/// # Errors
/// When the very first application can't be brought up, two problems in a row can't, the cluster
/// can't be left as it was found, or the output can't be written or holds another evaluation; what was
/// done to the cluster is undone then.
pub async fn run(
    plan: &LivePlan,
    agents: &[AgentSpec],
    options: &Options,
    stage: &Stage,
) -> Result<Evaluation, Failure> {
    let questions: Vec<&LiveQuestion> = plan.questions.values().flatten().collect();
    let ask = |agent: &str, question: &&LiveQuestion, repeat| {
        let (problem, application) = (&question.problem, &question.application);
        let mut asked = Asked::live(agent, problem, application, repeat, options);
        asked.of_family(&question.family);
        asked
    };
    let (rounds, mut evaluation) = rounds::begin(agents, &questions, options, ask)?;
    let mut cluster = Cluster {
        options,
        stage,
        system: None,
        has_asked: false,
        has_failed: false,
    };
    let asked = async {
        for (round, kept) in rounds {
            let evaluated = match kept {
                Some(kept) => kept,
                None => cluster.ask(round).await?,
            };
            evaluation.episodes.push(evaluated);
        }
        Ok::<_, Failure>(())
    };
    let asked = asked.await;
    // Whatever happened, the cluster is left as it was found; the first failure is told.
    let left = cluster.leave().await;
    asked?;
    left?;
    Ok(evaluation)
}

/// The cluster on its way through the rounds.
struct Cluster<'a> {
    options: &'a Options,
    stage: &'a Stage,
    /// The application that is deployed, as the last round left it.
    system: Option<LiveSystem>,
    /// Whether an episode has come to its end.
    has_asked: bool,
    /// Whether the last incident could not be brought up.
    has_failed: bool,
}

impl Cluster<'_> {
    async fn ask(&mut self, mut round: Round<&LiveQuestion>) -> Result<Evaluated, Failure> {
        let talked = match self.bring_up(round.question).await {
            Ok(mut environment) => {
                self.has_failed = false;
                self.talk(&mut environment, &round.asked, round.agent.as_mut())
                    .await?
            }
            Err(error) => self.not_brought_up(error, &round.asked)?,
        };
        self.has_asked = true;
        if let Some(programs) = self.system.as_mut().and_then(LiveSystem::programs) {
            talked.ran(&programs)?;
        }
        talked.close(&round.asked)
    }

    /// Breaks the application, which is deployed or reset before.
    async fn bring_up(&mut self, question: &LiveQuestion) -> Result<LiveEnvironment, CaptureError> {
        let stage = self.stage;
        let is_another = |up: &LiveSystem| up.application() != question.application.name;
        if self.system.as_ref().is_some_and(is_another) {
            self.leave().await?;
        }
        let up = match &mut self.system {
            Some(up) => {
                // Whatever an earlier problem left, also one that broke half-way.
                up.reset(stage.fresh).await?;
                up
            }
            none => {
                let started = LiveSystem::start(
                    question.application.clone(),
                    stage.options.clone(),
                    stage.progress.clone(),
                    stage.cancel.clone(),
                );
                none.insert(started.await?)
            }
        };
        up.inject(&question.family, question.problem.task).await?;
        up.environment(self.options.upstream).await
    }

    /// Leaves the cluster as it was found.
    async fn leave(&mut self) -> Result<(), CaptureError> {
        match self.system.take() {
            Some(system) => system.leave().await,
            None => Ok(()),
        }
    }

    /// Lets the agent act, and judges what it did.
    async fn talk(
        &mut self,
        environment: &mut LiveEnvironment,
        asked: &Asked,
        agent: &mut dyn Agent,
    ) -> Result<Talked, Failure> {
        let cancel = &self.stage.cancel;
        let text = format!("{} on {}", asked.header.agent, asked.problem.id);
        self.stage.progress.stage("agent", &text);
        let talk = asked.talk(agent, environment, self.options);
        let mut talked = or_cancelled(cancel, talk).await?;
        if is_judged(asked, &talked)
            && let Some(system) = &mut self.system
        {
            let judged = system.judge().await;
            take_judgement(&mut talked, judged, cancel)?;
        }
        Ok(talked)
    }

    /// Ends an episode whose incident could not be brought up.
    ///
    /// # Errors
    /// When the next one would not do better: the user has stopped it, not even the first application
    /// could be deployed, or it is the second in a row.
    fn not_brought_up(&mut self, error: CaptureError, asked: &Asked) -> Result<Talked, Failure> {
        let failure = Failure::from(error);
        let is_first = !self.has_asked && self.system.is_none();
        if self.stage.cancel.is_cancelled() || self.has_failed || is_first {
            return Err(failure);
        }
        self.has_failed = true;
        let reason = failure.reason();
        let text = format!("{} could not be brought up: {reason}", asked.problem.id);
        self.stage.progress.note(&text);
        asked.without_environment(&failure, self.options)
    }
}

/// Whether it is judged what became of the fault: not where the environment broke, since nobody
/// knows what the agent would have done.
pub(super) fn is_judged(asked: &Asked, talked: &Talked) -> bool {
    let has_broken = talked.end.end_reason == EndReason::EnvironmentFailed;
    asked.problem.task == Task::Mitigation && !has_broken
}

/// Takes in what became of the fault. Where it can't be told, the environment has failed.
///
/// # Errors
/// When the evidence can't be written, or the user has stopped it.
pub(super) fn take_judgement(
    talked: &mut Talked,
    judged: Result<Judged, CaptureError>,
    cancel: &CancellationToken,
) -> Result<(), Failure> {
    let failure = match judged {
        Ok(judged) => return talked.judged(&judged),
        Err(error) => Failure::from(error),
    };
    if cancel.is_cancelled() {
        return Err(failure);
    }
    let reason = EndReason::EnvironmentFailed;
    talked.end = EpisodeEnd::without_submission(reason, Some(failure.reason()));
    Ok(())
}

/// Waits for an agent, unless the user stops it.
pub(super) async fn or_cancelled<T>(
    cancel: &CancellationToken,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    cancel.run_until_cancelled(work).await.unwrap_or_else(|| {
        Err(Failure::user(
            "stopped; the cluster is left as it was found",
        ))
    })
}
