//! POSIX regular expressions for a Rust engine.

use std::fmt::Write;

/// How a pattern is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Syntax {
    /// `grep`.
    Basic,
    /// `grep -E`.
    Extended,
    /// `grep -P`, as far as the engine knows it.
    Perl,
    /// `grep -F`.
    Fixed,
}

/// The pattern in the engine's syntax; none if it holds what the engine has not (back references).
pub(super) fn translate(pattern: &str, syntax: Syntax) -> Option<String> {
    match syntax {
        Syntax::Fixed => Some(regex::escape(pattern)),
        Syntax::Perl => Some(pattern.to_owned()),
        Syntax::Basic | Syntax::Extended => posix(pattern, syntax == Syntax::Extended),
    }
}

fn posix(pattern: &str, extended: bool) -> Option<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    // Whether an expression starts here: a quantifier is then an ordinary character.
    let mut start = true;
    while let Some(c) = chars.next() {
        let was_start = std::mem::replace(&mut start, false);
        match c {
            '\\' => {
                let escaped = chars.next()?;
                match escaped {
                    '1'..='9' => return None,
                    '<' => out.push_str(r"\b{start}"),
                    '>' => out.push_str(r"\b{end}"),
                    'w' | 'W' | 's' | 'S' | 'b' | 'B' => {
                        let _ = write!(out, "\\{escaped}");
                    }
                    '{' if !extended => interval(&mut chars, "\\}", was_start, &mut out)?,
                    '(' | ')' | '|' | '}' | '+' | '?' if !extended => {
                        operator(escaped, was_start, &mut start, &mut out);
                    }
                    other => out.push_str(&regex::escape(&other.to_string())),
                }
            }
            '(' | ')' | '|' | '+' | '?' | '}' if extended => {
                operator(c, was_start, &mut start, &mut out);
            }
            '{' if extended => interval(&mut chars, "}", was_start, &mut out)?,
            '*' if was_start => out.push_str(r"\*"),
            '*' | '.' | '$' => out.push(c),
            '^' => {
                if extended || was_start {
                    out.push('^');
                    start = true;
                } else {
                    out.push_str(r"\^");
                }
            }
            '[' => bracket(&mut chars, &mut out)?,
            other => out.push_str(&regex::escape(&other.to_string())),
        }
    }
    Some(out)
}

/// An interval after its opening brace; a brace that opens none is an ordinary character.
fn interval(
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    close: &str,
    was_start: bool,
    out: &mut String,
) -> Option<()> {
    let rest: String = chars.clone().collect();
    let bounds = rest
        .split_once(close)
        .map(|(bounds, _)| bounds)
        .filter(|bounds| {
            !bounds.is_empty()
                && bounds.chars().all(|c| c.is_ascii_digit() || c == ',')
                && bounds.matches(',').count() <= 1
        });
    let Some(bounds) = bounds.filter(|_| !was_start) else {
        // GNU grep refuses a broken interval in basic syntax.
        out.push_str(r"\{");
        return (close == "}").then_some(());
    };
    let lower = if bounds.starts_with(',') { "0" } else { "" };
    let _ = write!(out, "{{{lower}{bounds}}}");
    for _ in 0..bounds.chars().count() + close.chars().count() {
        chars.next();
    }
    Some(())
}

fn operator(c: char, was_start: bool, start: &mut bool, out: &mut String) {
    match c {
        '+' | '?' if was_start => {
            let _ = write!(out, "\\{c}");
        }
        '}' => out.push_str(r"\}"),
        '(' | '|' => {
            out.push(c);
            *start = true;
        }
        other => out.push(other),
    }
}

/// Copies a bracket expression, escaping what only the engine gives a meaning.
fn bracket(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) -> Option<()> {
    out.push('[');
    if chars.next_if_eq(&'^').is_some() {
        out.push('^');
    }
    if chars.next_if_eq(&']').is_some() {
        out.push_str(r"\]");
    }
    while let Some(c) = chars.next() {
        match c {
            ']' => {
                out.push(']');
                return Some(());
            }
            '[' if chars.peek() == Some(&':') => {
                let class: String = chars.by_ref().take_while(|c| *c != ']').collect();
                let _ = write!(out, "[{class}]");
            }
            '[' | '&' | '~' | '\\' | '^' => {
                let _ = write!(out, "\\{c}");
            }
            '-' if chars.peek() == Some(&']') => out.push_str(r"\-"),
            other => out.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, syntax: Syntax, yes: &str, no: &str) {
        let translated = translate(pattern, syntax).unwrap();
        let regex = regex::Regex::new(&translated).unwrap();
        assert!(regex.is_match(yes), "{pattern} → {translated} on {yes}");
        assert!(!regex.is_match(no), "{pattern} → {translated} on {no}");
    }

    #[test]
    fn basic_and_extended_differ() {
        check(r"a\|b", Syntax::Basic, "xb", "x|y");
        check("a|b", Syntax::Basic, "a|b", "a");
        check("a|b", Syntax::Extended, "b", "c");
        check("(err|warn)+", Syntax::Extended, "warn", "info");
        check("f(x)", Syntax::Basic, "f(x)", "fx");
        check("a{2}", Syntax::Extended, "aa", "a");
        check("{\"a", Syntax::Extended, "{\"a", "\"a");
        check(r"a\{2\}", Syntax::Basic, "aa", "a{2}");
        check("[^]a]b", Syntax::Basic, "xb", "]b");
        check("[[:digit:]]\\+x", Syntax::Basic, "12x", "x");
        check("*a", Syntax::Basic, "*a", "a");
        check(r"\<pod\>", Syntax::Basic, "a pod b", "pods");
        check("a.b", Syntax::Fixed, "a.b", "axb");
        assert_eq!(translate(r"\(a\)\1", Syntax::Basic), None);
    }
}
