//! Backslash escapes of `echo -e`, `printf` and others.

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

/// How octal numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Octal {
    /// `\0nnn`: `echo -e`.
    AfterZero,
    /// `\nnn`: the format of `printf`.
    Plain,
    /// Both: `%b` of `printf`.
    Either,
}

/// Replaces escapes; tells whether `\c` ended the text. Bytes, as numbers may make no text.
pub(super) fn replace(text: &str, octal: Octal) -> (Vec<u8>, bool) {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some(position) = rest.find('\\') {
        let (before, after) = rest.split_at(position);
        out.extend_from_slice(before.as_bytes());
        let Some(escaped) = after.chars().nth(1) else {
            out.push(b'\\');
            return (out, false);
        };
        if escaped == 'c' && octal != Octal::Plain {
            return (out, true);
        }
        let length = push(after, escaped, octal, &mut out);
        rest = after.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest.as_bytes());
    (out, false)
}

/// Appends what an escape at the start of a text means; gives its length.
pub(super) fn push(text: &str, escaped: char, octal: Octal, out: &mut Vec<u8>) -> usize {
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
        '"' | '\'' | '?' if octal != Octal::AfterZero => out.push(escaped as u8),
        '0' if octal != Octal::Plain => {
            let (number, length) = digits(2, 3, 8);
            out.push(number as u8);
            return 2 + length;
        }
        '0'..='7' if octal != Octal::AfterZero => {
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
        other => {
            out.push(b'\\');
            out.extend_from_slice(other.encode_utf8(&mut [0; 4]).as_bytes());
            return 1 + other.len_utf8();
        }
    }
    1 + escaped.len_utf8()
}
