//! The snapshot format: schemas, writer, reader, verification.
//!
//! Modules in reading order: [`schema`] names the tables and columns, [`rows`] has their rows as
//! structs, [`manifest`] describes a snapshot, [`writer`] records and finishes one, [`snapshot`]
//! reads it, [`verify`] checks it, [`redact`] replaces secrets before they are written,
//! [`import`] makes snapshots of what other tools collected, [`probes`] are what the live system
//! answered, [`remote_read`] is how Prometheus answers a remote read, [`samples`] ship with the program,
//! [`release`] freezes snapshots for publishing, [`remote`] reads those that lie elsewhere.
//! Only this crate names or writes files within a snapshot.

pub mod error;
mod files;
pub mod import;
pub mod manifest;
pub mod probes;
pub mod redact;
pub mod release;
pub mod remote;
pub mod remote_read;
pub mod rows;
pub mod samples;
pub mod schema;
pub mod snapshot;
pub mod verify;
pub mod writer;

pub use error::SnapshotError;
pub use manifest::{Manifest, ManifestDraft};
pub use snapshot::Snapshot;
pub use writer::{SnapshotWriter, Visibility};
