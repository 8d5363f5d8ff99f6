//! `cut`.

use super::options::{Parsed, Program, flag, lacks, value};
use super::{Context, Halt, ToolResult, inputs, text};
use crate::shell::command::CommandOutput;

const CUT: Program = Program {
    name: "cut",
    usage_code: 1,
    hint: "",
    options: &[
        value("f fields"),
        value("b bytes"),
        value("c characters"),
        value("d delimiter"),
        value("output-delimiter"),
        flag("s only-delimited"),
        flag("complement"),
        flag("n"),
        lacks("z zero-terminated"),
    ],
    ordered: false,
};

/// `cut`; characters are bytes, as in GNU's.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = CUT.parse(arguments)?;
    let lists: Vec<&(&str, String)> = parsed
        .options
        .iter()
        .filter(|(o, _)| matches!(*o, "f" | "b" | "c"))
        .collect();
    let (kind, list) = match lists.as_slice() {
        [] => return Err(CUT.usage("you must specify a list of bytes, characters, or fields")),
        [(kind, list)] => (*kind, list),
        _ => return Err(CUT.usage("only one list may be specified")),
    };
    let by_fields = kind == "f";
    let delimiter = delimiter(&parsed, by_fields)?;
    let ranges = Ranges::parse(list, by_fields, parsed.has("complement"))?;
    let output_delimiter = parsed.value("output-delimiter");
    let mut output = CommandOutput::answered("");
    let mut out: Vec<u8> = Vec::new();
    for input in inputs::readable("cut", 1, &parsed.operands, context, &mut output)? {
        if by_fields && delimiter == b'\n' {
            return Err(super::lacking("cut", "-d with a line end"));
        }
        for line in inputs::lines(input.text) {
            if by_fields {
                let joint = [delimiter];
                let joint = output_delimiter.map_or(&joint[..], str::as_bytes);
                if !line.as_bytes().contains(&delimiter) {
                    if !parsed.has("s") {
                        out.extend_from_slice(line.as_bytes());
                        out.push(b'\n');
                    }
                    continue;
                }
                fields(line, delimiter, joint, &ranges, &mut out);
            } else {
                bytes(line, output_delimiter, &ranges, &mut out);
            }
            out.push(b'\n');
        }
    }
    output.stdout = text("cut", out)?;
    Ok(output)
}

fn delimiter(parsed: &Parsed, by_fields: bool) -> Result<u8, Halt> {
    if !by_fields {
        if parsed.has("d") {
            let message = "an input delimiter may be specified only when operating on fields";
            return Err(CUT.usage(message));
        }
        if parsed.has("s") {
            let message =
                "suppressing non-delimited lines makes sense\n\tonly when operating on fields";
            return Err(CUT.usage(message));
        }
    }
    match parsed.value("d").map(str::as_bytes) {
        None => Ok(b'\t'),
        Some([]) => Ok(0),
        Some([single]) => Ok(*single),
        Some(_) => Err(CUT.usage("the delimiter must be a single character")),
    }
}

fn fields(line: &str, delimiter: u8, joint: &[u8], ranges: &Ranges, out: &mut Vec<u8>) {
    let mut first = true;
    let fields = line.as_bytes().split(|byte| *byte == delimiter);
    for (position, field) in fields.enumerate() {
        if ranges.hold(position + 1) {
            if !std::mem::take(&mut first) {
                out.extend_from_slice(joint);
            }
            out.extend_from_slice(field);
        }
    }
}

fn bytes(line: &str, joint: Option<&str>, ranges: &Ranges, out: &mut Vec<u8>) {
    let mut printed = false;
    let mut last = 0;
    for (position, byte) in line.bytes().enumerate() {
        let position = position + 1;
        if ranges.hold(position) {
            // Between ranges; adjacent ones were merged only if they overlap.
            let starts = last + 1 != position || ranges.start_at(position);
            if let Some(joint) = joint
                && printed
                && starts
            {
                out.extend_from_slice(joint.as_bytes());
            }
            out.push(byte);
            printed = true;
            last = position;
        }
    }
}

/// Positions from 1, as sorted ranges.
struct Ranges {
    ranges: Vec<(usize, usize)>,
}

impl Ranges {
    fn parse(list: &str, fields: bool, complement: bool) -> Result<Self, Halt> {
        let zero = match fields {
            true => "fields are numbered from 1",
            false => "byte/character positions are numbered from 1",
        };
        let mut ranges = Vec::new();
        for part in list.split([',', ' ', '\t']) {
            let number = |text: &str| match text.parse::<usize>() {
                Ok(0) => Err(CUT.usage(zero)),
                Ok(number) => Ok(number),
                Err(_) if text.is_empty() => Ok(0),
                Err(_) => {
                    let what = if fields {
                        "field value"
                    } else {
                        "byte/character position"
                    };
                    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
                    let shown = if all_digits {
                        text
                    } else {
                        text.trim_start_matches(|c: char| c.is_ascii_digit())
                    };
                    Err(match all_digits {
                        true => CUT.usage(&format!("field number ‘{text}’ is too large")),
                        false => CUT.usage(&format!("invalid {what} ‘{shown}’")),
                    })
                }
            };
            let range = match part.split_once('-') {
                None => match number(part)? {
                    0 => return Err(CUT.usage(zero)),
                    position => (position, position),
                },
                Some(("", "")) => return Err(CUT.usage("invalid range with no endpoint: -")),
                Some((low, high)) => {
                    let low = number(low)?.max(1);
                    match number(high)? {
                        0 => (low, usize::MAX),
                        high if high < low => return Err(CUT.usage("invalid decreasing range")),
                        high => (low, high),
                    }
                }
            };
            ranges.push(range);
        }
        ranges.sort_unstable();
        let mut merged: Vec<(usize, usize)> = Vec::new();
        for (low, high) in ranges {
            match merged.last_mut() {
                Some(last) if low <= last.1 => last.1 = last.1.max(high),
                _ => merged.push((low, high)),
            }
        }
        Ok(Self {
            ranges: if complement {
                inverted(&merged)
            } else {
                merged
            },
        })
    }

    fn hold(&self, position: usize) -> bool {
        let range = self.ranges.iter().find(|(_, high)| position <= *high);
        range.is_some_and(|(low, _)| position >= *low)
    }

    fn start_at(&self, position: usize) -> bool {
        self.ranges.iter().any(|(low, _)| *low == position)
    }
}

fn inverted(ranges: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut gaps = Vec::new();
    let mut next = 1;
    for (low, high) in ranges {
        if *low > next {
            gaps.push((next, low - 1));
        }
        next = high.saturating_add(1);
    }
    if next < usize::MAX {
        gaps.push((next, usize::MAX));
    }
    gaps
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn parts_of_lines_are_cut() {
        let check = |command: &[&str], input: &str, expected: &str| {
            assert_eq!(tool(command, input).stdout, expected, "{command:?}");
        };
        check(&["cut", "-d:", "-f1,3-"], "a:b:c:d\nx\n", "a:c:d\nx\n");
        check(&["cut", "-d", " ", "-f2", "-s"], "a b\nx\n", "b\n");
        check(&["cut", "-c", "2-3"], "abcd\n", "bc\n");
        check(&["cut", "-f2", "--complement"], "a\tb\tc\n", "a\tc\n");
        check(
            &["cut", "-d,", "-f1,2", "--output-delimiter=;"],
            "a,b,c",
            "a;b\n",
        );
        check(&["cut", "-c1,3", "--output-delimiter=-"], "abc\n", "a-c\n");
        assert_eq!(
            tool(&["cut", "-f0"], "").stderr.lines().next(),
            Some("cut: fields are numbered from 1")
        );
    }
}
