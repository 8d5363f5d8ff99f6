//! Tables as the server makes them: which columns a resource has, and an object's cells at a moment.
//!
//! Cells come from our printers where there is one. Columns are the recorded server's, matched by
//! name, since versions of Kubernetes differ in which there are and in their order. Custom resources
//! have the columns of their recorded definition. For what is left the recorded cells are the source,
//! with the age made anew.

use serde_json::{Value, json};

use super::custom::{self, CustomColumns};
use super::printers::{Printer, printer};
use super::{object, timestamp};
use crate::view::{ColumnDefinition, RecordedObject, View, ViewError};

/// How the table of one resource is made.
pub(crate) struct TableMaker {
    columns: Vec<ColumnDefinition>,
    source: Source,
}

enum Source {
    /// Per column the place of its cell in the printer's.
    Printer(&'static Printer, Vec<Option<usize>>),
    /// What a custom resource's definition asks for.
    Custom(CustomColumns),
    Recorded,
}

impl TableMaker {
    /// For a resource; none if its columns are neither known nor recorded.
    pub(crate) async fn open(
        view: &dyn View,
        group: &str,
        resource: &str,
    ) -> Result<Option<Self>, ViewError> {
        let recorded = view.columns(group, resource).await?;
        if let Some(printer) = printer(group, resource) {
            return Ok(Some(Self::with_printer(printer, recorded)));
        }
        if let Some(custom) = custom::columns(view, group, resource).await? {
            return Ok(Some(Self {
                columns: custom.definitions().to_vec(),
                source: Source::Custom(custom),
            }));
        }
        Ok((!recorded.is_empty()).then_some(Self {
            columns: recorded,
            source: Source::Recorded,
        }))
    }

    fn with_printer(printer: &'static Printer, recorded: Vec<ColumnDefinition>) -> Self {
        let printed = printer.columns();
        let columns = if recorded.is_empty() {
            printed.clone()
        } else {
            recorded
        };
        let places = columns
            .iter()
            .map(|column| printed.iter().position(|known| known.name == column.name))
            .collect();
        Self {
            columns,
            source: Source::Printer(printer, places),
        }
    }

    /// The columns.
    pub(crate) fn columns(&self) -> &[ColumnDefinition] {
        &self.columns
    }

    /// The cells of an object at a moment, in the order of the columns; none if they are neither
    /// computable nor recorded.
    pub(crate) fn cells(&self, recorded: &RecordedObject, now: i64) -> Option<Vec<Value>> {
        match &self.source {
            Source::Printer(printer, places) => {
                let mut printed = printer.cells(&recorded.object, now);
                // What the server prints beyond its columns.
                let beyond = printed.split_off(printer.columns().len().min(printed.len()));
                let mut cells = Vec::new();
                for (position, place) in places.iter().enumerate() {
                    cells.push(match place {
                        Some(place) => printed.get(*place)?.clone(),
                        // A column that is newer than our printer.
                        None => recorded.cells.as_ref()?.get(position)?.clone(),
                    });
                }
                cells.extend(beyond);
                Some(cells)
            }
            Source::Custom(custom) => custom.cells(&recorded.object, now),
            Source::Recorded => {
                let cells = recorded.cells.as_ref()?;
                let columns = self.columns.iter().map(Some);
                Some(
                    cells
                        .iter()
                        .zip(columns.chain(std::iter::repeat(None)))
                        .map(|(cell, column)| match column {
                            Some(column) if column.name == "Age" => {
                                let created = "/metadata/creationTimestamp";
                                json!(timestamp::age(&recorded.object, created, now))
                            }
                            _ => cell.clone(),
                        })
                        .collect(),
                )
            }
        }
    }
}

/// What a row says of an object that has ended: shown by clients, and used to wait for it.
pub(crate) fn row_conditions(recorded: &RecordedObject) -> Option<Value> {
    if !recorded.group.is_empty() || recorded.resource != "pods" {
        return None;
    }
    let (reason, message) = match object::text(&recorded.object, "/status/phase") {
        "Succeeded" => ("Succeeded", "The pod has completed successfully."),
        "Failed" => ("Failed", "The pod failed."),
        _ => return None,
    };
    Some(json!([
        {"type": "Completed", "status": "True", "reason": reason, "message": message}
    ]))
}
