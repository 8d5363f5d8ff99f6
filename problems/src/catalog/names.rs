//! The names of families and problems.

use std::sync::LazyLock;

use regex::Regex;

use super::{Problem, ProblemId};
use crate::family::{Family, Truth};
use crate::resolve::ResolvedFamily;
use crate::task::Task;

static NAME: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new("^[a-z][A-Za-z0-9]*([_-][A-Za-z0-9]+)*$").ok());

/// Says what is wrong with a family's name.
pub(super) fn check(family: &Family) -> Result<(), String> {
    let name = family.family.as_str();
    check_name(name)?;
    if family.inject.is_empty() && !name.starts_with("noop_detection_") {
        return Err(format!(
            "a family without a fault is named noop_detection_…, not {name:?}"
        ));
    }
    Ok(())
}

/// Says why problem ids can't be made of a name.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    if !NAME.as_ref().is_some_and(|form| form.is_match(name)) {
        return Err(format!(
            "the name {name:?} is not made of letters, digits, `_` and `-`, a small letter first"
        ));
    }
    let last = name.rsplit('-').next().unwrap_or_default();
    if last != name && last.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(format!(
            "the name {name:?} ends like a variant; numbers come from `variants`"
        ));
    }
    if let Some(task) = Task::ALL
        .into_iter()
        .find(|task| name.split('-').any(|part| part == task.name()))
    {
        return Err(format!(
            "the name {name:?} has the task {task} in it; ids get it from `tasks`"
        ));
    }
    Ok(())
}

/// The problems of one variant: by task, the control after its detection.
pub(super) fn problems(family: &Family, resolved: &ResolvedFamily, n: u32) -> Vec<Problem> {
    let name = &family.family;
    let end = if family.numbered {
        format!("-{n}")
    } else {
        String::new()
    };
    let upstream = resolved.upstream_truth();
    let variant = family.variants.iter().find(|variant| variant.n == n);
    let exercised = variant.and_then(|variant| variant.exercised);
    let problem = |id: String, task: Task| Problem {
        id: ProblemId(id),
        family: name.clone(),
        variant: n,
        task,
        control: false,
        truth: resolved.truth.clone(),
        upstream_truth: (upstream != resolved.truth).then(|| upstream.clone()),
        disabled: family.disabled.get(&task).cloned(),
        exercised: exercised.unwrap_or(family.exercised),
        snapshot: format!("{name}-{n}"),
    };
    // AIOpsLab's ids of no-fault problems have the task in the middle of the family's name.
    if family.inject.is_empty() {
        return vec![problem(format!("{name}{end}"), Task::Detection)];
    }
    let mut problems = Vec::new();
    for task in &family.tasks {
        problems.push(problem(format!("{name}-{task}{end}"), *task));
        if *task == Task::Detection {
            problems.push(Problem {
                control: true,
                truth: Truth {
                    anomaly: false,
                    faulty_components: Vec::new(),
                    system_level: Vec::new(),
                    fault_type: Vec::new(),
                },
                upstream_truth: None,
                ..problem(format!("{name}-{task}-control{end}"), *task)
            });
        }
    }
    problems
}
