//! `s`.

use super::super::super::pattern::{Groups, next_character};
use super::super::super::{Halt, lacking};
use super::super::script::{Part, Substitution};
use super::Machine;

impl<'a> Machine<'a> {
    /// Replaces matches in the pattern space.
    pub(super) fn substitute(&mut self, substitution: &'a Substitution) -> Result<(), Halt> {
        let pattern = self.pattern(substitution.pattern.as_ref())?;
        let needed = substitution
            .replacement
            .iter()
            .filter_map(|part| match part {
                Part::Group(group) => Some(*group),
                _ => None,
            });
        if needed.max().unwrap_or(0) > pattern.group_count() {
            return Err(lacking("sed", "a group of an empty pattern"));
        }
        let text = std::mem::take(&mut self.space);
        let mut out = String::new();
        let mut writer = CaseWriter::default();
        let (mut copied, mut search, mut count) = (0, Some(0), 0);
        let mut last_end = None;
        let mut replaced = false;
        while let Some(groups) = search.and_then(|from| pattern.groups_at(&text, from)) {
            let Some(Some(found)) = groups.first().cloned() else {
                break;
            };
            search = match found.is_empty() {
                true => next_character(&text, found.end),
                false => Some(found.end),
            };
            if found.is_empty() && last_end == Some(found.end) {
                continue;
            }
            last_end = Some(found.end);
            count += 1;
            self.steps
                .take(found.end - found.start + out.len() / 4096)?;
            if count < substitution.from {
                continue;
            }
            out.push_str(text.get(copied..found.start).unwrap_or_default());
            writer.replacement(&substitution.replacement, &text, &groups, &mut out);
            self.steps.take(out.len() / 64)?;
            if out.len() > super::super::super::steps::TEXT_BYTES {
                self.steps.take(out.len())?;
            }
            copied = found.end;
            replaced = true;
            if !substitution.everywhere {
                break;
            }
        }
        out.push_str(text.get(copied..).unwrap_or_default());
        self.steps.take(out.len())?;
        self.space = out;
        if !replaced {
            return Ok(());
        }
        self.substituted = true;
        if substitution.print > 0 {
            let space = self.space.clone();
            self.line_out(&space)?;
        }
        if let Some(path) = &substitution.write {
            let line = format!("{}\n", self.space);
            self.write(path, &line);
        }
        Ok(())
    }
}

/// Applies `\U`, `\L`, `\u`, `\l` and `\E`.
#[derive(Default)]
struct CaseWriter {
    /// `U` or `L`, until `\E`.
    all: Option<char>,
    /// `u` or `l`, for the next character.
    next: Option<char>,
}

impl CaseWriter {
    fn replacement(&mut self, parts: &[Part], text: &str, groups: &Groups, out: &mut String) {
        *self = Self::default();
        for part in parts {
            match part {
                Part::Text(part) => self.push(part, out),
                Part::Group(group) => {
                    let range = groups.get(*group).cloned().flatten();
                    let part = range.and_then(|range| text.get(range));
                    self.push(part.unwrap_or_default(), out);
                }
                Part::Case(case @ ('u' | 'l')) => self.next = Some(*case),
                Part::Case('E') => self.all = None,
                Part::Case(case) => self.all = Some(*case),
            }
        }
    }

    fn push(&mut self, part: &str, out: &mut String) {
        for c in part.chars() {
            match self.next.take().or(self.all) {
                Some('u' | 'U') => out.extend(c.to_uppercase()),
                Some(_) => out.extend(c.to_lowercase()),
                None => out.push(c),
            }
        }
    }
}
