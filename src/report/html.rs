//! A report as one page: nothing is loaded, nothing runs, and agents' text is only ever text.

use minijinja::value::Serde;
use minijinja::{Environment, HtmlEscape, Value, context};
use serde::Serialize;

use super::beside::Source;
use super::summary::Summary;
use super::tables::{self, Table};
use super::{episodes, judged, svg, text};
use crate::exit::Failure;

/// Its ending makes the engine escape whatever is put into it.
const NAME: &str = "page.html";
const PAGE: &str = include_str!("page.html");
const STYLE: &str = include_str!("style.css");

/// A column of every table.
#[derive(Serialize)]
struct Agent<'a> {
    name: &'a str,
    is_evaluated: bool,
    share: String,
    interval: Option<String>,
    /// Lift over each baseline.
    lift: Vec<(String, String)>,
}

/// Makes the page. `truth` knows the right answer to a problem, where the catalog has it.
///
/// # Errors
/// When an episode can't be read.
pub fn html(source: &Source, truth: &dyn Fn(&str) -> Option<String>) -> Result<String, Failure> {
    let summary = &source.summary;
    let solved = tables::solved(summary);
    let agents = agents(summary, &solved);
    let mut plain = Vec::new();
    plain.extend(tables::nearness(summary));
    plain.push(tables::conduct(summary));
    plain.extend(tables::cost(summary));
    let judged_by = source.judged.iter();
    plain.extend(judged_by.map(|judged| judged::judged(summary, judged)));
    let most = summary.episodes.iter().map(|one| one.steps).max();
    let curves: Vec<(Vec<u64>, usize)> = summary
        .agents
        .iter()
        .map(|agent| (tables::curve(summary, &agent.agent), agent.all.episodes))
        .collect();
    let mut engine = Environment::new();
    engine.add_filter("bar", bar);
    engine.add_filter("breakable", breakable);
    engine.add_template(NAME, PAGE).map_err(ours)?;
    let page = engine.get_template(NAME).map_err(ours)?;
    page.render(context! {
        style => Value::from_safe_string(STYLE.to_owned()),
        headline => text::headline(summary),
        version => env!("CARGO_PKG_VERSION"),
        agents => Serde(&agents),
        solved => titled(&solved),
        plain => plain.iter().map(titled).collect::<Vec<_>>(),
        families => titled(&tables::families(summary)),
        progress => titled(&tables::progress(summary)),
        curves => Value::from_safe_string(svg::curves(&curves, most.unwrap_or_default())),
        scope => text::scope(summary),
        trivial => Serde(&summary.trivial()),
        episodes => Serde(&episodes::families(source, truth)?),
    })
    .map_err(ours)
}

/// Low, share and high as a picture.
fn bar(share: Vec<f64>) -> Value {
    Value::from_safe_string(match share.as_slice() {
        [low, share, high] => svg::bar((*low, *share, *high)),
        _ => String::new(),
    })
}

/// A name that may be broken after each `_`.
fn breakable(name: &str) -> Value {
    let parts: Vec<String> = name
        .split('_')
        .map(|part| HtmlEscape(part).to_string())
        .collect();
    Value::from_safe_string(parts.join("_<wbr>"))
}

fn ours(error: minijinja::Error) -> Failure {
    Failure::Ours(error.into())
}

fn titled(table: &Table) -> Value {
    context! { title => text::title(table), rows => Serde(&table.rows), notes => Serde(&table.notes) }
}

/// What heads the page: each agent's share of everything, and its lift.
fn agents<'a>(summary: &'a Summary, solved: &Table) -> Vec<Agent<'a>> {
    let all = solved.rows.iter().rfind(|row| row.name == "all");
    let cells = all.map(|row| row.cells.as_slice()).unwrap_or_default();
    let agents = summary.agents.iter().enumerate();
    agents
        .map(|(number, agent)| {
            let cell = cells.get(number);
            let over_all = agent.lift.iter().filter(|pair| pair.task.is_none());
            let baselines = over_all.filter(|pair| !summary.is_evaluated(&pair.against));
            Agent {
                name: &agent.agent,
                is_evaluated: summary.is_evaluated(&agent.agent),
                share: cell.map(|cell| cell.text.clone()).unwrap_or_default(),
                interval: cell.and_then(|cell| cell.interval.clone()),
                lift: baselines
                    .map(|pair| (format!("{:+.0}", pair.lift * 100.0), pair.against.clone()))
                    .collect(),
            }
        })
        .collect()
}
