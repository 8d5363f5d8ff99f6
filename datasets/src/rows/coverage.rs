//! What was recorded, from when to when.

use serde::{Deserialize, Serialize};

use super::row;

/// A row of [`Table::Coverage`](crate::schema::Table::Coverage).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// Name of the table that was recorded into.
    pub table: String,
    /// Where it came from, e.g. `kubernetes`, `prometheus`, `jaeger`.
    pub source: String,
    /// Which part, `key=value` pairs joined by commas; empty for all of it.
    pub scope: String,
    /// First moment covered.
    pub from: i64,
    /// End of what is covered (half-open).
    pub to: i64,
    /// `recorded`, `partial`, `missing` or `withheld`.
    pub state: String,
    /// Why it is not `recorded`.
    pub reason: Option<String>,
    /// Whether the source itself had nothing before `from`.
    pub from_is_source_start: bool,
}

row!(Coverage, Coverage {
    table: String, source: String, scope: String, from: i64, to: i64, state: String,
    reason: Option<String>, from_is_source_start: bool,
});
