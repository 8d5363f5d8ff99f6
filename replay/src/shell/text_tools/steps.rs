//! How much a program of the agent's may compute: counted, so that every run agrees.

use super::{Halt, lacking};

/// Steps that one invocation may take; fewer in tests, which try many that would never end.
const STEPS: u64 = if cfg!(test) { 200_000 } else { 20_000_000 };

/// Bytes that one text of a program may have.
pub(super) const TEXT_BYTES: usize = 16 * 1024 * 1024;

/// What is left of an invocation's steps.
pub(super) struct Steps {
    program: &'static str,
    left: u64,
}

impl Steps {
    /// All steps of an invocation.
    pub(super) fn new(program: &'static str) -> Self {
        let left = STEPS;
        Self { program, left }
    }

    /// Takes a step, and one more for every 64 bytes that are touched.
    pub(super) fn take(&mut self, bytes: usize) -> Result<(), Halt> {
        let cost = 1 + (bytes / 64) as u64;
        match self.left.checked_sub(cost) {
            Some(left) => self.left = left,
            None => {
                return Err(lacking(
                    self.program,
                    &format!("of more than {STEPS} steps"),
                ));
            }
        }
        if bytes > TEXT_BYTES {
            return Err(lacking(
                self.program,
                &format!("of texts above {TEXT_BYTES} bytes"),
            ));
        }
        Ok(())
    }
}
