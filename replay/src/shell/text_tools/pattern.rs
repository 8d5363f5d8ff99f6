//! Regular expressions of the text tools for a Rust engine.
//!
//! POSIX wants the longest of the leftmost matches, the engine takes the first alternative. So the
//! engine finds where a match starts, and a second one that follows every alternative, where it ends.

mod bracket;
mod perl;
mod posix;

use std::cell::RefCell;
use std::ops::Range;

use regex::Regex;
use regex_automata::nfa::thompson::pikevm::{Cache, PikeVM};
use regex_automata::{Anchored, Input, MatchKind};

/// How a pattern is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `grep`.
    Basic,
    /// `grep -E`.
    Extended,
    /// `grep -P`, as far as the engine knows it.
    Perl,
    /// `rg`: the engine's own.
    Rust,
    /// `grep -F`.
    Fixed,
    /// `sed`.
    SedBasic,
    /// `sed -E`.
    SedExtended,
    /// `awk`.
    Awk,
}

/// Why there is no pattern.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum PatternError {
    /// The real program refuses it, in these words.
    Refused(&'static str),
    /// Only the real program's engine has this.
    Lacking(&'static str),
}

/// What surrounds a pattern.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Flags {
    pub(super) ignore_case: bool,
    pub(super) whole_words: bool,
    pub(super) whole_lines: bool,
    /// `^` and `$` also match at line ends within a text.
    pub(super) multi_line: bool,
}

/// Byte ranges of a match and its groups; the match is the first.
pub(super) type Groups = Vec<Option<Range<usize>>>;

/// A compiled pattern.
pub(super) struct Pattern {
    regex: Regex,
    longest: Option<Longest>,
    kept: Option<perl::Kept>,
}

struct Longest {
    machine: PikeVM,
    cache: RefCell<Cache>,
}

/// Bytes before a position at which a look-behind may begin.
const LOOK_BEHIND_BYTES: usize = 255;

impl Pattern {
    /// Compiles a pattern.
    pub(super) fn new(pattern: &str, syntax: Syntax, flags: Flags) -> Result<Self, PatternError> {
        Self::any(std::iter::once(pattern), syntax, flags)
    }

    /// Compiles patterns into one that matches what any of them does.
    pub(super) fn any<'a>(
        patterns: impl IntoIterator<Item = &'a str>,
        syntax: Syntax,
        flags: Flags,
    ) -> Result<Self, PatternError> {
        let mut alternatives = Vec::new();
        let mut ambiguous = false;
        let mut kept = None;
        for pattern in patterns {
            alternatives.push(match syntax {
                Syntax::Fixed => regex::escape(pattern),
                Syntax::Rust => pattern.to_owned(),
                Syntax::Perl => {
                    let translated = perl::translate(pattern)?;
                    kept = kept.or(translated.kept);
                    translated.text
                }
                posix => {
                    let translated = posix::translate(pattern, posix)?;
                    ambiguous |= translated.ambiguous;
                    translated.text
                }
            });
        }
        let single = alternatives.len() == 1;
        if !single && kept.is_some() {
            return Err(PatternError::Lacking("several patterns with -P"));
        }
        ambiguous |= !single && !matches!(syntax, Syntax::Perl | Syntax::Rust);
        let text = match alternatives.pop() {
            Some(text) if single => text,
            Some(text) => {
                let rest: String = alternatives.iter().map(|a| format!("(?:{a})|")).collect();
                format!("{rest}(?:{text})")
            }
            // No pattern at all matches nothing.
            None => "[^\\x{0}-\\x{10FFFF}]".to_owned(),
        };
        let text = surround(text, flags);
        let regex = Regex::new(&text).map_err(|_| PatternError::Lacking("this pattern"))?;
        let longest = match ambiguous {
            true => Some(Longest::new(&text)?),
            false => None,
        };
        Ok(Self {
            regex,
            longest,
            kept,
        })
    }

    /// Whether there is a match.
    pub(super) fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }

    /// The leftmost match that starts at or after a position.
    pub(super) fn find_at(&self, text: &str, start: usize) -> Option<Range<usize>> {
        if start > text.len() {
            return None;
        }
        if self.kept.is_some() {
            return self.kept_at(text, start);
        }
        let first = self.regex.find_at(text, start)?;
        match &self.longest {
            None => Some(first.range()),
            Some(longest) => longest.groups(text, first.start(), 1)?.into_iter().next()?,
        }
    }

    /// The leftmost match that starts at or after a position, with its groups.
    pub(super) fn groups_at(&self, text: &str, start: usize) -> Option<Groups> {
        if start > text.len() {
            return None;
        }
        if let Some(longest) = &self.longest {
            let first = self.regex.find_at(text, start)?;
            return longest.groups(text, first.start(), self.regex.captures_len());
        }
        let captures = self.regex.captures_at(text, start)?;
        let ranges = captures.iter().map(|group| Some(group?.range()));
        Some(ranges.collect())
    }

    /// Groups of the pattern.
    pub(super) fn group_count(&self) -> usize {
        self.regex.captures_len().saturating_sub(1)
    }

    fn kept_at(&self, text: &str, start: usize) -> Option<Range<usize>> {
        let mut from = match self.kept {
            Some(perl::Kept::BehindLook) => start.saturating_sub(LOOK_BEHIND_BYTES),
            _ => start,
        };
        while !text.is_char_boundary(from) {
            from += 1;
        }
        loop {
            let captures = self.regex.captures_at(text, from)?;
            let kept = captures.name(perl::KEPT)?;
            if kept.start() >= start {
                return Some(kept.range());
            }
            let whole = captures.get(0)?;
            from = next_character(text, whole.start())?;
        }
    }

    /// Every match that does not overlap an earlier one; an empty one right behind another is none.
    pub(super) fn find_all<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Range<usize>> + 't {
        let mut position = Some(0);
        let mut last_end = None;
        std::iter::from_fn(move || {
            loop {
                let found = self.find_at(text, position?)?;
                position = match found.is_empty() {
                    true => next_character(text, found.end),
                    false => Some(found.end),
                };
                if found.is_empty() && last_end == Some(found.end) {
                    continue;
                }
                last_end = Some(found.end);
                return Some(found);
            }
        })
    }
}

/// The position behind the character at a position; none at the end of the text.
pub(super) fn next_character(text: &str, position: usize) -> Option<usize> {
    let character = text.get(position..)?.chars().next()?;
    Some(position + character.len_utf8())
}

fn surround(mut text: String, flags: Flags) -> String {
    if flags.whole_words {
        text = format!(r"\b{{start-half}}(?:{text})\b{{end-half}}");
    }
    if flags.whole_lines {
        text = format!("^(?:{text})$");
    }
    let case = if flags.ignore_case { "i" } else { "" };
    let lines = if flags.multi_line { "m" } else { "" };
    format!("(?s{case}{lines}){text}")
}

impl Longest {
    fn new(text: &str) -> Result<Self, PatternError> {
        let machine = PikeVM::builder()
            .configure(PikeVM::config().match_kind(MatchKind::All))
            .build(text)
            .map_err(|_| PatternError::Lacking("this pattern"))?;
        let cache = RefCell::new(machine.create_cache());
        Ok(Self { machine, cache })
    }

    /// The longest match that starts exactly there.
    fn groups(&self, text: &str, start: usize, count: usize) -> Option<Groups> {
        let input = Input::new(text)
            .range(start..text.len())
            .anchored(Anchored::Yes);
        let mut slots = vec![None; count * 2];
        let mut cache = self.cache.try_borrow_mut().ok()?;
        self.machine.search_slots(&mut cache, &input, &mut slots)?;
        let offset = |slot: &Option<_>| {
            slot.map(|offset: regex_automata::util::primitives::NonMaxUsize| offset.get())
        };
        let groups = slots.chunks(2).map(|pair| {
            let (first, last) = (pair.first()?, pair.get(1)?);
            Some(offset(first)?..offset(last)?)
        });
        Some(groups.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched<'t>(pattern: &str, syntax: Syntax, text: &'t str) -> Option<&'t str> {
        let pattern = Pattern::new(pattern, syntax, Flags::default()).unwrap();
        pattern.find_at(text, 0).map(|found| &text[found])
    }

    #[test]
    fn the_longest_of_the_leftmost_matches_wins() {
        let check = |pattern: &str, text: &str, expected: &str| {
            assert_eq!(
                matched(pattern, Syntax::Extended, text),
                Some(expected),
                "{pattern}"
            );
        };
        check("a|ab", "xab", "ab");
        check("(a|ab)(c|bcd)", "abcd", "abcd");
        check("a*(ab)?", "aab", "aab");
        check("x*", "xx", "xx");
    }

    #[test]
    fn basic_and_extended_differ() {
        let check = |pattern: &str, syntax: Syntax, text: &str, expected: Option<&str>| {
            assert_eq!(matched(pattern, syntax, text), expected, "{pattern}");
        };
        check(r"a\|b", Syntax::Basic, "xb", Some("b"));
        check("a|b", Syntax::Basic, "a|b", Some("a|b"));
        check("(err|warn)+", Syntax::Extended, "a warn", Some("warn"));
        check("f(x)", Syntax::Basic, "fx f(x)", Some("f(x)"));
        check("a{2}", Syntax::Extended, "aaa", Some("aa"));
        check("{\"a", Syntax::Extended, "{\"a", Some("{\"a"));
        check(r"a\{2\}", Syntax::Basic, "a{2}", None);
        check("[^]a]b", Syntax::Basic, "]bxb", Some("xb"));
        check(r"[[:digit:]]\+x", Syntax::Basic, "12x", Some("12x"));
        check("*a", Syntax::Basic, "*a", Some("*a"));
        check(r"\<pod\>", Syntax::Basic, "pods pod", Some("pod"));
        check("a.b", Syntax::Fixed, "axb", None);
        check("a^b$c", Syntax::Basic, "a^b$c", Some("a^b$c"));
        check(r"a*?", Syntax::Extended, "aa", Some("aa"));
    }

    #[test]
    fn what_perl_looks_at_is_not_matched() {
        let check = |pattern: &str, text: &str, expected: &[&str]| {
            let pattern = Pattern::new(pattern, Syntax::Perl, Flags::default()).unwrap();
            let found: Vec<&str> = pattern.find_all(text).map(|range| &text[range]).collect();
            assert_eq!(found, expected);
        };
        check(
            r#""name":"\K[^"]+"#,
            r#"{"name":"a","name":"b"}"#,
            &["a", "b"],
        );
        check(r"(?<=a)b", "abbab", &["b", "b"]);
        check(r"(?<=,)\w", ",a,b", &["a", "b"]);
        check(r"\d+(?=ms)", "12ms 13s 4ms", &["12", "4"]);
    }
}
