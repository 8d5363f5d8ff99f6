//! Log lines as templates: what is the same in lines that one statement of a program wrote.
//!
//! Lines are cut into tokens, and tokens with a digit are variables: what Drain does first (He et
//! al., "Drain: An Online Log Parsing Approach with Fixed Depth Tree", ICWS 2017). Its tree, which
//! merges templates that differ in words, is left out: a word that is new is what is looked for.

/// What stands for a variable.
const VARIABLE: &str = "*";

/// Letters from which on a token of hexadecimal ones alone is an identifier, not a word.
const HEXADECIMAL: usize = 8;

/// The tokens of a line, variables as `*`. Two lines with the same tokens have the same template.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(is_separator)
        .filter(|token| !token.is_empty())
        .map(|token| if has_digit(token) { VARIABLE } else { token })
}

/// The template of a line, for people to read: its text with `*` for numbers, identifiers and
/// times (tokens with a digit, or of eight or more hexadecimal letters), and for what prose has in
/// quotes. Quotes that structure a line (JSON, `key="value"`) stay, and so do the words in them.
#[must_use]
pub fn template(text: &str) -> String {
    let mut template = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if let Some(quoted) = quoted_in_prose(rest, &template) {
            template.push(first);
            push_variable(&mut template);
            template.push(first);
            rest = &rest[quoted..];
        } else if is_separator(first) {
            template.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            let (token, after) = rest.split_at(rest.find(is_separator).unwrap_or(rest.len()));
            if has_digit(token) || is_hexadecimal(token) {
                push_variable(&mut template);
            } else {
                template.push_str(token);
            }
            rest = after;
        }
    }
    template
}

/// Adds a variable; one that goes on after a colon (a time, an address) is one and the same.
fn push_variable(template: &mut String) {
    if template.ends_with("*:") {
        template.pop();
    } else {
        template.push_str(VARIABLE);
    }
}

/// The length of the quoted text that begins here, quotes included, where it is a part of prose:
/// what stands before it is a word, not a bracket, comma, colon or equals sign.
fn quoted_in_prose(rest: &str, before: &str) -> Option<usize> {
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let said = before.trim_end();
    if said.len() == before.len() || said.ends_with(['{', '[', '(', ',', ':', '=']) {
        return None;
    }
    let length = rest[1..].find(quote)?;
    Some(length + 2)
}

fn is_separator(letter: char) -> bool {
    letter.is_whitespace() || "{}[]()\",:=;".contains(letter)
}

fn has_digit(token: &str) -> bool {
    token.contains(|letter: char| letter.is_ascii_digit())
}

fn is_hexadecimal(token: &str) -> bool {
    token.len() >= HEXADECIMAL && token.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_identifiers_and_quoted_texts_are_variables() {
        for (line, expected) in [
            ("took 17ms for 3 rows", "took * for * rows"),
            ("2026-11-23T09:22:34.943Z ready", "* ready"),
            ("dial tcp 10.0.0.7:8080: refused", "dial tcp *: refused"),
            ("user \"bob\" not found", "user \"*\" not found"),
            ("no such key 'a b', sorry", "no such key '*', sorry"),
            ("don't stop, it's fine", "don't stop, it's fine"),
            ("commit deadbeefcafe", "commit *"),
            ("facade", "facade"),
            (
                r#"{"level":"ERROR","status": 503,"error":"refused: rate:8080"}"#,
                r#"{"level":"ERROR","status": *,"error":"refused: rate:*"}"#,
            ),
            (
                "level=info msg=\"no route\" n=4",
                "level=info msg=\"no route\" n=*",
            ),
            ("unclosed \"quote 7", "unclosed \"quote *"),
            ("", ""),
        ] {
            assert_eq!(template(line), expected, "{line}");
        }
        let of: Vec<&str> = tokens("took 17ms: (refused)").collect();
        assert_eq!(of, ["took", "*", "refused"]);
    }
}
