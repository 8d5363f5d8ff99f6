//! What Go's standard library does that shows in kubectl's output: the order in which `sort.Sort`
//! leaves equal elements, the text of `fmt`'s verbs, and that of `encoding/json`.

pub(crate) mod format;
pub(crate) mod json;
pub(crate) mod quote;
pub(crate) mod sort;
