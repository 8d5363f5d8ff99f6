//! Other values for the application's chart: what they change, object by object.

use aiopslab_problems::family::{Application, Source};
use aiopslab_problems::fault::Helm;
use serde_json::Value;

use super::nothing;
use crate::error::CaptureError;
use crate::manifests;
use crate::resource::text;

/// What other values come to for one object of a chart.
#[derive(Debug, PartialEq)]
pub(super) enum Change {
    /// It is applied in another form, or at all.
    Applied(Value),
    /// It is no longer part of the chart.
    Gone(Value),
}

/// What differs between the chart as it was deployed and as the step wants it.
pub(super) fn changes(application: &Application, step: &Helm) -> Result<Vec<Change>, CaptureError> {
    let release = match &application.source {
        Some(Source::Git(git)) if git.chart.is_some() => {
            git.release.as_ref().unwrap_or(&application.name)
        }
        Some(Source::Helm(_)) => &application.name,
        _ => {
            return Err(nothing(
                &step.helm,
                "the application is not made from a chart",
            ));
        }
    };
    if *release != step.helm {
        let because = format!("the application's release is {release}");
        return Err(nothing(&step.helm, &because));
    }
    let before = manifests::objects(application)?;
    let after = manifests::objects_with(application, Some(&step.values))?;
    let changes = differences(&before, after);
    if changes.is_empty() {
        return Err(nothing(
            &step.helm,
            "the values change nothing in its chart",
        ));
    }
    Ok(changes)
}

fn differences(before: &[Value], after: Vec<Value>) -> Vec<Change> {
    let gone: Vec<Change> = before
        .iter()
        .filter(|object| {
            !after
                .iter()
                .any(|other| identity(other) == identity(object))
        })
        .map(|object| Change::Gone(object.clone()))
        .collect();
    let applied = after.into_iter().filter(|object| !before.contains(object));
    applied.map(Change::Applied).chain(gone).collect()
}

/// What tells one object of a chart from the others.
fn identity(object: &Value) -> [&str; 4] {
    [
        "/apiVersion",
        "/kind",
        "/metadata/namespace",
        "/metadata/name",
    ]
    .map(|pointer| text(object, pointer))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_changed() {
        let object = |name: &str, port: u16| json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": name}, "spec": {"port": port}});
        let before = [object("same", 1), object("other", 1), object("gone", 1)];
        let after = vec![object("same", 1), object("other", 2), object("new", 1)];
        let expected = [
            Change::Applied(object("other", 2)),
            Change::Applied(object("new", 1)),
            Change::Gone(object("gone", 1)),
        ];
        assert_eq!(differences(&before, after), expected);
    }
}
