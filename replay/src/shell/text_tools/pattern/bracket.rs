//! Bracket expressions.

use super::PatternError;
use crate::shell::escapes;

const UNMATCHED: PatternError = PatternError::Refused("Unmatched [, [^, [:, [., or [=");
/// A bracket at the end of a pattern.
const NOTHING: PatternError = PatternError::Refused("Invalid regular expression");
const RANGE: PatternError = PatternError::Refused("Invalid range end");

/// One member of a bracket expression.
enum Member {
    Character(char),
    Class(&'static str),
}

/// Translates a bracket expression from behind its opening bracket; also gives the position behind
/// it. In `awk`, a backslash escapes.
pub(super) fn translate(
    chars: &[char],
    mut at: usize,
    escapes: bool,
) -> Result<(String, usize), PatternError> {
    let mut out = String::from("[");
    if chars.get(at) == Some(&'^') {
        out.push('^');
        at += 1;
    }
    let first = at;
    if first == chars.len() {
        return Err(NOTHING);
    }
    loop {
        match chars.get(at) {
            None => return Err(UNMATCHED),
            Some(']') if at > first => break,
            Some(_) => {}
        }
        let (member, next) = member(chars, at, escapes)?;
        at = next;
        let is_range = chars.get(at) == Some(&'-') && chars.get(at + 1).is_some_and(|c| *c != ']');
        match member {
            Member::Class(_) if is_range => return Err(RANGE),
            Member::Class(class) => out.push_str(class),
            Member::Character(low) if is_range => {
                let (high, next) = self::member(chars, at + 1, escapes)?;
                let Member::Character(high) = high else {
                    return Err(RANGE);
                };
                if high < low {
                    return Err(RANGE);
                }
                at = next;
                push(&mut out, low);
                out.push('-');
                push(&mut out, high);
            }
            Member::Character(character) => push(&mut out, character),
        }
    }
    out.push(']');
    Ok((out, at + 1))
}

fn push(out: &mut String, character: char) {
    if character.is_ascii_alphanumeric() {
        out.push(character);
    } else {
        out.push_str(&format!("\\x{{{:X}}}", u32::from(character)));
    }
}

fn member(chars: &[char], at: usize, escapes: bool) -> Result<(Member, usize), PatternError> {
    let Some(&c) = chars.get(at) else {
        return Err(UNMATCHED);
    };
    match (c, chars.get(at + 1)) {
        ('[', Some(&kind @ (':' | '.' | '='))) => named(chars, at + 2, kind),
        ('\\', Some(&escaped)) if escapes => {
            let character = escapes::control(escaped).unwrap_or(escaped);
            Ok((Member::Character(character), at + 2))
        }
        _ => Ok((Member::Character(c), at + 1)),
    }
}

/// A class, a collating symbol or an equivalence class, from behind its opening.
fn named(chars: &[char], start: usize, kind: char) -> Result<(Member, usize), PatternError> {
    let mut end = start;
    while !(chars.get(end) == Some(&kind) && chars.get(end + 1) == Some(&']')) {
        if end >= chars.len() {
            return Err(UNMATCHED);
        }
        end += 1;
    }
    let name: String = chars.get(start..end).unwrap_or_default().iter().collect();
    let mut letters = name.chars();
    let member = match (kind, letters.next(), letters.next()) {
        (':', ..) => Member::Class(
            class(&name).ok_or(PatternError::Refused("Invalid character class name"))?,
        ),
        (_, Some(single), None) => Member::Character(single),
        _ => return Err(PatternError::Refused("Invalid collation character")),
    };
    Ok((member, end + 2))
}

/// The members of a character class.
fn class(name: &str) -> Option<&'static str> {
    Some(match name {
        "alpha" => r"\p{Alphabetic}",
        "digit" => "0-9",
        "alnum" => r"\p{Alphabetic}\p{N}",
        "upper" => r"\p{Uppercase}",
        "lower" => r"\p{Lowercase}",
        "space" => r"\s",
        "blank" => r"\t\p{Zs}",
        "punct" => r"\p{P}\p{S}",
        "print" => r"[^\p{Cc}\p{Cn}\p{Cs}]",
        "graph" => r"[^\s\p{Cc}\p{Cn}\p{Cs}]",
        "cntrl" => r"\p{Cc}",
        "xdigit" => "0-9A-Fa-f",
        _ => return None,
    })
}
