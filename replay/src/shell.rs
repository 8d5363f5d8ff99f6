//! The shell of an agent: an interpreter, no process is ever started.
//!
//! A command line becomes a small tree ([`syntax`]) that [`run`](mod@run) walks: `kubectl` answers
//! from the recording, the text tools work on what is piped into them. Whatever the recording or
//! the interpreter does not know ends the action with a notice that no redirection hides; nothing
//! is ever reported as "not found" that was merely not recorded.

mod command;
mod limits;
mod run;
mod syntax;
mod text_tools;

pub(crate) use command::{CommandOutput, Stop};
pub use run::{ShellOutcome, run};
