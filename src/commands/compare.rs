//! `aiopslab compare`: an agent beside its baselines, and beside another evaluation's agent.

use std::collections::{BTreeMap, BTreeSet};

use aiopslab_problems::family::Exercised;
use comfy_table::{CellAlignment, Table, presets};
use serde_json::json;

use crate::agents::AgentSpec;
use crate::cli::Compare;
use crate::comparison::{self, Row};
use crate::evaluation::Evaluated;
use crate::exit::Failure;
use crate::output::print;
use crate::report::{self, Summary};

pub(super) fn run(arguments: &Compare) -> Result<(), Failure> {
    let first = Summary::read(&arguments.a)?;
    let second = arguments.b.as_deref().map(Summary::read).transpose()?;
    let a = of(&first, &first.agent);
    let others = others(&first, second.as_ref());
    if others.is_empty() {
        return Err(Failure::user(format!(
            "{} has only the agent {}\nhint: name a second folder to compare it with",
            arguments.a, first.agent
        )));
    }
    let rows = comparison::compare(&a, &others);
    let is_asked_for = |row: &Row| {
        second
            .as_ref()
            .is_none_or(|second| row.against == second.agent)
    };
    if !rows.iter().any(is_asked_for) {
        return Err(Failure::user(
            "there is no problem that both were asked\nhint: `aiopslab eval` both on the same snapshots",
        ));
    }
    let exercised = exercised(&a, &others);
    if arguments.json {
        let told = json!({"agent": first.agent, "exercised": exercised, "rows": rows});
        print(&format!("{told:#}\n"));
        return Ok(());
    }
    print(&format!("A is {}\n{}\n", first.agent, table(&rows)));
    print(
        "lift: A's share less B's, in points, with the 95 % interval of a bootstrap over problems\n",
    );
    print("p: McNemar's exact test; Holm: corrected for the number of rows\n");
    print(&format!("{}\n", report::exercised(&exercised)));
    let alone = left_out(&a, &others);
    if alone > 0 {
        print(&format!(
            "left out: {alone} problems that only one of a pair was asked\n"
        ));
    }
    print(&trivial(&a, &others));
    Ok(())
}

/// The second agent where one is named, and always the baselines that ran with the first; where none
/// is named, whoever else did.
fn others<'a>(
    first: &'a Summary,
    second: Option<&'a Summary>,
) -> Vec<(String, Vec<&'a Evaluated>)> {
    let named = second.map(|second| (second.agent.clone(), of(second, &second.agent)));
    let is_beside = |name: &&String| match second {
        Some(second) => **name != second.agent && !first.is_evaluated(name),
        None => **name != first.agent,
    };
    let names = first.agents.iter().map(|agent| &agent.agent);
    let beside = names
        .filter(is_beside)
        .map(|name| (name.clone(), of(first, name)));
    named.into_iter().chain(beside).collect()
}

fn of<'a>(summary: &'a Summary, agent: &str) -> Vec<&'a Evaluated> {
    let episodes = summary.episodes.iter();
    episodes.filter(|episode| episode.agent == agent).collect()
}

fn problems<'a>(episodes: &[&'a Evaluated]) -> BTreeSet<&'a str> {
    episodes.iter().map(|one| one.problem.as_str()).collect()
}

fn left_out(a: &[&Evaluated], others: &[(String, Vec<&Evaluated>)]) -> usize {
    let first = problems(a);
    let mut alone = BTreeSet::new();
    for (_, episodes) in others {
        alone.extend(
            first
                .symmetric_difference(&problems(episodes))
                .copied()
                .collect::<Vec<_>>(),
        );
    }
    alone.len()
}

/// How many of the problems that are compared were exercised how far.
fn exercised(a: &[&Evaluated], others: &[(String, Vec<&Evaluated>)]) -> BTreeMap<Exercised, usize> {
    let theirs = others.iter().flat_map(|(_, episodes)| problems(episodes));
    let theirs: BTreeSet<&str> = theirs.collect();
    let known = a.iter().map(|one| (one.problem.as_str(), one.exercised));
    let compared: BTreeMap<&str, Exercised> = known
        .filter(|(problem, _)| theirs.contains(problem))
        .collect();
    let mut counts = BTreeMap::new();
    for how in compared.into_values() {
        *counts.entry(how).or_default() += 1;
    }
    counts
}

/// Problems that whoever always answers the same solves: they tell nothing about an agent.
fn trivial(a: &[&Evaluated], others: &[(String, Vec<&Evaluated>)]) -> String {
    let constant = AgentSpec::Constant.to_string();
    let Some((_, episodes)) = others.iter().find(|(name, _)| *name == constant) else {
        return String::new();
    };
    let asked = problems(a);
    let solved = comparison::always_solved(episodes.iter().copied());
    let solved = solved.into_iter().filter(|problem| asked.contains(problem));
    let names: Vec<&str> = solved.collect();
    match names.as_slice() {
        [] => String::new(),
        names => format!(
            "{constant} solves {} of {} problems, which tell nothing: {}\n",
            names.len(),
            asked.len(),
            names.join(", ")
        ),
    }
}

fn probability(p: f64) -> String {
    match p < 0.0005 {
        true => "< 0.001".to_owned(),
        false => format!("{p:.3}"),
    }
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    table.set_header([
        "B", "task", "problems", "A", "B", "lift", "95 %", "only A", "only B", "p", "Holm",
    ]);
    let points = |share: f64| format!("{:+.0}", share * 100.0);
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    for row in rows {
        table.add_row([
            row.against.clone(),
            row.task
                .map_or_else(|| "all".to_owned(), |task| task.to_string()),
            row.problems.to_string(),
            percent(row.a),
            percent(row.b),
            points(row.lift),
            format!("{} … {}", points(row.interval.0), points(row.interval.1)),
            row.only_a.to_string(),
            row.only_b.to_string(),
            probability(row.p),
            probability(row.p_holm),
        ]);
    }
    for column in 2..11 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}
