//! `head`, and counting from either end, which `tail` shares.

use super::options::{Parsed, Program, flag, lacks, value};
use super::{Context, Halt, ToolResult, inputs, print};
use crate::shell::command::CommandOutput;

const HEAD: Program = Program {
    name: "head",
    usage_code: 1,
    hint: "",
    options: &[
        value("n lines"),
        value("c bytes"),
        flag("q quiet silent"),
        flag("v verbose"),
        lacks("z zero-terminated"),
    ],
    ordered: false,
};

/// `head`: the first lines (`-n N`, `-N`), all but the last (`-n -N`), or bytes (`-c`).
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = HEAD.parse(&obsolete(arguments)?)?;
    let count = Count::of(&parsed, &HEAD)?;
    // Nothing of a folder can be read; nothing is read of it for no lines.
    let reads = count.number > 0 || count.sign.is_some();
    each(&HEAD, &parsed, context, reads, |text| {
        let end = match (count.bytes, count.sign) {
            (true, Some('-')) => text.len().saturating_sub(count.number),
            (true, _) => count.number.min(text.len()),
            (false, Some('-')) => {
                let lines = text.split_inclusive('\n').count();
                lines_length(text, lines.saturating_sub(count.number))
            }
            (false, _) => lines_length(text, count.number),
        };
        text.get(..end)
    })
}

/// `-5` stands for `-n 5`.
fn obsolete(arguments: &[String]) -> Result<Vec<String>, Halt> {
    let mut arguments = arguments.to_vec();
    if let Some(first) = arguments.first_mut()
        && let Some(body) = first.strip_prefix('-')
        && body.starts_with(|c: char| c.is_ascii_digit())
    {
        let digits = body.trim_end_matches(|c: char| !c.is_ascii_digit());
        match body.strip_prefix(digits) {
            Some("") => *first = format!("-n{digits}"),
            Some("c") => *first = format!("-c{digits}"),
            Some(rest) => {
                let letter = rest.chars().find(|c| !"cbkmlqvz".contains(*c));
                return Err(match letter {
                    Some(letter) => HEAD.usage(&format!("invalid trailing option -- {letter}")),
                    None => super::lacking("head", &format!("-{body}")),
                });
            }
            None => return Err(super::lacking("head", &format!("-{body}"))),
        }
    }
    let values = arguments.iter().skip(1).zip(&arguments);
    for (word, before) in values.take_while(|(word, _)| *word != "--") {
        let digit = word.strip_prefix('-').and_then(|rest| rest.chars().next());
        if let Some(digit) = digit.filter(char::is_ascii_digit)
            && !takes_count(before)
        {
            return Err(HEAD.usage(&format!("invalid trailing option -- {digit}")));
        }
    }
    Ok(arguments)
}

/// Whether a word is an option whose value follows.
pub(super) fn takes_count(word: &str) -> bool {
    match word.strip_prefix("--") {
        Some(long) => matches!(long, "lines" | "bytes"),
        None => word.starts_with('-') && word.ends_with(['n', 'c']),
    }
}

/// How much is wanted.
pub(super) struct Count {
    pub(super) bytes: bool,
    pub(super) sign: Option<char>,
    pub(super) number: usize,
}

impl Count {
    /// The last of `-n` and `-c`.
    pub(super) fn of(parsed: &Parsed, program: &Program) -> Result<Self, Halt> {
        let unit = parsed.last_of(&["n", "c"]).unwrap_or("n");
        let bytes = unit == "c";
        let what = if bytes { "bytes" } else { "lines" };
        let mut result = Self {
            bytes,
            sign: None,
            number: 10,
        };
        for (option, text) in &parsed.options {
            if !matches!(*option, "n" | "c") {
                continue;
            }
            let signed = text.starts_with(['-', '+']);
            let digits = text.get(usize::from(signed)..).unwrap_or_default();
            let what = if *option == "c" { "bytes" } else { what };
            let number = multiplied(digits).map_err(|error| {
                let reason = match error {
                    CountError::TooLarge => ": Value too large for defined data type",
                    CountError::Invalid => "",
                };
                let text = if program.name == "tail" || text.starts_with('+') {
                    text
                } else {
                    digits
                };
                program.error(&format!("invalid number of {what}: ‘{text}’{reason}"))
            })?;
            if *option == unit {
                result.sign = text.chars().next().filter(|_| signed);
                result.number = number;
            }
        }
        Ok(result)
    }
}

enum CountError {
    Invalid,
    TooLarge,
}

/// A number with a unit such as `b`, `K`, `kB` or `MiB`.
fn multiplied(text: &str) -> Result<usize, CountError> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(CountError::Invalid);
    }
    let factor: u64 = match unit {
        "" => 1,
        "b" => 512,
        "kB" => 1000,
        "k" | "K" | "KiB" => 1 << 10,
        "MB" => 1_000_000,
        "m" | "M" | "MiB" => 1 << 20,
        "GB" => 1_000_000_000,
        "G" | "GiB" => 1 << 30,
        _ => return Err(CountError::Invalid),
    };
    let number: u64 = number.parse().map_err(|_| CountError::TooLarge)?;
    let number = number.checked_mul(factor).ok_or(CountError::TooLarge)?;
    usize::try_from(number).map_err(|_| CountError::TooLarge)
}

/// The bytes of the first lines.
pub(super) fn lines_length(text: &str, lines: usize) -> usize {
    let lines = text.split_inclusive('\n').take(lines);
    lines.map(str::len).sum()
}

/// Prints a part of each text, with headers if there are several.
pub(super) fn each<'a>(
    program: &Program,
    parsed: &'a Parsed,
    context: &Context<'a>,
    reads: bool,
    part: impl Fn(&'a str) -> Option<&'a str>,
) -> ToolResult {
    let headers = match parsed.last_of(&["q", "v"]) {
        Some("q") => false,
        Some(_) => true,
        None => parsed.operands.len() > 1,
    };
    let name = program.name;
    let mut output = CommandOutput::answered("");
    let header = |title: &str, out: &mut String| {
        if headers {
            let gap = if out.is_empty() { "" } else { "\n" };
            out.push_str(&format!("{gap}==> {title} <==\n"));
        }
    };
    for input in inputs::inputs(&parsed.operands, context)? {
        match input {
            Ok(input) => {
                header(input.shown("standard input"), &mut output.stdout);
                let part = part(input.text)
                    .ok_or_else(|| super::lacking(name, "of a part of a character"))?;
                print(name, &mut output.stdout, part)?;
            }
            Err((path, inputs::Unreadable::Missing)) => {
                let message =
                    format!("{name}: cannot open '{path}' for reading: No such file or directory");
                inputs::note(&mut output, &message, 1);
            }
            Err((path, inputs::Unreadable::Folder)) => {
                header(path, &mut output.stdout);
                if !reads {
                    continue;
                }
                let message = format!("{name}: error reading '{path}': Is a directory");
                inputs::note(&mut output, &message, 1);
            }
        }
    }
    Ok(output)
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn lines_and_bytes_are_cut() {
        let input = "a b\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl";
        let check = |command: &[&str], expected: &str| {
            assert_eq!(tool(command, input).stdout, expected, "{command:?}");
        };
        check(&["head", "-2"], "a b\nc\n");
        check(&["head", "-n", "-9"], "a b\nc\n");
        check(&["head", "-c", "3"], "a b");
        check(&["head", "-n1", "-v"], "==> standard input <==\na b\n");
        check(&["tail", "-n2"], "k\nl");
        check(&["tail", "-2"], "k\nl");
        check(&["tail", "-n", "+10"], "k\nl");
        check(&["tail", "-c", "3"], "k\nl");
        check(&["tail", "-c", "+21"], "k\nl");
        check(
            &["tail", "-n1", "/data/a.txt", "-"],
            "==> /data/a.txt <==\ntwo\n\n==> standard input <==\nl",
        );
        let wrong = tool(&["head", "-n", "x"], "");
        assert_eq!(
            (wrong.exit_code, wrong.stderr.as_str()),
            (1, "head: invalid number of lines: ‘x’\n")
        );
    }
}
