//! `aiopslab problems`: the catalog.

use aiopslab_problems::catalog::Problem;
use aiopslab_problems::prompt;
use serde_json::{Value, json};

use crate::cli::Problems;
use crate::exit::Failure;
use crate::library::{Library, base_name};
use crate::output::print;
use crate::settings::Settings;

pub(super) fn run(arguments: Problems, settings: &Settings) -> Result<(), Failure> {
    let library = Library::open(settings)?;
    match arguments {
        Problems::List { task, json } => {
            let problems: Vec<&Problem> = library
                .catalog
                .problems()
                .iter()
                .filter(|problem| task.is_none_or(|task| task == problem.task))
                .collect();
            list(&library, &problems, json)
        }
        Problems::Show { id, json } => show(&library, library.catalog.problem(&id)?, json),
    }
}

fn list(library: &Library, problems: &[&Problem], as_json: bool) -> Result<(), Failure> {
    let recorded: Vec<String> = library
        .snapshots(&[])?
        .iter()
        .map(|dir| base_name(dir))
        .collect();
    let rows: Vec<Value> = problems
        .iter()
        .map(|problem| {
            let family = library.catalog.family(&problem.family);
            json!({
                "id": problem.id,
                "task": problem.task,
                "control": problem.control,
                "family": problem.family,
                "application": family.map(|family| &family.application),
                "exercised": family.map(|family| family.exercised),
                "needs": if problem.task.needs_cluster() { "cluster" } else { "snapshot" },
                "snapshot": recorded.contains(&problem.snapshot).then_some(&problem.snapshot),
            })
        })
        .collect();
    if as_json {
        print(&format!("{:#}\n", Value::Array(rows)));
        return Ok(());
    }
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    print(&format!(
        "{:<58} {:<13} {:<9} {:<9} {}\n",
        "PROBLEM", "TASK", "EXERCISED", "NEEDS", "SNAPSHOT"
    ));
    for row in &rows {
        print(&format!(
            "{:<58} {:<13} {:<9} {:<9} {}\n",
            text(row, "id"),
            text(row, "task"),
            text(row, "exercised"),
            text(row, "needs"),
            text(row, "snapshot"),
        ));
    }
    Ok(())
}

fn show(library: &Library, problem: &Problem, as_json: bool) -> Result<(), Failure> {
    let family = library
        .catalog
        .family(&problem.family)
        .ok_or_else(|| Failure::user(format!("the catalog has no family {}", problem.family)))?;
    let application = library.application(&family.application)?;
    let description = prompt::description(problem.task, application);
    let instructions = prompt::instructions(problem.task);
    if as_json {
        print(&format!(
            "{:#}\n",
            json!({
                "problem": problem,
                "summary": family.summary,
                "description": description,
                "instructions": instructions,
            })
        ));
        return Ok(());
    }
    print(&format!(
        "{}\n{} (variant {} of {}, snapshot {})\n\nWhat an agent is told\n---------------------\n{description}\n{instructions}\n\nWhat is true\n------------\n{}\n",
        problem.id,
        family.summary,
        problem.variant,
        family.family,
        problem.snapshot,
        truth(problem),
    ));
    Ok(())
}

fn truth(problem: &Problem) -> String {
    if !problem.truth.anomaly {
        return "nothing is wrong".to_owned();
    }
    let components: Vec<String> = problem
        .truth
        .faulty_components
        .iter()
        .map(|set| set.join(" and "))
        .collect();
    format!(
        "faulty component  {}\nsystem level      {}\nfault type        {}",
        components.join(", or "),
        problem.truth.system_level.as_deref().unwrap_or("-"),
        problem.truth.fault_type.as_deref().unwrap_or("-"),
    )
}
