//! Text in a form that a shell reads back.

/// `'…'`, as `${x@Q}` shows it.
pub(super) fn single(text: &str) -> String {
    if text.chars().any(char::is_control) {
        return ansi(text);
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// `"…"`, as `declare -p` and `export -p` show it.
pub(super) fn double(text: &str) -> String {
    let mut quoted = "\"".to_owned();
    for character in text.chars() {
        if "\"\\$`".contains(character) {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}

/// A word as it could be typed again: `%q`.
pub(super) fn word(word: &str) -> String {
    if word.is_empty() {
        return "''".to_owned();
    }
    if word.chars().any(char::is_control) {
        return ansi(word);
    }
    let mut quoted = String::new();
    for (position, character) in word.chars().enumerate() {
        let special = match character {
            ' ' | '\'' | '"' | '\\' | '|' | '&' | ';' | '(' | ')' | '<' | '>' | '!' | '{' | '}'
            | '*' | '[' | '?' | ']' | '^' | '$' | '`' | ',' => true,
            '~' => position == 0 || quoted.ends_with([':', '=']),
            '#' => position == 0,
            _ => false,
        };
        if special {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted
}

fn ansi(text: &str) -> String {
    let mut quoted = "$'".to_owned();
    for character in text.chars() {
        match character {
            '\u{7}' => quoted.push_str("\\a"),
            '\u{8}' => quoted.push_str("\\b"),
            '\u{b}' => quoted.push_str("\\v"),
            '\u{c}' => quoted.push_str("\\f"),
            '\u{1b}' => quoted.push_str("\\E"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            '\'' => quoted.push_str("\\'"),
            '\\' => quoted.push_str("\\\\"),
            character if character.is_control() => {
                for byte in character.encode_utf8(&mut [0; 4]).bytes() {
                    quoted.push_str(&format!("\\{byte:03o}"));
                }
            }
            character => quoted.push(character),
        }
    }
    quoted.push('\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_quoted_as_bash_does() {
        assert_eq!(single("a'b"), "'a'\\''b'");
        assert_eq!(single("a\nb"), "$'a\\nb'");
        assert_eq!(single("a\u{85}"), "$'a\\302\\205'");
        assert_eq!(double("a\"b $x"), "\"a\\\"b \\$x\"");
        assert_eq!(word("a b~#"), "a\\ b~#");
    }
}
