//! The tables for a terminal, and as Markdown.

use std::collections::BTreeMap;

use aiopslab_problems::episode::EndReason;
use aiopslab_problems::family::Exercised;
use aiopslab_problems::task::Task;
use comfy_table::{CellAlignment, presets};

use super::beside::Source;
use super::judged;
use super::summary::Summary;
use super::tables::{self, Row, Table};
use crate::judge::Judged;

/// What an evaluation prints: what was solved, and whether the recordings could answer.
#[must_use]
pub fn of_evaluation(summary: &Summary) -> String {
    let mut solved = tables::solved(summary);
    solved.rows.push(tables::coverage(summary));
    solved.rows.push(tables::steps(summary));
    solved.notes.push(tables::COVERAGE.to_owned());
    solved.notes.extend(scope(summary));
    let mut out = format!(
        "{}\n",
        grid(summary, &solved, presets::UTF8_HORIZONTAL_ONLY)
    );
    for note in &solved.notes {
        out.push_str(&format!("{note}\n"));
    }
    out
}

/// What a judge said, for a terminal.
#[must_use]
pub fn of_judge(summary: &Summary, judged: &Judged) -> String {
    in_terminal(summary, &judged::judged(summary, judged))
}

/// A report for a terminal.
#[must_use]
pub fn text(source: &Source) -> String {
    let summary = &source.summary;
    let mut out = format!("{}\n", headline(summary));
    for table in all(source) {
        out.push_str(&in_terminal(summary, &table));
    }
    out.push_str(&format!("\n{}\n", last_lines(summary).join("\n")));
    out
}

/// A report as Markdown.
#[must_use]
pub fn markdown(source: &Source) -> String {
    let summary = &source.summary;
    let mut out = format!("# {}\n", plain(&headline(summary)));
    for mut table in all(source) {
        table.title = plain(&table.title);
        for row in &mut table.rows {
            row.name = plain(&row.name);
        }
        let grid = grid(summary, &table, presets::ASCII_MARKDOWN);
        out.push_str(&format!("\n## {}\n\n{grid}\n", title(&table)));
        for note in &table.notes {
            out.push_str(&format!("\n{}\n", plain(note)));
        }
    }
    let lines = last_lines(summary).into_iter();
    let lines: Vec<String> = lines.map(|line| format!("- {}\n", plain(&line))).collect();
    out.push_str(&format!("\n{}", lines.concat()));
    out
}

fn in_terminal(summary: &Summary, table: &Table) -> String {
    let grid = grid(summary, table, presets::UTF8_HORIZONTAL_ONLY);
    let mut out = format!("\n{grid}\n");
    for note in &table.notes {
        out.push_str(&format!("{note}\n"));
    }
    out
}

fn all(source: &Source) -> Vec<Table> {
    let summary = &source.summary;
    let mut all = vec![tables::solved(summary)];
    all.extend(tables::nearness(summary));
    all.push(tables::conduct(summary));
    all.extend(tables::cost(summary));
    all.push(tables::families(summary));
    all.push(tables::progress(summary));
    let judged = source.judged.iter();
    all.extend(judged.map(|judged| judged::judged(summary, judged)));
    all
}

/// A table's title with a capital.
pub(super) fn title(table: &Table) -> String {
    let mut letters = table.title.chars();
    let first = letters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(letters).collect()
}

/// What a report is of.
pub(super) fn headline(summary: &Summary) -> String {
    let agents = summary.agents.iter().map(|agent| agent.agent.as_str());
    let evaluated: Vec<&str> = agents.filter(|name| summary.is_evaluated(name)).collect();
    let repeat = match summary.repeat {
        1 => String::new(),
        repeat => format!(", each asked {repeat} times"),
    };
    format!(
        "{} on {} snapshots, {} problems{repeat}",
        evaluated.join(" and "),
        summary.snapshots,
        summary.problems()
    )
}

/// Which problems there were, and which were left out.
pub(super) fn scope(summary: &Summary) -> Vec<String> {
    let mut lines = vec![exercised(&summary.exercised)];
    if !summary.not_run.is_empty() {
        lines.push(format!(
            "not run, not counted: {} mitigation problems (they need a cluster)",
            summary.not_run.len()
        ));
    }
    lines.extend(unanswered(summary));
    lines
}

/// How many problems were exercised how far.
pub(crate) fn exercised(counts: &BTreeMap<Exercised, usize>) -> String {
    let counts = counts.iter();
    let counts: Vec<String> = counts
        .map(|(how, count)| format!("{} {count}", how.name()))
        .collect();
    format!(
        "problems by where their fault was exercised: {}",
        counts.join(", ")
    )
}

/// Which agents gave no answer, how often, and why: the tables show that as wrong.
fn unanswered(summary: &Summary) -> impl Iterator<Item = String> {
    let mut ends: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let episodes = summary.episodes.iter();
    for one in episodes.filter(|one| one.end != EndReason::Submitted) {
        let of_agent = ends.entry(&one.agent).or_default();
        *of_agent.entry(one.end.name()).or_default() += 1;
    }
    ends.into_iter().map(|(agent, ends)| {
        let ends = ends.iter().map(|(end, count)| format!("{end} {count}"));
        let ends: Vec<String> = ends.collect();
        format!("episodes of {agent} without an answer: {}", ends.join(", "))
    })
}

fn last_lines(summary: &Summary) -> Vec<String> {
    let mut lines = scope(summary);
    let trivial = summary.trivial();
    if !trivial.is_empty() {
        lines.push(format!(
            "problems that tell nothing: {}",
            trivial.join(", ")
        ));
    }
    lines
}

/// Agents' names are theirs: nothing in them is markup.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for letter in text.chars() {
        match letter {
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' => {
                plain.push('\\');
                plain.push(letter);
            }
            letter if letter.is_control() => plain.push(' '),
            letter => plain.push(letter),
        }
    }
    plain
}

fn grid(summary: &Summary, table: &Table, preset: &str) -> comfy_table::Table {
    let is_markdown = preset == presets::ASCII_MARKDOWN;
    let mut grid = comfy_table::Table::new();
    grid.load_preset(preset);
    let has_problems = table.rows.iter().any(|row| row.problems.is_some());
    let title = if is_markdown {
        ""
    } else {
        table.title.as_str()
    };
    let mut header = vec![title.to_owned()];
    header.extend(has_problems.then(|| "problems".to_owned()));
    header.extend(summary.agents.iter().map(|agent| match is_markdown {
        true => plain(&agent.agent),
        false => agent.agent.clone(),
    }));
    grid.set_header(header);
    for row in &table.rows {
        grid.add_row(line(row, has_problems));
    }
    for column in 1..grid.column_count() {
        if let Some(column) = grid.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    grid
}

fn line(row: &Row, has_problems: bool) -> Vec<String> {
    let indent = if row.is_below { "  " } else { "" };
    let mut line = vec![format!("{indent}{}", row.name)];
    let problems = row.problems.map(|problems| problems.to_string());
    line.extend(has_problems.then(|| problems.unwrap_or_default()));
    line.extend(row.cells.iter().map(|cell| match &cell.interval {
        Some(interval) => format!("{} ({interval})", cell.text),
        None => cell.text.clone(),
    }));
    line
}

/// A line for each mitigation that was judged.
#[must_use]
pub fn repairs(summary: &Summary) -> String {
    let mitigations = summary.episodes.iter();
    let lines = mitigations
        .filter(|one| one.task == Task::Mitigation)
        .map(|one| {
            let outcome = match &one.unmitigated {
                Some(because) => format!("not repaired: {because}"),
                None if one.success => "repaired".to_owned(),
                None => "not judged".to_owned(),
            };
            format!("{} by {}: {outcome}\n", one.problem, one.agent)
        });
    lines.collect()
}
