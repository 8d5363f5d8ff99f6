//! Reading templates.

use serde_json::Value;

use super::{Base, Node, Operand, Pipeline, Unsupported};
use crate::golang::quote::unquote_char;

/// How deep blocks and brackets may lie in each other.
const DEPTH: usize = 64;

type Result<T> = std::result::Result<T, Unsupported>;

/// A piece of the source: text, or the tokens of an action.
enum Piece {
    Text(String),
    Action(Vec<Token>),
}

#[derive(Debug, Clone, PartialEq)]
struct Token {
    kind: Kind,
    /// No space lies between it and the token before.
    adjoins: bool,
}

#[derive(Debug, Clone, PartialEq)]
enum Kind {
    Dot,
    Field(String),
    Variable(String),
    Word(String),
    Literal(Value),
    Symbol(&'static str),
}

/// Reads a template.
pub(super) fn template(text: &str) -> Result<Vec<Node>> {
    let mut parser = Parser {
        pieces: pieces(text)?.into_iter(),
        depth: 0,
    };
    let (nodes, end) = parser.block()?;
    match end {
        Ending::Source => Ok(nodes),
        _ => Err(Unsupported("an end that ends nothing")),
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    let mut trim_left = false;
    loop {
        let (before, action) = match rest.split_once("{{") {
            Some((before, action)) => (before, Some(action)),
            None => (rest, None),
        };
        let mut before = if trim_left {
            before.trim_start_matches(is_space)
        } else {
            before
        };
        let trims = action
            .is_some_and(|action| action.starts_with('-') && action[1..].starts_with(is_space));
        if trims {
            before = before.trim_end_matches(is_space);
        }
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        let Some(action) = action else {
            return Ok(pieces);
        };
        let action = if trims { &action[1..] } else { action };
        if action.trim_start_matches(is_space).starts_with("/*") {
            let (_, after) = action
                .split_once("*/")
                .ok_or(Unsupported("an unclosed comment"))?;
            (trim_left, rest) = close(after.trim_start_matches(is_space), after)
                .ok_or(Unsupported("an unclosed comment"))?;
            continue;
        }
        let (tokens, trims, after) = tokens(action)?;
        pieces.push(Piece::Action(tokens));
        trim_left = trims;
        rest = after;
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

/// Whether an action ends here, with or without trimming; what lies behind it.
fn close<'t>(trimmed: &'t str, spaced: &'t str) -> Option<(bool, &'t str)> {
    if let Some(after) = trimmed.strip_prefix("-}}")
        && spaced.starts_with(is_space)
    {
        return Some((true, after));
    }
    spaced
        .strip_prefix("}}")
        .or_else(|| trimmed.strip_prefix("}}"))
        .map(|after| (false, after))
}

fn tokens(action: &str) -> Result<(Vec<Token>, bool, &str)> {
    let mut tokens: Vec<Token> = Vec::new();
    let mut rest = action;
    loop {
        let trimmed = rest.trim_start_matches(is_space);
        if let Some((trims, after)) = close(trimmed, rest) {
            return Ok((tokens, trims, after));
        }
        let adjoins = trimmed.len() == rest.len() && !tokens.is_empty();
        let (kind, after) = token(trimmed)?;
        tokens.push(Token { kind, adjoins });
        rest = after;
    }
}

fn token(text: &str) -> Result<(Kind, &str)> {
    for symbol in [":=", "=", "|", "(", ")", ","] {
        if let Some(after) = text.strip_prefix(symbol) {
            return Ok((Kind::Symbol(symbol), after));
        }
    }
    let word = |text: &str| {
        text.find(|c: char| c != '_' && !c.is_alphanumeric())
            .unwrap_or(text.len())
    };
    let first = text
        .chars()
        .next()
        .ok_or(Unsupported("an unclosed action"))?;
    match first {
        '.' if text[1..].starts_with(|c: char| c.is_ascii_digit()) => number(text),
        '.' => {
            let length = word(&text[1..]);
            let (name, after) = text[1..].split_at(length);
            Ok(if name.is_empty() {
                (Kind::Dot, after)
            } else {
                (Kind::Field(name.to_owned()), after)
            })
        }
        '$' => {
            let (name, after) = text[1..].split_at(word(&text[1..]));
            Ok((Kind::Variable(name.to_owned()), after))
        }
        '"' => {
            let mut bytes = Vec::new();
            let mut rest = &text[1..];
            while !rest.starts_with('"') {
                if rest.starts_with('\n') {
                    return Err(Unsupported("an unclosed text"));
                }
                let (read, after) =
                    unquote_char(rest, '"').ok_or(Unsupported("text that Go can't read"))?;
                bytes.extend(read);
                rest = after;
            }
            let text =
                String::from_utf8(bytes).map_err(|_| Unsupported("bytes that are no text"))?;
            Ok((Kind::Literal(Value::String(text)), &rest[1..]))
        }
        '`' => {
            let (raw, after) = text[1..]
                .split_once('`')
                .ok_or(Unsupported("an unclosed text"))?;
            Ok((Kind::Literal(Value::String(raw.replace('\r', ""))), after))
        }
        c if c.is_ascii_digit() || c == '-' || c == '+' => number(text),
        c if c == '_' || c.is_alphabetic() => {
            let (word, after) = text.split_at(word(text));
            Ok((
                match word {
                    "true" => Kind::Literal(Value::Bool(true)),
                    "false" => Kind::Literal(Value::Bool(false)),
                    "nil" => return Err(Unsupported("nil")),
                    word => Kind::Word(word.to_owned()),
                },
                after,
            ))
        }
        _ => Err(Unsupported("a character that Go can't read")),
    }
}

fn number(text: &str) -> Result<(Kind, &str)> {
    let length = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || "+-._".contains(c)))
        .unwrap_or(text.len());
    let (digits, after) = text.split_at(length);
    let plain = digits
        .bytes()
        .all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b));
    let octal = digits.trim_start_matches(['+', '-']).len() > 1
        && digits.trim_start_matches(['+', '-']).starts_with('0')
        && !digits.contains('.');
    if !plain || octal {
        return Err(Unsupported("a number in another notation"));
    }
    let unsigned = digits.strip_prefix('+').unwrap_or(digits);
    let value = match (unsigned.parse::<i64>(), unsigned.parse::<f64>()) {
        (Ok(whole), _) => Value::from(whole),
        (_, Ok(float)) if float.is_finite() && digits.contains(['.', 'e', 'E']) => {
            Value::from(float)
        }
        _ => return Err(Unsupported("a number that Go can't read")),
    };
    Ok((Kind::Literal(value), after))
}

/// How a block ends.
enum Ending {
    Source,
    Block,
    /// `else`, with the tokens behind it.
    Else(Vec<Token>),
}

struct Parser {
    pieces: std::vec::IntoIter<Piece>,
    depth: usize,
}

impl Parser {
    fn block(&mut self) -> Result<(Vec<Node>, Ending)> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(Unsupported("blocks this deep"));
        }
        let mut nodes = Vec::new();
        let end = loop {
            let Some(piece) = self.pieces.next() else {
                break Ending::Source;
            };
            let tokens = match piece {
                Piece::Text(text) => {
                    nodes.push(Node::Text(text));
                    continue;
                }
                Piece::Action(tokens) => tokens,
            };
            let keyword = match tokens.first().map(|token| &token.kind) {
                Some(Kind::Word(word)) => word.clone(),
                _ => String::new(),
            };
            let rest = tokens.get(1..).unwrap_or_default();
            match keyword.as_str() {
                "end" if rest.is_empty() => break Ending::Block,
                "else" => break Ending::Else(rest.to_vec()),
                "if" => {
                    let (cases, otherwise) = self.cases(rest, "if")?;
                    nodes.push(Node::If(cases, otherwise));
                }
                "with" => {
                    let (cases, otherwise) = self.cases(rest, "with")?;
                    nodes.push(Node::With(cases, otherwise));
                }
                "range" => {
                    let pipeline = pipeline(rest, true)?;
                    let (body, end) = self.block()?;
                    let otherwise = match end {
                        Ending::Else(rest) if rest.is_empty() => self.ended()?,
                        Ending::Block => Vec::new(),
                        _ => return Err(Unsupported("a block that does not end")),
                    };
                    nodes.push(Node::Range(pipeline, body, otherwise));
                }
                "break" if rest.is_empty() => nodes.push(Node::Break),
                "continue" if rest.is_empty() => nodes.push(Node::Continue),
                "end" | "break" | "continue" | "block" | "define" | "template" => {
                    return Err(Unsupported("named templates"));
                }
                _ => nodes.push(Node::Action(pipeline(&tokens, false)?)),
            }
        };
        self.depth -= 1;
        Ok((nodes, end))
    }

    /// The nodes up to `end`.
    fn ended(&mut self) -> Result<Vec<Node>> {
        match self.block()? {
            (nodes, Ending::Block) => Ok(nodes),
            _ => Err(Unsupported("a block that does not end")),
        }
    }

    /// The cases of `if` or `with` up to `end`.
    #[expect(clippy::type_complexity, reason = "cases and what comes otherwise")]
    fn cases(
        &mut self,
        tokens: &[Token],
        keyword: &str,
    ) -> Result<(Vec<(Pipeline, Vec<Node>)>, Vec<Node>)> {
        let mut cases = Vec::new();
        let mut condition = pipeline(tokens, false)?;
        loop {
            let (body, end) = self.block()?;
            cases.push((condition, body));
            match end {
                Ending::Block => return Ok((cases, Vec::new())),
                Ending::Else(rest) if rest.is_empty() => return Ok((cases, self.ended()?)),
                Ending::Else(rest) if rest[0].kind == Kind::Word(keyword.to_owned()) => {
                    condition = pipeline(&rest[1..], false)?;
                }
                _ => return Err(Unsupported("a block that does not end")),
            }
        }
    }
}

/// Variables and commands; `range` may declare two variables.
fn pipeline(tokens: &[Token], range: bool) -> Result<Pipeline> {
    let mut pipeline = Pipeline::default();
    let mut rest = tokens;
    let sign = tokens
        .iter()
        .take(4)
        .position(|token| matches!(token.kind, Kind::Symbol(":=" | "=")));
    if let Some(at) = sign {
        for (position, token) in tokens[..at].iter().enumerate() {
            match &token.kind {
                Kind::Variable(name) if position % 2 == 0 => pipeline.variables.push(name.clone()),
                Kind::Symbol(",") if position == 1 && range && at == 3 => {}
                _ => return Err(Unsupported("a declaration that Go can't read")),
            }
        }
        pipeline.declares = tokens[at].kind == Kind::Symbol(":=");
        rest = &tokens[at + 1..];
        if pipeline.variables.len() != at.div_ceil(2) || at == 0 || at == 2 {
            return Err(Unsupported("a declaration that Go can't read"));
        }
    }
    let mut position = 0;
    pipeline.commands = commands(rest, &mut position, 0)?;
    if position != rest.len() {
        return Err(Unsupported("a bracket too many"));
    }
    Ok(pipeline)
}

/// Commands up to a closing bracket or the end.
fn commands(tokens: &[Token], position: &mut usize, depth: usize) -> Result<Vec<Vec<Operand>>> {
    if depth > DEPTH {
        return Err(Unsupported("brackets this deep"));
    }
    let mut commands: Vec<Vec<Operand>> = vec![Vec::new()];
    while let Some(token) = tokens.get(*position) {
        let Some(command) = commands.last_mut() else {
            break;
        };
        if let (Kind::Field(name), true, Some(last)) =
            (&token.kind, token.adjoins, command.last_mut())
        {
            let literal = matches!(last.base, Base::Literal(_) | Base::Function(_));
            if literal {
                return Err(Unsupported("a field of a constant"));
            }
            last.fields.push(name.clone());
            *position += 1;
            continue;
        }
        let mut fields = Vec::new();
        let base = match &token.kind {
            Kind::Symbol(")") => break,
            Kind::Symbol("|") => {
                commands.push(Vec::new());
                *position += 1;
                continue;
            }
            Kind::Symbol("(") => {
                *position += 1;
                let inner = self::commands(tokens, position, depth + 1)?;
                if tokens.get(*position).map(|token| &token.kind) != Some(&Kind::Symbol(")")) {
                    return Err(Unsupported("an unclosed bracket"));
                }
                Base::Pipeline(Pipeline {
                    commands: inner,
                    ..Pipeline::default()
                })
            }
            Kind::Symbol(_) => return Err(Unsupported("a symbol that Go can't read there")),
            Kind::Dot => Base::Dot,
            Kind::Field(name) => {
                fields.push(name.clone());
                Base::Dot
            }
            Kind::Variable(name) => Base::Variable(name.clone()),
            Kind::Word(name) => Base::Function(name.clone()),
            Kind::Literal(value) => Base::Literal(value.clone()),
        };
        let glued = token.adjoins && !command.is_empty() && !matches!(token.kind, Kind::Symbol(_));
        if glued {
            return Err(Unsupported("operands without space between them"));
        }
        command.push(Operand { base, fields });
        *position += 1;
    }
    if commands.iter().any(Vec::is_empty) {
        return Err(Unsupported("an empty command"));
    }
    Ok(commands)
}
