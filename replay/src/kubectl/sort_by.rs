//! `--sort-by`: order by a field of the objects.

use std::cmp::Ordering;

use serde_json::Value;

use super::failure::Failure;
use super::quantity::Quantity;
use crate::view::RecordedObject;

/// Sorts objects by a simple JSONPath expression.
pub(super) fn sort(objects: &mut [RecordedObject], expression: &str) -> Result<(), Failure> {
    let (relaxed, steps) = parse(expression)?;
    if objects.is_empty() {
        return Ok(());
    }
    if !objects
        .iter()
        .any(|object| find(&object.object, &steps).is_some())
    {
        return Err(Failure::invalid(format!(
            "error: couldn't find any field with path \"{relaxed}\" in the list of objects"
        )));
    }
    objects.sort_by(|a, b| compare(find(&a.object, &steps), find(&b.object, &steps)));
    Ok(())
}

#[derive(Debug, PartialEq)]
enum Step {
    Field(String),
    Item(usize),
}

/// The expression as kubectl writes it in messages, and its steps.
fn parse(expression: &str) -> Result<(String, Vec<Step>), Failure> {
    let inner = expression
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(expression)
        .trim();
    let inner = inner.strip_prefix('$').unwrap_or(inner);
    let inner = inner.strip_prefix('.').unwrap_or(inner);
    let not_available = || {
        Failure::not_captured(format!(
            "--sort-by={expression} is not available in this recording"
        ))
    };
    let mut steps = Vec::new();
    let mut chars = inner.chars().peekable();
    let mut field = String::new();
    while let Some(c) = chars.next() {
        match c {
            '\\' => field.extend(chars.next()),
            '.' => {
                if !field.is_empty() {
                    steps.push(Step::Field(std::mem::take(&mut field)));
                }
            }
            '[' => {
                if !field.is_empty() {
                    steps.push(Step::Field(std::mem::take(&mut field)));
                }
                let inside: String = chars.by_ref().take_while(|c| *c != ']').collect();
                let unquoted = inside.trim_matches(['\'', '"']);
                steps.push(if unquoted.len() + 2 == inside.len() {
                    Step::Field(unquoted.to_owned())
                } else if inside == "*" {
                    Step::Item(0)
                } else {
                    Step::Item(inside.parse().map_err(|_| not_available())?)
                });
            }
            '{' | '}' | '(' | ')' | '?' | '@' | '*' => return Err(not_available()),
            other => field.push(other),
        }
    }
    if !field.is_empty() {
        steps.push(Step::Field(field));
    }
    if steps.is_empty() {
        return Err(not_available());
    }
    Ok((format!("{{.{inner}}}"), steps))
}

fn find<'a>(value: &'a Value, steps: &[Step]) -> Option<&'a Value> {
    steps.iter().try_fold(value, |value, step| match step {
        Step::Field(name) => value.get(name),
        Step::Item(index) => value.get(index),
    })
}

/// Absent and null first; texts that are both quantities by amount.
fn compare(a: Option<&Value>, b: Option<&Value>) -> Ordering {
    match (a.filter(|a| !a.is_null()), b.filter(|b| !b.is_null())) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(Value::String(a)), Some(Value::String(b))) => {
            match (Quantity::parse(a), Quantity::parse(b)) {
                (Some(a), Some(b)) => a.compare(b),
                _ => a.cmp(b),
            }
        }
        (Some(a), Some(b)) => match (a.as_f64(), b.as_f64()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => Ordering::Equal,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kubectl::testing;
    use serde_json::json;

    #[test]
    fn objects_are_sorted_by_field() {
        let object = |name: &str, value: Value| {
            testing::object(
                "",
                "pods",
                "Pod",
                "ns",
                name,
                json!({"v": value, "l": [{"a.b": 1}]}),
            )
        };
        let mut objects = vec![
            object("a", json!("10")),
            object("b", json!("9")),
            object("c", Value::Null),
        ];
        sort(&mut objects, ".v").unwrap();
        let names: Vec<&str> = objects.iter().map(|object| object.name.as_str()).collect();
        assert_eq!(names, ["c", "b", "a"]);
        assert!(sort(&mut objects, "{.l[0]['a.b']}").is_ok());
        assert!(sort(&mut objects, r".l[0].a\.b").is_ok());
        match sort(&mut objects, "metadata.nope") {
            Err(Failure::Message { text, .. }) => assert!(text.contains("\"{.metadata.nope}\"")),
            other => panic!("{other:?}"),
        }
    }
}
