//! `aiopslab eval`: an agent on snapshots, beside the baselines.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::time::Instant;

use aiopslab_problems::action::ActionSet;
use indicatif::{ProgressBar, ProgressStyle};

use crate::agents::AgentSpec;
use crate::cli::{Actions, Eval};
use crate::evaluation::{self, Evaluated, Options, Plan, Wanted};
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::report::{self, AgentSummary, Summary};
use crate::settings::Settings;

pub(super) async fn run(arguments: Eval, settings: Settings) -> Result<(), Failure> {
    let spec: AgentSpec = arguments.agent.parse()?;
    let library = Library::open(&settings)?;
    let wanted = Wanted {
        task: arguments.task,
        problems: arguments.problems,
        clock: arguments.clock.as_deref().map(str::parse).transpose()?,
    };
    let plan = Plan::make(&library, &arguments.paths, &wanted)?;
    let options = Options {
        max_steps: settings.max_steps.under(arguments.max_steps).value,
        upstream: arguments.upstream,
        upstream_visibility: arguments.upstream_visibility,
        action_set: match arguments.actions {
            Actions::Upstream => ActionSet::Upstream,
            Actions::Extended => ActionSet::Extended,
        },
        jobs: settings.jobs.under(arguments.jobs).value,
        repeat: arguments.repeat.max(1),
        out: evaluation::output_folder(arguments.out.as_deref())?,
    };
    let mut agents = vec![spec.clone()];
    agents.extend(
        AgentSpec::BASELINES
            .into_iter()
            .filter(|baseline| *baseline != spec),
    );
    std::fs::create_dir_all(&options.out).map_err(|error| {
        Failure::user(format!("the folder {} can't be made: {error}", options.out))
    })?;

    let started = Instant::now();
    let bar = progress(agents.len() * plan.questions.len() * options.repeat as usize);
    let episodes = {
        let bar = bar.clone();
        evaluation::run(&plan, &agents, &options, move || bar.inc(1)).await?
    };
    bar.finish_and_clear();
    let took = started.elapsed();

    let summary = summary(&spec, &agents, &plan, options.repeat, episodes);
    let text = format!("{:#}\n", serde_json::to_value(&summary)?);
    let file = options.out.join("summary.json");
    std::fs::write(&file, &text)
        .map_err(|error| Failure::user(format!("{file} can't be written: {error}")))?;
    if arguments.json {
        print(&text);
    } else {
        print(&format!(
            "{} on {} snapshots, {} problems\n",
            spec,
            plan.snapshots,
            plan.questions.len()
        ));
        print(&report::table(&summary));
        print(&format!("episodes are in {}\n", options.out));
    }
    let count = summary.episodes.len();
    eprintln!(
        "{count} episodes in {:.2} s ({:.0} a second)",
        took.as_secs_f64(),
        count as f64 / took.as_secs_f64()
    );
    Ok(())
}

fn summary(
    spec: &AgentSpec,
    agents: &[AgentSpec],
    plan: &Plan,
    repeat: u32,
    episodes: Vec<Evaluated>,
) -> Summary {
    let figures = agents.iter().map(|agent| {
        let name = agent.to_string();
        let own: Vec<&Evaluated> = episodes
            .iter()
            .filter(|episode| episode.agent == name)
            .collect();
        AgentSummary::of(&name, &own)
    });
    let mut exercised = BTreeMap::new();
    for question in &plan.questions {
        *exercised.entry(question.problem.exercised).or_default() += 1;
    }
    Summary {
        agent: spec.to_string(),
        snapshots: plan.snapshots,
        repeat,
        agents: figures.collect(),
        exercised,
        not_run: plan.not_run.clone(),
        episodes,
    }
}

fn progress(episodes: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} episodes {elapsed}");
    ProgressBar::new(episodes as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
