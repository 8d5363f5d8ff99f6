//! The snapshot format: schemas, writer, reader, verification.

pub mod rows;
pub mod schema;
