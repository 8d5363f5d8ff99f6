//! `seq`, with exact decimal numbers.

use super::format::{self, SIZE, Size};
use super::options::{Program, flag, value};
use super::{Halt, PRINTED_BYTES, ToolResult, lacking};
use crate::shell::command::CommandOutput;

const SEQ: Program = Program {
    name: "seq",
    usage_code: 1,
    hint: "",
    options: &[
        flag("w equal-width"),
        value("s separator"),
        value("f format"),
    ],
    ordered: true,
};

/// A decimal number: a whole one and the digits of it that follow the point.
#[derive(Debug, Clone, Copy)]
struct Decimal {
    digits: i128,
    decimals: u32,
}

/// `seq`: numbers from first to last.
pub(super) fn run(arguments: &[String]) -> ToolResult {
    let parsed = SEQ.parse(&guarded(arguments))?;
    let (first, step, last) = match parsed.operands.as_slice() {
        [] => return Err(SEQ.usage("missing operand")),
        [last] => ("1", "1", last.as_str()),
        [first, last] => (first.as_str(), "1", last.as_str()),
        [first, step, last] => (first.as_str(), step.as_str(), last.as_str()),
        [_, _, _, extra, ..] => return Err(SEQ.usage(&format!("extra operand ‘{extra}’"))),
    };
    let (first, step, last) = (number(first)?, number_of(step)?, number(last)?);
    if step.digits == 0 {
        let written = parsed.operands.get(1).map_or("0", String::as_str);
        return Err(SEQ.usage(&format!("invalid Zero increment value: ‘{written}’")));
    }
    let decimals = first.decimals.max(step.decimals);
    let scale = decimals.max(last.decimals);
    let scaled = |decimal: Decimal| {
        let factor = 10i128.checked_pow(scale - decimal.decimals);
        let digits = factor.and_then(|factor| decimal.digits.checked_mul(factor));
        digits.ok_or_else(|| lacking("seq", "of such numbers"))
    };
    let (from, by, to) = (scaled(first)?, scaled(step)?, scaled(last)?);
    let shown = |number: i128| {
        let unit = 10i128.pow(scale);
        let (whole, part) = (number.abs() / unit, number.abs() % unit);
        let sign = if number < 0 { "-" } else { "" };
        let part = part / 10i128.pow(scale - decimals);
        match decimals {
            0 => format!("{sign}{whole}"),
            decimals => format!("{sign}{whole}.{part:0width$}", width = decimals as usize),
        }
    };
    let custom = parsed.value("f").map(Format::parse).transpose()?;
    if custom.is_some() && parsed.has("w") {
        let message = "format string may not be specified when printing equal width strings";
        return Err(SEQ.usage(message));
    }
    // The widths count what is printed, the last number rounded down to the decimals.
    let width = match parsed.has("w") {
        true => {
            let last = to / 10i128.pow(scale - decimals) * 10i128.pow(scale - decimals);
            shown(from).len().max(shown(last).len())
        }
        false => 0,
    };
    let separator = parsed.value("s").unwrap_or("\n");
    let mut out = String::new();
    let mut number = from;
    while if by > 0 { number <= to } else { number >= to } {
        if !out.is_empty() {
            out.push_str(separator);
        }
        match &custom {
            Some(custom) => out.push_str(&custom.print(number as f64 / 10f64.powi(scale as i32))),
            None => {
                let text = shown(number);
                match text.strip_prefix('-') {
                    Some(digits) => {
                        let width = width.saturating_sub(1);
                        out.push_str(&format!("-{digits:0>width$}"));
                    }
                    None => out.push_str(&format!("{text:0>width$}")),
                }
            }
        }
        if out.len() > PRINTED_BYTES {
            return Err(lacking("seq", "of so many numbers"));
        }
        number += by;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    Ok(CommandOutput::answered(out))
}

/// Negative numbers are no options.
fn guarded(arguments: &[String]) -> Vec<String> {
    let is_number = |word: &String| {
        let rest = word.strip_prefix('-');
        rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit() || c == '.'))
    };
    let takes_value =
        |word: &String| matches!(word.as_str(), "-s" | "-f" | "--separator" | "--format");
    let mut all = Vec::new();
    let mut before: Option<&String> = None;
    for (position, word) in arguments.iter().enumerate() {
        if is_number(word) && !before.is_some_and(takes_value) {
            all.push("--".to_owned());
            all.extend_from_slice(arguments.get(position..).unwrap_or_default());
            return all;
        }
        if !word.starts_with('-') && !before.is_some_and(takes_value) {
            return arguments.to_vec();
        }
        all.push(word.clone());
        before = Some(word);
    }
    all
}

fn number_of(text: &str) -> Result<Decimal, Halt> {
    number(text)
}

fn number(text: &str) -> Result<Decimal, Halt> {
    let trimmed = text.trim_start();
    let invalid = || SEQ.usage(&format!("invalid floating point argument: ‘{text}’"));
    if format::float_length(trimmed) != trimmed.len() || trimmed.is_empty() {
        return match trimmed.contains(['x', 'X'])
            && trimmed.starts_with(|c: char| c.is_ascii_digit() || c == '-')
        {
            true => Err(lacking("seq", text)),
            false => Err(invalid()),
        };
    }
    if trimmed.contains(|c: char| c.is_ascii_alphabetic()) {
        return Err(match trimmed.to_ascii_lowercase().contains("nan") {
            true => SEQ.usage(&format!("invalid ‘not-a-number’ argument: ‘{text}’")),
            false => lacking("seq", text),
        });
    }
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let joined = format!("{whole}{part}");
    let value: i128 = joined.parse().map_err(|_| lacking("seq", text))?;
    if joined.len() > 18 {
        return Err(lacking("seq", text));
    }
    if negative && value == 0 {
        return Err(lacking("seq", text));
    }
    Ok(Decimal {
        digits: if negative { -value } else { value },
        decimals: part.len() as u32,
    })
}

/// A format of `-f` with one conversion.
struct Format {
    before: String,
    conversion: format::Conversion,
    after: String,
}

impl Format {
    fn parse(text: &str) -> Result<Self, Halt> {
        let mut found = None;
        let (mut before, mut after) = (String::new(), String::new());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let literal = if found.is_some() {
                &mut after
            } else {
                &mut before
            };
            if rest.starts_with("%%") {
                literal.push('%');
                rest = rest.get(2..).unwrap_or_default();
            } else if c == '%' {
                let parsed = format::parse(rest);
                let Some(letter) = parsed.conversion.letter else {
                    return Err(SEQ.error(&format!("format ‘{text}’ ends in %")));
                };
                if !"efgEFG".contains(letter) {
                    if letter == 'a' || letter == 'A' {
                        return Err(lacking("seq", "-f %a"));
                    }
                    let message = format!("format ‘{text}’ has unknown %{letter} directive");
                    return Err(SEQ.error(&message));
                }
                if found.is_some() {
                    return Err(SEQ.error(&format!("format ‘{text}’ has too many % directives")));
                }
                let size = |size| match size {
                    None => Ok(None),
                    Some(Size::Number(number)) if number <= SIZE => Ok(Some(number)),
                    Some(_) => Err(lacking("seq", &format!("-f {text}"))),
                };
                let mut conversion = parsed.conversion;
                conversion.width = size(parsed.width)?;
                conversion.precision = size(parsed.precision)?;
                if conversion.precision > Some(12) {
                    return Err(lacking("seq", &format!("-f {text}")));
                }
                found = Some(conversion);
                rest = rest.get(parsed.length..).unwrap_or_default();
            } else {
                literal.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
        let Some(conversion) = found else {
            return Err(SEQ.error(&format!("format ‘{text}’ has no % directive")));
        };
        Ok(Self {
            before,
            conversion,
            after,
        })
    }

    fn print(&self, number: f64) -> String {
        format!(
            "{}{}{}",
            self.before,
            self.conversion.float(number),
            self.after
        )
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn numbers_follow() {
        let check = |words: &[&str], expected: &str| {
            let command: Vec<&str> = ["seq"].iter().chain(words).copied().collect();
            assert_eq!(tool(&command, "").stdout, expected, "{words:?}");
        };
        check(&["3"], "1\n2\n3\n");
        check(&["3", "-1", "1"], "3\n2\n1\n");
        check(&["-s,", "0", "0.5", "1.5"], "0.0,0.5,1.0,1.5\n");
        check(&["-w", "8", "10"], "08\n09\n10\n");
        check(&["-f", "pod-%03g", "2"], "pod-001\npod-002\n");
        check(&["2", "1"], "");
    }
}
