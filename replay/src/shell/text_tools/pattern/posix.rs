//! From POSIX basic and extended expressions, with GNU's additions, to the engine's syntax.

use super::{PatternError, Syntax, bracket};
use crate::shell::escapes::control;

/// An expression in the engine's syntax.
pub(super) struct Translated {
    pub(super) text: String,
    /// Whether the first match may be another than the longest.
    pub(super) ambiguous: bool,
}

/// The highest count of a repetition.
const REPEATS: u32 = 32_767;

/// Translates a pattern.
pub(super) fn translate(pattern: &str, syntax: Syntax) -> Result<Translated, PatternError> {
    let mut translator = Translator {
        chars: pattern.chars().collect(),
        at: 0,
        syntax,
        out: String::new(),
        atom: None,
        repeated: false,
        open: Vec::new(),
        closed: 0,
        repeats: 0,
        ambiguous: false,
    };
    if matches!(syntax, Syntax::Basic | Syntax::Extended) && is_bare_class(pattern) {
        return Err(PatternError::Refused(
            "character class syntax is [[:space:]], not [:space:]",
        ));
    }
    while translator.step()? {}
    if !translator.open.is_empty() {
        return Err(PatternError::Refused("Unmatched ( or \\("));
    }
    Ok(Translated {
        ambiguous: translator.ambiguous || translator.repeats > 1,
        text: translator.out,
    })
}

fn is_bare_class(pattern: &str) -> bool {
    let inner = pattern
        .strip_prefix("[:")
        .and_then(|rest| rest.strip_suffix(":]"));
    inner.is_some_and(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_lowercase()))
}

struct Translator {
    chars: Vec<char>,
    at: usize,
    syntax: Syntax,
    out: String,
    /// Where the last atom starts in `out`; none where an expression begins.
    atom: Option<usize>,
    /// Whether the last atom is already repeated.
    repeated: bool,
    /// Where the open groups start in `out`.
    open: Vec<usize>,
    closed: usize,
    repeats: usize,
    ambiguous: bool,
}

impl Translator {
    fn extended(&self) -> bool {
        matches!(
            self.syntax,
            Syntax::Extended | Syntax::SedExtended | Syntax::Awk
        )
    }

    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    /// Translates the next piece; false at the end.
    fn step(&mut self) -> Result<bool, PatternError> {
        let Some(c) = self.peek(0) else {
            return Ok(false);
        };
        self.at += 1;
        match c {
            '\\' => self.escape()?,
            '[' => {
                let escapes = self.syntax == Syntax::Awk;
                let (class, next) = bracket::translate(&self.chars, self.at, escapes)?;
                self.at = next;
                self.push(&class);
            }
            '.' => self.push("."),
            '*' => self.repeat("*")?,
            '^' => self.caret(),
            '$' => self.dollar(),
            '(' if self.extended() => self.group(),
            ')' if self.extended() => self.close(true)?,
            '|' if self.extended() => self.alternative(),
            '+' if self.extended() => self.repeat("+")?,
            '?' if self.extended() => self.repeat("?")?,
            '{' if self.extended() => self.interval(false)?,
            '\n' if matches!(self.syntax, Syntax::Basic | Syntax::Extended) => self.alternative(),
            literal => self.literal(literal),
        }
        Ok(true)
    }

    fn push(&mut self, atom: &str) {
        self.atom = Some(self.out.len());
        self.repeated = false;
        self.out.push_str(atom);
    }

    fn literal(&mut self, literal: char) {
        self.push(&regex::escape(&literal.to_string()));
    }

    /// An anchor: nothing that a basic expression could repeat.
    fn anchor(&mut self, text: &str) {
        let atom = self.extended().then_some(self.out.len());
        self.out.push_str(text);
        self.atom = atom;
        self.repeated = false;
    }

    fn caret(&mut self) {
        // In basic syntax an anchor only where an expression begins.
        if self.extended() || (self.atom.is_none() && !self.out.ends_with('^')) {
            self.anchor("^");
        } else {
            self.literal('^');
        }
    }

    fn dollar(&mut self) {
        let ends = match (self.peek(0), self.peek(1)) {
            (None, _) => true,
            (Some('\\'), Some(')' | '|')) => true,
            (Some('\n'), _) => true,
            _ => self.extended(),
        };
        if ends {
            // A `$` can be repeated by nothing, but what follows it is not a beginning.
            self.push("$");
        } else {
            self.literal('$');
        }
    }

    fn group(&mut self) {
        self.open.push(self.out.len());
        self.out.push('(');
        self.atom = None;
    }

    fn close(&mut self, literal_if_unmatched: bool) -> Result<(), PatternError> {
        let Some(start) = self.open.pop() else {
            if literal_if_unmatched && self.syntax == Syntax::Extended {
                self.literal(')');
                return Ok(());
            }
            return Err(PatternError::Refused("Unmatched ) or \\)"));
        };
        self.out.push(')');
        self.atom = Some(start);
        self.repeated = false;
        self.closed += 1;
        Ok(())
    }

    fn alternative(&mut self) {
        self.out.push('|');
        self.atom = None;
        self.ambiguous = true;
    }

    fn repeat(&mut self, how: &str) -> Result<(), PatternError> {
        let Some(start) = self.atom else {
            return match (self.extended(), self.syntax) {
                (false, _) => {
                    self.literal(how.chars().next().unwrap_or('*'));
                    Ok(())
                }
                (true, Syntax::SedExtended) => Err(PatternError::Refused(
                    "Invalid preceding regular expression",
                )),
                // An extended expression that begins with a repetition repeats nothing.
                (true, _) => Ok(()),
            };
        };
        // Two repetitions in a row must not read as a lazy one.
        if self.repeated {
            self.out.insert_str(start, "(?:");
            self.out.push(')');
        }
        self.out.push_str(how);
        self.repeated = true;
        self.repeats += 1;
        if self
            .out
            .get(start..)
            .is_some_and(|atom| atom.starts_with('('))
        {
            self.ambiguous = true;
        }
        Ok(())
    }

    /// An interval, after its opening brace.
    fn interval(&mut self, escaped: bool) -> Result<(), PatternError> {
        let rest: String = self.chars.iter().skip(self.at).collect();
        let close = if escaped { "\\}" } else { "}" };
        if self.atom.is_none() && !self.extended() {
            self.literal('{');
            return Ok(());
        }
        let Some((bounds, _)) = rest.split_once(close) else {
            return self.no_interval(escaped, "Unmatched \\{");
        };
        let (low, high) = match bounds.split_once(',') {
            Some((low, high)) => (low, Some(high)),
            None => (bounds, None),
        };
        let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if !number(low) || !high.is_none_or(number) || bounds.is_empty() {
            return self.no_interval(escaped, "Invalid content of \\{\\}");
        }
        let parse = |text: &str| text.parse::<u32>().unwrap_or(u32::MAX);
        let least = if low.is_empty() { 0 } else { parse(low) };
        let most = match high {
            None => Some(least),
            Some("") => None,
            Some(high) => Some(parse(high)),
        };
        if most.is_some_and(|most| most < least) {
            return Err(PatternError::Refused("Invalid content of \\{\\}"));
        }
        if least.max(most.unwrap_or(0)) > REPEATS {
            return Err(PatternError::Refused("Regular expression too big"));
        }
        self.at += bounds.chars().count() + close.len();
        if self.atom.is_none() {
            return match self.syntax {
                Syntax::SedExtended => Err(PatternError::Refused(
                    "Invalid preceding regular expression",
                )),
                _ => Err(PatternError::Lacking("a repetition of nothing")),
            };
        }
        let how = match most {
            Some(most) if most == least => format!("{{{least}}}"),
            Some(most) => format!("{{{least},{most}}}"),
            None => format!("{{{least},}}"),
        };
        self.repeats += 1;
        self.repeat(&how)
    }

    fn no_interval(&mut self, escaped: bool, error: &'static str) -> Result<(), PatternError> {
        let refused = escaped || self.syntax == Syntax::SedExtended;
        if refused {
            return Err(PatternError::Refused(error));
        }
        self.literal('{');
        Ok(())
    }

    fn escape(&mut self) -> Result<(), PatternError> {
        let Some(c) = self.peek(0) else {
            return Err(PatternError::Refused("Trailing backslash"));
        };
        self.at += 1;
        let extended = self.extended();
        match c {
            '(' if !extended => self.group(),
            ')' if !extended => self.close(false)?,
            '|' if !extended => self.alternative(),
            '+' if !extended => self.repeat("+")?,
            '?' if !extended => self.repeat("?")?,
            '{' if !extended => self.interval(true)?,
            '<' => self.anchor(r"\b{start}"),
            '>' => self.anchor(r"\b{end}"),
            '`' => self.anchor(r"\A"),
            '\'' => self.anchor(r"\z"),
            'b' if self.syntax != Syntax::Awk => self.anchor(r"\b"),
            'y' if self.syntax == Syntax::Awk => self.anchor(r"\b"),
            'B' => self.anchor(r"\B"),
            'w' | 'W' | 's' | 'S' => self.push(&format!("\\{c}")),
            '1'..='9' if self.syntax != Syntax::Awk => {
                let number = c.to_digit(10).unwrap_or(0) as usize;
                return Err(match number <= self.closed {
                    true => PatternError::Lacking("a back reference"),
                    false => PatternError::Refused("Invalid back reference"),
                });
            }
            _ => match (self.syntax, control(c)) {
                (Syntax::Awk | Syntax::SedBasic | Syntax::SedExtended, Some(control)) => {
                    self.literal(control);
                }
                (Syntax::Awk, None) if c.is_ascii_digit() || c == 'x' => {
                    return Err(PatternError::Lacking("a character by its number"));
                }
                (Syntax::SedBasic | Syntax::SedExtended, None) if "cdox".contains(c) => {
                    return Err(PatternError::Lacking("a character by its number"));
                }
                _ => self.literal(c),
            },
        }
        Ok(())
    }
}
