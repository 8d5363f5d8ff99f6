//! What a judge said, as a table of its own.

use super::figures::AgentSummary;
use super::summary::Summary;
use super::tables::{Cell, Row, Table};
use crate::judge::{Judged, Ratings};

/// The ratings of one judge, a column for each agent.
pub(super) fn judged(summary: &Summary, judged: &Judged) -> Table {
    let row = |name: &str, figure: &dyn Fn(&Ratings) -> Option<String>| {
        Row::of(summary, name, |agent: &AgentSummary| {
            let figure = judged.agents.get(&agent.agent).and_then(figure);
            figure.map_or_else(Cell::none, Cell::text)
        })
    };
    let mean = |mean: Option<f64>| mean.map(|mean| format!("{mean:.1}"));
    let rows = vec![
        row("episodes judged", &|own| Some(own.judged.to_string())),
        row("mean rating, 1 to 10", &|own| mean(own.mean)),
        row("of solved episodes", &|own| mean(own.mean_solved)).below(),
        row("of the others", &|own| mean(own.mean_unsolved)).below(),
        row("no rating to be read", &|own| {
            Some(own.unparsable.to_string())
        }),
    ];
    Table {
        title: format!("judged by {}", judged.judge.name()),
        rows,
        notes: notes(judged),
    }
}

fn notes(judged: &Judged) -> Vec<String> {
    let judge = &judged.judge;
    let mut notes = vec![format!(
        "a model's opinion (asked at {}, prompt {}) of whether submissions were reached from evidence in the transcript; no part of what is solved",
        judge.endpoint, judge.prompt_version
    )];
    if judge.scripted {
        notes.push("no model has judged: these are the answers of a script".to_owned());
    }
    if let Some(usage) = &judged.usage {
        let money = match usage.cost_usd {
            Some(dollars) => format!("{dollars:.4} US dollars"),
            None => "money unknown".to_owned(),
        };
        let estimated = if usage.estimated {
            " (partly our estimate)"
        } else {
            ""
        };
        notes.push(format!(
            "judging took {} tokens in, {} out, {money}{estimated}; no part of the agents' cost",
            usage.input_tokens, usage.output_tokens
        ));
    }
    if judged.unmatched > 0 {
        notes.push(format!(
            "{} more verdicts are of episodes that went otherwise or are not here, and are not shown",
            judged.unmatched
        ));
    }
    notes
}
