//! `sort`.

use std::cmp::Ordering;

use super::options::option;
use super::{Context, ToolResult, files, lines, not_available, usage};
use crate::shell::command::CommandOutput;

/// `sort` with `-r`, `-n`, `-h`, `-f`, `-b`, `-u`, `-t` and `-k`.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let specs = [
        option('r', "reverse", false),
        option('n', "numeric-sort", false),
        option('h', "human-numeric-sort", false),
        option('f', "ignore-case", false),
        option('b', "ignore-leading-blanks", false),
        option('u', "unique", false),
        option('s', "stable", false),
        option('t', "field-separator", true),
        option('k', "key", true),
    ];
    let parsed = match lines::parse("sort", arguments, &specs)? {
        Ok(parsed) => parsed,
        Err(output) => return Ok(output),
    };
    let order = Order {
        reverse: parsed.has('r'),
        numeric: parsed.has('n'),
        human: parsed.has('h'),
        fold: parsed.has('f'),
    };
    let separator = match parsed.value('t') {
        None => None,
        Some(text) => match text.chars().next() {
            Some(separator) if text.chars().count() == 1 => Some(separator),
            Some('\\') if text == "\\t" => Some('\t'),
            _ => return Ok(usage("sort", &format!("multi-character tab ‘{text}’"), 2)),
        },
    };
    let mut keys = Vec::new();
    for (_, text) in parsed.options.iter().filter(|(letter, _)| *letter == 'k') {
        match Key::parse(text, order) {
            Some(key) => keys.push(key),
            None => return Err(not_available("sort", &format!("-k {text}"))),
        }
    }
    let mut output = CommandOutput::answered("");
    let mut all: Vec<&str> = Vec::new();
    for input in files::inputs(&parsed.operands, context) {
        match input {
            Ok(input) => all.extend(input.text.lines()),
            Err(missing) => files::absent("sort", missing, &mut output, 2)?,
        }
    }
    let by_keys = |a: &str, b: &str| {
        if keys.is_empty() {
            return order.compare(a, b);
        }
        keys.iter()
            .map(|key| {
                key.order
                    .compare(key.of(a, separator), key.of(b, separator))
            })
            .find(|ordering| ordering.is_ne())
            .unwrap_or(Ordering::Equal)
    };
    // The last resort of GNU sort: the whole line.
    let whole = |a: &str, b: &str| {
        if parsed.has('s') || parsed.has('u') {
            Ordering::Equal
        } else if order.reverse {
            b.cmp(a)
        } else {
            a.cmp(b)
        }
    };
    all.sort_by(|a, b| by_keys(a, b).then_with(|| whole(a, b)));
    if parsed.has('u') {
        all.dedup_by(|a, b| by_keys(a, b).is_eq());
    }
    for line in all {
        output.stdout.push_str(line);
        output.stdout.push('\n');
    }
    Ok(output)
}

#[derive(Clone, Copy)]
struct Order {
    reverse: bool,
    numeric: bool,
    human: bool,
    fold: bool,
}

impl Order {
    fn compare(self, a: &str, b: &str) -> Ordering {
        let ordering = if self.human {
            human(a).total_cmp(&human(b))
        } else if self.numeric {
            number(a).0.total_cmp(&number(b).0)
        } else if self.fold {
            a.to_uppercase().cmp(&b.to_uppercase())
        } else {
            a.cmp(b)
        };
        if self.reverse {
            ordering.reverse()
        } else {
            ordering
        }
    }
}

/// The number that a text starts with (0 if none) and what follows it.
fn number(text: &str) -> (f64, &str) {
    let text = text.trim_start();
    let mut end = 0;
    let mut point = false;
    for (position, c) in text.char_indices() {
        let accepted = c.is_ascii_digit()
            || (c == '-' && position == 0)
            || (c == '.' && !std::mem::replace(&mut point, true));
        if !accepted {
            break;
        }
        end = position + c.len_utf8();
    }
    (text[..end].parse().unwrap_or(0.0), &text[end..])
}

/// A number with a unit such as `12K` or `3Gi`; a larger unit is larger whatever its number.
fn human(text: &str) -> f64 {
    let (value, rest) = number(text);
    let power = "KMGTPE".find(rest.chars().next().unwrap_or(' ').to_ascii_uppercase());
    value * 1024f64.powi(power.map_or(0, |power| power as i32 + 1))
}

struct Key {
    first: usize,
    last: Option<usize>,
    order: Order,
}

impl Key {
    /// `F[,L]` with ordering letters after either; positions within a field are not interpreted.
    fn parse(text: &str, global: Order) -> Option<Self> {
        let (first, last) = match text.split_once(',') {
            Some((first, last)) => (first, Some(last)),
            None => (text, None),
        };
        let split = |part: &str| {
            let digits = part.bytes().take_while(u8::is_ascii_digit).count();
            let letters = part[digits..].to_owned();
            part[..digits]
                .parse::<usize>()
                .ok()
                .filter(|n| *n > 0)
                .map(|n| (n, letters))
        };
        let (first, mut letters) = split(first)?;
        let mut last_field = None;
        if let Some(last) = last {
            let (field, more) = split(last)?;
            last_field = Some(field);
            letters.push_str(&more);
        }
        if letters.chars().any(|letter| !"rnhfb".contains(letter)) {
            return None;
        }
        let order = if letters.trim_matches('b').is_empty() {
            global
        } else {
            Order {
                reverse: letters.contains('r'),
                numeric: letters.contains('n'),
                human: letters.contains('h'),
                fold: letters.contains('f'),
            }
        };
        Some(Self {
            first,
            last: last_field,
            order,
        })
    }

    fn of<'t>(&self, line: &'t str, separator: Option<char>) -> &'t str {
        let fields = fields(line, separator);
        let Some(&(start, _)) = fields.get(self.first - 1) else {
            return "";
        };
        let end = match self.last {
            Some(last) => fields.get(last - 1).map_or(line.len(), |&(_, end)| end),
            None => line.len(),
        };
        line.get(start..end).unwrap_or("")
    }
}

/// Byte ranges of the fields; without a separator a field starts with its leading blanks.
fn fields(line: &str, separator: Option<char>) -> Vec<(usize, usize)> {
    let mut ranges = Vec::new();
    let mut start = 0;
    if let Some(separator) = separator {
        for (position, _) in line.match_indices(separator) {
            ranges.push((start, position));
            start = position + separator.len_utf8();
        }
    } else {
        let mut in_word = false;
        for (position, c) in line.char_indices() {
            let blank = c == ' ' || c == '\t';
            if blank && in_word {
                ranges.push((start, position));
                start = position;
            }
            in_word = !blank;
        }
    }
    ranges.push((start, line.len()));
    ranges
}
