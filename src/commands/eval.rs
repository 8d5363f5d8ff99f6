//! `aiopslab eval`: an agent on snapshots, beside the baselines; or on a running cluster.

mod algorithm;
mod live;

use std::io::IsTerminal;
use std::time::Instant;

use aiopslab_problems::action::ActionSet;
use aiopslab_problems::catalog::Problem;
use aiopslab_problems::episode::{EndReason, Limits, not_reproducible};
use indicatif::{ProgressBar, ProgressStyle};
use tokio_util::sync::CancellationToken;

use self::live::on_stage;
use super::report::page;
use crate::agents::AgentSpec;
use crate::cli::{Actions, Eval, OnWrite};
use crate::evaluation::{self, Evaluation, LivePlan, Options, Plan, Wanted};
use crate::exit::Failure;
use crate::library::Library;
use crate::output::print;
use crate::report::{self, SUMMARY, Summary};
use crate::results;
use crate::session;
use crate::settings::Settings;
use crate::signals::cancel_on_signal;

/// What becomes of an evaluation that somebody stops.
const STOPPING: &str = "what is finished is kept";

pub(super) async fn run(arguments: Eval, settings: Settings) -> Result<(), Failure> {
    let library = Library::open_for(&settings, &arguments.paths)?;
    if !arguments.algorithms.is_empty() {
        return algorithm::run(&arguments, &library);
    }
    let options = options(&arguments, &settings)?;
    let specs = specs(&arguments, &settings, &options)?;
    let started = Instant::now();
    let (summary, what) = if arguments.live.live {
        on_cluster(&arguments, &settings, &library, &specs, &options).await?
    } else {
        on_snapshots(&arguments, &settings, &library, &specs, &options).await?
    };
    tell(&summary, &what, &options, arguments.json)?;
    let (count, took) = (summary.episodes.len(), started.elapsed().as_secs_f64());
    eprintln!(
        "{count} episodes in {took:.2} s ({:.0} a second)",
        count as f64 / took
    );
    for note in unbound(&summary, &options.limits) {
        eprintln!("{note}");
    }
    if let Some(file) = &arguments.html {
        page(std::slice::from_ref(&options.out), file, &library)?;
    }
    is_whole(&summary, &options)
}

/// Limits that could not bind the agent, because it does not tell what it takes.
fn unbound(summary: &Summary, limits: &Limits) -> Vec<String> {
    let of_agent = || {
        let episodes = summary.episodes.iter();
        episodes.filter(|one| !one.agent.starts_with("baseline:"))
    };
    let without_cost =
        of_agent().filter(|one| one.usage.and_then(|usage| usage.cost_usd).is_none());
    let without_tokens = of_agent().filter(|one| one.usage.is_none());
    let counted = [
        (
            "cost",
            "--max-cost",
            limits.max_cost_usd.is_some(),
            without_cost.count(),
        ),
        (
            "tokens",
            "--max-tokens",
            limits.max_tokens.is_some(),
            without_tokens.count(),
        ),
    ];
    let unknown = counted
        .into_iter()
        .filter(|(_, _, is_limited, count)| *is_limited && *count > 0);
    let notes = unknown.map(|(what, flag, _, count)| {
        format!("the {what} of {count} episodes is not known: {flag} did not bind them")
    });
    notes.collect()
}

/// An evaluation that was stopped, or whose environment broke, is no evaluation yet.
fn is_whole(summary: &Summary, options: &Options) -> Result<(), Failure> {
    let out = &options.out;
    let resume =
        format!("hint: the same command with --resume --out {out} does these, and only these");
    if summary.unfinished > 0 {
        return Err(Failure::user(format!(
            "{} episodes are not finished\n{resume}",
            summary.unfinished
        )));
    }
    let broken = summary.episodes.iter();
    let broken: Vec<_> = broken
        .filter(|one| one.end == EndReason::EnvironmentFailed)
        .collect();
    match broken.first() {
        None => Ok(()),
        Some(first) => Err(Failure::user(format!(
            "the environment of {} episodes broke, first that of {out}/{}: {}\n{resume}",
            broken.len(),
            first.folder,
            first.error.as_deref().unwrap_or("nothing more is known"),
        ))),
    }
}

/// The agents as named, each once, ready to be run.
fn specs(
    arguments: &Eval,
    settings: &Settings,
    options: &Options,
) -> Result<Vec<AgentSpec>, Failure> {
    let llm = arguments.llm.above(settings.llm.clone());
    let mut specs: Vec<AgentSpec> = Vec::new();
    for name in &arguments.agents {
        let spec = AgentSpec::named(name, &llm)?;
        spec.check(&options.limits, options.jobs)?;
        if specs.contains(&spec) {
            continue;
        }
        let folder = |one: &AgentSpec| evaluation::slug(&one.to_string());
        if let Some(other) = specs.iter().find(|other| folder(other) == folder(&spec)) {
            return Err(Failure::user(format!(
                "{other} and {spec} would write to the same folder\nhint: evaluate them one after the other, each with its own --out"
            )));
        }
        specs.push(spec);
    }
    Ok(specs)
}

fn options(arguments: &Eval, settings: &Settings) -> Result<Options, Failure> {
    Ok(Options {
        limits: arguments.limits.over(settings)?,
        upstream: arguments.upstream,
        upstream_visibility: arguments.upstream_visibility,
        action_set: match arguments.actions {
            Actions::Upstream => ActionSet::Upstream,
            Actions::Extended => ActionSet::Extended,
        },
        jobs: settings.jobs.clone().under(arguments.jobs).value,
        repeat: arguments.repeat.max(1),
        out: evaluation::output_folder(arguments.out.as_deref(), arguments.resume)?,
        resume: arguments.resume,
    })
}

fn make_folder<'a>(
    options: &Options,
    asked: impl Iterator<Item = &'a Problem>,
) -> Result<(), Failure> {
    let out = &options.out;
    std::fs::create_dir_all(out)
        .map_err(|error| Failure::user(format!("the folder {out} can't be made: {error}")))?;
    results::keep_problems(out, asked)
}

/// The agents beside the baselines, on snapshots; or from snapshots to a cluster, where it writes.
async fn on_snapshots(
    arguments: &Eval,
    settings: &Settings,
    library: &Library,
    specs: &[AgentSpec],
    options: &Options,
) -> Result<(Summary, String), Failure> {
    let goes_live = arguments.live.on_write == OnWrite::Live;
    let wanted = Wanted {
        task: arguments.task,
        problems: arguments.problems.clone(),
        clock: arguments.clock.as_deref().map(str::parse).transpose()?,
        with_cluster: goes_live,
        controls: false,
    };
    let plan = Plan::make(library, &arguments.paths, &wanted)?;
    let problems = || plan.questions.iter().map(|question| &question.problem);
    make_folder(options, problems())?;
    let mut agents = specs.to_vec();
    agents.extend(
        AgentSpec::BASELINES
            .into_iter()
            .filter(|baseline| !specs.contains(baseline)),
    );
    let done = if goes_live {
        let prewarm = arguments.live.prewarm;
        on_stage(&arguments.live, settings, async |stage| {
            evaluation::run_on_write(library, &plan, &agents, options, &stage, prewarm).await
        })
        .await?
    } else {
        let bar = progress(
            &agents,
            agents.len() * plan.questions.len() * options.repeat as usize,
        );
        let moving = bar.clone();
        let cancel = CancellationToken::new();
        let watched = tokio::spawn(cancel_on_signal(cancel.clone(), STOPPING));
        let done = evaluation::run(&plan, &agents, options, &cancel, move || moving.inc(1)).await;
        watched.abort();
        bar.finish_and_clear();
        done?
    };
    tell_taken(&done);
    let mut summary = Summary::of(&names(&agents), problems(), options.repeat, done.episodes);
    summary.unfinished = done.unfinished;
    summary.snapshots = plan.snapshots;
    summary.not_run.clone_from(&plan.not_run);
    summary.not_reproducible = not_reproducible(&options.limits, goes_live).map(str::to_owned);
    let what = format!(
        "{} on {} snapshots, {} problems\n",
        names(specs).join(", "),
        plan.snapshots,
        plan.questions.len()
    );
    Ok((summary, what))
}

/// The agents alone, one after the other, on a running cluster.
async fn on_cluster(
    arguments: &Eval,
    settings: &Settings,
    library: &Library,
    specs: &[AgentSpec],
    options: &Options,
) -> Result<(Summary, String), Failure> {
    let wanted: Vec<String> = arguments.paths.iter().map(ToString::to_string).collect();
    let plan = LivePlan::make(library, &wanted, arguments.task)?;
    let questions = || plan.questions.values().flatten();
    let problems = || questions().map(|question| &question.problem);
    make_folder(options, problems())?;
    let done = on_stage(&arguments.live, settings, async |stage| {
        evaluation::run_live(&plan, specs, options, &stage).await
    })
    .await?;
    tell_taken(&done);
    let mut summary = Summary::of(&names(specs), problems(), options.repeat, done.episodes);
    summary.not_reproducible = not_reproducible(&options.limits, true).map(str::to_owned);
    let what = format!(
        "{} on a running cluster, {} problems\n",
        names(specs).join(", "),
        plan.len()
    );
    Ok((summary, what))
}

fn tell_taken(done: &Evaluation) {
    if done.taken > 0 {
        eprintln!("{} episodes were finished before", done.taken);
    }
}

/// Writes `summary.json` and prints what came of the evaluation.
fn tell(summary: &Summary, what: &str, options: &Options, json: bool) -> Result<(), Failure> {
    let text = format!("{:#}\n", serde_json::to_value(summary)?);
    session::write_json(&options.out.join(SUMMARY), summary)?;
    if json {
        print(&text);
        return Ok(());
    }
    print(what);
    print(&report::of_evaluation(summary));
    print(&report::repairs(summary));
    if let Some(because) = &summary.not_reproducible {
        print(&format!("not reproducible: {because}\n"));
    }
    print(&format!("episodes are in {}\n", options.out));
    Ok(())
}

fn names(agents: &[AgentSpec]) -> Vec<String> {
    agents.iter().map(ToString::to_string).collect()
}

fn progress(agents: &[AgentSpec], episodes: usize) -> ProgressBar {
    // A person's prompt and a bar would write over each other.
    if !std::io::stderr().is_terminal() || agents.contains(&AgentSpec::Human) {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{wide_bar} {pos}/{len} episodes {elapsed}");
    ProgressBar::new(episodes as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}
