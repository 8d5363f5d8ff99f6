//! The snapshot format: schemas, writer, reader, verification.
