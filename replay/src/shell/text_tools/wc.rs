//! `wc`.

use super::options::{Program, flag, lacks};
use super::{Context, ToolResult, inputs, lacking};
use crate::shell::command::CommandOutput;

const WC: Program = Program {
    name: "wc",
    usage_code: 1,
    hint: "",
    options: &[
        flag("l lines"),
        flag("w words"),
        flag("c bytes"),
        flag("m chars"),
        flag("L max-line-length"),
        lacks("files0-from"),
    ],
    ordered: false,
};

/// `wc`: lines, words and bytes.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = WC.parse(arguments)?;
    let mut shown: Vec<&str> = ["l", "w", "m", "c", "L"].into();
    shown.retain(|what| parsed.has(what));
    if shown.is_empty() {
        shown = vec!["l", "w", "c"];
    }
    let mut output = CommandOutput::answered("");
    let mut rows: Vec<(Vec<usize>, &str)> = Vec::new();
    let mut total = vec![0; shown.len()];
    let mut bytes = 0;
    let mut unsized_input = parsed.operands.is_empty();
    for input in inputs::inputs(&parsed.operands, context)? {
        let (name, text) = match input {
            Ok(input) => (input.name.unwrap_or_default(), input.text),
            Err((name, why)) => {
                let message = format!("wc: {name}: {}", why.reason());
                inputs::note(&mut output, &message, 1);
                if why == inputs::Unreadable::Missing {
                    continue;
                }
                unsized_input = true;
                (name, "")
            }
        };
        unsized_input |= name == "-";
        if parsed.has("L") && text.contains(|c| u32::from(c) >= 0x300) {
            return Err(lacking(
                "wc",
                "-L of characters that take no or two columns",
            ));
        }
        bytes += text.len();
        let counts: Vec<usize> = shown.iter().map(|what| count(text, what)).collect();
        for ((sum, count), what) in total.iter_mut().zip(&counts).zip(&shown) {
            *sum = if *what == "L" {
                (*sum).max(*count)
            } else {
                *sum + count
            };
        }
        rows.push((counts, name));
    }
    let single = shown.len() == 1 && parsed.operands.len() <= 1;
    if parsed.operands.len() > 1 {
        rows.push((total, "total"));
    }
    // GNU pads to the digits of all sizes; what has no size of its own to seven.
    let width = match (single, unsized_input) {
        (true, _) => 1,
        (false, true) => 7,
        (false, false) => bytes.to_string().len(),
    };
    for (counts, name) in rows {
        let cells = counts.iter().map(|count| format!("{count:>width$}"));
        let cells: Vec<String> = cells.collect();
        let gap = if name.is_empty() { "" } else { " " };
        output
            .stdout
            .push_str(&format!("{}{gap}{name}\n", cells.join(" ")));
    }
    Ok(output)
}

fn count(text: &str, what: &str) -> usize {
    match what {
        "l" => text.bytes().filter(|byte| *byte == b'\n').count(),
        "w" => words(text),
        "m" => text.chars().count(),
        "L" => inputs::lines(text).map(line_width).max().unwrap_or(0),
        _ => text.len(),
    }
}

/// Words hold at least one character that can be printed.
fn words(text: &str) -> usize {
    let words = text.split(|c: char| c.is_whitespace() && c != '\u{85}');
    words
        .filter(|word| word.chars().any(|c| !c.is_control()))
        .count()
}

/// The columns that a line takes, with tabs to every eighth.
fn line_width(line: &str) -> usize {
    line.chars().fold(0, |width, c| match c {
        '\t' => (width / 8 + 1) * 8,
        c if c.is_control() => width,
        _ => width + 1,
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn text_is_counted() {
        let check = |command: &[&str], input: &str, expected: &str| {
            assert_eq!(tool(command, input).stdout, expected, "{command:?}");
        };
        check(&["wc", "-l"], "a\nb", "1\n");
        check(&["wc"], "a b\nc\n", "      2       3       6\n");
        check(&["wc", "-l", "/data/a.txt"], "", "2 /data/a.txt\n");
        check(&["wc", "-cm"], "é\n", "      2       3\n");
    }
}
