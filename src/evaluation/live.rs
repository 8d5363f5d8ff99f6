//! Problems on a running cluster, one after the other.

use std::collections::BTreeMap;

use aiopslab_capture::live::{LiveOptions, LiveSystem};
use aiopslab_capture::progress::SharedProgress;
use aiopslab_problems::catalog::Problem;
use aiopslab_problems::family::{Application, Family};
use aiopslab_problems::task::Task;
use tokio_util::sync::CancellationToken;

use super::episode::Asked;
use super::{Evaluated, Options};
use crate::agents::AgentSpec;
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

/// Runs every problem of a plan on the cluster: one application at a time, deployed once.
///
/// # Errors
/// When the cluster fails or the output can't be written; what was done to the cluster is undone then.
pub async fn run(
    plan: &LivePlan,
    spec: &AgentSpec,
    options: &Options,
    stage: &Stage,
) -> Result<Vec<Evaluated>, Failure> {
    let mut done = Vec::new();
    for questions in plan.questions.values() {
        let Some(first) = questions.first() else {
            continue;
        };
        let mut system = LiveSystem::start(
            first.application.clone(),
            stage.options.clone(),
            stage.progress.clone(),
            stage.cancel.clone(),
        )
        .await?;
        let asked = ask_all(&mut system, questions, spec, options, stage).await;
        // Whatever happened, the cluster is left as it was found; the first failure is told.
        let left = system.leave().await;
        done.extend(asked?);
        left?;
    }
    Ok(done)
}

async fn ask_all(
    system: &mut LiveSystem,
    questions: &[LiveQuestion],
    spec: &AgentSpec,
    options: &Options,
    stage: &Stage,
) -> Result<Vec<Evaluated>, Failure> {
    let mut done = Vec::new();
    let rounds = questions
        .iter()
        .flat_map(|question| (1..=options.repeat).map(move |repeat| (question, repeat)));
    for (number, (question, repeat)) in rounds.enumerate() {
        if number > 0 {
            system.reset(stage.fresh).await?;
        }
        let LiveQuestion {
            problem,
            family,
            application,
        } = question;
        let mut asked = Asked::live(&spec.to_string(), problem, application, repeat, options);
        asked.of_family(family);
        let mut agent = asked.agent(spec);
        system.inject(family).await?;
        let mut environment = system.environment(options.upstream).await?;
        let text = format!("{spec} on {}", problem.id);
        stage.progress.stage("agent", &text);
        let talk = asked.talk(agent.as_mut(), &mut environment, options);
        let mut talked = or_cancelled(&stage.cancel, talk).await?;
        if problem.task == Task::Mitigation {
            let judged = system.judge().await?;
            talked.judged(&judged)?;
        }
        done.push(talked.close(&asked)?);
    }
    Ok(done)
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
