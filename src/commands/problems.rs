//! `aiopslab problems`: the catalog.

use aiopslab_problems::catalog::{Catalog, Problem};
use aiopslab_problems::family::{Platform, Truth};
use aiopslab_problems::prompt;
use camino::Utf8Path;
use serde_json::{Value, json};

use crate::cli::Problems;
use crate::exit::Failure;
use crate::library::{Library, base_name, catalog_files};
use crate::output::print;
use crate::settings::Settings;

pub(super) fn run(arguments: Problems, settings: &Settings) -> Result<(), Failure> {
    match arguments {
        Problems::List {
            task,
            application,
            recorded,
            json,
        } => {
            let library = Library::open(settings)?;
            if let Some(name) = &application {
                library.application(name)?;
            }
            let mut rows = rows(&library)?;
            rows.retain(|row| {
                task.is_none_or(|task| row["task"] == task.name())
                    && application
                        .as_ref()
                        .is_none_or(|name| row["application"] == **name)
                    && (!recorded || !row["snapshot"].is_null())
            });
            list(rows, json);
            Ok(())
        }
        Problems::Show { id, json } => {
            let library = Library::open(settings)?;
            show(&library, library.catalog.problem(&id)?, json)
        }
        Problems::Check { dir, json } => {
            let dir = dir.or_else(|| settings.catalog.value.clone());
            check(dir.as_deref(), json)
        }
    }
}

fn rows(library: &Library) -> Result<Vec<Value>, Failure> {
    let recorded: Vec<String> = library
        .snapshots(&[])?
        .iter()
        .map(|dir| base_name(dir))
        .collect();
    let catalog = &library.catalog;
    let row = |problem: &Problem| {
        let family = catalog.family(&problem.family);
        let application = family.and_then(|family| catalog.application(&family.application));
        let on_docker = application.is_some_and(|one| one.platform == Platform::Docker);
        json!({
            "id": problem.id,
            "task": problem.task,
            "control": problem.control,
            "family": problem.family,
            "application": family.map(|family| &family.application),
            "exercised": problem.exercised,
            "needs": match problem {
                Problem { disabled: Some(_), .. } => "disabled",
                _ if on_docker => "docker",
                _ if problem.task.needs_cluster() => "cluster",
                _ => "snapshot",
            },
            "disabled": problem.disabled,
            "snapshot": recorded.contains(&problem.snapshot).then_some(&problem.snapshot),
        })
    };
    Ok(catalog.problems().iter().map(row).collect())
}

fn list(rows: Vec<Value>, as_json: bool) {
    if as_json {
        print(&format!("{:#}\n", Value::Array(rows)));
        return;
    }
    let text = |row: &Value, key: &str| row[key].as_str().unwrap_or("-").to_owned();
    let widest = rows.iter().map(|row| text(row, "id").len()).max();
    let width = widest.unwrap_or_default().max("PROBLEM".len());
    let line = |cells: [&str; 5]| {
        let [id, task, exercised, needs, snapshot] = cells;
        print(&format!(
            "{id:<width$} {task:<13} {exercised:<9} {needs:<9} {snapshot}\n"
        ));
    };
    line(["PROBLEM", "TASK", "EXERCISED", "NEEDS", "SNAPSHOT"]);
    for row in &rows {
        let keys = ["id", "task", "exercised", "needs", "snapshot"];
        let cells = keys.map(|key| text(row, key));
        line(cells.each_ref().map(String::as_str));
    }
    let recorded = rows.iter().filter(|row| !row["snapshot"].is_null()).count();
    eprintln!(
        "{} problems, {recorded} of them with a snapshot",
        rows.len()
    );
}

/// Checks the files of a folder together with what is built in.
fn check(dir: Option<&Utf8Path>, as_json: bool) -> Result<(), Failure> {
    let files = dir.map_or(Ok(Vec::new()), catalog_files)?;
    let checked = Catalog::with_dir(&files);
    let findings = checked
        .as_ref()
        .err()
        .map_or(&[][..], |error| &error.findings);
    if as_json {
        let findings: Vec<Value> = findings
            .iter()
            .map(|one| json!({"file": one.file, "line": one.line, "message": one.message}))
            .collect();
        print(&format!("{:#}\n", Value::Array(findings)));
    } else {
        for finding in findings {
            print(&format!("{finding}\n"));
        }
    }
    match checked {
        Ok(catalog) => {
            let built_in = catalog.families().len() + catalog.applications().len() - files.len();
            eprintln!(
                "no mistake in {} families and {} applications ({built_in} built in, {} of yours): {} problems",
                catalog.families().len(),
                catalog.applications().len(),
                files.len(),
                catalog.problems().len(),
            );
            Ok(())
        }
        Err(error) => Err(Failure::user(match error.findings.len() {
            1 => "there is a mistake in the catalog".to_owned(),
            several => format!("there are {several} mistakes in the catalog"),
        })),
    }
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
        "{}\n{} (variant {} of {}, snapshot {}, exercised: {})\n{}\nWhat an agent is told\n---------------------\n{description}\n{instructions}\n\nWhat is true\n------------\n{}\n",
        problem.id,
        family.summary,
        problem.variant,
        family.family,
        problem.snapshot,
        problem.exercised.name(),
        problem
            .disabled
            .as_ref()
            .map(|reason| format!("disabled: {reason}\n"))
            .unwrap_or_default(),
        truth(problem),
    ));
    Ok(())
}

fn truth(problem: &Problem) -> String {
    if !problem.truth.anomaly {
        return "nothing is wrong".to_owned();
    }
    let or_none = |texts: &[String]| match texts {
        [] => "-".to_owned(),
        texts => texts.join(", or "),
    };
    let of = |truth: &Truth| {
        let sets = truth.faulty_components.iter();
        let components: Vec<String> = sets.map(|set| set.join(" and ")).collect();
        format!(
            "faulty component  {}\nsystem level      {}\nfault type        {}",
            or_none(&components),
            or_none(&truth.system_level),
            or_none(&truth.fault_type),
        )
    };
    match &problem.upstream_truth {
        Some(upstream) => format!(
            "{}\n\nWhat AIOpsLab takes for true\n---------------------------\n{}",
            of(&problem.truth),
            of(upstream)
        ),
        None => of(&problem.truth),
    }
}
