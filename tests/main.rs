//! End-to-end tests: the architecture, the command line, whole episodes on the shipped samples.

mod command_line;
mod episodes;
mod program;
mod tidy;
