//! `fold`.

use super::options::{Program, flag, value};
use super::{Context, ToolResult, inputs, lacking};
use crate::shell::command::CommandOutput;

const FOLD: Program = Program {
    name: "fold",
    usage_code: 1,
    hint: "",
    options: &[flag("b bytes"), flag("s spaces"), value("w width")],
    ordered: false,
};

/// `fold`: lines of at most some columns.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let obsolete = |word: &String| match word.strip_prefix('-') {
        Some(digits) if !digits.is_empty() && is_number(digits) => format!("-w{digits}"),
        _ => word.clone(),
    };
    let arguments: Vec<String> = arguments.iter().map(obsolete).collect();
    let parsed = FOLD.parse(&arguments)?;
    let width = parsed.value("w").unwrap_or("80");
    let width: usize = match width.parse() {
        Ok(0) => {
            let reason = "Numerical result out of range";
            return Err(FOLD.error(&format!("invalid number of columns: ‘0’: {reason}")));
        }
        Ok(width) if is_number(parsed.value("w").unwrap_or("80")) => width,
        _ => return Err(FOLD.error(&format!("invalid number of columns: ‘{width}’"))),
    };
    let mut output = CommandOutput::answered("");
    for input in inputs::readable("fold", 1, &parsed.operands, context, &mut output)? {
        if !input.text.is_ascii() {
            return Err(lacking("fold", "of text that is not ASCII"));
        }
        for line in input.text.split_inclusive('\n') {
            let body = line.strip_suffix('\n').unwrap_or(line);
            fold(
                body,
                width,
                parsed.has("b"),
                parsed.has("s"),
                &mut output.stdout,
            );
            if body.len() < line.len() {
                output.stdout.push('\n');
            }
        }
    }
    Ok(output)
}

fn fold(line: &str, width: usize, bytes: bool, spaces: bool, out: &mut String) {
    let advance = |column: usize, c: char| match c {
        _ if bytes => column + 1,
        '\u{8}' => column.saturating_sub(1),
        '\r' => 0,
        '\t' => column + 8 - column % 8,
        _ => column + 1,
    };
    let mut part = String::new();
    let mut column = 0;
    for c in line.chars() {
        loop {
            let next = advance(column, c);
            if next <= width || part.is_empty() {
                column = next;
                part.push(c);
                break;
            }
            let blank = part.rfind([' ', '\t']).filter(|_| spaces);
            let rest = match blank {
                Some(blank) => part.split_off(blank + 1),
                None => String::new(),
            };
            out.push_str(&part);
            out.push('\n');
            column = rest.chars().fold(0, advance);
            part = rest;
        }
    }
    out.push_str(&part);
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn lines_are_folded() {
        assert_eq!(tool(&["fold", "-w3"], "abcdefg\n").stdout, "abc\ndef\ng\n");
        assert_eq!(tool(&["fold", "-sw5"], "ab cd ef\n").stdout, "ab \ncd ef\n");
    }
}
