//! Snapshots whose first write leads to a running cluster.
//!
//! What comes before the switch is a replay like any other. The first action that would change the
//! cluster, or may, is not carried out: the application and its verified fault are brought up on
//! the cluster (or have been, with prewarming), and the agent goes on there.

use aiopslab_capture::CaptureError;
use aiopslab_capture::live::{Judged, LiveEnvironment, LiveSystem};
use aiopslab_problems::action::Action;
use aiopslab_problems::answer;
use aiopslab_problems::condition::Outcome;
use aiopslab_problems::environment::{Environment, EnvironmentError, Observation, Verdict};
use aiopslab_replay::environment::ReplayEnvironment;
use async_trait::async_trait;
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::episode::Asked;
use super::live::{LiveQuestion, Stage, is_judged, or_cancelled, take_judgement};
use super::rounds::{self, Round};
use super::{Evaluated, Evaluation, Options, Plan, Question};
use crate::agents::{Agent, AgentSpec};
use crate::exit::Failure;
use crate::library::Library;

/// Why nothing is judged where nothing was written.
const UNCHANGED: &str = "the agent changed nothing";

/// A cluster on which an incident is, or can be, brought up.
enum Standby {
    /// Nothing was begun for this episode; an application may be there from an earlier one.
    Cold(Option<Box<LiveSystem>>),
    /// The incident is being brought up.
    Warming(JoinHandle<Result<Box<LiveSystem>, CaptureError>>),
    /// The incident is there.
    Up(Box<LiveSystem>),
    /// Bringing it up failed; what was done is undone.
    Lost,
}

/// A replay until the first write, a running cluster after.
struct Switching {
    replay: ReplayEnvironment,
    live: Option<LiveEnvironment>,
    standby: Standby,
    incident: LiveQuestion,
    stage: Stage,
    upstream: bool,
}

/// Runs every question of a plan for every agent, one after the other: there is one cluster.
///
/// A damaged snapshot, or a cluster that fails, ends its episode as `environment_failed`.
///
/// # Errors
/// When the cluster can't be left as it was found, or the output can't be written or holds another
/// evaluation; what was done to the cluster is undone then.
pub async fn run(
    library: &Library,
    plan: &Plan,
    agents: &[AgentSpec],
    options: &Options,
    stage: &Stage,
    prewarm: bool,
) -> Result<Evaluation, Failure> {
    let mut questions = Vec::new();
    for question in &plan.questions {
        let incident = LiveQuestion::find(library, &question.problem)?;
        questions.push((question, incident));
    }
    let ask = |agent: &str, (question, incident): &(&Question, LiveQuestion), repeat| {
        let mut asked = Asked::on_snapshot(agent, question, repeat, options);
        asked.header.on_write_live = true;
        asked.of_family(&incident.family);
        asked
    };
    let (rounds, mut evaluation) = rounds::begin(agents, &questions, options, ask)?;
    // Baselines only look: for them nothing is brought up before they ask for it.
    let prewarmed = agents.first().filter(|_| prewarm).map(ToString::to_string);
    let mut standby = Standby::Cold(None);
    let asked = async {
        for (round, kept) in rounds {
            let evaluated = match kept {
                Some(kept) => kept,
                None => {
                    let prewarm = prewarmed.as_ref() == Some(&round.asked.header.agent);
                    round.run(&mut standby, options, stage, prewarm).await?
                }
            };
            evaluation.episodes.push(evaluated);
        }
        Ok::<_, Failure>(())
    };
    let asked = asked.await;
    // Whatever happened, the cluster is left as it was found; the first failure is told.
    let left = match standby {
        Standby::Cold(Some(system)) => system.leave().await,
        _ => Ok(()),
    };
    asked?;
    left?;
    Ok(evaluation)
}

impl Round<(&Question, LiveQuestion)> {
    /// Asks; with `prewarm` the incident is brought up before the agent writes. The cluster is left
    /// in `standby` for the next.
    async fn run(
        mut self,
        standby: &mut Standby,
        options: &Options,
        stage: &Stage,
        prewarm: bool,
    ) -> Result<Evaluated, Failure> {
        let (question, incident) = self.question;
        let asked = &self.asked;
        let replay = match Asked::replay(question, options) {
            Ok(replay) => replay,
            Err(broken) => return asked.without_environment(&broken, options)?.close(asked),
        };
        let mut environment = Switching {
            replay,
            live: None,
            standby: std::mem::replace(standby, Standby::Cold(None)),
            incident,
            stage: stage.clone(),
            upstream: options.upstream,
        };
        if prewarm {
            environment.warm().await;
        }
        let agent = self.agent.as_mut();
        let episode = environment.episode(asked, agent, options).await;
        *standby = environment.cooled().await;
        episode
    }
}

impl Switching {
    /// Begins to bring the incident up.
    async fn warm(&mut self) {
        if let Standby::Cold(system) = std::mem::replace(&mut self.standby, Standby::Lost) {
            let (incident, stage) = (self.incident.clone(), self.stage.clone());
            self.standby = Standby::Warming(tokio::spawn(raise(system, incident, stage)));
        }
    }

    /// The incident on the cluster, brought up now if it was not before.
    async fn up(&mut self) -> Result<&mut LiveSystem, CaptureError> {
        let system = match std::mem::replace(&mut self.standby, Standby::Lost) {
            Standby::Up(system) => system,
            Standby::Warming(task) => match task.await {
                Ok(raised) => raised?,
                Err(broken) => return Err(CaptureError::NotReady(vec![broken.to_string()])),
            },
            Standby::Cold(system) => {
                raise(system, self.incident.clone(), self.stage.clone()).await?
            }
            Standby::Lost => {
                let lost = "the incident on the cluster was lost".to_owned();
                return Err(CaptureError::NotReady(vec![lost]));
            }
        };
        self.standby = Standby::Up(system);
        match &mut self.standby {
            Standby::Up(system) => Ok(system),
            _ => Err(CaptureError::NotReady(Vec::new())),
        }
    }

    /// Goes over to the cluster, with the files that the agent has written.
    async fn switch(&mut self) -> Result<(), CaptureError> {
        let progress = self.stage.progress.clone();
        progress.stage("switch", "the agent writes: it goes on with the cluster");
        let upstream = self.upstream;
        let calls = self.replay.calls();
        let files = self.replay.files().iter();
        let files: Vec<(String, String)> = files
            .map(|(path, text)| (path.to_owned(), text.to_owned()))
            .collect();
        let mut live = self.up().await?.environment(upstream).await?;
        live.take_over(calls, &files).await?;
        self.live = Some(live);
        Ok(())
    }

    async fn episode(
        &mut self,
        asked: &Asked,
        agent: &mut dyn Agent,
        options: &Options,
    ) -> Result<Evaluated, Failure> {
        let cancel = self.stage.cancel.clone();
        let mut talked = or_cancelled(&cancel, asked.talk(agent, self, options)).await?;
        if is_judged(asked, &talked) {
            if talked.went_live() {
                let judged = self.judge().await;
                take_judgement(&mut talked, judged, &cancel)?;
            } else {
                let unchanged = Outcome::Fails(UNCHANGED.to_owned());
                talked.end.mitigation = Some(unchanged.clone());
                talked.end.upstream_mitigation = Some(unchanged);
            }
        }
        if let Standby::Up(system) = &mut self.standby
            && let Some(programs) = system.programs()
        {
            talked.ran(&programs)?;
        }
        talked.close(asked)
    }

    async fn judge(&mut self) -> Result<Judged, CaptureError> {
        self.up().await?.judge().await
    }

    /// What is left of the cluster for the next episode: an application that has to be reset.
    async fn cooled(mut self) -> Standby {
        if matches!(self.standby, Standby::Warming(_))
            && let Err(error) = self.up().await
        {
            let progress = &self.stage.progress;
            progress.note(&format!("what was brought up in advance is lost: {error}"));
        }
        match self.standby {
            Standby::Up(system) | Standby::Cold(Some(system)) => Standby::Cold(Some(system)),
            _ => Standby::Cold(None),
        }
    }
}

/// Brings the incident up, on an application that may be there already.
async fn raise(
    system: Option<Box<LiveSystem>>,
    incident: LiveQuestion,
    stage: Stage,
) -> Result<Box<LiveSystem>, CaptureError> {
    let name = &incident.application.name;
    let mut system = match system {
        Some(system) if system.application() == name => system,
        other => {
            if let Some(other) = other {
                other.leave().await?;
            }
            let started = LiveSystem::start(
                incident.application.clone(),
                stage.options.clone(),
                stage.progress.clone(),
                stage.cancel.clone(),
            );
            Box::new(started.await?)
        }
    };
    let raised = async {
        if system.is_broken() {
            system.reset(stage.fresh).await?;
        }
        let task = incident.problem.task;
        system.inject(&incident.family, task).await
    };
    match raised.await {
        Ok(()) => Ok(system),
        Err(error) => Err(system.abandon(error).await),
    }
}

#[async_trait]
impl Environment for Switching {
    async fn act(&mut self, action: &Action) -> Result<Observation, EnvironmentError> {
        if let Some(live) = &mut self.live {
            return live.act(action).await;
        }
        let observation = self.replay.act(action).await?;
        if !self.replay.may_write() {
            return Ok(observation);
        }
        self.switch().await.map_err(|error| EnvironmentError {
            action: action.name(),
            source: Box::new(error),
        })?;
        Ok(Observation::new(answer::refreshed(), Verdict::Denied))
    }

    fn now(&self) -> Option<Timestamp> {
        match self.live {
            Some(_) => None,
            None => self.replay.now(),
        }
    }

    fn is_live(&self) -> bool {
        self.live.is_some()
    }
}
