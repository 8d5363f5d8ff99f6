//! How much an action may ask for. Counted, never timed, so that every run agrees.

use super::command::Stop;

/// Bytes of a command line.
pub(super) const INPUT_BYTES: usize = 16 * 1024;

/// Depth of brackets, blocks, substitutions, functions and expressions.
pub(super) const NESTING: usize = 64;

/// Commands and turns of loops that one action takes.
const STEPS: usize = 20_000;

/// Commands of one action that ask the recording.
const QUESTIONS: usize = 256;

/// Bytes that expansions of one action produce.
const EXPANSION_BYTES: usize = 64 * 1024 * 1024;

/// Elements of the patterns that one action compiles.
const PATTERN_ELEMENTS: usize = 128 * 1024;

/// Bytes that the commands of one action print, into pipes and files too, and that they read.
const PIPED_BYTES: usize = 256 * 1024 * 1024;

/// Bytes that all files of an episode may have.
pub(super) const FILE_BYTES: usize = 64 * 1024 * 1024;

/// Words of one command.
pub(super) const WORDS: usize = 64 * 1024;

/// Variables.
pub(super) const VARIABLES: usize = 2 * 1024;

/// Elements of one array.
pub(super) const ELEMENTS: usize = 16 * 1024;

/// Bytes that an action answers with.
pub(super) const OUTPUT_BYTES: usize = aiopslab_problems::answer::OUTPUT_BYTES;

/// What is left of an action's limits.
#[derive(Debug)]
pub(super) struct Budget {
    steps: usize,
    questions: usize,
    expansion_bytes: usize,
    piped_bytes: usize,
    pattern_elements: usize,
}

impl Budget {
    /// Everything that an action may use.
    pub(super) fn new() -> Self {
        Self {
            steps: STEPS,
            questions: QUESTIONS,
            expansion_bytes: EXPANSION_BYTES,
            piped_bytes: PIPED_BYTES,
            pattern_elements: PATTERN_ELEMENTS,
        }
    }

    /// Counts a command or a turn of a loop.
    pub(super) fn step(&mut self) -> Result<(), Stop> {
        take(&mut self.steps, 1, || format!("more than {STEPS} steps"))
    }

    /// Counts a command that asks the recording.
    pub(super) fn question(&mut self) -> Result<(), Stop> {
        take(&mut self.questions, 1, || {
            format!("more than {QUESTIONS} commands")
        })
    }

    /// Counts what an expansion produced.
    pub(super) fn expanded(&mut self, bytes: usize) -> Result<(), Stop> {
        // A word costs something even if it is empty.
        take(&mut self.expansion_bytes, bytes + 1, || {
            format!("expansions of more than {EXPANSION_BYTES} bytes")
        })
    }

    /// Counts the elements of a pattern.
    pub(super) fn compiled(&mut self, elements: usize) -> Result<(), Stop> {
        take(&mut self.pattern_elements, elements, || {
            format!("patterns of more than {PATTERN_ELEMENTS} elements")
        })
    }

    /// Counts what a command printed or read.
    pub(super) fn piped(&mut self, bytes: usize) -> Result<(), Stop> {
        take(&mut self.piped_bytes, bytes, || {
            format!("more than {PIPED_BYTES} bytes in pipes")
        })
    }
}

fn take(left: &mut usize, wanted: usize, what: impl Fn() -> String) -> Result<(), Stop> {
    match left.checked_sub(wanted) {
        Some(rest) => {
            *left = rest;
            Ok(())
        }
        None => Err(exceeded(&what())),
    }
}

/// The notice that ends an action which asks for too much.
pub(super) fn exceeded(what: &str) -> Stop {
    Stop::NotCaptured(format!(
        "{what} in one action are not available in this recording"
    ))
}
