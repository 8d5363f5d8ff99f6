//! What can go wrong while a snapshot is served.

use aiopslab_datasets::error::SnapshotError;
use aiopslab_datasets::rows::RowError;

use crate::clock::ClockError;
use crate::view::ViewError;

/// The result of serving a snapshot.
pub type Result<T, E = ReplayError> = std::result::Result<T, E>;

/// Why a snapshot can't be served, or a query not be answered.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The snapshot could not be opened.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The clock can't be had.
    #[error(transparent)]
    Clock(#[from] ClockError),
    /// The withheld rows are asked for, and are not there.
    #[error(
        "this snapshot came without withheld/\nhint: only the rows that agents may see are here"
    )]
    NoWithheld,
    /// The query engine could not be set up or failed on a table.
    #[error(
        "failed to read {table}: {cause}\nhint: `aiopslab snapshot verify` tells whether the snapshot is damaged"
    )]
    Read {
        /// The table.
        table: &'static str,
        /// What the engine said.
        cause: String,
    },
    /// The rows of a table are not as its schema says.
    #[error(transparent)]
    Rows(#[from] RowError),
    /// A recorded JSON document can't be understood.
    #[error("failed to parse the recorded {what}: {cause}")]
    Json {
        /// What it is.
        what: String,
        /// What the parser said.
        cause: serde_json::Error,
    },
    /// A statement that does more than read.
    #[error(
        "{statement} is refused: snapshots are read-only\nhint: only SELECT, EXPLAIN, DESCRIBE and SHOW run; for a changed copy use `--format parquet` and another tool"
    )]
    Write {
        /// The statement's first word.
        statement: String,
    },
    /// A query that can't be run.
    #[error("{cause}\nhint: {hint}")]
    Query {
        /// What the engine said.
        cause: String,
        /// The way out.
        hint: String,
    },
}

impl From<ReplayError> for ViewError {
    fn from(error: ReplayError) -> Self {
        Self::new("the snapshot", error)
    }
}
