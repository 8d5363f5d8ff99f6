//! What a catalog must satisfy beyond its form.

use crate::catalog::{CatalogError, Problem, first_duplicate, problems_of};
use crate::condition::Condition;
use crate::family::{Application, Family};
use crate::fault::Step;
use crate::path;
use crate::submission::{FAULT_TYPES, SYSTEM_LEVELS};
use crate::task::Task;

/// Checks families and applications against each other and returns their problems.
pub(super) fn check(
    families: &[(String, Family)],
    applications: &[(String, Application)],
) -> Result<Vec<Problem>, CatalogError> {
    let names = applications
        .iter()
        .map(|(file, application)| (file.as_str(), application.name.as_str()));
    unique(names, "application")?;
    unique(
        families
            .iter()
            .map(|(file, family)| (file.as_str(), family.family.as_str())),
        "family",
    )?;
    for (file, application) in applications {
        conditions(file, &application.healthy)?;
    }
    let mut problems = Vec::new();
    for (file, family) in families {
        let application = applications
            .iter()
            .find(|(_, known)| known.name == family.application);
        check_family(family, application.map(|(_, application)| application)).map_err(
            |reason| CatalogError::Inconsistent {
                file: file.clone(),
                reason,
            },
        )?;
        conditions(file, &family.manifested)?;
        conditions(file, &family.mitigated)?;
        let found = problems_of(family).map_err(|source| CatalogError::Resolve {
            file: file.clone(),
            source,
        })?;
        problems.extend(found);
    }
    Ok(problems)
}

fn unique<'a>(
    names: impl Iterator<Item = (&'a str, &'a str)>,
    what: &str,
) -> Result<(), CatalogError> {
    first_duplicate(names).map_or(Ok(()), |(file, name)| {
        Err(CatalogError::Inconsistent {
            file: file.to_owned(),
            reason: format!("there is another {what} named {name:?}"),
        })
    })
}

fn conditions(file: &str, conditions: &[Condition]) -> Result<(), CatalogError> {
    conditions
        .iter()
        .try_for_each(Condition::check)
        .map_err(|source| CatalogError::Condition {
            file: file.to_owned(),
            source,
        })
}

fn check_family(family: &Family, application: Option<&Application>) -> Result<(), String> {
    let Some(application) = application else {
        return Err(format!("unknown application {:?}", family.application));
    };
    for variant in &family.variants {
        let resolved = family
            .resolve(variant.n)
            .map_err(|error| error.to_string())?;
        if !application.workloads.contains_key(&resolved.workload) {
            return Err(format!(
                "application {} has no workload {:?}",
                application.name, resolved.workload
            ));
        }
    }
    let has_fault = !family.inject.is_empty();
    if has_fault != family.truth.anomaly {
        return Err("`truth.anomaly` and `inject` contradict each other".to_owned());
    }
    if !has_fault && family.tasks != [Task::Detection] {
        return Err("a family without a fault asks for detection only".to_owned());
    }
    if has_fault && family.manifested.is_empty() {
        return Err("a fault needs `manifested`".to_owned());
    }
    if family.tasks.contains(&Task::Mitigation) && family.mitigated.is_empty() {
        return Err("task mitigation needs `mitigated`".to_owned());
    }
    let mut numbers: Vec<u32> = family.variants.iter().map(|variant| variant.n).collect();
    numbers.sort_unstable();
    numbers.dedup();
    if numbers.is_empty() || numbers.len() != family.variants.len() {
        return Err("variants need numbers, each once".to_owned());
    }
    check_truth(family)?;
    let repairs = family.wrong_repairs.iter().flat_map(|repair| &repair.steps);
    family.inject.iter().chain(repairs).try_for_each(check_step)
}

fn check_truth(family: &Family) -> Result<(), String> {
    let truth = &family.truth;
    if family.tasks.contains(&Task::Localization) && truth.faulty_components.is_empty() {
        return Err("task localization needs `truth.faulty_components`".to_owned());
    }
    let analysis = family.tasks.contains(&Task::Analysis);
    let fields = [
        ("system_level", &truth.system_level, &SYSTEM_LEVELS[..]),
        ("fault_type", &truth.fault_type, &FAULT_TYPES[..]),
    ];
    for (name, value, known) in fields {
        match value {
            Some(value) if !known.contains(&value.as_str()) => {
                return Err(format!(
                    "`truth.{name}` is {value:?}, wanted one of: {}",
                    known.join(", ")
                ));
            }
            None if analysis => return Err(format!("task analysis needs `truth.{name}`")),
            _ => {}
        }
    }
    Ok(())
}

fn check_step(step: &Step) -> Result<(), String> {
    let object = match step {
        Step::Patch(patch) => {
            path::check(&patch.set.path).map_err(|error| error.to_string())?;
            &patch.patch
        }
        Step::Recreate(step) => {
            path::check(&step.set.path).map_err(|error| error.to_string())?;
            &step.recreate
        }
        Step::Scale(scale) => &scale.scale,
        Step::Exec(exec) if exec.command.is_empty() || exec.recover.is_empty() => {
            return Err(format!(
                "exec in {} needs a command and its recovery",
                exec.exec
            ));
        }
        Step::Exec(exec) => &exec.exec,
        Step::Restart(restart) => &restart.restart,
    };
    match object.split_once('/') {
        Some((resource, name)) if !resource.is_empty() && !name.is_empty() => Ok(()),
        _ => Err(format!(
            "object {object:?} is not of the form resource/name"
        )),
    }
}
