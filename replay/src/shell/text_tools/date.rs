//! `date`, at the recording's now, in UTC.

mod parse;
mod strftime;

use super::options::{Parsed, Program, flag, lacks, perhaps, value};
use super::{Context, Halt, ToolResult, lacking};
use crate::shell::command::CommandOutput;

pub(super) use strftime::formatted;

const DATE: Program = Program {
    name: "date",
    usage_code: 1,
    hint: "",
    options: &[
        flag("u utc universal"),
        value("d date"),
        perhaps("I iso-8601"),
        flag("R rfc-email"),
        value("rfc-3339"),
        lacks("f file r reference s set debug resolution"),
    ],
    ordered: false,
};

/// `date`: now or the moment of `-d`, in a format.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = DATE.parse(arguments)?;
    let format = format(&parsed)?;
    let moment = match parsed.value("d") {
        None => i128::from(context.now),
        Some(text) => match parse::moment(text, i128::from(context.now)) {
            Ok(moment) => moment,
            Err(parse::Unreadable::Invalid) => {
                return Err(DATE.error(&format!("invalid date ‘{text}’")));
            }
            Err(parse::Unreadable::Lacking) => return Err(lacking("date", &format!("-d {text}"))),
        },
    };
    let text = formatted(moment, &format, "date")?;
    Ok(CommandOutput::answered(format!("{text}\n")))
}

fn format(parsed: &Parsed) -> Result<String, Halt> {
    let mut format: Option<String> = None;
    for (option, value) in &parsed.options {
        let given = match (*option, value.as_str()) {
            ("R", _) => "%a, %d %b %Y %H:%M:%S %z",
            ("I", "" | "date") => "%Y-%m-%d",
            ("I", "hours") => "%Y-%m-%dT%H%:z",
            ("I", "minutes") => "%Y-%m-%dT%H:%M%:z",
            ("I", "seconds" | "s") => "%Y-%m-%dT%H:%M:%S%:z",
            ("I", "ns") => "%Y-%m-%dT%H:%M:%S,%N%:z",
            ("rfc-3339", "date") => "%Y-%m-%d",
            ("rfc-3339", "seconds") => "%Y-%m-%d %H:%M:%S%:z",
            ("rfc-3339", "ns") => "%Y-%m-%d %H:%M:%S.%N%:z",
            ("I" | "rfc-3339", other) => return Err(lacking("date", other)),
            _ => continue,
        };
        if format.replace(given.to_owned()).is_some() {
            return Err(DATE.error("multiple output formats specified"));
        }
    }
    let mut operands = parsed.operands.iter();
    if let Some(operand) = operands.next() {
        if let Some(extra) = operands.next() {
            return Err(DATE.usage(&format!("extra operand ‘{extra}’")));
        }
        match operand.strip_prefix('+') {
            Some(_) if format.is_some() => {
                return Err(DATE.error("multiple output formats specified"));
            }
            Some(given) => format = Some(given.to_owned()),
            None if parsed.has("d") => {
                let message = format!(
                    "the argument ‘{operand}’ lacks a leading '+';\nwhen using an option to specify \
                     date(s), any non-option\nargument must be a format string beginning with '+'"
                );
                return Err(DATE.usage(&message));
            }
            None if operand.contains(|c: char| c.is_ascii_digit()) => {
                return Err(lacking("date", operand));
            }
            None => return Err(DATE.error(&format!("invalid date ‘{operand}’"))),
        }
    }
    Ok(format.unwrap_or_else(|| "%a %b %e %H:%M:%S %Z %Y".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn now_is_the_recordings() {
        let check = |words: &[&str], expected: &str| {
            let command: Vec<&str> = ["date"].iter().chain(words).copied().collect();
            assert_eq!(tool(&command, "").stdout.trim_end(), expected, "{words:?}");
        };
        check(&[], "Tue Nov 14 22:13:20 UTC 2023");
        check(&["-u", "+%s"], "1700000000");
        check(&["-d", "5 minutes ago", "+%T"], "22:08:20");
        check(&["-d", "@0", "-Is"], "1970-01-01T00:00:00+00:00");
        check(&["-d", "2024-01-31 + 1 month", "+%F"], "2024-03-02");
        check(
            &["-d", "2024-01-31T10:00:00.5+02:00", "+%s.%3N"],
            "1706688000.500",
        );
        check(&["-d", "yesterday", "+%F %R"], "2023-11-13 22:13");
        check(&["-d", "Wed Jan 31 08:00:00 UTC 2024", "+%s"], "1706688000");
        check(&["+%-d|%_m|%j|%U|%V"], "14|11|318|46|46");
        assert_eq!(
            tool(&["date", "-d", "xx"], "").stderr,
            "date: invalid date ‘xx’\n"
        );
    }
}
