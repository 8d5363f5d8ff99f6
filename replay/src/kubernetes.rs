//! The recorded objects at *now* as a Kubernetes API server serves them: one read-only view, used
//! by the interpreter behind `exec_shell` ([`crate::kubectl`]) and by the API server of
//! `aiopslab serve`.
//!
//! Reading fields and the forms of Kubernetes: [`object`], [`timestamp`], [`duration`],
//! [`quantity`]. What is asked for: [`discovery`] (types), [`selector`] (objects). What is printed:
//! [`cells`].

pub(crate) mod cells;
pub(crate) mod discovery;
pub(crate) mod duration;
pub(crate) mod object;
pub(crate) mod quantity;
pub(crate) mod selector;
pub(crate) mod timestamp;
