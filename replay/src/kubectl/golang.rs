//! What Go's standard library does that shows in kubectl's output: the order in which `sort.Sort`
//! leaves equal elements, and the text of `fmt`'s verbs.

pub(super) mod format;
pub(super) mod quote;
pub(super) mod sort;
