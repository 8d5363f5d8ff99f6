//! Breaking lines at spaces, as kubectl does it: words longer than a line stay whole, spaces at the
//! beginning of a line are kept.

/// Breaks lines that are longer than a limit.
pub(super) fn wrap(text: &str, limit: usize) -> String {
    let mut out = String::new();
    let (mut current, mut word, mut space) = (0usize, String::new(), String::new());
    let length = |text: &str| text.chars().count();
    for c in text.chars() {
        if c == '\n' {
            if word.is_empty() {
                if current + length(&space) <= limit {
                    out.push_str(&space);
                }
            } else {
                out.push_str(&space);
                out.push_str(&word);
                word.clear();
            }
            space.clear();
            out.push('\n');
            current = 0;
        } else if c.is_whitespace() && c != '\u{a0}' {
            if space.is_empty() || !word.is_empty() {
                current += length(&space) + length(&word);
                out.push_str(&space);
                out.push_str(&word);
                space.clear();
                word.clear();
            }
            space.push(c);
        } else {
            word.push(c);
            let long = length(&word);
            if current + long + length(&space) > limit && long < limit {
                out.push('\n');
                current = 0;
                space.clear();
            }
        }
    }
    if !word.is_empty() || current + length(&space) <= limit {
        out.push_str(&space);
    }
    out.push_str(&word);
    out
}

#[cfg(test)]
mod tests {
    use super::wrap;

    #[test]
    fn lines_break_at_spaces() {
        for (text, expected) in [
            ("aaa bbb ccc", "aaa bbb\nccc"),
            ("aaaaaaaaaaaa b", "aaaaaaaaaaaa\nb"),
            ("a\n\n  b c", "a\n\n  b c"),
            ("aaa bbb \n", "aaa bbb\n"),
            ("", ""),
        ] {
            assert_eq!(wrap(text, 7), expected, "{text:?}");
        }
    }
}
