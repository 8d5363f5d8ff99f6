//! JSON lines, each about one case.

use std::collections::BTreeMap;

use serde::de::DeserializeOwned;

use super::Unreadable;

/// Reads a line for each case; `case` names it.
///
/// # Errors
/// When a line is of another form, or a case comes twice.
pub(super) fn read<T: DeserializeOwned>(
    text: &str,
    case: impl Fn(&T) -> &str,
) -> Result<Vec<(u64, T)>, Unreadable> {
    let mut read: Vec<(u64, T)> = Vec::new();
    let mut seen: BTreeMap<String, u64> = BTreeMap::new();
    for (line, text) in (1..).zip(text.lines()) {
        if text.trim().is_empty() {
            continue;
        }
        let one: T = serde_json::from_str(text)
            .map_err(|error| Unreadable::new(line, format!("it is of another form: {error}")))?;
        if let Some(earlier) = seen.insert(case(&one).to_owned(), line) {
            let twice = format!("the case {:?} is in line {earlier} already", case(&one));
            return Err(Unreadable::new(line, twice));
        }
        read.push((line, one));
    }
    Ok(read)
}

/// Finds each prediction's place among the cases, in their order.
///
/// # Errors
/// When a prediction is of no case.
pub(super) fn matched<'a, T>(
    predictions: &'a [(u64, T)],
    case: impl Fn(&T) -> &str,
    cases: &[&str],
) -> Result<Vec<Option<&'a T>>, Unreadable> {
    let places: BTreeMap<&str, usize> = cases.iter().copied().zip(0..).collect();
    let mut matched = vec![None; cases.len()];
    for (line, prediction) in predictions {
        let place = places.get(case(prediction)).ok_or_else(|| {
            let what = format!("the truth has no case {:?}", case(prediction));
            Unreadable::new(*line, what)
        })?;
        matched[*place] = Some(prediction);
    }
    Ok(matched)
}
