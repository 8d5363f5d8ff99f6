//! Patterns of `case`, `[[ ]]`, `${x#…}` and file names.

use regex::Regex;

/// A pattern: `*`, `?`, `[…]` and characters that stand for themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Pattern {
    elements: Vec<Element>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Element {
    Character(char),
    Any,
    Many,
    /// A bracket expression in the syntax of regular expressions.
    Class(String),
}

/// A pattern that is too large to be compiled.
#[derive(Debug, thiserror::Error)]
#[error("a pattern of this size")]
pub(super) struct TooLarge;

impl Pattern {
    /// Reads a pattern; what is quoted stands for itself.
    pub(super) fn parse<'t>(pieces: impl IntoIterator<Item = (&'t str, bool)>) -> Self {
        let characters: Vec<(char, bool)> = pieces
            .into_iter()
            .flat_map(|(text, quoted)| text.chars().map(move |character| (character, quoted)))
            .collect();
        let mut elements = Vec::new();
        let mut at = 0;
        while let Some((character, quoted)) = characters.get(at) {
            at += 1;
            elements.push(match (character, quoted) {
                ('*', false) => Element::Many,
                ('?', false) => Element::Any,
                ('[', false) => match class(characters.get(at..).unwrap_or_default()) {
                    Some((class, length)) => {
                        at += length;
                        Element::Class(class)
                    }
                    None => Element::Character('['),
                },
                // Of an expanded value: a backslash quotes the next character.
                ('\\', false) => match characters.get(at) {
                    Some((next, _)) => {
                        at += 1;
                        Element::Character(*next)
                    }
                    None => Element::Character('\\'),
                },
                (character, _) => Element::Character(*character),
            });
        }
        // Several stars in a row are one.
        elements.dedup_by(|a, b| *a == Element::Many && *b == Element::Many);
        Self { elements }
    }

    /// How much there is to compile.
    pub(super) fn elements(&self) -> usize {
        self.elements.len()
    }

    /// Whether it matches one text only.
    pub(super) fn is_literal(&self) -> bool {
        self.elements
            .iter()
            .all(|element| matches!(element, Element::Character(_)))
    }

    /// The characters before the first that is not one.
    pub(super) fn literal_start(&self) -> String {
        self.elements
            .iter()
            .map_while(|element| match element {
                Element::Character(character) => Some(*character),
                _ => None,
            })
            .collect()
    }

    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> Result<bool, TooLarge> {
        Ok(self.matcher()?.matches(text))
    }

    /// The pattern in a form that is quick to ask several times.
    pub(super) fn matcher(&self) -> Result<Matcher, TooLarge> {
        Ok(if self.is_literal() {
            Matcher::Literal(self.literal_start())
        } else {
            Matcher::Regex(compile(&format!("^(?:{})$", self.regex(true)))?)
        })
    }

    /// Bytes of the longest or shortest start of a text that matches.
    pub(super) fn prefix(&self, text: &str, longest: bool) -> Result<Option<usize>, TooLarge> {
        let regex = compile(&format!("^(?:{})", self.regex(longest)))?;
        Ok(regex.find(text).map(|found| found.end()))
    }

    /// Bytes of the longest or shortest end of a text that matches.
    pub(super) fn suffix(&self, text: &str, longest: bool) -> Result<Option<usize>, TooLarge> {
        let reversed = Self {
            elements: self.elements.iter().rev().cloned().collect(),
        };
        let backwards: String = text.chars().rev().collect();
        reversed.prefix(&backwards, longest)
    }

    /// The ranges that match, from left to right, each as long as it can be.
    pub(super) fn find_all(
        &self,
        text: &str,
        only_first: bool,
    ) -> Result<Vec<(usize, usize)>, TooLarge> {
        let regex = compile(&self.regex(true))?;
        let found = regex
            .find_iter(text)
            .map(|found| (found.start(), found.end()));
        // Nothing is not replaced, except in nothing.
        let found = found.filter(|(start, end)| start != end || text.is_empty());
        Ok(if only_first {
            found.take(1).collect()
        } else {
            found.collect()
        })
    }

    fn regex(&self, longest: bool) -> String {
        let mut regex = String::new();
        let mut buffer = [0; 4];
        for element in &self.elements {
            match element {
                Element::Character(character) => {
                    regex.push_str(&regex::escape(character.encode_utf8(&mut buffer)));
                }
                Element::Any => regex.push('.'),
                Element::Many if longest => regex.push_str(".*"),
                Element::Many => regex.push_str(".*?"),
                Element::Class(class) => regex.push_str(class),
            }
        }
        regex
    }
}

/// A compiled pattern.
#[derive(Debug)]
pub(super) enum Matcher {
    Literal(String),
    Regex(Regex),
}

impl Matcher {
    /// Whether the whole text matches.
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Literal(literal) => literal == text,
            Self::Regex(regex) => regex.is_match(text),
        }
    }
}

fn compile(regex: &str) -> Result<Regex, TooLarge> {
    regex::RegexBuilder::new(regex)
        .dot_matches_new_line(true)
        .build()
        .map_err(|_| TooLarge)
}

/// A bracket expression after its `[`, and its length; none if it is not closed.
fn class(characters: &[(char, bool)]) -> Option<(String, usize)> {
    let mut at = 0;
    let mut class = "[".to_owned();
    if matches!(characters.first(), Some(('!' | '^', false))) {
        class.push('^');
        at = 1;
    }
    let start = at;
    loop {
        let (character, quoted) = characters.get(at)?;
        at += 1;
        match (character, quoted) {
            (']', false) if at > start + 1 => {
                class.push(']');
                // A range the wrong way round matches nothing, as in bash.
                return Some(if Regex::new(&class).is_ok() {
                    (class, at)
                } else {
                    ("[^\\x{0}-\\x{10FFFF}]".to_owned(), at)
                });
            }
            ('[', false) if characters.get(at) == Some(&(':', false)) => {
                let name: String = characters
                    .get(at + 1..)?
                    .iter()
                    .map_while(|(c, _)| c.is_ascii_alphabetic().then_some(*c))
                    .collect();
                let after = at + 1 + name.len();
                let closed =
                    characters.get(after..after + 2) == Some(&[(':', false), (']', false)]);
                if closed && POSIX.contains(&name.as_str()) {
                    class.push_str(&format!("[:{name}:]"));
                    at = after + 2;
                } else {
                    class.push_str("\\[");
                }
            }
            ('/', _) => return None,
            ('-', false) if at > start + 1 && characters.get(at).is_some_and(|c| c.0 != ']') => {
                class.push('-');
            }
            ('\\', false) => {
                let (next, _) = characters.get(at)?;
                at += 1;
                push_class(&mut class, *next);
            }
            (character, _) => push_class(&mut class, *character),
        }
    }
}

const POSIX: [&str; 12] = [
    "alnum", "alpha", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "xdigit",
];

fn push_class(class: &mut String, character: char) {
    if character.is_ascii_punctuation() {
        class.push('\\');
    }
    class.push(character);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str) -> Pattern {
        Pattern::parse([(text, false)])
    }

    #[test]
    fn whole_texts_match() {
        for (text, yes, no) in [
            ("a*c", "abbc", "abcd"),
            ("?", "é", "ab"),
            ("[a-c]x", "bx", "dx"),
            ("[!a-c]", "d", "a"),
            ("[]a]", "]", "b"),
            ("[a-]", "-", "b"),
            ("[[:digit:]]*", "1a", "a1"),
            ("[", "[", "x"),
            ("a\\*", "a*", "ab"),
            ("a.b", "a.b", "axb"),
            ("*", "", "\u{0}never\u{0}"),
        ] {
            assert!(pattern(text).matches(yes).unwrap(), "{text} {yes}");
            assert!(
                text == "*" || !pattern(text).matches(no).unwrap(),
                "{text} {no}"
            );
        }
        assert!(!pattern("[z-a]").matches("b").unwrap());
        assert!(Pattern::parse([("*", true)]).matches("*").unwrap());
        assert!(!Pattern::parse([("*", true)]).matches("a").unwrap());
    }

    #[test]
    fn starts_and_ends_are_found() {
        let dots = pattern("*.");
        assert_eq!(dots.prefix("a.b.c", false).unwrap(), Some(2));
        assert_eq!(dots.prefix("a.b.c", true).unwrap(), Some(4));
        let dots = pattern(".*");
        assert_eq!(dots.suffix("a.b.c", false).unwrap(), Some(2));
        assert_eq!(dots.suffix("a.b.c", true).unwrap(), Some(4));
        assert_eq!(pattern("b").suffix("abc", true).unwrap(), None);
        assert_eq!(
            pattern("b?").find_all("abcbd", false).unwrap(),
            [(1, 3), (3, 5)]
        );
    }
}
