//! Calls: from an agent's response to an action, and back.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::literal::{arguments, is_blank};
use super::table::{self, ACTIONS, NAMES};
use super::{Action, ActionSet};

/// The longest call that is read, in bytes.
pub const MAX_CALL_BYTES: usize = 16 * 1024;

/// Which responses count as a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CallSyntax {
    /// All that [`CallSyntax::Upstream`] reads right, and more: fences with a language, indented or left out when the
    /// response is nothing but the call, keyword arguments everywhere, a timeout after the command, negative numbers.
    #[default]
    Ours,
    /// What AIOpsLab's `ResponseParser` reads, with its quirks: exactly one plain fence; a command loses all quotes
    /// at its ends and every `command=` in it; a keyword submission counts as an empty list.
    Upstream,
}

/// A response that is no call. The text is what the agent reads.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// There is no call to be found, or more than one.
    #[error("Error parsing response: {0}")]
    Format(String),
    /// There is no such action.
    #[error("Invalid action: {name}. The actions are {known}.")]
    UnknownAction {
        /// The name as given.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The action's arguments don't fit.
    #[error(
        "Error parsing response: {action}: {reason}. It is called as {}.",
        signature(action)
    )]
    Arguments {
        /// Name of the action.
        action: &'static str,
        /// What is wrong with them.
        reason: String,
    },
}

const ONE_FENCE: &str = "the response has to hold exactly one call, in one fenced block, like this:\n```\nexec_shell(\"kubectl get pods -A\")\n```\nor this:\n```\nsubmit(\"Yes\")\n```";
const NO_CALL: &str = "no call found. A call is a name with arguments in parentheses, like get_logs(\"<namespace>\", \"<service>\")";
const NOT_QUOTED: &str = "the command has to be one text in quotes";

/// Reads which of AIOpsLab's actions an agent's response calls.
pub fn parse(response: &str, syntax: CallSyntax) -> Result<Action, CallError> {
    parse_among(response, syntax, ActionSet::Upstream)
}

/// Reads which action of a set an agent's response calls.
pub fn parse_among(
    response: &str,
    syntax: CallSyntax,
    set: ActionSet,
) -> Result<Action, CallError> {
    let block = match syntax {
        CallSyntax::Upstream => upstream_block(response),
        CallSyntax::Ours => our_block(response),
    };
    let block = block.ok_or_else(|| CallError::Format(ONE_FENCE.to_owned()))?;
    if block.len() > MAX_CALL_BYTES {
        return Err(CallError::Format(format!(
            "the call is longer than {MAX_CALL_BYTES} bytes"
        )));
    }
    let (before, inside) = block
        .split_once('(')
        .ok_or_else(|| CallError::Format(NO_CALL.to_owned()))?;
    let name = before.trim();
    let known = table::actions(set).find(|action| action.name == name);
    let action = known
        .ok_or_else(|| CallError::UnknownAction {
            name: shortened(name),
            known: table::listed(set),
        })?
        .name;
    let wrong = |reason: String| CallError::Arguments { action, reason };
    if action == "exec_shell" {
        return exec_shell(inside, syntax).map_err(wrong);
    }
    let read = arguments(inside, syntax == CallSyntax::Upstream).map_err(wrong)?;
    // AIOpsLab reads the first call and drops what follows; we say so instead.
    if syntax == CallSyntax::Ours && !is_blank(read.rest) {
        return Err(CallError::Format(ONE_FENCE.to_owned()));
    }
    if action == "submit" {
        let solution = solution(read.positional, read.keywords, syntax);
        return Ok(Action::Submit { solution });
    }
    super::table::build(action, read.positional, read.keywords).map_err(wrong)
}

/// Writes an action as a call in a fence, which [`parse`] reads back.
#[must_use]
pub fn render(action: &Action) -> String {
    let text = |text: &str| Value::from(text).to_string();
    let call = match action {
        Action::GetLogs { namespace, service } => {
            format!("get_logs({}, {})", text(namespace), text(service))
        }
        Action::GetMetrics {
            namespace,
            duration,
        } => {
            format!("get_metrics({}, {duration})", text(namespace))
        }
        Action::GetTraces {
            namespace,
            duration,
        } => {
            format!("get_traces({}, {duration})", text(namespace))
        }
        Action::ExecShell {
            command,
            timeout: 30,
        } => format!("exec_shell({})", quoted(command)),
        Action::ExecShell { command, timeout } => {
            format!("exec_shell({}, {timeout})", quoted(command))
        }
        Action::ReadMetrics { file_path } => format!("read_metrics({})", text(file_path)),
        Action::ReadTraces { file_path } => format!("read_traces({})", text(file_path)),
        Action::QuerySql { query } => format!("query_sql({})", text(query)),
        Action::Submit {
            solution: Value::Null,
        } => "submit()".to_owned(),
        Action::Submit { solution } => format!("submit({solution})"),
    };
    format!("```\n{call}\n```")
}

/// Writes a tool call by JSON as a call in a fence: the action that it is, else what was called, of
/// which [`parse_among`] then says what is wrong with it.
#[must_use]
pub fn render_tool_call(name: &str, arguments: &Value, set: ActionSet) -> String {
    if let Ok(action) = table::from_json(name, arguments, set) {
        return render(&action);
    }
    let arguments = match arguments {
        Value::Object(fields) => {
            let given = fields.iter().map(|(name, value)| format!("{name}={value}"));
            given.collect::<Vec<_>>().join(", ")
        }
        Value::Null => String::new(),
        other => other.to_string(),
    };
    format!("```\n{name}({arguments})\n```")
}

/// A command in the plainest quotes that give it back: only quotes can be escaped, so no one form fits every command.
fn quoted(command: &str) -> String {
    let double = command.replace('"', "\\\"");
    let both = double.replace('\'', "\\'");
    let forms = [
        format!("\"{double}\""),
        format!("\"{both}\""),
        format!("\'\'\'{double}\'\'\'"),
        format!("\'\'\'{both}\'\'\'"),
    ];
    let is_read_back = |form: &&String| {
        our_command(&format!("{form}, 1)"))
            .is_ok_and(|(read, timeout)| read == command && timeout == Some(1))
    };
    forms.iter().find(is_read_back).unwrap_or(&forms[0]).clone()
}

fn signature(action: &str) -> String {
    ACTIONS
        .iter()
        .find(|known| known.name == action)
        .map(super::table::signature)
        .unwrap_or_default()
}

fn shortened(name: &str) -> String {
    name.chars().take(80).collect()
}

/// `args[0]` of a single argument, else all of them; AIOpsLab loses keyword arguments here.
fn solution(
    mut positional: Vec<Value>,
    keywords: Vec<(String, Value)>,
    syntax: CallSyntax,
) -> Value {
    if syntax == CallSyntax::Ours {
        // `analysis` may be given as its two fields.
        if keywords.len() > 1 && positional.is_empty() {
            return Value::Object(keywords.into_iter().collect());
        }
        positional.extend(keywords.into_iter().map(|(_, value)| value));
    } else if positional.is_empty() && !keywords.is_empty() {
        return Value::Array(Vec::new());
    }
    match positional.len() {
        0 => Value::Null,
        1 => positional.remove(0),
        _ => Value::Array(positional),
    }
}

static UPSTREAM_FENCE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"(?s)```\s*\n.*?\n```").ok());

/// The lines between the first two lines with a fence, if the response has exactly one plain fenced block.
fn upstream_block(response: &str) -> Option<String> {
    if UPSTREAM_FENCE.as_ref()?.find_iter(response).take(2).count() != 1 {
        return None;
    }
    let mut lines = response
        .split('\n')
        .skip_while(|line| !line.contains("```"))
        .skip(1);
    let block: Vec<&str> = lines
        .by_ref()
        .take_while(|line| !line.contains("```"))
        .collect();
    Some(block.join("\n"))
}

/// What is in the only fence, or all of a response without one.
fn our_block(response: &str) -> Option<String> {
    let parts: Vec<&str> = response.split("```").collect();
    match parts.as_slice() {
        [all] => Some(all.trim().to_owned()),
        [_, inside, _] => {
            let (first, rest) = inside.split_once('\n').unwrap_or(("", inside));
            let is_language = first
                .trim()
                .chars()
                .all(|letter| letter.is_alphanumeric() || "_+-".contains(letter));
            Some(if is_language { rest } else { inside }.trim().to_owned())
        }
        _ => None,
    }
}

fn exec_shell(inside: &str, syntax: CallSyntax) -> Result<Action, String> {
    let (command, timeout) = match syntax {
        CallSyntax::Upstream => (upstream_command(inside)?, None),
        CallSyntax::Ours => our_command(inside)?,
    };
    Ok(Action::ExecShell {
        command,
        timeout: timeout.unwrap_or(30),
    })
}

/// A backslash before a quote goes; every other one is the shell's.
fn unescaped(raw: &str) -> String {
    raw.replace("\\\"", "\"").replace("\\'", "'")
}

fn upstream_command(inside: &str) -> Result<String, String> {
    let inside = inside
        .rsplit_once(')')
        .map_or("", |(inside, _)| inside)
        .trim();
    let inside = match inside.starts_with("command=") {
        true => inside.replace("command=", ""),
        false => inside.to_owned(),
    };
    let quoted = inside.trim();
    ['"', '\'']
        .into_iter()
        .find(|quote| quoted.starts_with(*quote) && quoted.ends_with(*quote))
        .map(|quote| unescaped(quoted.trim_matches(quote)))
        .ok_or_else(|| NOT_QUOTED.to_owned())
}

static TIMEOUT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\s*(?:,\s*(?:timeout\s*=\s*)?(-?\d+)\s*)?,?\s*\)").ok());
static LOOSE_TIMEOUT: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r#"(?s)^(.*["'])\s*,\s*(?:timeout\s*=\s*)?(-?\d+)\s*$"#).ok());

/// Reads a text that ends at its first unescaped quote; where that leads nowhere, one that ends at the last quote,
/// so that unescaped quotes within a command do no harm.
fn our_command(inside: &str) -> Result<(String, Option<i64>), String> {
    let start = inside.trim_start();
    let keyword = start
        .strip_prefix("command")
        .map(str::trim_start)
        .and_then(|rest| rest.strip_prefix('='));
    let start = keyword.map_or(start, str::trim_start);
    if let Some((raw, rest)) = strict_text(start)
        && let Some(found) = TIMEOUT.as_ref().and_then(|timeout| timeout.captures(rest))
    {
        let after = &rest[found[0].len()..];
        if is_blank(after) {
            return Ok((
                unescaped(raw),
                read_timeout(found.get(1).map(|number| number.as_str()))?,
            ));
        }
        if NAMES
            .iter()
            .any(|name| after.trim_start().starts_with(name))
        {
            return Err("there is more than one call".to_owned());
        }
    }
    let inside = start
        .rsplit_once(')')
        .map_or("", |(inside, _)| inside)
        .trim();
    let loose = LOOSE_TIMEOUT
        .as_ref()
        .and_then(|timeout| timeout.captures(inside));
    let (quoted, timeout) = match &loose {
        Some(found) => (found.get(1).map_or("", |text| text.as_str()), found.get(2)),
        None => (inside, None),
    };
    let timeout = read_timeout(timeout.map(|number| number.as_str()))?;
    ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find_map(|quote| quoted.strip_prefix(quote)?.strip_suffix(quote))
        .map(|raw| (unescaped(raw), timeout))
        .ok_or_else(|| NOT_QUOTED.to_owned())
}

fn read_timeout(number: Option<&str>) -> Result<Option<i64>, String> {
    number
        .map(|number| {
            number
                .parse()
                .map_err(|_| format!("timeout {number} is too large"))
        })
        .transpose()
}

/// Splits after the closing quote of a text; returns what is between the quotes, and what follows.
fn strict_text(text: &str) -> Option<(&str, &str)> {
    let quote = ["\"\"\"", "'''", "\"", "'"]
        .into_iter()
        .find(|quote| text.starts_with(quote))?;
    let body = &text[quote.len()..];
    let mut escaped = false;
    for (at, letter) in body.char_indices() {
        if escaped {
            escaped = false;
        } else if letter == '\\' {
            escaped = true;
        } else if body[at..].starts_with(quote) {
            return Some((&body[..at], &body[at + quote.len()..]));
        }
    }
    None
}

#[cfg(test)]
mod tests;
