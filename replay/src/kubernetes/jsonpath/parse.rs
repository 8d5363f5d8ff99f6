//! Reading templates.

use super::{Bound, Error, Node};
use crate::golang::quote::{is_print, unquote_char};

/// How deep actions may lie in filters.
const DEPTH: usize = 32;

/// Reads text and actions.
pub(super) fn template(text: &str, depth: usize) -> Result<Vec<Node>, Error> {
    if depth > DEPTH {
        return Err(Error::NotCaptured("jsonpath with filters this deep"));
    }
    let mut nodes = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some((before, action)) = rest.split_once('{') else {
            nodes.push(Node::Text(rest.to_owned()));
            break;
        };
        if !before.is_empty() {
            nodes.push(Node::Text(before.to_owned()));
        }
        let mut reader = Reader {
            text: action,
            position: 0,
            start: 0,
            depth,
        };
        nodes.push(Node::List(reader.action()?));
        rest = &action[reader.position..];
    }
    Ok(nodes)
}

/// The steps of an expression without its braces.
fn action(text: &str, depth: usize) -> Result<Vec<Node>, Error> {
    match template(&format!("{{{text}}}"), depth + 1)?
        .into_iter()
        .next()
    {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

/// The inside of an action, from behind its opening brace.
struct Reader<'t> {
    text: &'t str,
    position: usize,
    /// Where the step began.
    start: usize,
    depth: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.position..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.position += next.len_utf8();
        Some(next)
    }

    fn consume(&mut self) -> &'t str {
        let taken = self.text.get(self.start..self.position).unwrap_or_default();
        self.start = self.position;
        taken
    }

    /// The byte before the character that was read last (a quote, one byte long).
    fn escaped(&self) -> bool {
        self.position
            .checked_sub(2)
            .and_then(|at| self.text.as_bytes().get(at))
            == Some(&b'\\')
    }

    fn action(&mut self) -> Result<Vec<Node>, Error> {
        let mut nodes = Vec::new();
        loop {
            let rest = self.rest();
            if rest.starts_with('}') {
                self.position += 1;
                return Ok(nodes);
            } else if rest.starts_with("[?(") {
                self.filter(&mut nodes)?;
                continue;
            } else if rest.starts_with("..") {
                self.recursive(&mut nodes)?;
                continue;
            }
            match self.next() {
                None | Some('\r' | '\n') => return Err(Error::message("unclosed action")),
                Some(' ' | '@' | '$') => {
                    self.consume();
                }
                Some('[') => self.array(&mut nodes)?,
                Some(quote @ ('"' | '\'')) => self.quoted(&mut nodes, quote)?,
                Some('.') => self.field(&mut nodes),
                Some(c) if c == '+' || c == '-' || c.is_ascii_digit() => {
                    self.position -= c.len_utf8();
                    self.number(&mut nodes)?;
                }
                Some(c) if c == '_' || c.is_alphanumeric() => self.identifier(&mut nodes),
                Some(c) => {
                    let shown = if is_print(c) {
                        format!(" '{c}'")
                    } else {
                        String::new()
                    };
                    return Err(Error::Message(format!(
                        "unrecognized character in action: U+{:04X}{shown}",
                        u32::from(c)
                    )));
                }
            }
        }
    }

    fn identifier(&mut self, nodes: &mut Vec<Node>) {
        while self.peek().is_some_and(|c| !is_terminator(c)) {
            self.next();
        }
        nodes.push(match self.consume() {
            "true" => Node::Boolean(true),
            "false" => Node::Boolean(false),
            name => Node::Identifier(name.to_owned()),
        });
    }

    fn recursive(&mut self, nodes: &mut Vec<Node>) -> Result<(), Error> {
        if nodes.last() == Some(&Node::Recursive) {
            return Err(Error::message("invalid multiple recursive descent"));
        }
        self.position += 2;
        self.consume();
        nodes.push(Node::Recursive);
        if self.peek().is_some_and(|c| c == '_' || c.is_alphanumeric()) {
            self.field(nodes);
        }
        Ok(())
    }

    fn number(&mut self, nodes: &mut Vec<Node>) -> Result<(), Error> {
        if matches!(self.peek(), Some('+' | '-')) {
            self.next();
        }
        while self.peek().is_some_and(|c| c == '.' || c.is_ascii_digit()) {
            self.next();
        }
        let text = self.consume();
        let plain = text.strip_prefix('+').unwrap_or(text);
        nodes.push(if let Ok(whole) = plain.parse() {
            Node::Integer(whole)
        } else if let Some(float) = plain.parse().ok().filter(|float: &f64| float.is_finite()) {
            Node::Float(float)
        } else {
            return Err(Error::Message(format!("cannot parse number {text}")));
        });
        Ok(())
    }

    fn array(&mut self, nodes: &mut Vec<Node>) -> Result<(), Error> {
        loop {
            match self.next() {
                None | Some('\n') => return Err(Error::message("unterminated array")),
                Some(']') => break,
                Some(_) => {}
            }
        }
        let text = self.consume();
        let text = text.get(1..text.len() - 1).unwrap_or_default();
        let text = if text == "*" { ":" } else { text };
        if text.contains(',') {
            let part = |part: &str| action(&format!("[{}]", part.trim_matches(' ')), self.depth);
            nodes.push(Node::Union(
                text.split(',').map(part).collect::<Result<_, _>>()?,
            ));
            return Ok(());
        }
        let key = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''))
            .filter(|key| !key.contains('\''));
        if let Some(key) = key {
            nodes.extend(action(&format!(".{key}"), self.depth)?);
            return Ok(());
        }
        nodes.push(Node::Slice(slice(text)?));
        Ok(())
    }

    fn filter(&mut self, nodes: &mut Vec<Node>) -> Result<(), Error> {
        self.position += "[?(".len();
        self.consume();
        let (mut begun, mut ended, mut pair) = (false, false, '"');
        loop {
            match self.next() {
                None | Some('\n') => return Err(Error::message("unterminated filter")),
                Some(quote @ ('"' | '\'')) => {
                    if !begun {
                        begun = true;
                        pair = quote;
                    } else if !self.escaped() && quote == pair {
                        ended = true;
                    }
                }
                Some(')') if begun == ended => break,
                Some(_) => {}
            }
        }
        if self.next() != Some(']') {
            return Err(Error::message("unclosed array expect ]"));
        }
        let text = self.consume();
        let text = text.get(..text.len() - 2).unwrap_or_default();
        nodes.push(match comparison(text) {
            None => Node::Filter {
                left: action(text, self.depth)?,
                compared: None,
            },
            Some((left, operator, right)) => Node::Filter {
                left: action(left, self.depth)?,
                compared: Some((operator.to_owned(), action(right, self.depth)?)),
            },
        });
        Ok(())
    }

    fn quoted(&mut self, nodes: &mut Vec<Node>, quote: char) -> Result<(), Error> {
        loop {
            match self.next() {
                None | Some('\n') => return Err(Error::message("unterminated quoted string")),
                Some(c) if c == quote && !self.escaped() => break,
                Some(_) => {}
            }
        }
        let text = self.consume();
        let inner = text.get(1..text.len() - 1).unwrap_or_default();
        let mut bytes = Vec::new();
        let mut rest = inner;
        while !rest.is_empty() {
            let Some((read, after)) = unquote_char(rest, quote) else {
                return Err(Error::Message(format!(
                    "unquote string {text} error invalid syntax"
                )));
            };
            bytes.extend(read);
            rest = after;
        }
        let unquoted = String::from_utf8(bytes)
            .map_err(|_| Error::NotCaptured("jsonpath that prints bytes that are no text"))?;
        nodes.push(Node::Text(unquoted));
        Ok(())
    }

    fn field(&mut self, nodes: &mut Vec<Node>) {
        self.consume();
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.next();
                self.next();
            } else if is_terminator(c) {
                break;
            } else {
                self.next();
            }
        }
        nodes.push(match self.consume() {
            "*" => Node::Wildcard,
            name => Node::Field(name.replace('\\', "")),
        });
    }
}

/// `left`, operator and `right` of a filter that compares.
fn comparison(text: &str) -> Option<(&str, &str, &str)> {
    let is_operator = |c: char| "!<>=".contains(c);
    let at = text.find(is_operator).filter(|at| *at > 0)?;
    let run = text[at..]
        .find(|c| !is_operator(c))
        .unwrap_or(text.len() - at);
    // The right side has at least one character.
    let run = if at + run == text.len() { run - 1 } else { run };
    (run > 0).then(|| (&text[..at], &text[at..at + run], &text[at + run..]))
}

/// `start:end:step`, or an index.
fn slice(text: &str) -> Result<[Bound; 3], Error> {
    let parts: Vec<&str> = text.split(':').collect();
    let is_number = |part: &&str| {
        let digits = part.strip_prefix('-').unwrap_or(part);
        digits.bytes().all(|byte| byte.is_ascii_digit())
    };
    if parts.len() > 3 || !parts.iter().all(is_number) {
        return Err(Error::Message(format!("invalid array index {text}")));
    }
    let mut bounds = [Bound::default(); 3];
    for (position, bound) in bounds.iter_mut().enumerate() {
        if let Some(part) = parts.get(position).filter(|part| !part.is_empty()) {
            bound.known = true;
            bound.value = part
                .parse()
                .map_err(|_| Error::Message(format!("array index {part} is not a number")))?;
        }
    }
    if parts.len() == 1 {
        bounds[1] = Bound {
            value: bounds[0].value.wrapping_add(1),
            known: true,
            derived: true,
        };
    }
    Ok(bounds)
}

fn is_terminator(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}'
    )
}
