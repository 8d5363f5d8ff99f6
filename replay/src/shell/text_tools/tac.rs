//! `tac`.

use super::options::{Program, lacks};
use super::{Context, ToolResult, inputs};
use crate::shell::command::CommandOutput;

const TAC: Program = Program {
    name: "tac",
    usage_code: 1,
    hint: "",
    options: &[lacks("b before r regex s separator")],
    ordered: false,
};

/// `tac`: lines from last to first.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = TAC.parse(arguments)?;
    let mut output = CommandOutput::answered("");
    for input in inputs::inputs(&parsed.operands, context)? {
        match input {
            Ok(input) => {
                let lines: Vec<&str> = input.text.split_inclusive('\n').collect();
                output.stdout.extend(lines.into_iter().rev());
            }
            Err((name, inputs::Unreadable::Missing)) => {
                let message =
                    format!("tac: failed to open '{name}' for reading: No such file or directory");
                inputs::note(&mut output, &message, 1);
            }
            Err((name, inputs::Unreadable::Folder)) => {
                inputs::note(
                    &mut output,
                    &format!("tac: {name}: read error: Is a directory"),
                    1,
                );
            }
        }
    }
    Ok(output)
}
