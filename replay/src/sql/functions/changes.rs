//! Where two versions of an object differ, one path at a time.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{ArrayRef, ListBuilder, StringBuilder, StructBuilder};
use arrow::datatypes::{DataType, Field, Fields};
use serde_json::{Map, Value};

use super::{Function, Kind, texts};
use crate::kubernetes::object;

/// Fields that follow from any change, or change by themselves without telling anything: the
/// moments of checks and of transitions (the version has its own), counters of versions, who wrote.
const NOISE: [&str; 10] = [
    "endpoints.kubernetes.io/last-change-trigger-time",
    "generation",
    "lastHeartbeatTime",
    "lastProbeTime",
    "lastTransitionTime",
    "lastUpdateTime",
    "managedFields",
    "observedGeneration",
    "renewTime",
    "resourceVersion",
];

/// What tells the elements of a list apart, in Kubernetes' objects.
const KEYS: [&str; 3] = ["name", "type", "key"];

/// `changed_paths(before, after)`.
pub(super) fn function() -> Function {
    let element = Arc::new(Field::new("item", DataType::Struct(fields()), true));
    Function::new(
        "changed_paths",
        &[&[Kind::Text, Kind::Text]],
        DataType::List(Arc::clone(&element)),
        move |given| {
            let builder = StructBuilder::from_fields(fields(), 0);
            let mut lists = ListBuilder::new(builder).with_field(Arc::clone(&element));
            for (before, after) in texts(given, 0)?.iter().zip(texts(given, 1)?) {
                let pair = before.zip(after).and_then(|(before, after)| {
                    let parsed = |text| serde_json::from_str::<Value>(text).ok();
                    parsed(before).zip(parsed(after))
                });
                if let Some((before, after)) = &pair {
                    let mut changes = Vec::new();
                    compare(&mut String::new(), Some(before), Some(after), &mut changes);
                    for change in changes {
                        append(lists.values(), &change);
                    }
                }
                lists.append(pair.is_some());
            }
            Ok(Arc::new(lists.finish()) as ArrayRef)
        },
    )
}

fn fields() -> Fields {
    Fields::from(vec![
        Field::new("path", DataType::Utf8, false),
        Field::new("before", DataType::Utf8, true),
        Field::new("after", DataType::Utf8, true),
    ])
}

fn append(structs: &mut StructBuilder, change: &Change) {
    let texts = [
        Some(&change.path),
        change.before.as_ref(),
        change.after.as_ref(),
    ];
    for (at, text) in texts.into_iter().enumerate() {
        if let Some(builder) = structs.field_builder::<StringBuilder>(at) {
            builder.append_option(text);
        }
    }
    structs.append(true);
}

/// A path with its value before and after; none: it was not there.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    path: String,
    before: Option<String>,
    after: Option<String>,
}

/// Adds the differences below a path, in the order of their paths.
fn compare(
    path: &mut String,
    before: Option<&Value>,
    after: Option<&Value>,
    changes: &mut Vec<Change>,
) {
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            compare_objects(path, before, after, changes);
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            compare_lists(path, before, after, changes);
        }
        _ => {
            let shown = |value: Option<&Value>| value.filter(|one| !is_noise(one)).map(text);
            let (before, after) = (shown(before), shown(after));
            if before.is_some() || after.is_some() {
                changes.push(Change {
                    path: path.clone(),
                    before,
                    after,
                });
            }
        }
    }
}

/// Whether an object holds nothing else.
fn is_noise(value: &Value) -> bool {
    let object = value.as_object().filter(|object| !object.is_empty());
    object.is_some_and(|object| object.keys().all(|key| NOISE.contains(&key.as_str())))
}

fn compare_objects(
    path: &mut String,
    before: &Map<String, Value>,
    after: &Map<String, Value>,
    changes: &mut Vec<Change>,
) {
    let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for key in keys {
        if NOISE.contains(&key.as_str()) {
            continue;
        }
        let is_plain = key
            .chars()
            .all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
        let step = match is_plain {
            true if path.is_empty() => key.clone(),
            true => format!(".{key}"),
            false => format!("[\"{key}\"]"),
        };
        below(path, &step, |path| {
            compare(path, before.get(key), after.get(key), changes)
        });
    }
}

fn compare_lists(path: &mut String, before: &[Value], after: &[Value], changes: &mut Vec<Change>) {
    let Some(key) = KEYS
        .iter()
        .find(|key| tells_apart(key, before) && tells_apart(key, after))
    else {
        for at in 0..before.len().max(after.len()) {
            below(path, &format!("[{at}]"), |path| {
                compare(path, before.get(at), after.get(at), changes);
            });
        }
        return;
    };
    let named = |list: &'_ [Value], name: &str| list.iter().position(|one| one[*key] == name);
    let names: BTreeSet<&str> = before
        .iter()
        .chain(after)
        .filter_map(|one| one[*key].as_str())
        .collect();
    for name in names {
        let [old, new] = [(before, named(before, name)), (after, named(after, name))]
            .map(|(list, at)| list.get(at?));
        below(path, &format!("[{key}={name}]"), |path| {
            compare(path, old, new, changes)
        });
    }
}

/// Whether all elements have a text of their own under a key.
fn tells_apart(key: &str, list: &[Value]) -> bool {
    let mut seen = BTreeSet::new();
    list.iter()
        .all(|one| one[key].as_str().is_some_and(|name| seen.insert(name)))
}

fn below(path: &mut String, step: &str, then: impl FnOnce(&mut String)) {
    let length = path.len();
    path.push_str(step);
    then(path);
    path.truncate(length);
}

fn text(value: &Value) -> String {
    match value {
        Value::Null => "null".to_owned(),
        value => object::plain(value),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn changes(before: &Value, after: &Value) -> Vec<String> {
        let mut changes = Vec::new();
        compare(&mut String::new(), Some(before), Some(after), &mut changes);
        let shown = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
        changes
            .into_iter()
            .map(|one| format!("{}: {} > {}", one.path, shown(one.before), shown(one.after)))
            .collect()
    }

    #[test]
    fn differences_have_paths() {
        let before = json!({
            "metadata": {"resourceVersion": "1", "labels": {"app.kubernetes.io/name": "geo"},
                "annotations": {"endpoints.kubernetes.io/last-change-trigger-time": "t"}},
            "spec": {
                "ports": [{"port": 80, "targetPort": 8080}],
                "containers": [{"name": "a", "image": "x:1"}, {"name": "b", "image": "y:1"}],
                "args": ["one", "two"],
            },
            "status": {"conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "t"}]},
        });
        let after = json!({
            "metadata": {"resourceVersion": "2", "labels": {"app.kubernetes.io/name": "rate"}},
            "spec": {
                "ports": [{"port": 80, "targetPort": 9999}],
                "containers": [{"name": "b", "image": "y:2"}, {"name": "c", "image": "z"}],
                "args": ["one"],
                "replicas": null,
            },
            "status": {"conditions": [{"type": "Ready", "status": "False", "lastTransitionTime": "u"}]},
        });
        assert_eq!(
            changes(&before, &after),
            [
                "metadata.labels[\"app.kubernetes.io/name\"]: geo > rate",
                "spec.args[1]: two > -",
                "spec.containers[name=a]: {\"name\":\"a\",\"image\":\"x:1\"} > -",
                "spec.containers[name=b].image: y:1 > y:2",
                "spec.containers[name=c]: - > {\"name\":\"c\",\"image\":\"z\"}",
                "spec.ports[0].targetPort: 8080 > 9999",
                "spec.replicas: - > null",
                "status.conditions[type=Ready].status: True > False",
            ]
        );
        assert!(changes(&before, &before).is_empty());
    }
}
