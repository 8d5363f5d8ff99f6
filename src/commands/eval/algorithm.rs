//! `eval --algorithm`: algorithms on snapshots, without an agent.

use aiopslab_datasets::Snapshot;
use comfy_table::{CellAlignment, presets};
use serde_json::json;

use crate::agents::Algorithm;
use crate::cli::Eval;
use crate::exit::Failure;
use crate::library::{Library, base_name};
use crate::output::print;
use crate::rankings::{Figures, Ranking, Recorded, known, rank};

/// Stands for every algorithm.
const ALL: &str = "all";

pub(super) fn run(arguments: &Eval, library: &Library) -> Result<(), Failure> {
    let algorithms = named(&arguments.algorithms)?;
    let (mut rankings, mut left_out) = (Vec::new(), Vec::new());
    for dir in library.snapshots(&arguments.paths)? {
        let (name, snapshot) = (base_name(&dir), Snapshot::open(&dir)?);
        let known = known(&snapshot)?;
        let mut recorded = Recorded::new(&snapshot);
        for algorithm in &algorithms {
            let ranked = match &known {
                Ok(known) => rank(&name, &mut recorded, known, *algorithm)?,
                Err(why) => Err(*why),
            };
            match ranked {
                Ok(ranking) => rankings.push(ranking),
                Err(why) => left_out.push((name.clone(), algorithm.name(), why)),
            }
        }
    }
    let figures: Vec<(Algorithm, Option<Figures>)> = algorithms
        .iter()
        .map(|algorithm| {
            let of_it = |one: &&Ranking| one.algorithm == algorithm.name();
            let of_it: Vec<&Ranking> = rankings.iter().filter(of_it).collect();
            (*algorithm, Figures::of(&of_it))
        })
        .collect();
    if arguments.json {
        let each: Vec<_> = figures
            .iter()
            .map(|(algorithm, figures)| json!({"algorithm": algorithm.name(), "figures": figures}))
            .collect();
        print(&format!(
            "{:#}\n",
            json!({"algorithms": each, "rankings": rankings, "left_out": left_out})
        ));
    } else {
        print(&format!("{}\n", table(&figures)));
        print("of 100; chance: Avg@5 of a random order, lift: what Avg@5 is above it\n");
        for (name, algorithm, why) in left_out {
            print(&format!("left out: {name} by {algorithm}: {why}\n"));
        }
    }
    Ok(())
}

fn named(names: &[String]) -> Result<Vec<Algorithm>, Failure> {
    if names.iter().any(|name| name == ALL) {
        return Ok(Algorithm::ALL.to_vec());
    }
    let known = || Algorithm::ALL.map(Algorithm::name).join(", ");
    names
        .iter()
        .map(|name| {
            Algorithm::named(name).ok_or_else(|| {
                Failure::user(format!(
                    "there is no algorithm {name:?}\nhint: {ALL}, or one of {}",
                    known()
                ))
            })
        })
        .collect()
}

fn table(figures: &[(Algorithm, Option<Figures>)]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    let header = [
        "algorithm",
        "incidents",
        "AC@1",
        "AC@3",
        "AC@5",
        "Avg@5",
        "MRR",
        "chance",
        "lift",
    ];
    table.set_header(header);
    for (algorithm, figures) in figures {
        let Some(figures) = figures else {
            table.add_row([algorithm.name(), "0"]);
            continue;
        };
        let mut row = vec![algorithm.name().to_owned(), figures.incidents.to_string()];
        let shares = [
            figures.ac_at_1,
            figures.ac_at_3,
            figures.ac_at_5,
            figures.avg_at_5,
            figures.mrr,
            figures.chance,
            figures.avg_at_5 - figures.chance,
        ];
        row.extend(shares.map(|share| format!("{:.1}", share * 100.0)));
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}
