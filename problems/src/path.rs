//! Paths into JSON: `spec.ports[*].targetPort`, `status.conditions[0].type`, `metadata.labels["a.b/c"]`.

use serde_json::Value;

/// A path that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "malformed path {path:?}: {reason}\nhint: keys joined by dots, `[n]`, `[*]`, and `[\"key\"]` for a key with dots"
)]
pub struct PathError {
    /// The path as given.
    pub path: String,
    /// What is wrong with it.
    pub reason: &'static str,
}

/// Returns every value at a path, in the order of the document.
pub fn get<'a>(value: &'a Value, path: &str) -> Result<Vec<&'a Value>, PathError> {
    let mut found = vec![value];
    for part in parse(path)? {
        found = found
            .into_iter()
            .flat_map(|value| children(value, &part))
            .collect();
    }
    Ok(found)
}

/// Sets every value at a path (where its present value is `only_where`, if given) and returns how many were set.
///
/// A last key that is absent is added if its parent is an object and nothing is asked of the present value.
pub fn set(
    value: &mut Value,
    path: &str,
    only_where: Option<&Value>,
    to: &Value,
) -> Result<usize, PathError> {
    Ok(set_at(value, &parse(path)?, only_where, to))
}

/// Checks that a path can be read.
pub fn check(path: &str) -> Result<(), PathError> {
    parse(path).map(|_| ())
}

/// Tells whether two values are the same, with numbers compared by value (`1` is `1.0`).
#[must_use]
pub fn same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right
                || left
                    .as_f64()
                    .is_some_and(|left| Some(left) == right.as_f64())
        }
        _ => left == right,
    }
}

/// One part of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// A field of an object.
    Key(String),
    /// An item of a list.
    Index(usize),
    /// Every field or item.
    Every,
}

fn children<'a>(value: &'a Value, part: &Part) -> Vec<&'a Value> {
    match (part, value) {
        (Part::Key(key), Value::Object(fields)) => fields.get(key).into_iter().collect(),
        (Part::Index(index), Value::Array(items)) => items.get(*index).into_iter().collect(),
        (Part::Every, Value::Array(items)) => items.iter().collect(),
        (Part::Every, Value::Object(fields)) => fields.values().collect(),
        _ => Vec::new(),
    }
}

fn set_at(value: &mut Value, parts: &[Part], only_where: Option<&Value>, to: &Value) -> usize {
    let Some((part, rest)) = parts.split_first() else {
        if only_where.is_some_and(|expected| !same(value, expected)) {
            return 0;
        }
        *value = to.clone();
        return 1;
    };
    let descend = |child: &mut Value| set_at(child, rest, only_where, to);
    match (part, value) {
        (Part::Key(key), Value::Object(fields)) => match fields.get_mut(key) {
            Some(child) => descend(child),
            None if rest.is_empty() && only_where.is_none() => {
                fields.insert(key.clone(), to.clone());
                1
            }
            None => 0,
        },
        (Part::Index(index), Value::Array(items)) => items.get_mut(*index).map_or(0, descend),
        (Part::Every, Value::Array(items)) => items.iter_mut().map(descend).sum(),
        (Part::Every, Value::Object(fields)) => fields.values_mut().map(descend).sum(),
        _ => 0,
    }
}

/// Takes a path apart.
pub(crate) fn parse(path: &str) -> Result<Vec<Part>, PathError> {
    let fail = |reason| PathError {
        path: path.to_owned(),
        reason,
    };
    let mut parts = Vec::new();
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inner) = rest.strip_prefix('[') {
            let (part, after) = bracket(inner).ok_or_else(|| {
                fail("a bracket is not closed or holds no number, `*` or quoted key")
            })?;
            parts.push(part);
            rest = after;
        } else {
            let key = match rest.strip_prefix('.') {
                Some(key) if !parts.is_empty() => key,
                None if parts.is_empty() => rest,
                _ => return Err(fail("a dot is misplaced or missing")),
            };
            let end = key.find(['.', '[']).unwrap_or(key.len());
            let (name, after) = key.split_at(end);
            if name.is_empty() {
                return Err(fail("a key is empty"));
            }
            parts.push(Part::Key(name.to_owned()));
            rest = after;
        }
    }
    if parts.is_empty() {
        Err(fail("it is empty"))
    } else {
        Ok(parts)
    }
}

/// Reads what follows `[` up to and including `]`.
fn bracket(inner: &str) -> Option<(Part, &str)> {
    for quote in ['"', '\''] {
        if let Some(quoted) = inner.strip_prefix(quote) {
            let (key, after) = quoted.split_once(quote)?;
            return Some((Part::Key(key.to_owned()), after.strip_prefix(']')?));
        }
    }
    let (text, after) = inner.split_once(']')?;
    let part = if text == "*" {
        Part::Every
    } else {
        Part::Index(text.parse().ok()?)
    };
    Some((part, after))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_find_values() {
        let service = json!({"metadata": {"labels": {"a.b/c": "x"}}, "spec": {"ports": [{"port": 1}, {"port": 2}, {}]}});
        assert_eq!(
            get(&service, "spec.ports[*].port").unwrap(),
            [&json!(1), &json!(2)]
        );
        assert_eq!(get(&service, "spec.ports[1].port").unwrap(), [&json!(2)]);
        assert_eq!(
            get(&service, "metadata.labels[\"a.b/c\"]").unwrap(),
            [&json!("x")]
        );
        assert_eq!(get(&service, "metadata['labels']").unwrap().len(), 1);
        assert!(get(&service, "spec.nothing[*].port").unwrap().is_empty());
        assert!(get(&Value::Null, "spec").unwrap().is_empty());
    }

    #[test]
    fn malformed_paths_are_errors() {
        for path in ["", ".", "a..b", ".a", "a[", "a[x]", "a[\"b]", "a[1]b", "a."] {
            assert!(get(&Value::Null, path).is_err(), "{path}");
        }
    }

    #[test]
    fn set_changes_only_what_matches() {
        let mut service =
            json!({"spec": {"ports": [{"targetPort": 8080}, {"targetPort": "http"}]}});
        let path = "spec.ports[*].targetPort";
        assert_eq!(
            set(&mut service, path, Some(&json!(8080.0)), &json!(9999)).unwrap(),
            1
        );
        assert_eq!(
            service,
            json!({"spec": {"ports": [{"targetPort": 9999}, {"targetPort": "http"}]}})
        );
        assert_eq!(
            set(&mut service, path, Some(&json!(1)), &json!(2)).unwrap(),
            0
        );
        assert_eq!(
            set(&mut service, "spec.type", None, &json!("ClusterIP")).unwrap(),
            1
        );
        assert_eq!(service["spec"]["type"], "ClusterIP");
        assert_eq!(set(&mut service, "no.where", None, &json!(1)).unwrap(), 0);
    }
}
