//! What was recorded when: tells "nothing there" from "not looked".

use std::collections::BTreeMap;

use aiopslab_datasets::rows::Coverage;
use aiopslab_datasets::schema::Table;

/// The coverage of a snapshot, seen from one moment.
#[derive(Debug, Clone)]
pub(crate) struct CoverageAt {
    rows: Vec<Coverage>,
    now: i64,
}

impl CoverageAt {
    pub(crate) fn new(rows: Vec<Coverage>, now: i64) -> Self {
        Self { rows, now }
    }

    /// The same coverage, seen from another moment.
    pub(crate) fn at(&self, now: i64) -> Self {
        Self::new(self.rows.clone(), now)
    }

    /// Whether a part of a table was being recorded, without a gap that is known of, at this moment.
    /// A row covers the part if its scope says nothing that the part does not say too.
    pub(crate) fn covers(&self, table: Table, part: &[(&str, &str)]) -> bool {
        let mut recorded = false;
        for row in self.matching(table, part) {
            if row.from <= self.now && self.now <= row.to {
                match row.state.as_str() {
                    "recorded" => recorded = true,
                    "missing" | "withheld" => return false,
                    _ => {}
                }
            }
        }
        recorded
    }

    /// How much of the time from `start` to now was recorded for a part of a table.
    pub(crate) fn window(&self, table: Table, part: &[(&str, &str)], start: i64) -> WindowCoverage {
        let mut known: Vec<&Coverage> = self
            .matching(table, part)
            .filter(|row| matches!(row.state.as_str(), "recorded" | "partial"))
            .filter(|row| row.from <= self.now && row.to >= start)
            .collect();
        if known.is_empty() {
            return WindowCoverage::None;
        }
        // What is known in part of a wider scope takes nothing from what is recorded of this one.
        known.retain(|row| row.state == "recorded");
        known.sort_by_key(|row| (row.from, row.to));
        let Some(first) = known.first() else {
            return WindowCoverage::Part;
        };
        let mut whole = first.from <= start || first.from_is_source_start;
        let mut reached = first.to;
        for row in &known {
            whole &= row.from <= reached;
            reached = reached.max(row.to);
        }
        if whole && reached >= self.now {
            WindowCoverage::Whole
        } else {
            WindowCoverage::Part
        }
    }

    /// How much of a table was recorded up to now, whatever the part.
    pub(crate) fn table(&self, table: Table) -> TableCoverage {
        let states: Vec<&str> = self
            .rows
            .iter()
            .filter(|row| row.table == table.name() && row.from <= self.now)
            .map(|row| row.state.as_str())
            .collect();
        let has_rows = |state: &&str| matches!(*state, "recorded" | "partial");
        if !states.iter().any(has_rows) {
            TableCoverage::None
        } else if states.iter().all(|state| *state == "recorded") {
            TableCoverage::All
        } else {
            TableCoverage::Part
        }
    }

    /// Whether the values of a column are known not to be in the recording for a part of a table
    /// whose rows are.
    pub(crate) fn lacks_column(&self, table: Table, column: &str, part: &[(&str, &str)]) -> bool {
        let mut named = part.to_vec();
        named.push(("column", column));
        // A scope that names a column says nothing of a part that names none.
        self.matching(table, &named)
            .any(|row| row.state == "missing" && !scope_holds(&row.scope, part))
    }

    fn matching<'a>(
        &'a self,
        table: Table,
        part: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = &'a Coverage> {
        self.rows
            .iter()
            .filter(move |row| row.table == table.name() && scope_holds(&row.scope, part))
    }
}

/// How much of a table was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TableCoverage {
    /// All that was looked for.
    All,
    /// Some of it.
    Part,
    /// Nothing.
    None,
}

/// How much of a window was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WindowCoverage {
    /// All of it, or all that the source ever had.
    Whole,
    /// Some of it.
    Part,
    /// Nothing.
    None,
}

fn scope_holds(scope: &str, part: &[(&str, &str)]) -> bool {
    let part: BTreeMap<&str, &str> = part.iter().copied().collect();
    let names_group = scope
        .split(',')
        .any(|pair| pair.trim().starts_with("group="));
    scope
        .split(',')
        .filter(|pair| !pair.trim().is_empty())
        .all(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let (key, value) = (key.trim(), value.trim());
            match (key, part.get(key)) {
                // `resource=deployments.apps` as well as `group=apps,resource=deployments`.
                ("resource", Some(resource)) => {
                    let group = part.get("group").copied().unwrap_or_default();
                    match value.split_once('.') {
                        Some((name, of)) => name == *resource && of == group,
                        None => value == *resource && (names_group || group.is_empty()),
                    }
                }
                (_, Some(asked)) => value == *asked,
                (_, None) => false,
            }
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(scope: &str, from: i64, to: i64, state: &str) -> Coverage {
        Coverage {
            table: Table::ObjectVersions.name().to_owned(),
            source: "kubernetes".to_owned(),
            scope: scope.to_owned(),
            from,
            to,
            state: state.to_owned(),
            reason: None,
            from_is_source_start: false,
        }
    }

    #[test]
    fn scopes_and_times_decide() {
        let coverage = CoverageAt::new(
            vec![
                row("resource=pods,namespace=shop", 10, 20, "recorded"),
                row("resource=deployments.apps", 10, 20, "recorded"),
            ],
            15,
        );
        let pods = |namespace| {
            vec![
                ("group", ""),
                ("resource", "pods"),
                ("namespace", namespace),
            ]
        };
        assert!(coverage.covers(Table::ObjectVersions, &pods("shop")));
        assert!(!coverage.covers(Table::ObjectVersions, &pods("other")));
        assert!(!coverage.covers(
            Table::ObjectVersions,
            &[("group", ""), ("resource", "pods")]
        ));
        assert!(coverage.covers(
            Table::ObjectVersions,
            &[("group", "apps"), ("resource", "deployments")]
        ));
        assert!(!coverage.covers(Table::LogLines, &pods("shop")));
        let part = pods("shop");
        assert_eq!(
            coverage.window(Table::ObjectVersions, &part, 10),
            WindowCoverage::Whole
        );
        assert_eq!(
            coverage.window(Table::ObjectVersions, &part, 9),
            WindowCoverage::Part
        );
        let partial = CoverageAt::new(
            vec![
                row("", 0, 20, "partial"),
                row("namespace=shop", 10, 20, "recorded"),
            ],
            15,
        );
        assert_eq!(
            partial.window(Table::ObjectVersions, &part, 10),
            WindowCoverage::Whole
        );
        assert_eq!(
            partial.window(Table::ObjectVersions, &[], 10),
            WindowCoverage::Part
        );
    }
}
