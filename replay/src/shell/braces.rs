//! `{a,b}` and `{1..3}`: one word becomes several before anything else is expanded.

use super::ast::{Part, Word};
use super::limits;

/// Too many words, or braces within braces too deep.
#[derive(Debug)]
pub(super) struct TooMany;

/// Braces of one word.
const MOST_BRACES: usize = 256;

/// A character of unquoted text, or a part that braces leave alone.
#[derive(Clone)]
enum Atom {
    Character(char),
    Part(Part),
}

/// The words that a word becomes.
pub(super) fn expand(word: &Word) -> Result<Vec<Word>, TooMany> {
    let opened: usize = word
        .parts
        .iter()
        .map(|part| match part {
            Part::Literal(text) => text.matches('{').count(),
            _ => 0,
        })
        .sum();
    match opened {
        0 => return Ok(vec![word.clone()]),
        1..=MOST_BRACES => {}
        _ => return Err(TooMany),
    }
    let mut atoms = Vec::new();
    for part in &word.parts {
        match part {
            Part::Literal(text) => atoms.extend(text.chars().map(Atom::Character)),
            other => atoms.push(Atom::Part(other.clone())),
        }
    }
    let mut words = Vec::new();
    for atoms in alternatives(&atoms, 0)? {
        words.push(Word {
            source: word.source.clone(),
            parts: parts(atoms),
        });
    }
    Ok(words)
}

fn parts(atoms: Vec<Atom>) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    for atom in atoms {
        match atom {
            Atom::Part(part) => parts.push(part),
            Atom::Character(character) => {
                if let Some(Part::Literal(text)) = parts.last_mut() {
                    text.push(character);
                } else {
                    parts.push(Part::Literal(character.to_string()));
                }
            }
        }
    }
    parts
}

fn is(atom: Option<&Atom>, expected: char) -> bool {
    matches!(atom, Some(Atom::Character(character)) if *character == expected)
}

/// Every word that the atoms stand for.
fn alternatives(atoms: &[Atom], depth: usize) -> Result<Vec<Vec<Atom>>, TooMany> {
    if depth > limits::NESTING {
        return Err(TooMany);
    }
    let closings = closings(atoms);
    let mut words: Vec<Vec<Atom>> = vec![Vec::new()];
    let mut at = 0;
    while let Some(atom) = atoms.get(at) {
        let inside = closings
            .get(at)
            .copied()
            .flatten()
            .and_then(|end| Some((end, atoms.get(at + 1..end)?)));
        let expanded = match inside {
            Some((end, inside)) => choices(inside, depth)?.map(|choices| (end, choices)),
            None => None,
        };
        match expanded {
            Some((end, choices)) => {
                words = product(&words, &choices)?;
                at = end + 1;
            }
            None => {
                for word in &mut words {
                    word.push(atom.clone());
                }
                at += 1;
            }
        }
        let atoms_made: usize = words.iter().map(Vec::len).sum();
        if atoms_made > 8 * limits::WORDS {
            return Err(TooMany);
        }
    }
    Ok(words)
}

fn product(starts: &[Vec<Atom>], ends: &[Vec<Atom>]) -> Result<Vec<Vec<Atom>>, TooMany> {
    if starts.len().saturating_mul(ends.len()) > limits::WORDS {
        return Err(TooMany);
    }
    let mut words = Vec::with_capacity(starts.len() * ends.len());
    for start in starts {
        for end in ends {
            let mut word = start.clone();
            word.extend(end.iter().cloned());
            words.push(word);
        }
    }
    Ok(words)
}

/// Where the bracket closes that opens at a position.
fn closings(atoms: &[Atom]) -> Vec<Option<usize>> {
    let mut closings = vec![None; atoms.len()];
    let mut open = Vec::new();
    for (at, atom) in atoms.iter().enumerate() {
        if is(Some(atom), '{') {
            open.push(at);
        } else if is(Some(atom), '}')
            && let Some(start) = open.pop()
            && let Some(closing) = closings.get_mut(start)
        {
            *closing = Some(at);
        }
    }
    closings
}

/// What stands between braces, if it is a list or a range.
fn choices(inside: &[Atom], depth: usize) -> Result<Option<Vec<Vec<Atom>>>, TooMany> {
    if let Some(range) = range(inside)? {
        return Ok(Some(range));
    }
    let mut nested = 0usize;
    let mut start = 0;
    let mut pieces = Vec::new();
    for (at, atom) in inside.iter().enumerate() {
        if is(Some(atom), '{') {
            nested += 1;
        } else if is(Some(atom), '}') {
            nested = nested.saturating_sub(1);
        } else if is(Some(atom), ',') && nested == 0 {
            pieces.push(inside.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    if pieces.is_empty() {
        return Ok(None);
    }
    pieces.push(inside.get(start..).unwrap_or_default());
    let mut choices = Vec::new();
    for piece in pieces {
        choices.extend(alternatives(piece, depth + 1)?);
        if choices.len() > limits::WORDS {
            return Err(TooMany);
        }
    }
    Ok(Some(choices))
}

/// `1..3`, `a..e`, `01..10..2`.
fn range(inside: &[Atom]) -> Result<Option<Vec<Vec<Atom>>>, TooMany> {
    let text: Option<String> = inside
        .iter()
        .map(|atom| match atom {
            Atom::Character(character) => Some(*character),
            Atom::Part(_) => None,
        })
        .collect();
    let Some(text) = text else {
        return Ok(None);
    };
    let bounds: Vec<&str> = text.split("..").collect();
    let (first, last, step) = match bounds.as_slice() {
        [first, last] => (*first, *last, Some(1)),
        [first, last, step] => (*first, *last, step.parse::<i64>().ok()),
        _ => return Ok(None),
    };
    let Some(step) = step else {
        return Ok(None);
    };
    let step = i128::from(step).abs().max(1);
    let texts = if let (Ok(from), Ok(to)) = (first.parse::<i64>(), last.parse::<i64>()) {
        let padded = [first, last].iter().any(|bound| {
            let digits = bound.trim_start_matches(['-', '+']);
            digits.len() > 1 && digits.starts_with('0')
        });
        let width = if padded {
            first.len().max(last.len())
        } else {
            0
        };
        count(from.into(), to.into(), step, |number| {
            Some(format!("{number:0width$}"))
        })?
    } else if let (Some(from), Some(to)) = (letter(first), letter(last)) {
        count(from.into(), to.into(), step, |number| {
            u8::try_from(number)
                .ok()
                .map(|byte| char::from(byte).to_string())
        })?
    } else {
        return Ok(None);
    };
    let words = texts
        .iter()
        .map(|text| text.chars().map(Atom::Character).collect());
    Ok(Some(words.collect()))
}

fn letter(bound: &str) -> Option<u8> {
    match bound.as_bytes() {
        [letter] if letter.is_ascii_alphabetic() => Some(*letter),
        _ => None,
    }
}

fn count(
    from: i128,
    to: i128,
    step: i128,
    text: impl Fn(i128) -> Option<String>,
) -> Result<Vec<String>, TooMany> {
    let steps = usize::try_from((to - from).abs() / step).map_err(|_| TooMany)?;
    if steps >= limits::WORDS {
        return Err(TooMany);
    }
    let step = if to < from { -step } else { step };
    let mut texts = Vec::with_capacity(steps + 1);
    let mut number = from;
    for _ in 0..=steps {
        texts.extend(text(number));
        number += step;
    }
    Ok(texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let word = Word {
            source: text.to_owned(),
            parts: vec![Part::Literal(text.to_owned())],
        };
        let words: Vec<String> = expand(&word)
            .unwrap()
            .iter()
            .map(|word| word.as_literal().unwrap().to_owned())
            .collect();
        assert_eq!(words, expected, "{text}");
    }

    #[test]
    fn braces_become_words() {
        check("a{b,c}d", &["abd", "acd"]);
        check("{a,b}{1..2}", &["a1", "a2", "b1", "b2"]);
        check("{01..03}", &["01", "02", "03"]);
        check("{3..1}", &["3", "2", "1"]);
        check("{a..e..2}", &["a", "c", "e"]);
        check("x{,y}", &["x", "xy"]);
        check("a{b,c{d,e}}f", &["abf", "acdf", "acef"]);
        check("{a} {b {a,b", &["{a} {b {a,b"]);
        check("{.items[0].a}", &["{.items[0].a}"]);
        check("{{a,b}}", &["{a}", "{b}"]);
    }

    #[test]
    fn their_number_is_capped() {
        for text in ["{1..100000}", &"{a,b}".repeat(40), &"{a,".repeat(200)] {
            let closed = format!("{text}{}", "}".repeat(200));
            let word = Word {
                source: String::new(),
                parts: vec![Part::Literal(closed)],
            };
            assert!(expand(&word).is_err(), "{text}");
        }
    }
}
