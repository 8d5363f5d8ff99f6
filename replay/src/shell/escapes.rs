//! Backslash escapes of `$'…'`, `echo -e`, `printf` and others.

/// The control character that a letter after a backslash means.
pub(super) fn control(letter: char) -> Option<char> {
    Some(match letter {
        'a' => '\u{7}',
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'v' => '\u{b}',
        _ => return None,
    })
}

/// Where the escapes stand. Octal numbers are written `\0nnn`, `\nnn` or both ways, and `\c` ends
/// the text or means a control character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// `echo -e`
    Echo,
    /// The format of `printf`.
    Format,
    /// `%b` of `printf`.
    Argument,
    /// `$'…'`
    Quoted,
}

impl Place {
    fn ends_at_c(self) -> bool {
        matches!(self, Self::Echo | Self::Argument)
    }
}

/// Replaces escapes; tells whether `\c` ended the text. Bytes, as numbers may make no text.
pub(super) fn replace(text: &str, place: Place) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(position) = rest.find('\\') {
        let (before, after) = rest.split_at(position);
        out.extend_from_slice(before.as_bytes());
        let Some(escaped) = after.chars().nth(1) else {
            out.push(b'\\');
            return (out, false);
        };
        if escaped == 'c' && place.ends_at_c() {
            return (out, true);
        }
        let length = push(after, escaped, place, &mut out);
        rest = after.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest.as_bytes());
    (out, false)
}

/// Appends what an escape at the start of a text means; gives its length.
pub(super) fn push(text: &str, escaped: char, place: Place, out: &mut Vec<u8>) -> usize {
    if let Some(control) = control(escaped) {
        out.push(control as u8);
        return 2;
    }
    let digits = |from: usize, most: usize, radix: u32| -> (u32, usize) {
        let digits = text.get(from..).unwrap_or_default().chars().take(most);
        let values = digits.map_while(|c| c.to_digit(radix));
        values.fold((0, 0), |(number, length), digit| {
            (number * radix + digit, length + 1)
        })
    };
    match escaped {
        '\\' => out.push(b'\\'),
        'e' | 'E' => out.push(27),
        '"' | '\'' | '?' if place != Place::Echo => out.push(escaped as u8),
        '0' if place.ends_at_c() => {
            let (number, length) = digits(2, 3, 8);
            out.push(number as u8);
            return 2 + length;
        }
        '0'..='7' if place != Place::Echo => {
            let (number, length) = digits(1, 3, 8);
            out.push(number as u8);
            return 1 + length;
        }
        'x' => {
            let (number, length) = digits(2, 2, 16);
            if length == 0 {
                out.extend_from_slice(b"\\x");
            } else {
                out.push(number as u8);
            }
            return 2 + length;
        }
        'u' | 'U' => {
            let (number, length) = digits(2, if escaped == 'u' { 4 } else { 8 }, 16);
            match char::from_u32(number).filter(|_| length > 0) {
                Some(c) => out.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
                None => out.extend_from_slice(text.get(..2 + length).unwrap_or("").as_bytes()),
            }
            return 2 + length;
        }
        'c' if place == Place::Quoted && is_control(text) => {
            let control = text.as_bytes().get(2).copied().unwrap_or_default();
            out.push(control.to_ascii_uppercase() & 0x1f);
            return 3;
        }
        other => {
            out.push(b'\\');
            out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            return 1 + other.len_utf8();
        }
    }
    1 + escaped.len_utf8()
}

/// Whether a character that has a control character comes after `\c`.
fn is_control(text: &str) -> bool {
    text.as_bytes().get(2).is_some_and(u8::is_ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_of_quoted_text_are_replaced() {
        for (text, expected) in [
            (r"a\tb\n\\", "a\tb\n\\"),
            (r"\x41\101\u00e9\'", "AAé'"),
            (r"\z\ca\cé", "\\z\u{1}\\cé"),
            ("é\\", "é\\"),
            (r"a\0b", "a\0b"),
        ] {
            let (bytes, ended) = replace(text, Place::Quoted);
            assert_eq!(
                (bytes.as_slice(), ended),
                (expected.as_bytes(), false),
                "{text}"
            );
        }
        assert_eq!(replace(r"\xff", Place::Quoted).0, [0xff]);
    }
}
