//! Tables as kubectl prints them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::cluster::Cluster;
use super::failure::Failure;
use super::tabwriter;
use super::{object, resources, timestamp};
use crate::kubernetes::table::TableMaker;
use crate::view::{ColumnDefinition, RecordedObject, ResourceType, View};

/// How a table is shown.
#[derive(Debug, Clone, Default)]
pub(super) struct TableOptions {
    /// With the columns that are usually hidden.
    pub(super) wide: bool,
    /// Without the first line.
    pub(super) no_headers: bool,
    /// With a first column for the namespace.
    pub(super) with_namespace: bool,
    /// With `type.group/` before names.
    pub(super) with_kind: bool,
    /// Printed by kubectl itself, which knows names and ages only.
    pub(super) by_client: bool,
    /// With a last column for all labels.
    pub(super) show_labels: bool,
    /// Labels that get columns.
    pub(super) label_columns: Vec<String>,
}

/// The table of objects of one type; empty without objects.
pub(super) async fn print(
    cluster: &Cluster<'_>,
    t: &ResourceType,
    objects: &[RecordedObject],
    options: &TableOptions,
) -> Result<String, Failure> {
    let rows = rows(cluster.view, cluster.now, t, objects, options).await?;
    Ok(print_cells(&rows))
}

/// The lines of a table, their cells separated by tabs. Ages are those at a moment.
pub(super) async fn rows(
    view: &dyn View,
    now: i64,
    t: &ResourceType,
    objects: &[RecordedObject],
    options: &TableOptions,
) -> Result<String, Failure> {
    if objects.is_empty() {
        return Ok(String::new());
    }
    let maker = if options.by_client {
        None
    } else {
        TableMaker::open(view, &t.group, &t.resource).await?
    };
    let columns = match &maker {
        Some(maker) => maker.columns().to_vec(),
        None => client_columns(),
    };
    let mut text = String::new();
    if !options.no_headers {
        text.push_str(&header(&columns, options));
    }
    for object in objects {
        let mut row: Vec<String> = Vec::new();
        if options.with_namespace {
            row.push(object.namespace.clone());
        }
        let cells = match &maker {
            Some(maker) => maker.cells(object, now),
            None => options.by_client.then(|| client_cells(object, now)),
        };
        let cells = cells.ok_or_else(|| {
            Failure::not_captured(format!(
                "the table of {} is not available in this recording, its objects are (-o yaml)",
                resources::qualified(t)
            ))
        })?;
        for (column, cell) in columns.iter().zip(&cells) {
            if column.priority != 0 && !options.wide {
                continue;
            }
            let text = object::plain(cell);
            let text = if options.with_kind && column.format == "name" && column.r#type == "string"
            {
                format!(
                    "{}/{text}",
                    resources::kind_prefix(&object.group, &object.kind)
                )
            } else {
                text
            };
            row.push(first_line(&text));
        }
        let labels = object::map(&object.object, "/metadata/labels");
        for label in &options.label_columns {
            row.push(
                labels
                    .get(label.as_str())
                    .copied()
                    .unwrap_or_default()
                    .to_owned(),
            );
        }
        if options.show_labels {
            row.push(format_labels(&labels));
        }
        text.push_str(&row.join("\t"));
        text.push('\n');
    }
    Ok(text)
}

/// Writes a table as its lines come; columns only get wider.
#[derive(Debug, Default)]
pub(super) struct TableWriter {
    widths: Vec<usize>,
    has_written: bool,
}

impl TableWriter {
    /// Whether there were lines, so that the next ones have no header.
    pub(super) fn has_written(&self) -> bool {
        self.has_written
    }

    /// Aligns lines whose cells are separated by tabs.
    pub(super) fn write(&mut self, lines: &str) -> String {
        self.has_written |= !lines.is_empty();
        tabwriter::align_on(&mut self.widths, lines, MINIMUM, PADDING)
    }
}

const MINIMUM: usize = 6;
const PADDING: usize = 3;

/// What kubectl prints of any object without the server's help.
fn client_columns() -> Vec<ColumnDefinition> {
    ["Name", "Age"]
        .map(|name| ColumnDefinition {
            name: name.to_owned(),
            r#type: "string".to_owned(),
            format: if name == "Name" { "name" } else { "" }.to_owned(),
            description: String::new(),
            priority: 0,
        })
        .to_vec()
}

fn client_cells(object: &RecordedObject, now: i64) -> Vec<Value> {
    let age = timestamp::age(&object.object, "/metadata/creationTimestamp", now);
    vec![object.name.as_str().into(), age.into()]
}

/// Aligns tab-separated lines as kubectl's tables are.
pub(super) fn print_cells(text: &str) -> String {
    tabwriter::align(text, MINIMUM, PADDING)
}

fn header(columns: &[ColumnDefinition], options: &TableOptions) -> String {
    let mut names: Vec<String> = Vec::new();
    if options.with_namespace {
        names.push("NAMESPACE".to_owned());
    }
    names.extend(
        columns
            .iter()
            .filter(|column| column.priority == 0 || options.wide)
            .map(|column| column.name.to_uppercase()),
    );
    names.extend(
        options
            .label_columns
            .iter()
            .map(|label| label.rsplit('/').next().unwrap_or(label).to_uppercase()),
    );
    if options.show_labels {
        names.push("LABELS".to_owned());
    }
    format!("{}\n", names.join("\t"))
}

/// A cell holds one line; more is hinted at.
fn first_line(text: &str) -> String {
    match text.find(['\x0c', '\n', '\r']) {
        Some(end) => format!("{}...", tabwriter::escape(&text[..end])),
        None => tabwriter::escape(text),
    }
}

/// `a=b,c=d`, or `<none>`.
pub(super) fn format_labels(labels: &BTreeMap<&str, &str>) -> String {
    if labels.is_empty() {
        return "<none>".to_owned();
    }
    let pairs: Vec<String> = labels
        .iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect();
    pairs.join(",")
}
