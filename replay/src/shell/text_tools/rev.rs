//! `rev`.

use super::options::Program;
use super::{Context, ToolResult, inputs};
use crate::shell::command::CommandOutput;

const REV: Program = Program {
    name: "rev",
    usage_code: 1,
    hint: "",
    options: &[],
    ordered: false,
};

/// `rev`: the characters of each line from last to first.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = REV.parse(arguments)?;
    let mut output = CommandOutput::answered("");
    for input in inputs::inputs(&parsed.operands, context)? {
        match input {
            Ok(input) => {
                for line in input.text.split_inclusive('\n') {
                    let body = line.strip_suffix('\n');
                    output.stdout.extend(body.unwrap_or(line).chars().rev());
                    output
                        .stdout
                        .push_str(if body.is_some() { "\n" } else { "" });
                }
            }
            Err((name, why)) => {
                let message = format!("rev: cannot open {name}: {}", why.reason());
                inputs::note(&mut output, &message, 1);
            }
        }
    }
    Ok(output)
}
