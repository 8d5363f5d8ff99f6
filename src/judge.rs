//! A language model that judges the reasoning of kept episodes, for `aiopslab score --judge` (docs/results.md).
//!
//! What it is asked and how its answer is read is `aiopslab_problems::score::judge`. [`asking`] asks, through the
//! client of `llm:MODEL`; [`verdicts`] owns the file in which answers are kept, so that nobody is asked twice;
//! [`figures`] sums verdicts up, beside the scores and never among them.

mod asking;
mod figures;
mod verdicts;

pub(crate) use self::asking::{judge, named};
pub use self::figures::{Judged, JudgedEpisode, Ratings};
pub(crate) use self::figures::{Subject, judged};
pub use self::verdicts::Verdict;
pub(crate) use self::verdicts::Verdicts;
