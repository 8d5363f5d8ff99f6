//! What is measured when a release is built. Holds no time that passed: the same snapshots, the same figures.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_datasets::Snapshot;
use aiopslab_problems::action::ActionSet;
use aiopslab_problems::episode::{EndReason, Limits};
use aiopslab_problems::task::Task;
use camino::{Utf8Path, Utf8PathBuf};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::contents::{Contents, Size};
use crate::agents::AgentSpec;
use crate::evaluation::{self, Evaluated, Options, Plan, Wanted, has_fault};
use crate::exit::Failure;
use crate::fidelity::{self, Judgement};
use crate::library::{Library, base_name};
use crate::settings::Settings;

/// What an agent may take, as `eval` gives it; not the user's setting, so that figures are the same everywhere.
const STEPS: u32 = 30;

/// The figures that take the truth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Measured {
    /// Problems that can be asked without a cluster.
    pub(super) problems: u64,
    /// Kinds of faults.
    pub(super) families: u64,
    /// Snapshots in which nothing is wrong.
    pub(super) controls: u64,
    /// What each baseline solved.
    pub(super) baselines: BTreeMap<String, BTreeMap<Task, Solved>>,
    /// How much of what the baselines asked for the recordings could answer.
    pub(super) coverage: Coverage,
    /// How close replays are to the live systems; none: the live systems were asked nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) fidelity: Option<Fidelity>,
}

/// How many problems of a task an agent was asked, and how many it solved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Solved {
    pub(super) asked: u64,
    pub(super) successes: u64,
}

/// Calls that reached the recordings, and those that these answered or proved empty.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Coverage {
    pub(super) actions: u64,
    pub(super) answered: u64,
}

/// What became of the questions that the live systems had answered, as far as there is an engine for them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fidelity {
    /// All of them: the sum of the others.
    pub(super) asked: u64,
    /// The same answer.
    pub(super) equal: u64,
    /// Another answer, and a rule says why.
    pub(super) explained: u64,
    /// Another answer, while objects changed.
    pub(super) moving: u64,
    /// The replay says that it can't know.
    pub(super) not_captured: u64,
    /// Another answer.
    pub(super) unexplained: u64,
}

/// Measures snapshots, which must have their truth: what the baselines solve, how close the replay is to the
/// live system, and how much was recorded.
///
/// # Errors
/// When a snapshot can't be read or has no truth, or an episode breaks.
pub(crate) async fn figures(
    library: &Library,
    settings: &Settings,
    snapshots: &[Utf8PathBuf],
) -> Result<BTreeMap<String, Value>, Failure> {
    let jobs = settings.jobs.value;
    let folder = tempfile::tempdir()?;
    let out = Utf8Path::from_path(folder.path())
        .ok_or_else(|| Failure::user("the temporary folder is not UTF-8\nhint: set TMPDIR"))?;
    let agents = AgentSpec::BASELINES;
    let episodes = episodes(library, snapshots, &agents, jobs, out).await?;
    let mut measured = Measured {
        problems: (episodes.len() / agents.len()) as u64,
        fidelity: fidelity_of(snapshots, jobs).await?,
        ..Measured::default()
    };
    measured.count_faults(library, snapshots)?;
    for episode in &episodes {
        measured.count_episode(episode);
    }
    let mut figures = recorded(snapshots)?;
    if let Value::Object(fields) = serde_json::to_value(&measured)? {
        figures.extend(fields);
    }
    Ok(figures)
}

/// The figures that need no truth: tables, applications, when it was recorded.
///
/// # Errors
/// When a snapshot can't be opened.
pub(crate) fn recorded(snapshots: &[Utf8PathBuf]) -> Result<BTreeMap<String, Value>, Failure> {
    let mut contents = Contents::default();
    for dir in snapshots {
        contents.add(Snapshot::open(dir)?.manifest());
    }
    let tables = contents.tables.iter();
    let tables: BTreeMap<&str, &Size> = tables.map(|(table, size)| (table.name(), size)).collect();
    let applications: Vec<&String> = contents.applications.keys().collect();
    let period = contents.recorded;
    let period = period.map(|(from, to)| json!({"from": from, "to": to}));
    Ok(BTreeMap::from([
        ("applications".to_owned(), json!(applications)),
        ("recorded".to_owned(), json!(period)),
        ("snapshots".to_owned(), json!(snapshots.len())),
        ("tables".to_owned(), json!(tables)),
    ]))
}

/// Lets agents answer every problem of snapshots, as `eval` does, with the episodes in `out`.
///
/// # Errors
/// When nothing can be asked, the output can't be written, or an environment breaks.
pub(crate) async fn episodes(
    library: &Library,
    snapshots: &[Utf8PathBuf],
    agents: &[AgentSpec],
    jobs: usize,
    out: &Utf8Path,
) -> Result<Vec<Evaluated>, Failure> {
    let plan = Plan::make(library, snapshots, &Wanted::default())?;
    let options = Options {
        limits: Limits::steps(STEPS),
        upstream: false,
        upstream_visibility: false,
        action_set: ActionSet::Upstream,
        jobs,
        repeat: 1,
        out: out.to_owned(),
        resume: false,
    };
    let never = CancellationToken::new();
    let evaluation = evaluation::run(&plan, agents, &options, &never, || ()).await?;
    if evaluation.unfinished > 0 {
        let count = evaluation.unfinished;
        return Err(Failure::Ours(anyhow::anyhow!(
            "{count} episodes did not end"
        )));
    }
    let broken = |one: &&Evaluated| one.end == EndReason::EnvironmentFailed;
    if let Some(broken) = evaluation.episodes.iter().find(broken) {
        return Err(Failure::user(format!(
            "{} can't be asked on {}: {}",
            broken.problem,
            broken.snapshot,
            broken.error.as_deref().unwrap_or("nothing more is known")
        )));
    }
    Ok(evaluation.episodes)
}

impl Measured {
    fn count_faults(
        &mut self,
        library: &Library,
        snapshots: &[Utf8PathBuf],
    ) -> Result<(), Failure> {
        let mut families = BTreeSet::new();
        for dir in snapshots {
            let recorded = library.recorded(dir)?;
            if has_fault(library, &recorded) {
                families.insert(recorded.family);
            } else {
                self.controls += 1;
            }
        }
        self.families = families.len() as u64;
        Ok(())
    }

    fn count_episode(&mut self, episode: &Evaluated) {
        let agent = self.baselines.entry(episode.agent.clone()).or_default();
        let solved = agent.entry(episode.task).or_default();
        solved.asked += 1;
        solved.successes += u64::from(episode.success);
        self.coverage.actions += episode.actions;
        self.coverage.answered += episode.covered;
    }
}

async fn fidelity_of(snapshots: &[Utf8PathBuf], jobs: usize) -> Result<Option<Fidelity>, Failure> {
    let mut counts = Fidelity::default();
    for dir in snapshots {
        let snapshot = Snapshot::open(dir)?;
        if snapshot.probes()?.is_some() {
            let measured = fidelity::measure(&base_name(dir), snapshot, jobs).await?;
            for result in &measured.results {
                counts.count(&result.judgement);
            }
        }
    }
    Ok((counts.asked > 0).then_some(counts))
}

impl Fidelity {
    fn count(&mut self, judgement: &Judgement) {
        let of_its_kind = match judgement {
            Judgement::Equal => &mut self.equal,
            Judgement::Explained { .. } => &mut self.explained,
            Judgement::Different { .. } => &mut self.unexplained,
            Judgement::Moving { .. } => &mut self.moving,
            Judgement::NotCaptured { .. } => &mut self.not_captured,
            Judgement::NoEngine => return,
        };
        *of_its_kind += 1;
        self.asked += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Global;

    #[tokio::test]
    async fn the_same_snapshots_have_the_same_figures() {
        let settings = Settings::load(&Global::default()).unwrap();
        let library = Library::open(&settings).unwrap();
        let sample = |name: &str| library.find(name).unwrap();
        let snapshots = [
            sample("noop_detection_testbed-1"),
            sample("scale_pod_zero_testbed-1"),
        ];
        let first = figures(&library, &settings, &snapshots).await.unwrap();
        let mut other = settings.clone();
        other.jobs.value = 1;
        other.max_steps.value = 1;
        let second = figures(&library, &other, &snapshots).await.unwrap();
        assert_eq!(json!(first).to_string(), json!(second).to_string());
        let counts = ["snapshots", "families", "controls", "problems"].map(|name| &first[name]);
        assert_eq!(counts, [&json!(2), &json!(1), &json!(1), &json!(4)]);
        assert_eq!(first["applications"], json!(["hotel-testbed"]));
        let detection = &first["baselines"]["baseline:constant"]["detection"];
        assert_eq!(detection, &json!({"asked": 2, "successes": 1}));
        let fidelity = &first["fidelity"];
        assert_eq!(fidelity["unexplained"], json!(0), "{fidelity}");
        assert_eq!(first["coverage"]["actions"], first["coverage"]["answered"]);
        let lines = first["tables"]["log_lines"]["rows"].as_u64().unwrap();
        assert!(lines > 3_588, "{lines}");
    }
}
