//! What a capture tells the person who waits for it.

use std::sync::Arc;

/// Listens to a capture.
///
/// Called from async code: must return at once.
pub trait Progress: Send + Sync {
    /// A stage begins, e.g. `deploy`, with what it does in a few words.
    fn stage(&self, name: &str, what: &str);

    /// Rows that a recorder has written into a table so far.
    fn rows(&self, table: &str, rows: u64);

    /// Something worth a line: what was found, what is being waited for, what went wrong.
    fn note(&self, text: &str);
}

/// A listener that is shared between the stages and the recorders.
pub type SharedProgress = Arc<dyn Progress>;

/// Listens to nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {
    fn stage(&self, _name: &str, _what: &str) {}
    fn rows(&self, _table: &str, _rows: u64) {}
    fn note(&self, _text: &str) {}
}
