//! Keys: which part of a line is compared.

use super::compare::Order;

/// `-k FIELD[.CHARACTER][OPTIONS][,FIELD[.CHARACTER][OPTIONS]]`.
pub(super) struct Key {
    start: Position,
    end: Option<Position>,
    pub(super) order: Order,
    blanks_before_start: bool,
    blanks_before_end: bool,
}

#[derive(Clone, Copy)]
struct Position {
    field: usize,
    /// From 1; 0 stands for the end of the field.
    character: usize,
}

impl Key {
    /// Parses a key; a key without options of its own has the global ones. The error is the text
    /// that the program prints.
    pub(super) fn parse(text: &str, global: Order) -> Result<Self, String> {
        let mut rest = text;
        let start_field = number(&mut rest, "invalid number at field start", text)?;
        let mut start = Position {
            field: positive(start_field, text)?,
            character: 1,
        };
        if let Some(after) = rest.strip_prefix('.') {
            rest = after;
            start.character = number(&mut rest, "invalid number after '.'", text)?;
            if start.character == 0 {
                return Err(format!(
                    "character offset is zero: invalid field specification ‘{text}’"
                ));
            }
        }
        let mut own = Order::default();
        let blanks_before_start = options(&mut rest, &mut own);
        let mut end = None;
        let mut blanks_before_end = false;
        if let Some(after) = rest.strip_prefix(',') {
            rest = after;
            let field = number(&mut rest, "invalid number after ','", text)?;
            let mut position = Position {
                field: positive(field, text)?,
                character: 0,
            };
            if let Some(after) = rest.strip_prefix('.') {
                rest = after;
                position.character = number(&mut rest, "invalid number after '.'", text)?;
            }
            blanks_before_end = options(&mut rest, &mut own);
            end = Some(position);
        }
        if !rest.is_empty() {
            return Err(format!(
                "stray character in field spec: invalid field specification ‘{text}’"
            ));
        }
        let inherits = own.is_default() && !blanks_before_start && !blanks_before_end;
        Ok(Self {
            start,
            end,
            order: if inherits { global } else { own },
            blanks_before_start: blanks_before_start || (inherits && global.skip_blanks),
            blanks_before_end: blanks_before_end || (inherits && global.skip_blanks),
        })
    }

    /// The part of a line.
    pub(super) fn of<'t>(&self, line: &'t str, separator: Option<char>) -> &'t str {
        let start = self.begin(line, separator);
        let end = self.limit(line, separator).max(start);
        line.get(start..end).unwrap_or_default()
    }

    fn begin(&self, line: &str, separator: Option<char>) -> usize {
        let mut at = 0;
        for _ in 1..self.start.field {
            if at == line.len() {
                break; // A key may name any field, a line has few.
            }
            at = match separator {
                Some(separator) => match line.get(at..).and_then(|rest| rest.find(separator)) {
                    Some(found) => at + found + separator.len_utf8(),
                    None => line.len(),
                },
                None => field_end(line, at),
            };
        }
        if self.blanks_before_start {
            at = blanks_end(line, at);
        }
        characters(line, at, self.start.character.saturating_sub(1))
    }

    fn limit(&self, line: &str, separator: Option<char>) -> usize {
        let Some(end) = self.end else {
            return line.len();
        };
        let fields = match end.character {
            0 => end.field,
            _ => end.field.saturating_sub(1),
        };
        let mut at = 0;
        for count in 1..=fields {
            if at == line.len() {
                break;
            }
            at = match separator {
                Some(separator) => match line.get(at..).and_then(|rest| rest.find(separator)) {
                    // The separator belongs to the key only if another position follows.
                    Some(found) if count == fields && end.character == 0 => at + found,
                    Some(found) => at + found + separator.len_utf8(),
                    None => line.len(),
                },
                None => field_end(line, at),
            };
        }
        if end.character == 0 {
            return at;
        }
        if self.blanks_before_end {
            at = blanks_end(line, at);
        }
        characters(line, at, end.character)
    }
}

/// The end of a field that starts with its leading blanks.
fn field_end(line: &str, at: usize) -> usize {
    let at = blanks_end(line, at);
    let rest = line.get(at..).unwrap_or_default();
    rest.find([' ', '\t'])
        .map_or(line.len(), |found| at + found)
}

fn blanks_end(line: &str, at: usize) -> usize {
    let rest = line.get(at..).unwrap_or_default();
    let blanks = rest.find(|c| c != ' ' && c != '\t');
    blanks.map_or(line.len(), |found| at + found)
}

/// A position some bytes on, not within a character.
fn characters(line: &str, at: usize, count: usize) -> usize {
    let mut end = at.saturating_add(count).min(line.len());
    while !line.is_char_boundary(end) {
        end += 1;
    }
    end
}

fn number(rest: &mut &str, what: &str, _whole: &str) -> Result<usize, String> {
    let text = *rest;
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, after) = text.split_at(digits);
    if number.is_empty() {
        return Err(format!("{what}: invalid count at start of ‘{text}’"));
    }
    *rest = after;
    Ok(number.parse().unwrap_or(usize::MAX))
}

fn positive(field: usize, whole: &str) -> Result<usize, String> {
    match field {
        0 => Err(format!(
            "field number is zero: invalid field specification ‘{whole}’"
        )),
        field => Ok(field),
    }
}

/// Reads ordering letters; tells whether blanks are skipped.
fn options(rest: &mut &str, order: &mut Order) -> bool {
    let mut blanks = false;
    while let Some(letter) = rest.chars().next() {
        match letter {
            'b' => blanks = true,
            'd' | 'f' | 'g' | 'h' | 'i' | 'M' | 'n' | 'r' | 'V' => order.set(letter),
            _ => break,
        }
        *rest = rest.get(1..).unwrap_or_default();
    }
    blanks
}
