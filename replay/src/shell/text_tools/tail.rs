//! `tail`.

use super::head::{Count, each, lines_length, takes_count};
use super::options::{Program, flag, lacks, value};
use super::{Context, ToolResult};
use crate::shell::command::CommandOutput;

const TAIL: Program = Program {
    name: "tail",
    usage_code: 1,
    hint: "",
    options: &[
        value("n lines"),
        value("c bytes"),
        flag("q quiet silent"),
        flag("v verbose"),
        lacks("f follow F retry pid s sleep-interval z zero-terminated max-unchanged-stats"),
    ],
    ordered: false,
};

/// `tail`: the last lines (`-n N`, `-N`), from a line on (`-n +N`), or bytes (`-c`).
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let mut arguments = arguments.to_vec();
    if arguments.len() <= 2
        && let Some(first) = arguments.first_mut()
    {
        let digits = first.get(1..).unwrap_or_default().to_owned();
        let obsolete = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        match first.chars().next() {
            Some('-') if obsolete => *first = format!("-n{digits}"),
            Some('+') if obsolete => *first = format!("-n+{digits}"),
            _ => {}
        }
    }
    let none = String::new();
    let values = arguments
        .iter()
        .zip(std::iter::once(&none).chain(&arguments));
    for (word, before) in values.take_while(|(word, _)| *word != "--") {
        let digit = word.strip_prefix('-').and_then(|rest| rest.chars().next());
        if let Some(digit) = digit.filter(char::is_ascii_digit)
            && !takes_count(before)
        {
            let message = format!("option used in invalid context -- {digit}");
            return Err(TAIL.error(&message));
        }
    }
    let parsed = TAIL.parse(&arguments)?;
    let count = Count::of(&parsed, &TAIL)?;
    if count.number == 0 && count.sign != Some('+') {
        return Ok(CommandOutput::answered(""));
    }
    each(&TAIL, &parsed, context, true, |text| {
        let start = match (count.bytes, count.sign) {
            (true, Some('+')) => count.number.saturating_sub(1).min(text.len()),
            (true, _) => text.len().saturating_sub(count.number),
            (false, Some('+')) => lines_length(text, count.number.saturating_sub(1)),
            (false, _) => {
                let lines = text.split_inclusive('\n').count();
                lines_length(text, lines.saturating_sub(count.number))
            }
        };
        text.get(start..)
    })
}
