//! What a bundle covers: a moment, and of that only what was collected.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::kinds::{self, Kind};
use super::objects::Listed;
use crate::rows::{Coverage, LogInstance};
use crate::schema::Table;

/// What the coverage follows from.
pub(super) struct Covered<'a> {
    /// What the rows are from.
    pub(super) source: &'static str,
    /// Whether the cluster has namespaces that nobody looked at.
    pub(super) has_other_namespaces: bool,
    pub(super) listed: &'a [Listed],
    pub(super) logs: &'a [LogInstance],
    /// The instances whose lines have no times.
    pub(super) unstamped: &'a BTreeSet<u64>,
    pub(super) discovery: &'a [Value],
    /// Names of the namespaces; none: the bundle does not list them.
    pub(super) namespaces: Vec<String>,
}

impl Covered<'_> {
    /// The rows; nothing is known of any other moment.
    pub(super) fn rows(&self, moment: i64) -> Vec<Coverage> {
        let row = |table: Table, scope: String, problem: Option<(&str, String)>| Coverage {
            table: table.name().to_owned(),
            source: self.source.to_owned(),
            scope,
            from: moment,
            to: moment,
            state: problem
                .as_ref()
                .map_or("recorded", |(state, _)| state)
                .to_owned(),
            reason: problem.map(|(_, reason)| reason),
            from_is_source_start: false,
        };
        let mut rows = Vec::new();
        for (scope, problem) in self.objects() {
            rows.push(row(Table::ObjectVersions, scope, problem));
        }
        let api = match self.discovery.is_empty() {
            true => Some(("missing", "the bundle has no resources.json".to_owned())),
            false => None,
        };
        rows.push(row(Table::ObjectApi, String::new(), api));
        for (scope, problem) in self.logs() {
            rows.push(row(Table::LogInstances, scope.clone(), problem.clone()));
            rows.push(row(Table::LogLines, scope, problem));
        }
        for log in self.logs {
            if self.unstamped.contains(&log.instance_id) {
                let scope = format!("column=timestamp,{}", scope_of(log));
                let reason = "the lines were collected without their times".to_owned();
                rows.push(row(Table::LogLines, scope, Some(("missing", reason))));
            }
        }
        for table in [
            Table::MetricSeries,
            Table::MetricSamples,
            Table::MetricMetadata,
            Table::Spans,
            Table::Usage,
            Table::Exec,
        ] {
            let reason = "such a bundle holds none".to_owned();
            rows.push(row(table, String::new(), Some(("missing", reason))));
        }
        rows
    }

    /// Every listed resource by namespace; all of it where every namespace has its file.
    fn objects(&self) -> BTreeMap<String, Option<(&'static str, String)>> {
        let mut rows = BTreeMap::new();
        let mut seen: BTreeMap<&Kind, BTreeSet<&str>> = BTreeMap::new();
        let mut named = BTreeSet::new();
        for listed in self.listed {
            named.insert((&listed.kind.group, &listed.kind.resource));
            let mut scope = format!("resource={}", listed.kind.full_name());
            if let Some(namespace) = &listed.namespace {
                scope.push_str(&format!(",namespace={namespace}"));
            }
            let problem = match (&listed.error, listed.partial) {
                (Some(error), _) => Some(("missing", error.clone())),
                (None, Some(why)) => Some(("partial", why.to_owned())),
                (None, None) => None,
            };
            if problem.is_none() {
                let namespaces = seen.entry(&listed.kind).or_default();
                namespaces.extend(listed.namespace.as_deref());
            }
            // An error outweighs a file: the file may be what was got before it.
            let known = rows.entry(scope).or_insert(None);
            if known.is_none() {
                *known = problem;
            }
        }
        for (kind, namespaces) in seen {
            let scope = format!("resource={}", kind.full_name());
            let lacking: Vec<_> = self
                .namespaces
                .iter()
                .filter(|name| !namespaces.contains(name.as_str()))
                .collect();
            if namespaces.is_empty() || self.namespaces.is_empty() {
                continue;
            }
            if self.has_other_namespaces {
                let reason = "only the namespaces that were collected".to_owned();
                let known = rows.entry(scope.clone());
                known.or_insert(Some(("partial", reason)));
            } else if lacking.is_empty() {
                rows.entry(scope).or_insert(None);
                continue;
            }
            for namespace in lacking {
                let reason = "the bundle has no file of this namespace".to_owned();
                let scope = format!("{scope},namespace={namespace}");
                rows.entry(scope).or_insert(Some(("missing", reason)));
            }
        }
        for kind in kinds::served(self.discovery) {
            if !named.contains(&(&kind.group, &kind.resource)) {
                let reason = "the bundle has no file of this resource".to_owned();
                rows.entry(format!("resource={}", kind.full_name()))
                    .or_insert(Some(("missing", reason)));
            }
        }
        rows
    }

    /// Only the containers that have a log.
    fn logs(&self) -> BTreeMap<String, Option<(&'static str, String)>> {
        let reason = "only the containers that are listed beside this";
        let mut rows = BTreeMap::from([(String::new(), Some(("partial", reason.to_owned())))]);
        for log in self.logs {
            rows.insert(scope_of(log), None);
        }
        rows
    }
}

fn scope_of(log: &LogInstance) -> String {
    format!(
        "namespace={},pod={},container={}",
        log.namespace, log.pod, log.container
    )
}
