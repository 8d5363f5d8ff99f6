//! How much an action may ask for. Counted, never timed, so that every run agrees.

/// Bytes of a command line.
pub(super) const INPUT_BYTES: usize = 16 * 1024;

/// Depth of brackets and quotes, counted before the parser sees the line.
pub(super) const NESTING: usize = 64;

/// Commands that one action runs.
pub(super) const COMMANDS: usize = 256;

/// Bytes that an action answers with.
pub(super) const OUTPUT_BYTES: usize = 4 * 1024 * 1024;

/// Stack of the thread that parses.
pub(super) const PARSER_STACK_BYTES: usize = 64 * 1024 * 1024;
