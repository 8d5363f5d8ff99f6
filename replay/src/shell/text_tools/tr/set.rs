//! The sets of `tr`.

/// A set in the order in which it was written.
pub(super) struct Set {
    items: Vec<Item>,
    /// Whether there is a `[=c=]`.
    equivalence: bool,
}

/// How often a byte is repeated at most: no set has as many members.
const REPEATS: usize = 1 << 16;

#[derive(Clone, Copy)]
enum Item {
    Byte(u8),
    Range(u8, u8),
    Class(Class),
    /// A byte some times; as often as needed if no number is given.
    Repeat(u8, Option<usize>),
}

/// A character class; only two of them can be translated to.
#[derive(Debug, Clone, Copy)]
enum Class {
    Upper,
    Lower,
    Other(fn(u8) -> bool),
}

impl Class {
    fn named(name: &[u8]) -> Option<Self> {
        Some(match name {
            b"upper" => Self::Upper,
            b"lower" => Self::Lower,
            b"alpha" => Self::Other(|byte| byte.is_ascii_alphabetic()),
            b"digit" => Self::Other(|byte| byte.is_ascii_digit()),
            b"alnum" => Self::Other(|byte| byte.is_ascii_alphanumeric()),
            b"space" => Self::Other(|byte| matches!(byte, b' ' | 9..=13)),
            b"blank" => Self::Other(|byte| matches!(byte, b' ' | b'\t')),
            b"punct" => Self::Other(|byte| byte.is_ascii_punctuation()),
            b"print" => Self::Other(|byte| matches!(byte, b' '..=b'~')),
            b"graph" => Self::Other(|byte| byte.is_ascii_graphic()),
            b"cntrl" => Self::Other(|byte| byte.is_ascii_control()),
            b"xdigit" => Self::Other(|byte| byte.is_ascii_hexdigit()),
            _ => return None,
        })
    }

    fn holds(self, byte: u8) -> bool {
        match self {
            Self::Upper => byte.is_ascii_uppercase(),
            Self::Lower => byte.is_ascii_lowercase(),
            Self::Other(holds) => holds(byte),
        }
    }

    fn bytes(self) -> impl Iterator<Item = u8> {
        (0..=u8::MAX).filter(move |byte| self.holds(*byte))
    }
}

/// A byte and whether it was escaped, so that it is no operator.
type Letter = (u8, bool);

impl Set {
    /// Parses a set; the error is the text that the program prints.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let letters = unescape(text.as_bytes());
        let mut items = Vec::new();
        let mut equivalence = false;
        let mut at = 0;
        while let Some(&(byte, escaped)) = letters.get(at) {
            let plain =
                |offset: usize, wanted: u8| letters.get(at + offset) == Some(&(wanted, false));
            if byte == b'['
                && !escaped
                && let Some((item, next)) = bracketed(&letters, at)?
            {
                equivalence |= plain(1, b'=') && !matches!(item, Item::Repeat(..));
                items.push(item);
                at = next;
                continue;
            }
            if plain(1, b'-') && letters.get(at + 2).is_some() {
                let high = letters.get(at + 2).map_or(byte, |letter| letter.0);
                if high < byte {
                    return Err(format!(
                        "range-endpoints of '{}-{}' are in reverse collating sequence order",
                        shown(byte),
                        shown(high)
                    ));
                }
                items.push(Item::Range(byte, high));
                at += 3;
                continue;
            }
            items.push(Item::Byte(byte));
            at += 1;
        }
        Ok(Self { items, equivalence })
    }

    /// Refuses what only the second set may have.
    pub(super) fn check_first(&self) -> Result<(), String> {
        match self.open_repetitions() > 0 {
            true => Err("the [c*] repeat construct may not appear in string1".to_owned()),
            false => Ok(()),
        }
    }

    /// The bytes in order, an open repetition filling up to a length.
    pub(super) fn members(&self, length: Option<usize>) -> Vec<u8> {
        let fixed: usize = self.items.iter().map(|item| item.length()).sum();
        let mut members = Vec::new();
        for item in &self.items {
            match *item {
                Item::Byte(byte) => members.push(byte),
                Item::Range(low, high) => members.extend(low..=high),
                Item::Class(class) => members.extend(class.bytes()),
                Item::Repeat(byte, times) => {
                    let open = length.unwrap_or(0).saturating_sub(fixed);
                    let times = times.unwrap_or(open).min(REPEATS);
                    members.extend(std::iter::repeat_n(byte, times));
                }
            }
        }
        members
    }

    /// Every byte that is not in the set.
    pub(super) fn complement(&self) -> Vec<u8> {
        let members = self.members(None);
        (0..=u8::MAX)
            .filter(|byte| !members.contains(byte))
            .collect()
    }

    /// Refuses what the second set may have only for translating.
    pub(super) fn check_squeezed(&self) -> Result<(), String> {
        match self.open_repetitions() {
            0 => Ok(()),
            _ => Err("the [c*] construct may appear in string2 only when translating".to_owned()),
        }
    }

    fn open_repetitions(&self) -> usize {
        let open = |item: &&Item| matches!(item, Item::Repeat(_, None));
        self.items.iter().filter(open).count()
    }

    fn has_class(&self) -> bool {
        self.items.iter().any(|item| matches!(item, Item::Class(_)))
    }

    /// What the members of the first set become: as many bytes as there are members, or fewer if
    /// the first set is truncated.
    pub(super) fn translation(
        &self,
        first: &Self,
        members: &[u8],
        complement: bool,
        truncate: bool,
    ) -> Result<Vec<u8>, String> {
        if self.open_repetitions() > 1 {
            return Err("only one [c*] repeat construct may appear in string2".to_owned());
        }
        if self.equivalence {
            let message = "[=c=] expressions may not appear in string2 when translating";
            return Err(message.to_owned());
        }
        if self
            .items
            .iter()
            .any(|item| matches!(item, Item::Class(Class::Other(_))))
        {
            return Err(
                "when translating, the only character classes that may appear in\n\
                        string2 are 'upper' and 'lower'"
                    .to_owned(),
            );
        }
        if !complement && !self.is_aligned(first) {
            return Err("misaligned [:upper:] and/or [:lower:] construct".to_owned());
        }
        // A class to another has the same length and order.
        let mut to = self.members(Some(members.len()));
        if members.len() > to.len() && !truncate {
            let Some(&last) = to.last() else {
                return Err("when not truncating set1, string2 must be non-empty".to_owned());
            };
            if matches!(self.items.last(), Some(Item::Class(_))) {
                return Err("when translating with string1 longer than string2,\n\
                            the latter string must not end with a character class"
                    .to_owned());
            }
            to.resize(members.len(), last);
        }
        let homogeneous = to.iter().all(|byte| Some(byte) == to.first());
        if complement && first.has_class() && !(homogeneous && to.len() == members.len()) {
            return Err("when translating with complemented character classes,\n\
                        string2 must map all characters in the domain to one"
                .to_owned());
        }
        Ok(to)
    }

    /// Whether `[:upper:]` and `[:lower:]` stand where the first set has such a class.
    fn is_aligned(&self, first: &Self) -> bool {
        let cases = |set: &Self| -> Vec<usize> {
            let mut at = 0;
            let mut found = Vec::new();
            for item in &set.items {
                if matches!(item, Item::Class(Class::Upper | Class::Lower)) {
                    found.push(at);
                }
                at += item.length();
            }
            found
        };
        let theirs = cases(first);
        cases(self).iter().all(|at| theirs.contains(at))
    }
}

impl Item {
    fn length(&self) -> usize {
        match *self {
            Self::Byte(_) => 1,
            Self::Range(low, high) => usize::from(high - low) + 1,
            Self::Class(class) => class.bytes().count(),
            Self::Repeat(_, times) => times.unwrap_or(0).min(REPEATS),
        }
    }
}

/// `[:class:]`, `[=c=]` or `[c*n]`, with the position behind it.
fn bracketed(letters: &[Letter], at: usize) -> Result<Option<(Item, usize)>, String> {
    let plain = |position: usize, wanted: u8| letters.get(position) == Some(&(wanted, false));
    for kind in [b':', b'='] {
        if !plain(at + 1, kind) {
            continue;
        }
        let mut end = at + 2;
        while end + 1 < letters.len() && !(plain(end, kind) && plain(end + 1, b']')) {
            end += 1;
        }
        if !(plain(end, kind) && plain(end + 1, b']')) || (kind == b'=' && end == at + 2) {
            continue;
        }
        let name: Vec<u8> = letters
            .get(at + 2..end)
            .unwrap_or_default()
            .iter()
            .map(|l| l.0)
            .collect();
        let item = match (kind, name.as_slice()) {
            (b':', name) => match Class::named(name) {
                Some(class) => Item::Class(class),
                None if name.is_empty() => {
                    return Err("missing character class name '[::]'".to_owned());
                }
                None => {
                    let name = String::from_utf8_lossy(name).into_owned();
                    return Err(format!("invalid character class ‘{name}’"));
                }
            },
            (_, &[byte]) => Item::Byte(byte),
            (_, name) => {
                let name = String::from_utf8_lossy(name).into_owned();
                return Err(format!(
                    "{name}: equivalence class operand must be a single character"
                ));
            }
        };
        return Ok(Some((item, end + 2)));
    }
    repetition(letters, at)
}

fn repetition(letters: &[Letter], at: usize) -> Result<Option<(Item, usize)>, String> {
    let plain = |position: usize, wanted: u8| letters.get(position) == Some(&(wanted, false));
    let Some(&(byte, _)) = letters.get(at + 1).filter(|_| plain(at + 2, b'*')) else {
        return Ok(None);
    };
    let mut end = at + 3;
    while end < letters.len() && !plain(end, b']') {
        if letters.get(end).is_some_and(|letter| letter.1) {
            return Ok(None);
        }
        end += 1;
    }
    if end == letters.len() {
        return Ok(None);
    }
    let digits: Vec<u8> = letters
        .get(at + 3..end)
        .unwrap_or_default()
        .iter()
        .map(|l| l.0)
        .collect();
    let digits = String::from_utf8_lossy(&digits).into_owned();
    let radix = if digits.starts_with('0') { 8 } else { 10 };
    let times = match digits.as_str() {
        "" => None,
        digits => match usize::from_str_radix(digits, radix) {
            Ok(0) => None,
            Ok(times) => Some(times),
            Err(_) => {
                return Err(format!(
                    "invalid repeat count ‘{digits}’ in [c*n] construct"
                ));
            }
        },
    };
    Ok(Some((Item::Repeat(byte, times), end + 1)))
}

fn shown(byte: u8) -> String {
    match byte {
        b'\\' => "\\\\".to_owned(),
        b'\n' => "\\n".to_owned(),
        b'\t' => "\\t".to_owned(),
        b' '..=b'~' => char::from(byte).to_string(),
        byte => format!("\\{byte:03o}"),
    }
}

fn unescape(bytes: &[u8]) -> Vec<Letter> {
    let mut letters = Vec::new();
    let mut rest = bytes.iter().copied().peekable();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            letters.push((byte, false));
            continue;
        }
        let Some(escaped) = rest.next() else {
            letters.push((b'\\', false));
            continue;
        };
        let value = match escaped {
            b'a' => 7,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'v' => 11,
            b'0'..=b'7' => {
                let mut value = u32::from(escaped - b'0');
                for _ in 0..2 {
                    let digit = rest.peek().filter(|byte| (b'0'..=b'7').contains(*byte));
                    let Some(next) = digit.map(|byte| value * 8 + u32::from(byte - b'0')) else {
                        break;
                    };
                    if next > 255 {
                        break;
                    }
                    value = next;
                    rest.next();
                }
                value as u8
            }
            other => other,
        };
        letters.push((value, true));
    }
    letters
}
