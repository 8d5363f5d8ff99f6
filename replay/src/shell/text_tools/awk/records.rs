//! Records of the inputs, and their fields.

use super::super::pattern::{Flags, Pattern, Syntax};
use super::super::{Halt, lacking};

/// What separates records or fields.
pub(super) enum Separator {
    /// Blanks and line ends; none at either end.
    Blanks,
    /// Empty lines.
    Paragraphs,
    Text(String),
    /// Every character by itself.
    Characters,
    Pattern(Box<Pattern>),
}

impl Separator {
    /// Of fields, from `FS`.
    pub(super) fn fields(text: &str) -> Result<Self, Halt> {
        match text {
            " " => Ok(Self::Blanks),
            "" => Ok(Self::Characters),
            "\\" | "|" => Ok(Self::Text(text.to_owned())),
            single if single.chars().count() == 1 && single != "^" => {
                Ok(Self::Text(single.to_owned()))
            }
            other => compiled(other),
        }
    }

    /// Of records, from `RS`.
    pub(super) fn records(text: &str) -> Result<Self, Halt> {
        match text {
            "" => Ok(Self::Paragraphs),
            single if single.chars().count() == 1 => Ok(Self::Text(single.to_owned())),
            other => compiled(other),
        }
    }

    /// The parts of a text.
    pub(super) fn split(&self, text: &str, with_lines: bool) -> Vec<String> {
        if text.is_empty() {
            return Vec::new();
        }
        let owned = |part: &str| part.to_owned();
        match self {
            Self::Blanks => {
                let blank = |c: char| matches!(c, ' ' | '\t' | '\n');
                text.split(blank)
                    .filter(|part| !part.is_empty())
                    .map(owned)
                    .collect()
            }
            Self::Characters => text.chars().map(|c| c.to_string()).collect(),
            Self::Text(separator) if with_lines => text
                .split(|c: char| c == '\n' || separator.starts_with(c))
                .map(owned)
                .collect(),
            Self::Text(separator) => text.split(separator.as_str()).map(owned).collect(),
            Self::Paragraphs => vec![text.to_owned()],
            Self::Pattern(pattern) => {
                let mut parts = Vec::new();
                let mut start = 0;
                for found in pattern.find_all(text).filter(|found| !found.is_empty()) {
                    parts.push(text.get(start..found.start).unwrap_or_default().to_owned());
                    start = found.end;
                }
                parts.push(text.get(start..).unwrap_or_default().to_owned());
                parts
            }
        }
    }

    /// The first record of a text, with the length of it and its separator.
    pub(super) fn first<'t>(&self, text: &'t str) -> Option<(&'t str, usize)> {
        if text.is_empty() {
            return None;
        }
        let cut = |start: usize, end: usize| (text.get(..start).unwrap_or_default(), end);
        Some(match self {
            Self::Text(separator) => match text.find(separator.as_str()) {
                Some(at) => cut(at, at + separator.len()),
                None => (text, text.len()),
            },
            Self::Paragraphs => {
                let skipped = text.len() - text.trim_start_matches('\n').len();
                let rest = text.get(skipped..).unwrap_or_default();
                if rest.is_empty() {
                    return None;
                }
                match rest.find("\n\n") {
                    Some(at) => {
                        let after = rest.get(at..).unwrap_or_default();
                        let blank = after.len() - after.trim_start_matches('\n').len();
                        (rest.get(..at).unwrap_or_default(), skipped + at + blank)
                    }
                    None => (rest.strip_suffix('\n').unwrap_or(rest), text.len()),
                }
            }
            Self::Pattern(pattern) => {
                match pattern.find_all(text).find(|found| !found.is_empty()) {
                    Some(found) => cut(found.start, found.end),
                    None => (text, text.len()),
                }
            }
            Self::Blanks | Self::Characters => (text, text.len()),
        })
    }
}

fn compiled(text: &str) -> Result<Separator, Halt> {
    let pattern = Pattern::new(text, Syntax::Awk, Flags::default());
    let pattern = pattern.map_err(|_| lacking("awk", &format!("with the separator {text}")))?;
    Ok(Separator::Pattern(Box::new(pattern)))
}
