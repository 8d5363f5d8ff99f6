//! Series selectors as PromQL writes them, turned into matchers of remote read.

use super::remote_read::{Matcher, MatcherType};

/// Reads `name{label="value", other=~"pattern"}`.
pub(super) fn parse(text: &str) -> Result<Vec<Matcher>, String> {
    let text = text.trim();
    let (name, mut rest) = match text.split_once('{') {
        Some((name, rest)) => {
            let inner = rest
                .trim_end()
                .strip_suffix('}')
                .ok_or("no closing brace")?;
            (name.trim(), inner.trim())
        }
        None => (text, ""),
    };
    let mut matchers = Vec::new();
    if !name.is_empty() {
        if !is_name(name, true) {
            return Err(format!("{name:?} is no metric name"));
        }
        matchers.push(Matcher::new(MatcherType::Equal, "__name__", name));
    }
    while !rest.is_empty() {
        let (matcher, after) = parse_matcher(rest)?;
        matchers.push(matcher);
        rest = after.trim_start();
        rest = match rest.strip_prefix(',') {
            Some(after) => after.trim_start(),
            None if rest.is_empty() => rest,
            None => return Err(format!("a comma is missing before {rest:?}")),
        };
    }
    if matchers.is_empty() {
        return Err("it selects nothing; {__name__=~\".+\"} selects everything".to_owned());
    }
    Ok(matchers)
}

fn is_name(text: &str, may_have_colon: bool) -> bool {
    let first = text.chars().next();
    let is_letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    first.is_some_and(|letter| is_letter(letter) || (may_have_colon && letter == ':'))
        && text.chars().all(|letter| {
            is_letter(letter) || letter.is_ascii_digit() || (may_have_colon && letter == ':')
        })
}

fn parse_matcher(text: &str) -> Result<(Matcher, &str), String> {
    let operator = text
        .find(['=', '!'])
        .ok_or_else(|| format!("no operator in {text:?}"))?;
    let (label, rest) = text.split_at(operator);
    let label = label.trim();
    if !is_name(label, false) {
        return Err(format!("{label:?} is no label"));
    }
    let operators = [
        ("=~", MatcherType::Regex),
        ("!~", MatcherType::NotRegex),
        ("!=", MatcherType::NotEqual),
        ("=", MatcherType::Equal),
    ];
    let found = operators.iter().find_map(|(sign, kind)| {
        rest.strip_prefix(sign)
            .map(|rest| (*kind, rest.trim_start()))
    });
    let (kind, rest) = found.ok_or_else(|| format!("no operator in {text:?}"))?;
    let (value, rest) = parse_string(rest)?;
    Ok((Matcher::new(kind, label, &value), rest))
}

fn parse_string(text: &str) -> Result<(String, &str), String> {
    let unquoted = || format!("{text:?} is no quoted value");
    let mut letters = text.char_indices();
    let quote = match letters.next() {
        Some((_, quote @ ('"' | '\'' | '`'))) => quote,
        _ => return Err(unquoted()),
    };
    let mut value = String::new();
    while let Some((at, letter)) = letters.next() {
        match letter {
            _ if letter == quote => {
                return Ok((value, text.get(at + 1..).unwrap_or_default()));
            }
            '\\' if quote != '`' => match letters.next() {
                Some((_, 'n')) => value.push('\n'),
                Some((_, 't')) => value.push('\t'),
                Some((_, escaped @ ('\\' | '"' | '\''))) => value.push(escaped),
                other => return Err(format!("unknown escape \\{:?}", other.map(|it| it.1))),
            },
            _ => value.push(letter),
        }
    }
    Err(unquoted())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_become_matchers() {
        let check = |text: &str, expected: &[(MatcherType, &str, &str)]| {
            let expected: Vec<_> = expected
                .iter()
                .map(|(kind, name, value)| Matcher::new(*kind, name, value))
                .collect();
            assert_eq!(parse(text), Ok(expected), "{text}");
        };
        check("up", &[(MatcherType::Equal, "__name__", "up")]);
        check(
            r#"up{ job != "a,b", x=~`\d+` , }"#,
            &[
                (MatcherType::Equal, "__name__", "up"),
                (MatcherType::NotEqual, "job", "a,b"),
                (MatcherType::Regex, "x", r"\d+"),
            ],
        );
        check(
            r#"{x!~"a\"\\d"}"#,
            &[(MatcherType::NotRegex, "x", r#"a"\d"#)],
        );
        for wrong in [
            "",
            "{}",
            "{a}",
            "{a=b}",
            "{a=\"b}",
            "{a=\"b\"",
            "1x",
            "{a=\"b\" c=\"d\"}",
        ] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }
}
