//! The shell of an agent: an interpreter of bash's language, no process is ever started.
//!
//! A command line becomes a tree ([`ast`], made by [`parse`]) that an [`interpreter`] walks:
//! [`blocks`] and [`simple`] commands with their redirections ([`redirect`], [`streams`]) and
//! expansions ([`expand`], [`parameters`], [`arithmetic`], [`braces`], [`pattern`]). `kubectl`
//! answers from the recording, [`builtins`] are part of the shell, [`text_tools`] work on what is
//! piped into them.
//!
//! Whatever the recording or the interpreter does not know ends the action with a notice
//! ([`command::Stop`]) that no redirection, condition, substitution or pipe hides: it passes
//! through all of them as an error. Nothing is ever reported as "not found" that was merely not
//! recorded. Under the clock `play` time passes while commands wait ([`waiting`]). Depth, steps and bytes are counted
//! ([`limits`]). [`written`] tells what a command line would change, without running it.

mod arithmetic;
mod ast;
mod blocks;
mod braces;
mod builtins;
mod command;
mod conditions;
mod escapes;
mod expand;
mod file_names;
mod interpreter;
mod limits;
mod outcome;
mod parameters;
mod parse;
mod pattern;
mod quote;
mod redirect;
mod run;
mod simple;
mod state;
mod streams;
#[cfg(test)]
mod tests;
mod text_tools;
mod waiting;
mod written;

pub(crate) use command::{CommandOutput, Patience, Stop, Waited};
pub use outcome::ShellOutcome;
pub use run::run;
pub(crate) use waiting::END_OF_RECORDING;
pub use written::writes;
