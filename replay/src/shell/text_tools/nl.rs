//! `nl`.

use super::options::{Program, lacks, value};
use super::{Context, Halt, ToolResult, inputs, lacking};
use crate::shell::command::CommandOutput;

const NL: Program = Program {
    name: "nl",
    usage_code: 1,
    hint: "",
    options: &[
        value("b body-numbering"),
        value("n number-format"),
        value("w number-width"),
        value("s number-separator"),
        value("v starting-line-number"),
        value("i line-increment"),
        lacks("f footer-numbering h header-numbering d section-delimiter l join-blank-lines"),
        lacks("p no-renumber"),
    ],
    ordered: false,
};

/// `nl`: lines with numbers.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = NL.parse(arguments)?;
    let style = parsed.value("b").unwrap_or("t");
    if !matches!(style, "a" | "t" | "n") {
        return Err(lacking("nl", &format!("-b {style}")));
    }
    let format = parsed.value("n").unwrap_or("rn");
    if !matches!(format, "ln" | "rn" | "rz") {
        return Err(NL.usage(&format!("invalid line numbering format: ‘{format}’")));
    }
    let width = number(parsed.value("w"), 6, "line number field width")?;
    if !(1..=1024).contains(&width) {
        return Err(lacking("nl", &format!("-w {width}")));
    }
    let width = width.unsigned_abs() as usize;
    let separator = parsed.value("s").unwrap_or("\t");
    let mut line_number = number(parsed.value("v"), 1, "starting line number")?;
    let increment = number(parsed.value("i"), 1, "line number increment")?;
    let mut output = CommandOutput::answered("");
    let mut out = String::new();
    for input in inputs::readable("nl", 1, &parsed.operands, context, &mut output)? {
        for line in inputs::lines(input.text) {
            if matches!(line, "\\:" | "\\:\\:" | "\\:\\:\\:") {
                return Err(lacking("nl", "of sections"));
            }
            let numbered = style == "a" || (style == "t" && !line.is_empty());
            if !numbered {
                out.push_str(&" ".repeat(width + separator.chars().count()));
            } else {
                let number = line_number;
                out.push_str(&match format {
                    "ln" => format!("{number:<width$}{separator}"),
                    "rz" => format!("{number:0width$}{separator}"),
                    _ => format!("{number:>width$}{separator}"),
                });
                line_number = line_number.saturating_add(increment);
            }
            out.push_str(line);
            out.push('\n');
        }
    }
    output.stdout = out;
    Ok(output)
}

fn number(text: Option<&str>, default: i64, what: &str) -> Result<i64, Halt> {
    match text {
        None => Ok(default),
        Some(text) => match text.parse() {
            Ok(number) => Ok(number),
            Err(_) => Err(NL.error(&format!("invalid {what}: ‘{text}’"))),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn filled_lines_are_numbered() {
        let check = |command: &[&str], expected: &str| {
            assert_eq!(tool(command, "a\n\nb\n").stdout, expected, "{command:?}");
        };
        check(&["nl"], "     1\ta\n       \n     2\tb\n");
        check(&["nl", "-ba", "-w2", "-s: "], " 1: a\n 2: \n 3: b\n");
    }
}
