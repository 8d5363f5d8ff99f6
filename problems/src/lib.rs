//! What an AIOps agent is asked, what it may do, and how it is scored: data and pure functions.

pub mod action;
pub mod answer;
pub mod catalog;
pub mod condition;
pub mod environment;
pub mod episode;
pub mod family;
pub mod fault;
mod keyed;
pub mod label;
pub mod path;
pub mod prompt;
pub mod resolve;
pub mod score;
pub mod submission;
pub mod task;
