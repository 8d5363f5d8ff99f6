//! What came of evaluations: figures per agent, as text, Markdown, HTML and JSON.
//!
//! [`summary`] is what an evaluation leaves (`summary.json`), [`figures`] what it says of one agent.
//! [`tables`] arranges the figures once for every form: [`text`] prints them, [`html`] makes a page
//! of them, with the episodes ([`episodes`]) and curves ([`svg`]). [`beside`] puts several
//! evaluations side by side. What judges said ([`judged`]) has tables of its own.
//!
//! The same results give the same bytes.

mod beside;
mod episodes;
mod figures;
mod html;
mod judged;
mod summary;
mod svg;
mod tables;
mod text;

pub use self::beside::{Source, beside};
pub use self::figures::AgentSummary;
pub use self::html::html;
pub(crate) use self::summary::SUMMARY;
pub use self::summary::Summary;
pub(crate) use self::text::exercised;
pub use self::text::{markdown, of_evaluation, of_judge, repairs, text};
