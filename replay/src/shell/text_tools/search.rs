//! Selecting and printing lines, for `grep` and `rg`.

use super::inputs;
use super::pattern::Pattern;

/// What is searched for and how it is printed.
pub(super) struct Search {
    pub(super) pattern: Pattern,
    pub(super) invert: bool,
    pub(super) shown: Shown,
    pub(super) line_numbers: bool,
    pub(super) byte_offsets: bool,
    pub(super) after: usize,
    pub(super) before: usize,
    /// Lines to select at most in each text.
    pub(super) most: usize,
    /// Whether context is printed around single matches, too.
    pub(super) context_of_matches: bool,
    /// What is printed between parts that are not adjacent; nothing if none.
    pub(super) separator: Option<String>,
}

/// What is printed of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shown {
    Lines,
    Matches,
    Count,
    /// The number of matches, not of lines.
    MatchCount,
    /// The name if a line is selected.
    Name,
    /// The name if no line is selected.
    NameWithout,
    Nothing,
}

/// The output of a search, over all texts.
#[derive(Default)]
pub(super) struct Found {
    pub(super) out: String,
    /// Whether a line was selected.
    pub(super) any: bool,
    printed: bool,
}

impl Search {
    /// Searches one text; `name` is printed before each line if it is given, `shown_name` alone.
    pub(super) fn text(&self, name: Option<&str>, shown_name: &str, text: &str, found: &mut Found) {
        let lines: Vec<&str> = inputs::lines(text).collect();
        let selected: Vec<usize> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| self.pattern.is_match(line) != self.invert)
            .map(|(position, _)| position)
            .take(self.most)
            .collect();
        found.any |= !selected.is_empty();
        match self.shown {
            Shown::Nothing => {}
            Shown::Name | Shown::NameWithout => {
                if selected.is_empty() == (self.shown == Shown::NameWithout) {
                    found.out.push_str(shown_name);
                    found.out.push('\n');
                }
            }
            Shown::Count => count(name, selected.len(), found),
            Shown::MatchCount => {
                let matches = selected.iter().filter_map(|at| lines.get(*at));
                let number = matches.map(|line| self.matches(line).count()).sum();
                count(name, number, found);
            }
            Shown::Lines | Shown::Matches => {
                let printer = Printer {
                    search: self,
                    name,
                    lines: &lines,
                    offsets: offsets(&lines),
                };
                printer.print(&selected, found);
            }
        }
    }

    fn matches<'t>(&'t self, line: &'t str) -> impl Iterator<Item = std::ops::Range<usize>> + 't {
        let all = self.pattern.find_all(line);
        all.filter(|found| !found.is_empty())
    }
}

fn count(name: Option<&str>, number: usize, found: &mut Found) {
    if let Some(name) = name {
        found.out.push_str(name);
        found.out.push(':');
    }
    found.out.push_str(&format!("{number}\n"));
}

/// Where each line starts.
fn offsets(lines: &[&str]) -> Vec<usize> {
    let mut next = 0;
    let start = |line: &&str| {
        let start = next;
        next += line.len() + 1;
        start
    };
    lines.iter().map(start).collect()
}

struct Printer<'a> {
    search: &'a Search,
    name: Option<&'a str>,
    lines: &'a [&'a str],
    offsets: Vec<usize>,
}

impl Printer<'_> {
    fn print(&self, selected: &[usize], found: &mut Found) {
        let search = self.search;
        let with_context = search.after > 0 || search.before > 0;
        let mut next = 0;
        for (rank, &position) in selected.iter().enumerate() {
            let first = position.saturating_sub(search.before).max(next);
            let gap = first > next || (rank == 0 && found.printed);
            if let Some(separator) = search.separator.as_ref()
                && with_context
                && found.printed
                && gap
            {
                found.out.push_str(separator);
                found.out.push('\n');
            }
            self.context(first..position, found);
            self.selected(position, found);
            let limit = selected.get(rank + 1).copied().unwrap_or(self.lines.len());
            let end = (position + 1).saturating_add(search.after).min(limit);
            self.context(position + 1..end, found);
            next = end;
            found.printed = true;
        }
    }

    fn context(&self, positions: std::ops::Range<usize>, found: &mut Found) {
        if self.search.shown == Shown::Lines || self.search.context_of_matches {
            for position in positions {
                let line = self.lines.get(position).copied().unwrap_or_default();
                self.line(position, 0, '-', line, found);
            }
        }
    }

    fn selected(&self, position: usize, found: &mut Found) {
        let line = self.lines.get(position).copied().unwrap_or_default();
        if self.search.shown == Shown::Lines {
            self.line(position, 0, ':', line, found);
        } else if !self.search.invert {
            for range in self.search.matches(line) {
                let part = line.get(range.clone()).unwrap_or_default();
                self.line(position, range.start, ':', part, found);
            }
        }
    }

    fn line(&self, position: usize, column: usize, mark: char, text: &str, found: &mut Found) {
        let out = &mut found.out;
        if let Some(name) = self.name {
            out.push_str(name);
            out.push(mark);
        }
        if self.search.line_numbers {
            out.push_str(&format!("{}{mark}", position + 1));
        }
        if self.search.byte_offsets {
            let offset = self.offsets.get(position).copied().unwrap_or(0) + column;
            out.push_str(&format!("{offset}{mark}"));
        }
        out.push_str(text);
        out.push('\n');
    }
}
