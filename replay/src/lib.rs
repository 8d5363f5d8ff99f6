//! A snapshot served as an environment that an agent acts on, and as tables that people query.
//!
//! Modules in reading order: [`clock`] (which moment is now), [`view`] (what is asked of a
//! recording), [`recording`] (the one implementation of it), [`kubernetes`] (the recorded objects
//! as an API server serves them), [`environment`] (the seven actions), [`shell`] and [`kubectl`]
//! (the interpreters behind `exec_shell`), `golang` (what Go's library prints in Kubernetes'
//! programs), `agent_sql` (behind `query_sql`), [`files`] (what actions wrote), [`sql`] (for people),
//! [`log_template`] (what is the same in lines), [`error`].
//!
//! Nothing here starts a process, reads the wall clock or opens anything but the snapshot.

mod agent_sql;
pub mod clock;
mod coverage;
pub mod environment;
pub mod error;
pub mod files;
mod golang;
pub mod kubectl;
pub mod kubernetes;
pub mod log_template;
mod metrics;
pub mod recording;
pub mod shell;
pub mod sql;
mod tables;
#[cfg(test)]
mod testing;
mod traces;
pub mod view;

pub use clock::Clock;
pub use environment::{ReplayEnvironment, ReplayOptions};
pub use error::ReplayError;
pub use sql::{QueryAnswer, SqlLimits, SqlSession, sql};
