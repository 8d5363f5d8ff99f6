//! Orders of keys.

use std::cmp::Ordering;

/// How keys are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) reverse: bool,
    /// Blanks before a whole line are skipped; a key says so itself.
    pub(super) skip_blanks: bool,
    numeric: bool,
    human: bool,
    general: bool,
    month: bool,
    version: bool,
    fold: bool,
    dictionary: bool,
    printing: bool,
}

impl Order {
    /// Sets what an option's letter means.
    pub(super) fn set(&mut self, letter: char) {
        match letter {
            'r' => self.reverse = true,
            'b' => self.skip_blanks = true,
            'n' => self.numeric = true,
            'h' => self.human = true,
            'g' => self.general = true,
            'M' => self.month = true,
            'V' => self.version = true,
            'f' => self.fold = true,
            'd' => self.dictionary = true,
            'i' => self.printing = true,
            _ => {}
        }
    }

    /// Whether nothing is set.
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The letters of orders that exclude each other.
    pub(super) fn incompatible(&self) -> Option<String> {
        let exclusive = [
            (
                self.dictionary || self.printing,
                if self.dictionary { 'd' } else { 'i' },
            ),
            (self.general, 'g'),
            (self.human, 'h'),
            (self.month, 'M'),
            (self.numeric, 'n'),
            (self.version, 'V'),
        ];
        let set = exclusive.iter().filter(|(set, _)| *set);
        let plain = set.clone().filter(|(_, letter)| !"di".contains(*letter));
        let ignoring = self.dictionary || self.printing;
        let clash =
            plain.clone().count() > 1 || (ignoring && plain.clone().any(|(_, l)| *l != 'V'));
        clash.then(|| {
            let mut letters: String = set.map(|(_, letter)| *letter).collect();
            if self.dictionary && self.printing {
                letters.insert(1, 'i');
            }
            // GNU lists them in the order of its own table.
            let mut sorted: Vec<char> = letters.chars().collect();
            sorted.sort_by_key(|letter| "dfghiMnV".find(*letter));
            sorted.into_iter().filter(|letter| *letter != 'f').collect()
        })
    }

    /// Compares two keys.
    pub(super) fn compare(&self, a: &str, b: &str) -> Ordering {
        let ordering = match () {
            () if self.numeric => numeric(a, b),
            () if self.human => human(a, b),
            () if self.general => general(a, b),
            () if self.month => month(a).cmp(&month(b)),
            () if self.version => version(&self.translated(a), &self.translated(b)),
            () if self.fold || self.dictionary || self.printing => {
                self.translated(a).cmp(&self.translated(b))
            }
            () => a.cmp(b),
        };
        match self.reverse {
            true => ordering.reverse(),
            false => ordering,
        }
    }

    fn translated(&self, key: &str) -> String {
        let kept = |c: &char| {
            (!self.dictionary || c.is_ascii_alphanumeric() || *c == ' ' || *c == '\t')
                && (!self.printing || matches!(c, ' '..='~'))
        };
        let folded = |c: char| if self.fold { c.to_ascii_uppercase() } else { c };
        key.chars().filter(kept).map(folded).collect()
    }
}

/// A number in text, of any length.
struct Digits<'t> {
    negative: bool,
    whole: &'t str,
    fraction: &'t str,
    rest: &'t str,
}

fn digits(text: &str) -> Digits<'_> {
    let text = text.trim_start_matches([' ', '\t']);
    let (negative, text) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let split = |text: &'_ str| text.bytes().take_while(u8::is_ascii_digit).count();
    let (whole, mut rest) = text.split_at(split(text));
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at(split(after));
    }
    let (whole, fraction) = (
        whole.trim_start_matches('0'),
        fraction.trim_end_matches('0'),
    );
    let negative = negative && !(whole.is_empty() && fraction.is_empty());
    Digits {
        negative,
        whole,
        fraction,
        rest,
    }
}

fn numeric(a: &str, b: &str) -> Ordering {
    compare_digits(&digits(a), &digits(b))
}

fn compare_digits(a: &Digits<'_>, b: &Digits<'_>) -> Ordering {
    let size = || {
        let whole = a.whole.len().cmp(&b.whole.len());
        whole
            .then_with(|| a.whole.cmp(b.whole))
            .then_with(|| a.fraction.cmp(b.fraction))
    };
    match (a.negative, b.negative) {
        (false, true) => Ordering::Greater,
        (true, false) => Ordering::Less,
        (false, false) => size(),
        (true, true) => size().reverse(),
    }
}

/// A larger unit is larger, whatever its number.
fn human(a: &str, b: &str) -> Ordering {
    let order = |number: &Digits<'_>| {
        let zero = number.whole.is_empty() && number.fraction.is_empty();
        let unit = number.rest.chars().next().unwrap_or(' ');
        let unit = if unit == 'k' { 'K' } else { unit };
        let rank = "KMGTPEZYRQ".find(unit).map_or(0, |rank| rank as i32 + 1);
        match (zero, number.negative) {
            (true, _) => 0,
            (false, true) => -rank,
            (false, false) => rank,
        }
    };
    let (a, b) = (digits(a), digits(b));
    let signs = b.negative.cmp(&a.negative);
    signs
        .then_with(|| order(&a).cmp(&order(&b)))
        .then_with(|| compare_digits(&a, &b))
}

/// Floating-point numbers: what is none comes first, then NaN.
fn general(a: &str, b: &str) -> Ordering {
    let (a, b) = (float(a), float(b));
    match (a, b) {
        (None, None) => Ordering::Equal,
        (None, Some(_)) => Ordering::Less,
        (Some(_), None) => Ordering::Greater,
        (Some(a), Some(b)) => match (a.is_nan(), b.is_nan()) {
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
            _ => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        },
    }
}

fn float(text: &str) -> Option<f64> {
    let text = text.trim_start_matches([' ', '\t', '\n', '\u{b}', '\u{c}', '\r']);
    let length = crate::shell::text_tools::format::float_length(text);
    text.get(..length)?.parse().ok()
}

fn month(text: &str) -> usize {
    let text = text.trim_start_matches([' ', '\t']);
    let name: String = text.chars().take(3).flat_map(char::to_uppercase).collect();
    const MONTHS: [&str; 12] = [
        "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
    ];
    let position = MONTHS.iter().position(|month| *month == name);
    position.map_or(0, |position| position + 1)
}

/// Version numbers within names: runs of digits by value, all else by character, a tilde before
/// anything, letters before other characters.
fn version(a: &str, b: &str) -> Ordering {
    if a == b {
        return Ordering::Equal;
    }
    for special in ["", ".", ".."] {
        match (a == special, b == special) {
            (true, _) => return Ordering::Less,
            (_, true) => return Ordering::Greater,
            _ => {}
        }
    }
    match (a.starts_with('.'), b.starts_with('.')) {
        (true, false) => return Ordering::Less,
        (false, true) => return Ordering::Greater,
        _ => {}
    }
    let (short_a, short_b) = (without_suffix(a), without_suffix(b));
    if short_a == short_b {
        return version_parts(a.as_bytes(), b.as_bytes());
    }
    version_parts(short_a.as_bytes(), short_b.as_bytes())
        .then_with(|| version_parts(a.as_bytes(), b.as_bytes()))
}

/// A name without its file suffixes `(\.[A-Za-z~][A-Za-z0-9~]*)*`.
fn without_suffix(name: &str) -> &str {
    let mut end = name.len();
    let mut rest = name;
    while let Some(dot) = rest.rfind('.').filter(|dot| *dot > 0) {
        let suffix = rest.get(dot + 1..).unwrap_or_default().as_bytes();
        let starts = suffix
            .first()
            .is_some_and(|c| c.is_ascii_alphabetic() || *c == b'~');
        if !starts
            || !suffix
                .iter()
                .all(|c| c.is_ascii_alphanumeric() || *c == b'~')
        {
            break;
        }
        end = dot;
        rest = rest.get(..dot).unwrap_or_default();
    }
    name.get(..end).unwrap_or(name)
}

fn version_parts(a: &[u8], b: &[u8]) -> Ordering {
    fn rank(c: Option<&u8>) -> i32 {
        match c {
            Some(b'~') => -2,
            None => -1,
            Some(c) if c.is_ascii_digit() => 0,
            Some(c) if c.is_ascii_alphabetic() => i32::from(*c),
            Some(c) => i32::from(*c) + 256,
        }
    }
    let is_digit = |c: Option<&u8>| c.is_some_and(u8::is_ascii_digit);
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        while (i < a.len() && !is_digit(a.get(i))) || (j < b.len() && !is_digit(b.get(j))) {
            let ordering = rank(a.get(i)).cmp(&rank(b.get(j)));
            if ordering.is_ne() {
                return ordering;
            }
            i += 1;
            j += 1;
        }
        let run = |text: &[u8], from: usize| -> (usize, Vec<u8>) {
            let run = text.get(from..).unwrap_or_default().iter().copied();
            let run: Vec<u8> = run.take_while(u8::is_ascii_digit).collect();
            let zeros = run.iter().take_while(|c| **c == b'0').count();
            (
                from + run.len(),
                run.get(zeros..).unwrap_or_default().to_vec(),
            )
        };
        let (next_i, first) = run(a, i);
        let (next_j, second) = run(b, j);
        let ordering = first
            .len()
            .cmp(&second.len())
            .then_with(|| first.cmp(&second));
        if ordering.is_ne() {
            return ordering;
        }
        (i, j) = (next_i, next_j);
    }
    Ordering::Equal
}
