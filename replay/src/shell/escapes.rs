//! Backslash escapes of `$'…'`.

/// Bytes that are no text: pipes of this shell carry text.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bytes that are not UTF-8")]
pub(super) struct NotText;

/// Replaces the escapes of a text. A shell's strings end at a zero byte.
pub(super) fn expand(text: &str) -> Result<String, NotText> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at_checked(at).unwrap_or((rest, ""));
        bytes.extend_from_slice(before.as_bytes());
        let length = one(escape.get(1..).unwrap_or_default(), &mut bytes);
        rest = escape.get(1 + length..).unwrap_or_default();
    }
    bytes.extend_from_slice(rest.as_bytes());
    if let Some(zero) = bytes.iter().position(|byte| *byte == 0) {
        bytes.truncate(zero);
    }
    String::from_utf8(bytes).map_err(|_| NotText)
}

/// Writes what an escape stands for and tells its length after the backslash.
fn one(escape: &str, bytes: &mut Vec<u8>) -> usize {
    let Some(letter) = escape.chars().next() else {
        bytes.push(b'\\');
        return 0;
    };
    let simple = match letter {
        'a' => Some(7),
        'b' => Some(8),
        'e' | 'E' => Some(27),
        'f' => Some(12),
        'n' => Some(b'\n'),
        'r' => Some(b'\r'),
        't' => Some(b'\t'),
        'v' => Some(11),
        '\\' | '\'' | '"' | '?' => u8::try_from(letter).ok(),
        _ => None,
    };
    if let Some(byte) = simple {
        bytes.push(byte);
        return 1;
    }
    let after = escape.get(letter.len_utf8()..).unwrap_or_default();
    match letter {
        'x' => {
            let digits = digits(after, 16, 2);
            if digits > 0 {
                bytes.push(low_byte(after, digits, 16));
                return 1 + digits;
            }
        }
        'u' | 'U' => {
            let digits = digits(after, 16, if letter == 'u' { 4 } else { 8 });
            let code = after
                .get(..digits)
                .map(|text| u32::from_str_radix(text, 16));
            if digits > 0
                && let Some(character) = code.and_then(Result::ok).and_then(char::from_u32)
            {
                bytes.extend_from_slice(character.to_string().as_bytes());
                return 1 + digits;
            }
        }
        '0'..='7' => {
            let digits = digits(escape, 8, 3);
            bytes.push(low_byte(escape, digits, 8));
            return digits;
        }
        // A control character.
        'c' => {
            if let Some(control) = after.chars().next().filter(char::is_ascii) {
                bytes.push(u8::try_from(control).unwrap_or(0).to_ascii_uppercase() & 0x1f);
                return 2;
            }
        }
        _ => {}
    }
    bytes.push(b'\\');
    bytes.extend_from_slice(letter.to_string().as_bytes());
    letter.len_utf8()
}

fn digits(text: &str, radix: u32, most: usize) -> usize {
    text.chars()
        .take(most)
        .take_while(|character| character.is_digit(radix))
        .count()
}

/// The value of digits, of which a byte is kept.
fn low_byte(text: &str, digits: usize, radix: u32) -> u8 {
    let value = text
        .get(..digits)
        .and_then(|digits| u32::from_str_radix(digits, radix).ok())
        .unwrap_or(0);
    u8::try_from(value & 0xff).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_replaced() {
        for (text, expected) in [
            (r"a\tb\n\\", "a\tb\n\\"),
            (r"\x41\101\u00e9\'", "AAé'"),
            (r"\z\ca", "\\z\u{1}"),
            ("é\\", "é\\"),
            (r"a\0b", "a"),
        ] {
            assert_eq!(expand(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(expand(r"\xff"), Err(NotText));
    }
}
