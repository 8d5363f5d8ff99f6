//! The part of Perl's expressions that the engine has, and looking around at either end.

use super::PatternError;

/// The name of the group that is the match.
pub(super) const KEPT: &str = "aiopslab_kept";

/// Why only a part of what matches is the match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kept {
    /// `A\KB` or `B(?=C)`.
    Part,
    /// `(?<=A)B`: A may belong to an earlier match.
    BehindLook,
}

/// An expression in the engine's syntax.
pub(super) struct Translated {
    pub(super) text: String,
    pub(super) kept: Option<Kept>,
}

/// Translates a pattern. Looking ahead is understood at its end, looking behind and `\K` before it.
pub(super) fn translate(pattern: &str) -> Result<Translated, PatternError> {
    let scan = scan(pattern)?;
    let Some(text) = pattern.get(..).filter(|_| scan.looks.len() <= 2) else {
        return Err(PatternError::Lacking("looking around"));
    };
    if scan.looks.is_empty() {
        let text = ascii_classes(text)?;
        return Ok(Translated { text, kept: None });
    }
    if scan.alternatives {
        return Err(PatternError::Lacking("looking around in alternatives"));
    }
    let (mut before, mut after) = (String::new(), String::new());
    let (mut start, mut end) = (0, text.len());
    let mut kept = Kept::Part;
    for look in &scan.looks {
        let inner = text.get(look.inner.clone()).unwrap_or_default();
        match look.kind {
            LookKind::Reset => {
                before = text.get(..look.start).unwrap_or_default().to_owned();
                start = look.inner.end;
            }
            LookKind::Behind if look.start == 0 => {
                before = inner.to_owned();
                start = look.inner.end + 1;
                kept = Kept::BehindLook;
            }
            LookKind::Ahead if look.inner.end + 1 == text.len() => {
                after = inner.to_owned();
                end = look.start;
            }
            _ => return Err(PatternError::Lacking("looking around")),
        }
    }
    let Some(middle) = text.get(start..end) else {
        return Err(PatternError::Lacking("looking around"));
    };
    let [before, middle, after] = [before.as_str(), middle, after.as_str()].map(ascii_classes);
    Ok(Translated {
        text: format!("(?:{})(?P<{KEPT}>{})(?:{})", before?, middle?, after?),
        kept: Some(kept),
    })
}

#[derive(Clone, Copy)]
enum LookKind {
    Reset,
    Behind,
    Ahead,
    Other,
}

struct Look {
    kind: LookKind,
    start: usize,
    inner: std::ops::Range<usize>,
}

#[derive(Default)]
struct Scan {
    looks: Vec<Look>,
    /// Whether there is a `|` outside of any group.
    alternatives: bool,
}

/// Finds what looks around, at the outermost level.
fn scan(pattern: &str) -> Result<Scan, PatternError> {
    let mut found = Scan::default();
    let mut open: Vec<(usize, LookKind, usize)> = Vec::new();
    let mut in_class = false;
    let mut chars = pattern.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        let rest = pattern.get(at..).unwrap_or_default();
        match c {
            '\\' => {
                let escaped = chars.next().map(|(_, c)| c);
                match escaped {
                    Some('K') if open.is_empty() => found.looks.push(Look {
                        kind: LookKind::Reset,
                        start: at,
                        inner: at + 2..at + 2,
                    }),
                    Some('K') => return Err(PatternError::Lacking("\\K in a group")),
                    // The engine gives these another meaning.
                    Some('<' | '>') if !in_class => {
                        return Err(PatternError::Lacking("an escaped angle bracket"));
                    }
                    _ => {}
                }
            }
            '[' if !in_class => {
                in_class = true;
                if rest.starts_with("[^]") || rest.starts_with("[]") {
                    return Err(PatternError::Lacking("a class that holds a bracket"));
                }
            }
            '[' if !rest.starts_with("[:") => {
                return Err(PatternError::Lacking("a class that holds a bracket"));
            }
            '[' => {
                while chars.next_if(|(_, c)| *c != ']').is_some() {}
                chars.next();
            }
            ']' if in_class => in_class = false,
            '&' | '~' | '-' if in_class && rest.starts_with([c, c]) && doubled(rest, c) => {
                return Err(PatternError::Lacking("a class with a set operation"));
            }
            _ if in_class => {}
            '(' => {
                let (kind, length) = look(rest);
                open.push((at, kind, at + length));
            }
            ')' => {
                if let Some((start, kind, inner)) = open.pop()
                    && !matches!(kind, LookKind::Reset)
                {
                    if !open.is_empty() || matches!(kind, LookKind::Other) {
                        return Err(PatternError::Lacking("looking around"));
                    }
                    found.looks.push(Look {
                        kind,
                        start,
                        inner: inner..at,
                    });
                }
            }
            '|' if open.is_empty() => found.alternatives = true,
            '{' if rest.starts_with("{,") => {
                return Err(PatternError::Lacking("an interval without a lower bound"));
            }
            _ => {}
        }
    }
    Ok(found)
}

fn doubled(rest: &str, c: char) -> bool {
    let mut chars = rest.chars();
    chars.next() == Some(c) && chars.next() == Some(c)
}

/// What a group looks at, and the length of its opening; an ordinary group counts as a reset.
fn look(rest: &str) -> (LookKind, usize) {
    if rest.starts_with("(?<=") {
        (LookKind::Behind, 4)
    } else if rest.starts_with("(?=") {
        (LookKind::Ahead, 3)
    } else if rest.starts_with("(?!") || rest.starts_with("(?<!") || rest.starts_with("(?>") {
        (LookKind::Other, 3)
    } else {
        (LookKind::Reset, 1)
    }
}

/// `\d`, `\w`, `\s` and `\b` know ASCII only in Perl's engine.
fn ascii_classes(pattern: &str) -> Result<String, PatternError> {
    let mut out = String::new();
    let mut chars = pattern.chars();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(class @ ('d' | 'w' | 's')) => {
                    out.push_str(match class {
                        'd' if in_class => "0-9",
                        'd' => "[0-9]",
                        'w' if in_class => "0-9A-Za-z_",
                        'w' => "[0-9A-Za-z_]",
                        _ if in_class => r"\t\n\x0b\x0c\r ",
                        _ => r"[\t\n\x0b\x0c\r ]",
                    });
                }
                Some(class @ ('D' | 'W' | 'S')) if in_class => {
                    return Err(PatternError::Lacking(match class {
                        'D' => "\\D in a class",
                        'W' => "\\W in a class",
                        _ => "\\S in a class",
                    }));
                }
                Some('D') => out.push_str("[^0-9]"),
                Some('W') => out.push_str("[^0-9A-Za-z_]"),
                Some('S') => out.push_str(r"[^\t\n\x0b\x0c\r ]"),
                Some(other) => {
                    out.push('\\');
                    out.push(other);
                }
                None => out.push('\\'),
            },
            '[' => {
                in_class = true;
                out.push(c);
            }
            ']' => {
                in_class = false;
                out.push(c);
            }
            other => out.push(other),
        }
    }
    Ok(out)
}
