//! `aiopslab score --as`: predictions scored as another project scores them.

use aiopslab_problems::score::foreign::nezha::Labels;
use aiopslab_problems::score::foreign::{Report, Unreadable, nezha, openrca, petshop, rcaeval};
use camino::{Utf8Path, Utf8PathBuf};
use clap::ValueEnum;
use comfy_table::{CellAlignment, presets};
use serde_json::{Value, json};

use crate::cli::{Foreign, Score};
use crate::exit::Failure;
use crate::output::print;

/// Deeper than this nobody looks for files.
const DEEPEST: usize = 4;

pub(super) fn run(scorer: Foreign, arguments: &Score) -> Result<(), Failure> {
    let predictions = arguments.results.as_path();
    let truth = arguments.truth.as_deref();
    let report = match scorer {
        Foreign::Openrca => of_openrca(predictions, truth.unwrap_or(predictions))?,
        Foreign::Rcaeval => of_rcaeval(predictions, truth)?,
        Foreign::Petshop => {
            let truth = truth.ok_or_else(|| missing("PetShop's folder `dataset`"))?;
            of_petshop(predictions, truth)?
        }
        Foreign::Nezha => {
            let truth = truth.ok_or_else(|| {
                missing("a *-fault_list.json, or a folder with such and root_cause_*.json")
            })?;
            of_nezha(predictions, truth)?
        }
    };
    let is_proven = scorer == Foreign::Openrca;
    let name = scorer.to_possible_value();
    let name = name.as_ref().map_or("", |name| name.get_name());
    if arguments.json {
        let mut told = json!({"as": name, "proven": is_proven});
        if let (Some(told), Value::Object(report)) =
            (told.as_object_mut(), serde_json::to_value(&report)?)
        {
            told.extend(report);
        }
        print(&format!("{told:#}\n"));
        return Ok(());
    }
    let title = match is_proven {
        true => name.to_owned(),
        false => format!("{name} (unproven)"),
    };
    print(&format!("{}\n", table(&title, &report)));
    for note in &report.notes {
        print(&format!("{note}\n"));
    }
    Ok(())
}

fn of_openrca(predictions: &Utf8Path, truth: &Utf8Path) -> Result<Report, Failure> {
    let text = read(predictions)?;
    let read_predictions = openrca::predictions(&text).map_err(in_file(predictions))?;
    let questions = openrca::questions(&read(truth)?).map_err(in_file(truth))?;
    openrca::score(&read_predictions, &questions).map_err(in_file(predictions))
}

fn of_rcaeval(predictions: &Utf8Path, truth: Option<&Utf8Path>) -> Result<Report, Failure> {
    let mut names = Vec::new();
    let mut rankings = Vec::new();
    if predictions.is_dir() {
        for file in files(predictions, &|name| name.ends_with(".json"))? {
            let name = file.file_stem().unwrap_or_default();
            let ranking = rcaeval::kept(name, &read(&file)?).map_err(in_file(&file))?;
            // What RCAEval could not run is called so.
            names.push(name.strip_suffix("_failed").unwrap_or(name).to_owned());
            rankings.extend(ranking.map(|ranking| (1, ranking)));
        }
    } else {
        rankings = rcaeval::rankings(&read(predictions)?).map_err(in_file(predictions))?;
        names.extend(rankings.iter().map(|(_, ranking)| ranking.case.clone()));
    }
    let cases = match truth {
        Some(truth) => rcaeval::cases(&read(truth)?).map_err(in_file(truth))?,
        None => {
            let named = |name: &String| {
                rcaeval::Case::named(name).ok_or_else(|| {
                    Failure::user(format!(
                        "the case {name:?} in {predictions} does not say its answer, as SERVICE_FAULT_CASE does\nhint: give the truth as a second file (docs/score-as.md)"
                    ))
                })
            };
            names.iter().map(named).collect::<Result<_, _>>()?
        }
    };
    rcaeval::score(&rankings, &cases).map_err(in_file(predictions))
}

fn of_petshop(predictions: &Utf8Path, dataset: &Utf8Path) -> Result<Report, Failure> {
    let read_predictions = petshop::predictions(&read(predictions)?);
    let read_predictions = read_predictions.map_err(in_file(predictions))?;
    let mut issues = Vec::new();
    for file in files(dataset, &|name| name == "target.json")? {
        let folder = file.parent().unwrap_or(dataset);
        let case = folder.strip_prefix(dataset).unwrap_or(folder);
        let issue = petshop::Issue::read(case.as_str(), &read(&file)?);
        issues.push(issue.map_err(in_file(&file))?);
    }
    petshop::score(&read_predictions, &issues).map_err(in_file(predictions))
}

fn of_nezha(predictions: &Utf8Path, truth: &Utf8Path) -> Result<Report, Failure> {
    let read_predictions = nezha::predictions(&read(predictions)?);
    let read_predictions = read_predictions.map_err(in_file(predictions))?;
    let is_label = |name: &str| name.starts_with("root_cause_") && name.ends_with(".json");
    let lists = match truth.is_dir() {
        true => files(truth, &|name| name.ends_with("-fault_list.json"))?,
        false => vec![truth.to_owned()],
    };
    let labels = match truth.is_dir() {
        true => find(truth, &is_label)?,
        false => Vec::new(),
    };
    let mut faults = Vec::new();
    for list in &lists {
        faults.extend(nezha::faults(&read(list)?).map_err(in_file(list))?);
    }
    let mut known = Labels::new();
    for file in &labels {
        known.extend(nezha::labels(&read(file)?).map_err(in_file(file))?);
    }
    let known = (!labels.is_empty()).then_some(&known);
    nezha::score(&read_predictions, &faults, known).map_err(in_file(predictions))
}

fn missing(what: &str) -> Failure {
    Failure::user(format!(
        "the truth is missing\nhint: give it as a second path: {what} (docs/score-as.md)"
    ))
}

fn in_file(path: &Utf8Path) -> impl Fn(Unreadable) -> Failure {
    move |unreadable| Failure::user(format!("{path}, {unreadable}"))
}

fn read(path: &Utf8Path) -> Result<String, Failure> {
    std::fs::read_to_string(path)
        .map_err(|error| Failure::user(format!("{path} can't be read: {error}")))
}

/// The files of a name below a folder, sorted; at least one.
fn files(folder: &Utf8Path, is_meant: &dyn Fn(&str) -> bool) -> Result<Vec<Utf8PathBuf>, Failure> {
    let found = find(folder, is_meant)?;
    if found.is_empty() {
        return Err(Failure::user(format!(
            "there is nothing to score in {folder}\nhint: docs/score-as.md says which files are read"
        )));
    }
    Ok(found)
}

fn find(folder: &Utf8Path, is_meant: &dyn Fn(&str) -> bool) -> Result<Vec<Utf8PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut folders = vec![(folder.to_owned(), 0)];
    while let Some((folder, depth)) = folders.pop() {
        let unread = |error| Failure::user(format!("{folder} can't be read: {error}"));
        for entry in folder.read_dir_utf8().map_err(unread)? {
            let path = entry.map_err(unread)?.into_path();
            if path.is_dir() {
                folders.extend((depth < DEEPEST).then(|| (path, depth + 1)));
            } else if path.file_name().is_some_and(is_meant) {
                found.push(path);
            }
        }
    }
    found.sort();
    Ok(found)
}

fn table(title: &str, report: &Report) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_preset(presets::UTF8_HORIZONTAL_ONLY);
    let mut header = vec![title.to_owned(), "cases".to_owned()];
    let names = report.groups.first().map(|group| group.figures.keys());
    header.extend(names.into_iter().flatten().cloned());
    table.set_header(header);
    for group in &report.groups {
        let mut row = vec![group.name.clone(), group.cases.to_string()];
        row.extend(group.figures.values().map(figure));
        table.add_row(row);
    }
    for column in 1..table.column_count() {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// A number of cases as it is, a share with three digits.
fn figure(value: &Value) -> String {
    match (value.as_u64(), value.as_f64()) {
        (Some(count), _) => count.to_string(),
        (None, Some(share)) => format!("{share:.3}"),
        (None, None) => "-".to_owned(),
    }
}
