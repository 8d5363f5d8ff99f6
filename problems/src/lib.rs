//! What an AIOps agent is asked, what it may do, and how it is scored.

pub mod action;
pub mod condition;
pub mod environment;
pub mod family;
pub mod fault;
pub mod task;
