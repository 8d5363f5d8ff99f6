//! What a family must satisfy beyond its form.

use std::collections::BTreeSet;

use serde_json::Value;

use super::check::conditions;
use super::finding::Notes;
use super::{Problem, names, oracle};
use crate::condition::{Condition, Question};
use crate::family::{Application, Family, Platform};
use crate::fault::Step;
use crate::resolve::ResolvedFamily;
use crate::submission::{FAULT_TYPES, SYSTEM_LEVELS};
use crate::task::Task;

/// Resources of the Kubernetes API whose objects are named as the component that they are of.
const NAMED_AS_COMPONENTS: [&str; 4] = ["deployment", "statefulset", "daemonset", "service"];

/// Notes what is wrong with a family and returns its problems.
pub(super) fn check(
    family: &Family,
    application: &Application,
    notes: &mut Notes<'_>,
) -> Vec<Problem> {
    if let Err(reason) = names::check(family) {
        notes.wrong("family", reason);
    }
    check_tasks(family, application, notes);
    check_numbers(family, notes);
    check_truth(family, notes);
    for (key, list) in [
        ("manifested", &family.manifested),
        ("mitigated", &family.mitigated),
        ("upstream.mitigated", &family.upstream.mitigated),
    ] {
        conditions(notes, key, list);
    }
    let mut problems = Vec::new();
    let mut seen: Vec<ResolvedFamily> = Vec::new();
    for (index, variant) in family.variants.iter().enumerate() {
        let at = format!("variants[{index}]");
        let resolved = match family.resolve(variant.n) {
            Ok(resolved) => resolved,
            Err(error) => {
                notes.wrong(&at, error.to_string());
                continue;
            }
        };
        check_variant(&resolved, application, notes);
        let bare = ResolvedFamily {
            variants: Vec::new(),
            ..resolved.clone()
        };
        if let Some(other) = seen.iter().position(|other| *other == bare) {
            let other = family.variants[other].n;
            notes.wrong(
                &at,
                format!("variants {other} and {} are the same", variant.n),
            );
        }
        seen.push(bare);
        problems.extend(names::problems(family, &resolved, variant.n));
    }
    check_variables(family, notes);
    problems
}

fn check_tasks(family: &Family, application: &Application, notes: &mut Notes<'_>) {
    let has_fault = !family.inject.is_empty();
    if family.tasks.is_empty() {
        notes.wrong("tasks", "no task is asked");
    }
    if has_fault != family.truth.anomaly {
        notes.wrong(
            "truth.anomaly",
            "`truth.anomaly` and `inject` contradict each other",
        );
    }
    if !has_fault && family.tasks != [Task::Detection] {
        notes.wrong("tasks", "a family without a fault asks for detection only");
    }
    for (task, reason) in &family.disabled {
        if !family.tasks.contains(task) || reason.is_empty() {
            notes.wrong(
                "disabled",
                format!("task {task} is disabled, but not one of `tasks`, or without a reason"),
            );
        }
    }
    let is_judged = family.asked().next().is_some() && application.platform == Platform::Kubernetes;
    if has_fault && is_judged && family.manifested.is_empty() {
        notes.wrong("inject", "a fault needs `manifested`");
    }
    if family.asked().any(|task| task == Task::Mitigation) && family.mitigated.is_empty() {
        notes.wrong("tasks", "task mitigation needs `mitigated`");
    }
    for (index, repair) in family.wrong_repairs.iter().enumerate() {
        if repair.steps.is_empty() {
            notes.wrong(&format!("wrong_repairs[{index}]"), "a repair needs `steps`");
        }
    }
}

fn check_numbers(family: &Family, notes: &mut Notes<'_>) {
    let numbers: Vec<u32> = family.variants.iter().map(|variant| variant.n).collect();
    if numbers.is_empty() || !numbers.iter().copied().eq((1..).take(numbers.len())) {
        notes.wrong(
            "variants",
            "variants are numbered 1, 2, 3, … in their order, and there is at least one",
        );
    }
    if !family.numbered && numbers.len() > 1 {
        notes.wrong(
            "numbered",
            "ids without a number are for families with one variant",
        );
    }
}

fn check_truth(family: &Family, notes: &mut Notes<'_>) {
    let truth = &family.truth;
    let asks = |task: Task| family.asked().any(|asked| asked == task);
    let is_named = !truth.faulty_components.is_empty()
        && truth.faulty_components.iter().all(|set| !set.is_empty());
    if asks(Task::Localization) && !is_named {
        notes.wrong("truth", "task localization needs `truth.faulty_components`");
    }
    let upstream = &family.upstream;
    for (name, ours, theirs, known) in [
        (
            "system_level",
            &truth.system_level,
            &upstream.system_level,
            &SYSTEM_LEVELS[..],
        ),
        (
            "fault_type",
            &truth.fault_type,
            &upstream.fault_type,
            &FAULT_TYPES[..],
        ),
    ] {
        if asks(Task::Analysis) && ours.is_empty() {
            notes.wrong("truth", format!("task analysis needs `truth.{name}`"));
        }
        let values = ours.iter().map(|value| ("truth", value));
        for (table, value) in values.chain(theirs.iter().map(|value| ("upstream", value))) {
            if !known.contains(&value.as_str()) {
                notes.wrong(
                    &format!("{table}.{name}"),
                    format!(
                        "`{table}.{name}` is {value:?}, wanted one of: {}",
                        known.join(", ")
                    ),
                );
            }
        }
    }
}

/// Nobody counts the requests of a load that is the application's own.
fn check_load(family: &ResolvedFamily, application: &Application, notes: &mut Notes<'_>) {
    let load = application.workloads.get(&family.workload);
    if load.is_none_or(|load| load.generated().is_some()) {
        return;
    }
    for (key, list) in [
        ("manifested", &family.manifested),
        ("mitigated", &family.mitigated),
    ] {
        let measures = |condition: &Condition| condition.needs().contains(&Question::Workload);
        if let Some(index) = list.iter().position(measures) {
            notes.wrong(
                &format!("{key}[{index}]"),
                format!(
                    "the load {:?} is the application's own: its requests are not counted",
                    family.workload
                ),
            );
        }
    }
}

fn check_variant(family: &ResolvedFamily, application: &Application, notes: &mut Notes<'_>) {
    if !application.workloads.contains_key(&family.workload) {
        let known: Vec<&str> = application.workloads.keys().map(String::as_str).collect();
        notes.wrong(
            "workload",
            format!(
                "application {} has no workload {:?}, it has: {}",
                application.name,
                family.workload,
                known.join(", ")
            ),
        );
    }
    check_load(family, application, notes);
    check_steps(&family.inject, "inject", application, notes);
    for (index, repair) in family.wrong_repairs.iter().enumerate() {
        let key = format!("wrong_repairs[{index}].steps");
        check_steps(&repair.steps, &key, application, notes);
    }
    for (key, list) in [
        ("manifested", &family.manifested),
        ("mitigated", &family.mitigated),
        ("upstream.mitigated", &family.upstream.mitigated),
    ] {
        for (index, condition) in list.iter().enumerate() {
            for target in targets(condition) {
                check_target(&target, &format!("{key}[{index}]"), application, notes);
            }
        }
    }
    let sets = family.truth.faulty_components.iter();
    for name in sets.flatten() {
        check_target(
            &format!("service/{name}"),
            "truth.faulty_components",
            application,
            notes,
        );
    }
    if !family.mitigated.is_empty() && !oracle::excludes(&family.manifested, &family.mitigated) {
        notes.wrong(
            "mitigated",
            "the oracle can't fail: all of `mitigated` may hold while all of `manifested` does",
        );
    }
}

fn check_steps(steps: &[Step], key: &str, application: &Application, notes: &mut Notes<'_>) {
    for (index, step) in steps.iter().enumerate() {
        let at = format!("{key}[{index}]");
        if let Err(reason) = step.check() {
            notes.wrong(&at, reason);
        }
        if matches!(step, Step::Flag(_)) && application.flags.is_none() {
            notes.wrong(
                &at,
                format!("application {} has no `flags`", application.name),
            );
        }
        let peer = match step {
            Step::Chaos(chaos) => chaos.peer.as_ref(),
            _ => None,
        };
        for target in step
            .target()
            .into_iter()
            .chain(peer.map(|peer| format!("service/{peer}")))
        {
            check_target(&target, &at, application, notes);
        }
    }
}

/// The objects that a condition asks about; a service's pods, endpoints and logs as the Service.
fn targets(condition: &Condition) -> Vec<String> {
    let needs = condition.needs().into_iter();
    needs
        .filter_map(|question| match question {
            Question::Object(object) => Some(object),
            Question::Endpoints(service) | Question::Pods(Some(service)) => Some(service),
            Question::Log { service, .. } | Question::Restarts { service, .. } => Some(service),
            Question::Pods(None) | Question::Workload => None,
        })
        .map(|name| {
            if name.contains('/') {
                name
            } else {
                format!("service/{name}")
            }
        })
        .collect()
}

fn check_target(object: &str, at: &str, application: &Application, notes: &mut Notes<'_>) {
    let Some((resource, name)) = object.split_once('/') else {
        return;
    };
    let singular = resource.strip_suffix('s').unwrap_or(resource);
    if NAMED_AS_COMPONENTS.contains(&singular)
        && !application.components.iter().any(|known| known == name)
    {
        notes.wrong(
            at,
            format!(
                "unknown target {name:?}: application {} has the components {}",
                application.name,
                application.components.join(", ")
            ),
        );
    }
}

/// Every variable of a variant is used somewhere.
fn check_variables(family: &Family, notes: &mut Notes<'_>) {
    let bare = Family {
        variants: Vec::new(),
        ..family.clone()
    };
    let text = serde_json::to_value(&bare)
        .unwrap_or(Value::Null)
        .to_string();
    let mut said = BTreeSet::new();
    for (index, variant) in family.variants.iter().enumerate() {
        for variable in variant.variables.keys() {
            if !text.contains(&format!("{{{variable}}}")) && said.insert(variable) {
                notes.wrong(
                    &format!("variants[{index}].{variable}"),
                    format!("variable {variable:?} is used nowhere"),
                );
            }
        }
    }
}
