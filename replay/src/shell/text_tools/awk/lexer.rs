//! Words of a program.

use crate::shell::escapes;

/// A word.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    Number(f64),
    Text(String),
    Regex(String),
    /// A name; `true` if a bracket follows at once.
    Name(String, bool),
    Keyword(&'static str),
    Symbol(&'static str),
    Newline,
    End,
}

const KEYWORDS: [&str; 17] = [
    "BEGIN", "END", "function", "func", "if", "else", "while", "for", "do", "break", "continue",
    "next", "nextfile", "exit", "return", "delete", "in",
];

/// Words that are statements or read something.
const MORE_KEYWORDS: [&str; 6] = ["print", "printf", "getline", "switch", "case", "default"];

const SYMBOLS: [&str; 44] = [
    "**=", "...", "&&", "||", "==", "!=", "<=", ">=", ">>", "++", "--", "+=", "-=", "*=", "/=",
    "%=", "^=", "!~", "**", "|&", "{", "}", "(", ")", "[", "]", ";", ",", "+", "-", "*", "/", "%",
    "^", "!", "<", ">", "|", "?", ":", "~", "$", "=", "@",
];

/// Splits a program into words, each with its line; an error is the line where it stands.
pub(super) fn lex(text: &str) -> Result<Vec<(Token, usize)>, usize> {
    let mut tokens: Vec<(Token, usize)> = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            ' ' | '\t' | '\r' => (None, 1),
            '\n' => (Some(Token::Newline), 1),
            '\\' if rest.starts_with("\\\n") => (None, 2),
            '\\' if rest.starts_with("\\\r\n") => (None, 3),
            '#' => (None, rest.find('\n').unwrap_or(rest.len())),
            '"' => {
                let (text, length) = string(rest).ok_or(line)?;
                (Some(Token::Text(text)), length)
            }
            '/' if regex_may_follow(&tokens) => {
                let (regex, length) = regex(rest).ok_or(line)?;
                (Some(Token::Regex(regex)), length)
            }
            c if c.is_ascii_digit()
                || (c == '.'
                    && rest
                        .get(1..2)
                        .is_some_and(|d| d.as_bytes()[..].iter().all(u8::is_ascii_digit))) =>
            {
                let (number, length) = number(rest);
                (Some(Token::Number(number)), length)
            }
            c if c.is_ascii_alphabetic() || c == '_' => {
                let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_');
                let name = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
                (Some(word(name, rest)), name.len())
            }
            _ => {
                let symbol = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol));
                let symbol = *symbol.ok_or(line)?;
                (Some(Token::Symbol(symbol)), symbol.len())
            }
        };
        if let Some(token) = token {
            tokens.push((token, line));
        }
        let taken = rest.get(..length).unwrap_or(rest);
        line += taken.matches('\n').count();
        rest = rest.get(length..).unwrap_or_default();
    }
    tokens.push((Token::End, line));
    Ok(tokens)
}

fn word(name: &str, rest: &str) -> Token {
    let keywords = KEYWORDS.iter().chain(&MORE_KEYWORDS);
    for keyword in keywords {
        if *keyword == name {
            return Token::Keyword(if name == "func" { "function" } else { keyword });
        }
    }
    let called = rest
        .get(name.len()..)
        .is_some_and(|rest| rest.starts_with('('));
    Token::Name(name.to_owned(), called)
}

/// Whether a slash starts a regular expression: where a value may stand.
fn regex_may_follow(tokens: &[(Token, usize)]) -> bool {
    match tokens.last() {
        None => true,
        Some((token, _)) => match token {
            Token::Number(_) | Token::Text(_) | Token::Regex(_) | Token::Name(..) => false,
            Token::Symbol(symbol) => !matches!(*symbol, ")" | "]" | "$" | "++" | "--"),
            _ => true,
        },
    }
}

fn number(text: &str) -> (f64, usize) {
    let length = super::super::format::float_length(text).max(1);
    let number = text.get(..length).and_then(|digits| digits.parse().ok());
    (number.unwrap_or(0.0), length)
}

/// A string with its length.
fn string(text: &str) -> Option<(String, usize)> {
    let mut raw = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Some((unescaped(&raw), at + 1)),
            '\n' => return None,
            '\\' => {
                let (_, escaped) = chars.next()?;
                if escaped != '\n' {
                    raw.push('\\');
                    raw.push(escaped);
                }
            }
            c => raw.push(c),
        }
    }
    None
}

/// A text with its escapes replaced; an unknown one stands for its letter.
pub(super) fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        let Some(escaped) = chars.next() else {
            out.push('\\');
            break;
        };
        match escaped {
            '0'..='7' => {
                let mut code = escaped.to_digit(8).unwrap_or(0);
                for _ in 0..2 {
                    let Some(digit) = chars.peek().and_then(|c| c.to_digit(8)) else {
                        break;
                    };
                    code = code * 8 + digit;
                    chars.next();
                }
                out.push(char::from_u32(code).unwrap_or('\u{fffd}'));
            }
            escaped => out.push(escapes::control(escaped).unwrap_or(escaped)),
        }
    }
    out
}

/// A regular expression between slashes, with its length.
fn regex(text: &str) -> Option<(String, usize)> {
    let mut out = String::new();
    let mut in_class = false;
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '/' if !in_class => return Some((out, at + 1)),
            '\n' => return None,
            '[' if !in_class => {
                in_class = true;
                out.push('[');
                if let Some((_, c)) = chars.next_if(|(_, c)| *c == '^') {
                    out.push(c);
                }
                if let Some((_, c)) = chars.next_if(|(_, c)| *c == ']') {
                    out.push(c);
                }
            }
            '[' if text.get(at..).is_some_and(|rest| rest.starts_with("[:")) => {
                out.push('[');
                while let Some((_, c)) = chars.next_if(|(_, c)| *c != ']') {
                    out.push(c);
                }
                if let Some((_, c)) = chars.next() {
                    out.push(c);
                }
            }
            ']' => {
                in_class = false;
                out.push(c);
            }
            '\\' => {
                let (_, escaped) = chars.next()?;
                if escaped != '/' {
                    out.push('\\');
                }
                out.push(escaped);
            }
            c => out.push(c),
        }
    }
    None
}
