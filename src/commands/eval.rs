//! `aiopslab eval`: an agent on snapshots, beside the baselines; or on a running cluster.

mod live;

use std::io::IsTerminal;
use std::time::Instant;

use aiopslab_problems::action::ActionSet;
use aiopslab_problems::episode::Limits;
use indicatif::{ProgressBar, ProgressStyle};

use self::live::on_stage;
use crate::agents::AgentSpec;
use crate::cli::{Actions, Eval, OnWrite};
use crate::evaluation::{self, LivePlan, Options, Plan, Wanted};
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::report::{self, Summary};
use crate::settings::Settings;

pub(super) async fn run(arguments: Eval, settings: Settings) -> Result<(), Failure> {
    let spec: AgentSpec = arguments.agent.parse()?;
    let library = Library::open(&settings)?;
    let options = options(&arguments, &settings)?;
    let started = Instant::now();
    let (summary, what) = if arguments.live.live {
        on_cluster(&arguments, &settings, &library, &spec, &options).await?
    } else {
        on_snapshots(&arguments, &settings, &library, &spec, &options).await?
    };
    tell(&summary, &what, &options, arguments.json)?;
    let (count, took) = (summary.episodes.len(), started.elapsed().as_secs_f64());
    eprintln!(
        "{count} episodes in {took:.2} s ({:.0} a second)",
        count as f64 / took
    );
    Ok(())
}

fn options(arguments: &Eval, settings: &Settings) -> Result<Options, Failure> {
    Ok(Options {
        limits: Limits::steps(settings.max_steps.clone().under(arguments.max_steps).value),
        upstream: arguments.upstream,
        upstream_visibility: arguments.upstream_visibility,
        action_set: match arguments.actions {
            Actions::Upstream => ActionSet::Upstream,
            Actions::Extended => ActionSet::Extended,
        },
        jobs: settings.jobs.clone().under(arguments.jobs).value,
        repeat: arguments.repeat.max(1),
        out: evaluation::output_folder(arguments.out.as_deref())?,
    })
}

fn make_folder(options: &Options) -> Result<(), Failure> {
    std::fs::create_dir_all(&options.out).map_err(|error| {
        Failure::user(format!("the folder {} can't be made: {error}", options.out))
    })
}

/// The agent beside the baselines, on snapshots; or from snapshots to a cluster, where it writes.
async fn on_snapshots(
    arguments: &Eval,
    settings: &Settings,
    library: &Library,
    spec: &AgentSpec,
    options: &Options,
) -> Result<(Summary, String), Failure> {
    let goes_live = arguments.live.on_write == OnWrite::Live;
    let wanted = Wanted {
        task: arguments.task,
        problems: arguments.problems.clone(),
        clock: arguments.clock.as_deref().map(str::parse).transpose()?,
        with_cluster: goes_live,
    };
    let plan = Plan::make(library, &arguments.paths, &wanted)?;
    make_folder(options)?;
    let mut agents = vec![spec.clone()];
    agents.extend(
        AgentSpec::BASELINES
            .into_iter()
            .filter(|baseline| baseline != spec),
    );
    let episodes = if goes_live {
        let prewarm = arguments.live.prewarm;
        on_stage(&arguments.live, settings, async |stage| {
            evaluation::run_on_write(library, &plan, &agents, options, &stage, prewarm).await
        })
        .await?
    } else {
        let bar = progress(agents.len() * plan.questions.len() * options.repeat as usize);
        let moving = bar.clone();
        let episodes = evaluation::run(&plan, &agents, options, move || moving.inc(1)).await?;
        bar.finish_and_clear();
        episodes
    };
    let problems = plan.questions.iter().map(|question| &question.problem);
    let agents: Vec<String> = agents.iter().map(ToString::to_string).collect();
    let mut summary = Summary::of(&agents, problems, options.repeat, episodes);
    summary.snapshots = plan.snapshots;
    summary.not_run.clone_from(&plan.not_run);
    let what = format!(
        "{spec} on {} snapshots, {} problems\n",
        plan.snapshots,
        plan.questions.len()
    );
    Ok((summary, what))
}

/// The agent alone, on a running cluster.
async fn on_cluster(
    arguments: &Eval,
    settings: &Settings,
    library: &Library,
    spec: &AgentSpec,
    options: &Options,
) -> Result<(Summary, String), Failure> {
    let names: Vec<String> = arguments.paths.iter().map(ToString::to_string).collect();
    let plan = LivePlan::make(library, &names, arguments.task)?;
    make_folder(options)?;
    let episodes = on_stage(&arguments.live, settings, async |stage| {
        evaluation::run_live(&plan, spec, options, &stage).await
    })
    .await?;
    let questions = plan.questions.values().flatten();
    let problems = questions.map(|question| &question.problem);
    let summary = Summary::of(&[spec.to_string()], problems, options.repeat, episodes);
    let what = format!("{spec} on a running cluster, {} problems\n", plan.len());
    Ok((summary, what))
}

/// Writes `summary.json` and prints what came of the evaluation.
fn tell(summary: &Summary, what: &str, options: &Options, json: bool) -> Result<(), Failure> {
    let text = format!("{:#}\n", serde_json::to_value(summary)?);
    let file = options.out.join("summary.json");
    std::fs::write(&file, &text)
        .map_err(|error| Failure::user(format!("{file} can't be written: {error}")))?;
    if json {
        print(&text);
        return Ok(());
    }
    print(what);
    print(&report::of_evaluation(summary));
    print(&report::repairs(summary));
    print(&format!("episodes are in {}\n", options.out));
    Ok(())
}

fn progress(episodes: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} episodes {elapsed}");
    ProgressBar::new(episodes as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
