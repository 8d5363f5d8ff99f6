//! Functions on strings: formats, regular expressions.

use std::rc::Rc;

use super::evaluate::{Flow, Item, Machine, Out, Program, Raise, Scope, failure, missing};
use super::value::{Object, Value};
use super::{arithmetic, paths, write};

/// Functions that are about strings.
pub(super) fn run(
    machine: &Machine<'_>,
    name: &str,
    input: &Value,
    first: &Value,
    second: &Value,
) -> Result<Value, Raise> {
    Ok(match name {
        "startswith" | "endswith" => match (input, first) {
            (Value::Text(text), Value::Text(part)) => Value::Bool(match name {
                "startswith" => text.starts_with(&**part),
                _ => text.ends_with(&**part),
            }),
            _ => return Err(failure(format!("{name}() requires string inputs"))),
        },
        "ltrimstr" | "rtrimstr" => match (input, first) {
            (Value::Text(text), Value::Text(part)) => {
                let rest = match name {
                    "ltrimstr" => text.strip_prefix(&**part),
                    _ => text.strip_suffix(&**part),
                };
                rest.map_or_else(|| input.clone(), Value::text)
            }
            _ => input.clone(),
        },
        "explode" => match input {
            Value::Text(text) => {
                Value::array(text.chars().map(|c| Value::number(u32::from(c))).collect())
            }
            other => {
                let shown = arithmetic::shown(other);
                return Err(failure(format!("{shown} cannot be exploded")));
            }
        },
        "implode" => match input {
            Value::Array(codes) => {
                let c = |code: &Value| match code {
                    Value::Number(code) => char::from_u32(*code as u32),
                    _ => None,
                };
                let text: Option<String> = codes.iter().map(c).collect();
                Value::text(text.ok_or_else(|| missing("implode of no characters"))?)
            }
            _ => return Err(failure("implode input must be an array")),
        },
        "ascii_downcase" | "ascii_upcase" => match input {
            Value::Text(text) => Value::text(match name {
                "ascii_downcase" => text.to_ascii_lowercase(),
                _ => text.to_ascii_uppercase(),
            }),
            _ => return Err(failure("explode input must be a string")),
        },
        "split" => match (input, first) {
            (Value::Text(text), Value::Text(separator)) => arithmetic::split(text, separator),
            _ => return Err(failure("split input and separator must be strings")),
        },
        "join" => join(input, first)?,
        "test" => {
            let (text, regex, _) = regex(machine, input, first, second)?;
            Value::Bool(regex.is_match(&text))
        }
        other => return Err(missing(other)),
    })
}

fn join(input: &Value, separator: &Value) -> Result<Value, Raise> {
    let Value::Array(values) = input else {
        return match paths::children(input) {
            Some(_) => Err(missing("join of an object")),
            None => Err(super::evaluate::not_iterable(input)),
        };
    };
    let text = |value: &Value, joined: &str| match value {
        Value::Null => Ok(String::new()),
        Value::Text(text) => Ok(text.to_string()),
        Value::Number(_) | Value::Bool(_) => Ok(write::compact(value)),
        other => {
            let before = arithmetic::shown(&Value::text(joined));
            let shown = arithmetic::shown(other);
            Err(failure(format!("{before} and {shown} cannot be added")))
        }
    };
    let between = match separator {
        Value::Text(text) => text.to_string(),
        _ if values.len() <= 1 => String::new(),
        _ => return Err(missing("join with no string")),
    };
    let mut joined = String::new();
    for (position, value) in values.iter().enumerate() {
        if position > 0 {
            joined.push_str(&between);
        }
        let part = text(value, &joined)?;
        joined.push_str(&part);
    }
    Ok(Value::text(joined))
}

/// Where a part is found: characters in a text, elements in an array.
pub(super) fn indices(input: &Value, wanted: &Value) -> Result<Value, Raise> {
    match (input, wanted) {
        (Value::Null, _) => Ok(Value::Null),
        (Value::Text(text), Value::Text(part)) => {
            if part.is_empty() {
                return Ok(Value::Null);
            }
            if !text.is_ascii() {
                return Err(missing("indices of text that is not ASCII"));
            }
            let starts = (0..text.len()).filter(|at| {
                text.get(*at..)
                    .is_some_and(|rest| rest.starts_with(&**part))
            });
            Ok(Value::array(
                starts.map(|at| Value::number(at as f64)).collect(),
            ))
        }
        (Value::Array(values), Value::Array(wanted)) => Ok(paths::indices(values, wanted)),
        (Value::Array(values), wanted) => Ok(paths::indices(values, std::slice::from_ref(wanted))),
        (value, key) => paths::get(value, key),
    }
}

fn unmatchable(value: &Value) -> Raise {
    let text = arithmetic::truncated(&write::compact(value), 14);
    let kind = value.kind();
    failure(format!(
        "{kind} ({text}) cannot be matched, as it is not a string"
    ))
}

/// The text, the expression, and whether all matches are wanted.
fn regex(
    machine: &Machine<'_>,
    input: &Value,
    pattern: &Value,
    flags: &Value,
) -> Result<(Rc<str>, Rc<regex::Regex>, bool), Raise> {
    let (pattern, flags) = match (pattern, flags) {
        (Value::Array(both), Value::Null) => (
            both.first().cloned().unwrap_or(Value::Null),
            both.get(1).cloned().unwrap_or(Value::Null),
        ),
        (pattern, flags) => (pattern.clone(), flags.clone()),
    };
    let Value::Text(text) = input else {
        return Err(unmatchable(input));
    };
    let Value::Text(pattern) = pattern else {
        return Err(missing("an expression that is no string"));
    };
    let flags = match flags {
        Value::Null => String::new(),
        Value::Text(flags) => flags.to_string(),
        other => {
            let shown = arithmetic::shown(&other);
            return Err(failure(format!("{shown} is not a string")));
        }
    };
    let mut options = String::new();
    for flag in flags.chars() {
        match flag {
            'g' => {}
            'i' | 'x' => options.push(flag),
            's' => options.push('s'),
            'n' | 'l' | 'p' => return Err(missing(&format!("the flag {flag} of expressions"))),
            _ => {
                return Err(failure(format!("{flags} is not a valid modifier string")));
            }
        }
    }
    let key = (pattern.to_string(), options.clone());
    if let Some(known) = machine.regexes.borrow().get(&key) {
        return Ok((text.clone(), known.clone(), flags.contains('g')));
    }
    let whole = match options.is_empty() {
        true => pattern.to_string(),
        false => format!("(?{options}){pattern}"),
    };
    let compiled =
        regex::Regex::new(&whole).map_err(|_| missing(&format!("the expression {pattern}")))?;
    let compiled = Rc::new(compiled);
    machine.regexes.borrow_mut().insert(key, compiled.clone());
    Ok((text.clone(), compiled, flags.contains('g')))
}

/// Characters before a byte of a text.
fn characters(text: &str, at: usize) -> Value {
    Value::number(text.get(..at).unwrap_or_default().chars().count() as f64)
}

/// Matches as objects.
pub(super) fn matches(
    machine: &Machine<'_>,
    input: &Value,
    pattern: &Value,
    flags: &Value,
) -> Result<Vec<Value>, Raise> {
    let (text, regex, global) = regex(machine, input, pattern, flags)?;
    let mut found = Vec::new();
    for captures in regex.captures_iter(&text) {
        machine.step(text.len() / 64)?;
        let Some(whole) = captures.get(0) else {
            continue;
        };
        if whole.is_empty() && global {
            return Err(missing("all matches of an expression that matches nothing"));
        }
        let mut groups = Vec::new();
        for (name, group) in regex.capture_names().zip(captures.iter()).skip(1) {
            let mut members = described(&text, group);
            members.insert("name".into(), name.map_or(Value::Null, Value::text));
            groups.push(Value::object(members));
        }
        let mut members = described(&text, Some(whole));
        members.insert("captures".into(), Value::array(groups));
        found.push(Value::object(members));
        if !global {
            break;
        }
    }
    Ok(found)
}

fn described(text: &str, group: Option<regex::Match<'_>>) -> Object {
    let mut members = Object::new();
    let (offset, length, string) = match group {
        None => (Value::number(-1), Value::number(0), Value::Null),
        Some(group) => (
            characters(text, group.start()),
            Value::number(group.as_str().chars().count() as f64),
            Value::text(group.as_str()),
        ),
    };
    let unmatched = group.is_none();
    members.insert("offset".into(), offset);
    if unmatched {
        members.insert("string".into(), string.clone());
    }
    members.insert("length".into(), length);
    members.insert("string".into(), string);
    members
}

/// Named groups of matches as objects.
pub(super) fn captures(
    machine: &Machine<'_>,
    input: &Value,
    pattern: &Value,
    flags: &Value,
) -> Result<Vec<Value>, Raise> {
    let found = matches(machine, input, pattern, flags)?;
    Ok(found
        .iter()
        .map(|found| Value::object(named(found)))
        .collect())
}

fn named(found: &Value) -> Object {
    let mut made = Object::new();
    if let Value::Object(members) = found
        && let Some(Value::Array(groups)) = members.get("captures")
    {
        for group in groups.iter() {
            if let Value::Object(group) = group
                && let Some(Value::Text(name)) = group.get("name")
            {
                let string = group.get("string").cloned().unwrap_or(Value::Null);
                made.insert(name.clone(), string);
            }
        }
    }
    made
}

/// All matches: texts, or their groups.
pub(super) fn scan(
    machine: &Machine<'_>,
    input: &Value,
    pattern: &Value,
) -> Result<Vec<Value>, Raise> {
    let found = matches(machine, input, pattern, &Value::text("g"))?;
    let scanned = found.iter().map(|found| match found {
        Value::Object(members) => match members.get("captures") {
            Some(Value::Array(groups)) if !groups.is_empty() => {
                let text = |group: &Value| match group {
                    Value::Object(group) => group.get("string").cloned().unwrap_or(Value::Null),
                    _ => Value::Null,
                };
                Value::array(groups.iter().map(text).collect())
            }
            _ => members.get("string").cloned().unwrap_or(Value::Null),
        },
        _ => Value::Null,
    });
    Ok(scanned.collect())
}

/// The parts between matches.
pub(super) fn split_by(
    machine: &Machine<'_>,
    input: &Value,
    pattern: &Value,
    flags: &Value,
) -> Result<Vec<Value>, Raise> {
    let (text, regex, _) = regex(machine, input, pattern, flags)?;
    if regex.is_match("") {
        return Err(missing("split by an expression that matches nothing"));
    }
    Ok(regex.split(&text).map(Value::text).collect())
}

impl Machine<'_> {
    /// `sub` and `gsub`: the replacement sees the named groups.
    pub(super) fn substitution<'t>(
        &self,
        name: &str,
        arguments: &'t [Program<'t>],
        scope: &Scope<'t>,
        item: &Item,
        out: Out<'_>,
    ) -> Flow {
        let [pattern, replacement, rest @ ..] = arguments else {
            return Ok(());
        };
        let path = item.path.lost();
        self.values(pattern, scope, &item.value, &mut |pattern| {
            self.combinations(rest, scope, &item.value, &mut Vec::new(), &mut |flags| {
                let flags = match flags.first() {
                    Some(Value::Text(flags)) => flags.to_string(),
                    _ => String::new(),
                };
                let flags = if name == "gsub" {
                    format!("{flags}g")
                } else {
                    flags
                };
                let found = matches(self, &item.value, &pattern, &Value::text(flags))?;
                let Value::Text(text) = &item.value else {
                    return Ok(());
                };
                let chars: Vec<char> = text.chars().collect();
                let mut made = String::new();
                let mut copied = 0;
                for found in &found {
                    let Value::Object(members) = found else {
                        continue;
                    };
                    let number = |key: &str| match members.get(key) {
                        Some(Value::Number(number)) => *number as usize,
                        _ => 0,
                    };
                    let (start, length) = (number("offset"), number("length"));
                    made.extend(chars.get(copied..start).unwrap_or_default());
                    copied = start + length;
                    let groups = Value::object(named(found));
                    let mut new = None;
                    self.values(
                        replacement,
                        scope,
                        &groups,
                        &mut |value| match new.replace(value) {
                            None => Ok(()),
                            Some(_) => Err(missing("a replacement with several outputs")),
                        },
                    )?;
                    match new {
                        Some(Value::Text(new)) => made.push_str(&new),
                        Some(other) => {
                            let before = arithmetic::shown(&Value::text(&made));
                            let shown = arithmetic::shown(&other);
                            return Err(failure(format!("{before} and {shown} cannot be added")));
                        }
                        None => return Err(missing("a replacement without an output")),
                    }
                    self.step(made.len() / 64)?;
                }
                made.extend(chars.get(copied..).unwrap_or_default());
                self.step(made.len())?;
                out(Item::new(Value::text(made), path.clone()))
            })
        })
    }
}

/// A value in a format such as `@csv`.
pub(super) fn formatted(format: &str, value: &Value) -> Result<String, Raise> {
    let plain = || match value {
        Value::Text(text) => text.to_string(),
        value => write::compact(value),
    };
    Ok(match format {
        "@text" => plain(),
        "@json" => write::compact(value),
        "@html" => {
            let mut out = String::new();
            for c in plain().chars() {
                match c {
                    '<' => out.push_str("&lt;"),
                    '>' => out.push_str("&gt;"),
                    '&' => out.push_str("&amp;"),
                    '\'' => out.push_str("&apos;"),
                    '"' => out.push_str("&quot;"),
                    c => out.push(c),
                }
            }
            out
        }
        "@uri" => {
            let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
            let byte = |byte: u8| match unreserved(byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            };
            plain().bytes().map(byte).collect()
        }
        "@sh" => {
            let word = |value: &Value| match value {
                Value::Text(text) => Ok(format!("'{}'", text.replace('\'', "'\\''"))),
                Value::Array(_) | Value::Object(_) => {
                    let shown = arithmetic::shown(value);
                    Err(failure(format!("{shown} can not be escaped for shell")))
                }
                value => Ok(write::compact(value)),
            };
            match value {
                Value::Array(values) => {
                    let words: Result<Vec<String>, Raise> = values.iter().map(word).collect();
                    words?.join(" ")
                }
                value => word(value)?,
            }
        }
        "@csv" | "@tsv" => row(format, value)?,
        "@base64" => super::super::encode::encode(plain().as_bytes(), 0),
        "@base64d" => {
            let text = plain();
            let plain = text.trim_end_matches('=');
            let padding = "=".repeat((4 - plain.len() % 4) % 4);
            let (bytes, valid) = super::super::encode::decode(&format!("{plain}{padding}"), false);
            if !valid {
                return Err(missing("@base64d of what is not encoded"));
            }
            String::from_utf8(bytes).map_err(|_| missing("@base64d of bytes that are no text"))?
        }
        other => {
            let name = other.trim_start_matches('@');
            return Err(failure(format!("{name} is not a valid format")));
        }
    })
}

fn row(format: &str, value: &Value) -> Result<String, Raise> {
    let (name, between) = match format {
        "@csv" => ("csv", ","),
        _ => ("tsv", "\t"),
    };
    let Value::Array(values) = value else {
        let shown = arithmetic::shown(value);
        return Err(failure(format!(
            "{shown} cannot be {name}-formatted, only array"
        )));
    };
    let mut cells = Vec::new();
    for value in values.iter() {
        cells.push(match value {
            Value::Null => String::new(),
            Value::Bool(_) | Value::Number(_) => write::compact(value),
            Value::Text(text) if name == "csv" => format!("\"{}\"", text.replace('"', "\"\"")),
            Value::Text(text) => text
                .replace('\\', "\\\\")
                .replace('\t', "\\t")
                .replace('\n', "\\n")
                .replace('\r', "\\r"),
            other => {
                let shown = arithmetic::shown(other);
                return Err(failure(format!("{shown} is not valid in a csv row")));
            }
        });
    }
    Ok(cells.join(between))
}
