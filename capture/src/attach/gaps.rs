//! What a recording lacks, in a few lines out of its coverage.

use std::collections::BTreeMap;

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::rows::Coverage;
use camino::Utf8Path;

use crate::error::CaptureError;

/// Kinds that are in no snapshot: one is gone from Kubernetes, the other has the same objects as `events`.
const NEVER_RECORDED: [&str; 2] = ["componentstatuses", "events.events.k8s.io"];

/// What was not recorded, or not all of it: a line for each reason.
pub(super) fn of(folder: &Utf8Path) -> Result<Vec<String>, CaptureError> {
    Ok(told(&Snapshot::open(folder)?.read_rows()?))
}

fn told(coverage: &[Coverage]) -> Vec<String> {
    let mut unread: BTreeMap<(&str, String), Vec<&str>> = BTreeMap::new();
    let is_gap = |row: &&Coverage| row.state != "recorded" && !NEVER_RECORDED.contains(&place(row));
    for row in coverage.iter().filter(is_gap) {
        let reason = row.reason.as_deref().unwrap_or("it is not said why");
        // Kinds of objects are refused one by one, each in its own words.
        let reason = if reason.contains(" was answered 403: ") {
            "we have no right to read it".to_owned()
        } else {
            reason.to_owned()
        };
        let state = if row.state == "missing" {
            "no"
        } else {
            "not all"
        };
        unread.entry((state, reason)).or_default().push(place(row));
    }
    unread
        .into_iter()
        .map(|((state, reason), mut places)| {
            places.sort_unstable();
            places.dedup();
            format!("{state} {}: {reason}", places.join(", "))
        })
        .collect()
}

/// What a row is of: the kind for objects, else the table.
fn place(row: &Coverage) -> &str {
    let pairs = row.scope.split(',');
    let kind = pairs
        .filter_map(|pair| pair.strip_prefix("resource="))
        .next();
    kind.unwrap_or(&row.table)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_line_for_each_reason() {
        let row = |table: &str, scope: &str, state: &str, reason: &str| Coverage {
            table: table.to_owned(),
            source: "kubernetes".to_owned(),
            scope: scope.to_owned(),
            from: 0,
            to: 1,
            state: state.to_owned(),
            reason: Some(reason.to_owned()),
            from_is_source_start: false,
        };
        let refused = "GET /x was answered 403: x is forbidden";
        let lines = told(&[
            row(
                "object_versions",
                "resource=secrets,namespace=a",
                "missing",
                refused,
            ),
            row(
                "object_versions",
                "resource=secrets,namespace=b",
                "missing",
                refused,
            ),
            row("object_versions", "resource=roles.x", "missing", refused),
            row("object_versions", "resource=pods", "recorded", ""),
            row(
                "object_versions",
                "resource=componentstatuses",
                "missing",
                "old",
            ),
            row("spans", "", "missing", "no Jaeger"),
            row("log_lines", "namespace=a", "partial", "a pod was gone"),
        ]);
        assert_eq!(
            lines,
            [
                "no spans: no Jaeger",
                "no roles.x, secrets: we have no right to read it",
                "not all log_lines: a pod was gone",
            ]
        );
    }
}
