//! An incident on a running cluster that an agent acts on.
//!
//! Reading order: [`LiveSystem`] brings an application up, breaks it, judges what became of it and
//! puts it back, problem after problem; [`LiveEnvironment`] answers an agent's actions from the
//! cluster, in the shapes of a replay. Below them: toolbox (the pod that `exec_shell` runs in) and
//! its rights, guard (what an agent must not break), judge.

mod environment;
mod guard;
mod judge;
mod logs;
mod metrics;
mod rights;
mod system;
pub(crate) mod toolbox;
mod traces;

pub use environment::LiveEnvironment;
pub use judge::Judged;
pub use rights::{Granted, Rights, UnknownRights};
pub use system::{LiveOptions, LiveSystem};
pub use toolbox::{TOOLBOX_IMAGE, ToolboxOptions};
