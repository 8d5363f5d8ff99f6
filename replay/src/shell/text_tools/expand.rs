//! `expand`.

use super::options::{Program, flag, value};
use super::{Context, ToolResult, inputs, lacking};
use crate::shell::command::CommandOutput;

const EXPAND: Program = Program {
    name: "expand",
    usage_code: 1,
    hint: "",
    options: &[flag("i initial"), value("t tabs")],
    ordered: false,
};

/// `expand`: tabs become blanks.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = EXPAND.parse(arguments)?;
    if parsed.values("t").count() > 1 {
        return Err(lacking("expand", "-t more than once"));
    }
    let tabs = parsed.value("t").unwrap_or("8");
    let width = match tabs.parse::<usize>() {
        Ok(0) => return Err(EXPAND.error("tab size cannot be 0")),
        Ok(width) if width <= 1024 => width,
        _ if tabs.contains(|c: char| !c.is_ascii_digit() && !", /+".contains(c)) => {
            let bad = tabs.trim_start_matches(|c: char| c.is_ascii_digit());
            let message = format!("tab size contains invalid character(s): ‘{bad}’");
            return Err(EXPAND.error(&message));
        }
        _ => return Err(lacking("expand", &format!("-t {tabs}"))),
    };
    let mut output = CommandOutput::answered("");
    for input in inputs::readable("expand", 1, &parsed.operands, context, &mut output)? {
        let mut column = 0;
        let mut initial = true;
        for c in input.text.chars() {
            initial &= c == ' ' || c == '\t' || column == 0;
            match c {
                '\t' if initial || !parsed.has("i") => {
                    let blanks = width - column % width;
                    output.stdout.push_str(&" ".repeat(blanks));
                    column += blanks;
                }
                '\n' => {
                    output.stdout.push('\n');
                    column = 0;
                    initial = true;
                }
                '\u{8}' => {
                    output.stdout.push(c);
                    column = column.saturating_sub(1);
                }
                c => {
                    output.stdout.push(c);
                    column += c.len_utf8();
                    initial &= c == ' ' || c == '\t';
                }
            }
        }
    }
    Ok(output)
}
