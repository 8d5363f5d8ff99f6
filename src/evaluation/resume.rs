//! An evaluation that was broken off goes on: what is finished is taken as it is, and nothing else.

use std::collections::BTreeSet;

use aiopslab_problems::episode::EndReason;
use serde_json::Value;

use super::episode::Asked;
use super::{Evaluated, Options};
use crate::exit::Failure;
use crate::results;

/// A value longer than this is not shown.
const SHOWN: usize = 60;

/// For each episode asked, what came of it if it is finished already. Makes way for the others.
///
/// # Errors
/// When the folder holds episodes that are not asked, or were asked otherwise.
pub(super) fn finished<'a>(
    asked: impl Iterator<Item = &'a Asked> + Clone,
    options: &Options,
) -> Result<Vec<Option<Evaluated>>, Failure> {
    if !options.resume || !options.out.is_dir() {
        return Ok(asked.map(|_| None).collect());
    }
    nothing_else(asked.clone(), options)?;
    let kept: Result<Vec<_>, Failure> = asked.clone().map(|one| kept(one, options)).collect();
    let kept = kept?;
    for (one, _) in asked.zip(&kept).filter(|(_, kept)| kept.is_none()) {
        let folder = options.out.join(one.folder());
        if folder.exists() {
            std::fs::remove_dir_all(&folder).map_err(|error| {
                Failure::user(format!("the unfinished {folder} can't be removed: {error}"))
            })?;
        }
    }
    Ok(kept)
}

/// A folder is that of one evaluation: figures over it would be wrong otherwise.
fn nothing_else<'a>(
    asked: impl Iterator<Item = &'a Asked>,
    options: &Options,
) -> Result<(), Failure> {
    let asked: BTreeSet<String> = asked.map(Asked::folder).collect();
    let there = results::folders(&options.out)?;
    let other: Vec<_> = there
        .iter()
        .map(|folder| folder.strip_prefix(&options.out).unwrap_or(folder))
        .filter(|folder| !asked.contains(folder.as_str()))
        .collect();
    match other.first() {
        None => Ok(()),
        Some(first) => Err(Failure::user(format!(
            "{} holds {} episodes that are not asked now, {first} for one\nhint: give the arguments with which this evaluation began, or choose another folder with --out",
            options.out,
            other.len()
        ))),
    }
}

fn kept(asked: &Asked, options: &Options) -> Result<Option<Evaluated>, Failure> {
    let folder = asked.folder();
    let path = options.out.join(&folder);
    if !results::is_finished(&path) {
        return Ok(None);
    }
    let kept = results::episode(&options.out, &path)?;
    let (Some(header), Some(end)) = (&kept.header, &kept.end) else {
        return Ok(None);
    };
    let differences = differences(
        &serde_json::to_value(header)?,
        &serde_json::to_value(&asked.header)?,
    );
    if !differences.is_empty() {
        return Err(Failure::user(format!(
            "{path} was asked otherwise than now: {}\nhint: give the arguments, snapshots and program with which this evaluation began, or choose another folder with --out",
            differences.join("; ")
        )));
    }
    // Nobody's result: what broke or stopped it may be mended now.
    if matches!(
        end.end_reason,
        EndReason::EnvironmentFailed | EndReason::Interrupted
    ) {
        return Ok(None);
    }
    let result = kept.result()?;
    Ok(result.map(|result| asked.evaluated(&result, end, kept.steps.len(), folder)))
}

/// What differs between two headers, by the keys' names.
fn differences(before: &Value, now: &Value) -> Vec<String> {
    let mut found = Vec::new();
    differ("", before, now, &mut found);
    found
}

fn differ(name: &str, before: &Value, now: &Value, found: &mut Vec<String>) {
    if before == now {
        return;
    }
    let (Value::Object(left), Value::Object(right)) = (before, now) else {
        let (before, now) = (before.to_string(), now.to_string());
        found.push(if before.len().max(now.len()) > SHOWN {
            format!("{name} is another")
        } else {
            format!("{name} was {before}, is {now}")
        });
        return;
    };
    let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
    for key in names {
        let path = if name.is_empty() {
            key.clone()
        } else {
            format!("{name}.{key}")
        };
        let of = |object: &serde_json::Map<String, Value>| object.get(key).cloned();
        let (left, right) = (of(left), of(right));
        differ(
            &path,
            &left.unwrap_or_default(),
            &right.unwrap_or_default(),
            found,
        );
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::differences;

    #[test]
    fn what_differs_is_named() {
        let before = json!({"max_steps": 30, "snapshot": {"id": "a", "digest": "0".repeat(64)}});
        let now =
            json!({"max_steps": 20, "snapshot": {"id": "a", "digest": "1".repeat(64)}, "seed": 1});
        assert_eq!(
            differences(&before, &now),
            [
                "max_steps was 30, is 20",
                "seed was null, is 1",
                "snapshot.digest is another"
            ]
        );
        assert!(differences(&now, &now).is_empty());
    }
}
