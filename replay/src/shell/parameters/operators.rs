//! What `#`, `%`, `/`, `^`, `:` and `@` do with a value.

use crate::shell::ast::ReplacePlace;
use crate::shell::blocks::too_large;
use crate::shell::expand::Piece;
use crate::shell::interpreter::{Halt, unavailable};
use crate::shell::pattern::{Matcher, Pattern};
use crate::shell::{limits, quote};

/// Positions of a slice; none if its length is not allowed to be negative, or is too negative.
pub(super) fn range(
    count: usize,
    offset: i64,
    length: Option<i64>,
    is_text: bool,
) -> Option<std::ops::Range<usize>> {
    let count = i64::try_from(count).ok()?;
    let start = if offset < 0 {
        offset.saturating_add(count)
    } else {
        offset
    };
    if start < 0 || start > count {
        return Some(0..0);
    }
    let end = match length {
        None => count,
        Some(length) if length >= 0 => start.saturating_add(length).min(count),
        Some(length) if is_text => count.saturating_add(length),
        Some(_) => return None,
    };
    if end < start {
        return None;
    }
    Some(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

pub(super) fn remove(
    text: &str,
    pattern: &Pattern,
    suffix: bool,
    longest: bool,
) -> Result<String, Halt> {
    let rest = if suffix {
        let length = pattern.suffix(text, longest).map_err(too_large)?;
        text.get(..text.len() - length.unwrap_or(0))
    } else {
        let length = pattern.prefix(text, longest).map_err(too_large)?;
        text.get(length.unwrap_or(0)..)
    };
    Ok(rest.unwrap_or(text).to_owned())
}

pub(super) fn replace(
    text: &str,
    place: ReplacePlace,
    pattern: &Pattern,
    replacement: &[Piece],
) -> Result<String, Halt> {
    let ranges = match place {
        ReplacePlace::First => pattern.find_all(text, true).map_err(too_large)?,
        ReplacePlace::All => pattern.find_all(text, false).map_err(too_large)?,
        ReplacePlace::Start => {
            let length = pattern.prefix(text, true).map_err(too_large)?;
            length.map(|length| (0, length)).into_iter().collect()
        }
        ReplacePlace::End => {
            let length = pattern.suffix(text, true).map_err(too_large)?;
            length
                .map(|length| (text.len() - length, text.len()))
                .into_iter()
                .collect()
        }
    };
    let mut result = String::with_capacity(text.len());
    let mut position = 0;
    for (start, end) in ranges {
        result.push_str(text.get(position..start).unwrap_or_default());
        let matched = text.get(start..end).unwrap_or_default();
        for piece in replacement {
            match piece {
                // An unquoted `&` is what matched.
                Piece::Text {
                    text,
                    quoted: false,
                    ..
                } => {
                    let grows = text.matches('&').count().saturating_mul(matched.len());
                    if grows > limits::OUTPUT_BYTES {
                        return Err(limits::exceeded("replacements of this size").into());
                    }
                    result.push_str(&text.replace('&', matched));
                }
                Piece::Text { text, .. } => result.push_str(text),
                Piece::Boundary => result.push(' '),
            }
        }
        position = end;
        if result.len() > limits::OUTPUT_BYTES {
            return Err(limits::exceeded("replacements of this size").into());
        }
    }
    result.push_str(text.get(position..).unwrap_or_default());
    Ok(result)
}

pub(super) fn change_case(text: &str, upper: bool, all: bool, pattern: Option<&Matcher>) -> String {
    let mut result = String::with_capacity(text.len());
    for (position, character) in text.chars().enumerate() {
        let matches = match pattern {
            Some(pattern) => pattern.matches(character.encode_utf8(&mut [0; 4])),
            None => true,
        };
        if !matches || (position > 0 && !all) {
            result.push(character);
        } else if upper {
            result.extend(character.to_uppercase());
        } else {
            result.extend(character.to_lowercase());
        }
    }
    result
}

pub(super) fn transform(text: &str, letter: char) -> Result<String, Halt> {
    match letter {
        'U' => Ok(change_case(text, true, true, None)),
        'u' => Ok(change_case(text, true, false, None)),
        'L' => Ok(change_case(text, false, true, None)),
        'Q' => Ok(quote::single(text)),
        other => Err(unavailable(&format!("${{parameter@{other}}}")).into()),
    }
}
