//! End-to-end tests: the architecture, the command line, whole episodes and the servers on the shipped
//! samples.

#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod command_line;
mod episodes;
mod kubernetes_server;
mod oracle;
mod program;
mod support_bundle;
mod tidy;
