//! Quoted text as `strconv` writes and reads it.

use std::fmt::Write;

/// Text in double quotes, as `%q` prints it.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            other => escape(other, &mut out),
        }
    }
    out.push('"');
    out
}

/// A character in single quotes, as `%q` prints it.
pub(crate) fn quote_char(c: char) -> String {
    let mut out = String::from("'");
    match c {
        '\'' => out.push_str("\\'"),
        other => escape(other, &mut out),
    }
    out.push('\'');
    out
}

fn escape(c: char, out: &mut String) {
    let _ = match c {
        '\\' => write!(out, "\\\\"),
        '\x07' => write!(out, "\\a"),
        '\x08' => write!(out, "\\b"),
        '\x0c' => write!(out, "\\f"),
        '\n' => write!(out, "\\n"),
        '\r' => write!(out, "\\r"),
        '\t' => write!(out, "\\t"),
        '\x0b' => write!(out, "\\v"),
        c if is_print(c) => write!(out, "{c}"),
        c if u32::from(c) < 0x80 => write!(out, "\\x{:02x}", u32::from(c)),
        c if u32::from(c) < 0x1_0000 => write!(out, "\\u{:04x}", u32::from(c)),
        c => write!(out, "\\U{:08x}", u32::from(c)),
    };
}

/// Whether Go prints a character as it is.
pub(crate) fn is_print(c: char) -> bool {
    match c {
        ' ' => true,
        '"' | '\'' | '\\' => true,
        '\u{301}' => true,
        // Rust escapes what is no letter, mark, number, punctuation or symbol, and combining marks.
        c if c.is_whitespace() => false,
        c => c.is_alphanumeric() || c.escape_debug().count() == 1,
    }
}

/// Reads one character of a quoted text, with Go's escapes, as bytes; the rest after it. None if
/// it is no valid character there.
pub(crate) fn unquote_char(text: &str, quote: char) -> Option<(Vec<u8>, &str)> {
    let mut chars = text.chars();
    let first = chars.next()?;
    let encoded = |c: char| c.to_string().into_bytes();
    if first == quote {
        return None;
    }
    if first != '\\' {
        return Some((encoded(first), chars.as_str()));
    }
    let escape = chars.next()?;
    let rest = chars.as_str();
    let number = |digits: usize, radix: u32, from: &str| -> Option<u32> {
        let digits = from.get(..digits)?;
        if !digits.chars().all(|c| c.is_digit(radix)) {
            return None;
        }
        u32::from_str_radix(digits, radix).ok()
    };
    let plain = |byte: u8| Some((vec![byte], rest));
    match escape {
        'a' => plain(0x07),
        'b' => plain(0x08),
        'f' => plain(0x0c),
        'n' => plain(b'\n'),
        'r' => plain(b'\r'),
        't' => plain(b'\t'),
        'v' => plain(0x0b),
        'x' => Some((vec![u8::try_from(number(2, 16, rest)?).ok()?], &rest[2..])),
        'u' => Some((encoded(char::from_u32(number(4, 16, rest)?)?), &rest[4..])),
        'U' => Some((encoded(char::from_u32(number(8, 16, rest)?)?), &rest[8..])),
        '0'..='7' => {
            let value = number(3, 8, &text[1..])?;
            Some((vec![u8::try_from(value).ok()?], &text[4..]))
        }
        '\\' => plain(b'\\'),
        '\'' | '"' if escape == quote => plain(u8::try_from(escape).ok()?),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_go_does() {
        for (text, expected) in [
            ("a", "\"a\""),
            ("a\"b'\\", "\"a\\\"b'\\\\\""),
            ("\n\t\x01é\u{feff}", "\"\\n\\t\\x01é\\ufeff\""),
        ] {
            assert_eq!(quote(text), expected);
        }
        assert_eq!(quote_char('\''), "'\\''");
    }

    #[test]
    fn escapes_are_read_as_go_does() {
        for (text, quote, expected) in [
            ("a\"", '"', Some(("a", "\""))),
            ("\\n.", '\'', Some(("\n", "."))),
            ("\\'", '"', None),
            ("\\'", '\'', Some(("'", ""))),
            ("\\x41B", '"', Some(("A", "B"))),
            ("\\u00e9x", '"', Some(("é", "x"))),
            ("\\1018", '"', Some(("A", "8"))),
            ("\\q", '"', None),
            ("\"", '"', None),
        ] {
            let read = unquote_char(text, quote);
            let expected = expected.map(|(c, rest)| (c.as_bytes().to_vec(), rest));
            assert_eq!(read, expected, "{text}");
        }
    }
}
