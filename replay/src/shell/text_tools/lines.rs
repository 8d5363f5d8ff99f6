//! `head`, `tail` and `wc`.

use super::options::{self, OptionError, OptionSpec, Parsed, option};
use super::{Context, ToolResult, files, not_available, usage};
use crate::shell::command::{CommandOutput, Stop};

/// `head`: the first lines (`-n N`, `-N`), all but the last (`-n -N`), or bytes (`-c`).
pub(super) fn head(arguments: &[String], context: &Context<'_>) -> ToolResult {
    cut("head", arguments, context, |text, count, bytes| {
        match (bytes, count.sign) {
            (true, Sign::Minus) => byte_prefix(text, text.len().saturating_sub(count.number)),
            (true, _) => byte_prefix(text, count.number),
            (false, sign) => {
                let lines = text.split_inclusive('\n').count();
                let wanted = match sign {
                    Sign::Minus => lines.saturating_sub(count.number),
                    _ => count.number,
                };
                &text[..text
                    .split_inclusive('\n')
                    .take(wanted)
                    .map(str::len)
                    .sum::<usize>()]
            }
        }
    })
}

/// `tail`: the last lines (`-n N`, `-N`), from a line on (`-n +N`), or bytes (`-c`).
pub(super) fn tail(arguments: &[String], context: &Context<'_>) -> ToolResult {
    cut("tail", arguments, context, |text, count, bytes| {
        let skip = match (bytes, count.sign) {
            (true, Sign::Plus) => count.number.saturating_sub(1),
            (true, _) => text.len().saturating_sub(count.number),
            (false, sign) => {
                let lines = text.split_inclusive('\n').count();
                let skipped = match sign {
                    Sign::Plus => count.number.saturating_sub(1),
                    _ => lines.saturating_sub(count.number),
                };
                text.split_inclusive('\n').take(skipped).map(str::len).sum()
            }
        };
        &text[byte_prefix(text, skip).len()..]
    })
}

#[derive(Clone, Copy, PartialEq)]
enum Sign {
    None,
    Plus,
    Minus,
}

#[derive(Clone, Copy)]
struct Count {
    sign: Sign,
    number: usize,
}

fn cut(
    name: &str,
    arguments: &[String],
    context: &Context<'_>,
    part: impl for<'t> Fn(&'t str, Count, bool) -> &'t str,
) -> ToolResult {
    let specs = [
        option('n', "lines", true),
        option('c', "bytes", true),
        option('q', "quiet", false),
        option('v', "verbose", false),
    ];
    let parsed = match parse(name, arguments, &specs)? {
        Ok(parsed) => parsed,
        Err(output) => return Ok(output),
    };
    let bytes = matches!(
        parsed.options.iter().rfind(|(o, _)| "nc".contains(*o)),
        Some(('c', _))
    );
    let given = parsed.value(if bytes { 'c' } else { 'n' }).unwrap_or("10");
    let (sign, digits) = match (given.strip_prefix('+'), given.strip_prefix('-')) {
        (Some(digits), _) => (Sign::Plus, digits),
        (_, Some(digits)) => (Sign::Minus, digits),
        _ => (Sign::None, given),
    };
    let Ok(number) = digits.parse::<usize>() else {
        let unit = if bytes { "bytes" } else { "lines" };
        return Ok(usage(
            name,
            &format!("invalid number of {unit}: ‘{given}’"),
            1,
        ));
    };
    let headers = (parsed.operands.len() > 1 && !parsed.has('q')) || parsed.has('v');
    let mut output = CommandOutput::answered("");
    for input in files::inputs(&parsed.operands, context) {
        match input {
            Ok(input) => {
                if headers {
                    let gap = if output.stdout.is_empty() { "" } else { "\n" };
                    let title = input.name.unwrap_or("standard input");
                    output.stdout.push_str(&format!("{gap}==> {title} <==\n"));
                }
                output
                    .stdout
                    .push_str(part(input.text, Count { sign, number }, bytes));
            }
            Err(missing) => files::absent(name, missing, &mut output, 1)?,
        }
    }
    Ok(output)
}

fn byte_prefix(text: &str, length: usize) -> &str {
    let mut end = length.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Options, a usage error that the program prints itself, or the notice for an unknown option.
pub(super) fn parse(
    name: &str,
    arguments: &[String],
    specs: &[OptionSpec],
) -> Result<Result<Parsed, CommandOutput>, Stop> {
    match options::parse(arguments, specs) {
        Ok(parsed) => Ok(Ok(parsed)),
        Err(OptionError::Unknown(option)) => Err(not_available(name, &option)),
        Err(OptionError::NoValue(option)) => {
            let letter = option.trim_start_matches('-');
            let message = format!("option requires an argument -- '{letter}'");
            Ok(Err(usage(
                name,
                &message,
                if name == "grep" { 2 } else { 1 },
            )))
        }
    }
}

/// `wc`: lines, words and bytes.
pub(super) fn wc(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let specs = [
        option('l', "lines", false),
        option('w', "words", false),
        option('c', "bytes", false),
        option('m', "chars", false),
    ];
    let parsed = match parse("wc", arguments, &specs)? {
        Ok(parsed) => parsed,
        Err(output) => return Ok(output),
    };
    let shown: Vec<char> = match "lwmc"
        .chars()
        .filter(|o| parsed.has(*o))
        .collect::<Vec<_>>()
    {
        none if none.is_empty() => vec!['l', 'w', 'c'],
        some => some,
    };
    let mut output = CommandOutput::answered("");
    let mut rows: Vec<(Vec<usize>, String)> = Vec::new();
    let mut total = vec![0; shown.len()];
    for input in files::inputs(&parsed.operands, context) {
        match input {
            Ok(input) => {
                let counts: Vec<usize> =
                    shown.iter().map(|what| count(input.text, *what)).collect();
                for (sum, count) in total.iter_mut().zip(&counts) {
                    *sum += count;
                }
                rows.push((counts, input.name.unwrap_or_default().to_owned()));
            }
            Err(missing) => files::absent("wc", missing, &mut output, 1)?,
        }
    }
    if parsed.operands.len() > 1 {
        rows.push((total.clone(), "total".to_owned()));
    }
    // GNU pads to the widest total; several counts of a pipe to seven.
    let width = if parsed.operands.is_empty() && shown.len() > 1 {
        7
    } else if shown.len() == 1 && rows.len() == 1 {
        1
    } else {
        total
            .iter()
            .map(|sum| sum.to_string().len())
            .max()
            .unwrap_or(1)
    };
    for (counts, name) in rows {
        let cells: Vec<String> = counts
            .iter()
            .map(|count| format!("{count:>width$}"))
            .collect();
        let line = format!("{} {name}", cells.join(" "));
        output.stdout.push_str(line.trim_end());
        output.stdout.push('\n');
    }
    Ok(output)
}

fn count(text: &str, what: char) -> usize {
    match what {
        'l' => text.bytes().filter(|byte| *byte == b'\n').count(),
        'w' => text.split_whitespace().count(),
        'm' => text.chars().count(),
        _ => text.len(),
    }
}
