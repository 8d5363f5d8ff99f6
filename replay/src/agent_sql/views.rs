//! The views that an agent may query.

use aiopslab_datasets::schema::Table;

use crate::clock::time;

/// A view at *now*.
pub(super) struct AgentView {
    pub(super) name: &'static str,
    tables: &'static [Table],
    /// `{now}` stands for the moment, `{objects}` for the versions that objects had then.
    sql: &'static str,
}

/// The views, sorted by name; `aiopslab_problems::action::SQL_VIEWS` tells agents their columns.
pub(super) const VIEWS: [AgentView; 7] = [
    AgentView {
        name: "coverage",
        tables: &[],
        sql: r#"SELECT "table", source, scope, "from", least("to", {now}) AS "to", state, reason
                FROM coverage WHERE "from" <= {now}"#,
    },
    AgentView {
        name: "events",
        tables: &[Table::ObjectVersions],
        sql: r#"SELECT coalesce(json_get_str(object, 'lastTimestamp'), json_get_str(object, 'eventTime'),
                    json_get_str(object, 'metadata', 'creationTimestamp')) AS last_seen,
                  coalesce(json_get_int(object, 'count'), json_get_int(object, 'series', 'count'), 1) AS count,
                  namespace, json_get_str(object, 'type') AS type, json_get_str(object, 'reason') AS reason,
                  lower(coalesce(json_get_str(object, 'involvedObject', 'kind'), json_get_str(object, 'regarding', 'kind')))
                    || '/' || coalesce(json_get_str(object, 'involvedObject', 'name'), json_get_str(object, 'regarding', 'name')) AS object,
                  coalesce(json_get_str(object, 'message'), json_get_str(object, 'note')) AS message
                FROM {objects} WHERE resource = 'events' AND "group" = ''"#,
    },
    AgentView {
        name: "logs",
        tables: &[Table::LogLines],
        sql: r#"SELECT timestamp, namespace, service, pod, container, stream,
                  TRY_CAST(message AS VARCHAR) AS message, instance_id, seq
                FROM log_lines WHERE timestamp <= {now}"#,
    },
    AgentView {
        name: "metrics",
        tables: &[Table::MetricSamples],
        sql: r#"SELECT timestamp, name, labels, namespace, pod, container, node, value, metric_samples.series_id
                FROM metric_samples JOIN metric_series ON metric_samples.series_id = metric_series.series_id
                WHERE timestamp <= {now}"#,
    },
    AgentView {
        name: "objects",
        tables: &[Table::ObjectVersions],
        sql: r#"SELECT "group", version, resource, kind, namespace, name, uid, valid_from, object
                FROM {objects}"#,
    },
    AgentView {
        name: "traces",
        tables: &[Table::Spans],
        sql: r#"SELECT start, "end", trace_id, span_id, parent_span_id, service, operation, kind, status, message,
                  (CAST("end" AS BIGINT) - CAST(start AS BIGINT)) / 1e6 AS duration_ms, attributes
                FROM spans WHERE "end" <= {now}"#,
    },
    AgentView {
        name: "usage",
        tables: &[Table::Usage],
        sql: r#"SELECT timestamp, kind, namespace, name, container, cpu_nanocores, memory_bytes
                FROM usage WHERE timestamp <= {now}"#,
    },
];

/// Which versions of objects are valid.
const VALID: &str = "valid_from <= {now} AND (valid_to IS NULL OR valid_to > {now})";

/// Visible and withheld versions end independently of each other, so that two of an object may be
/// valid.
const NEWEST: &str =
    r#"QUALIFY row_number() OVER (PARTITION BY "group", resource, uid ORDER BY seq DESC) = 1"#;

impl AgentView {
    /// Its text at a moment.
    pub(super) fn sql(&self, now: i64, holds_withheld: bool) -> String {
        let newest = if holds_withheld { NEWEST } else { "" };
        let objects = format!("(SELECT * FROM object_versions WHERE {VALID} {newest})");
        let moment = format!("TIMESTAMP '{}'", time(now));
        self.sql
            .replace("{objects}", &objects)
            .replace("{now}", &moment)
    }
}

/// The tables that have to be recorded for the answers of what a plan scans, view or table, to mean
/// something.
pub(super) fn tables_behind(scanned: &str) -> &'static [Table] {
    VIEWS
        .iter()
        .find(|view| {
            view.name == scanned || view.tables.iter().any(|table| table.name() == scanned)
        })
        .map_or(&[], |view| view.tables)
}

/// The view that shows a table.
pub(super) fn shown(table: &str) -> &'static str {
    let shows = |view: &&AgentView| view.tables.iter().any(|one| one.name() == table);
    VIEWS
        .iter()
        .find(shows)
        .map_or("these rows", |view| view.name)
}
