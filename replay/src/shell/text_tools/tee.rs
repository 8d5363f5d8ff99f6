//! `tee`.

use super::options::{Program, flag, lacks};
use super::{Context, ToolResult, write};
use crate::shell::command::CommandOutput;

const TEE: Program = Program {
    name: "tee",
    usage_code: 1,
    hint: "",
    options: &[
        flag("a append"),
        flag("i ignore-interrupts"),
        flag("p"),
        lacks("output-error"),
    ],
    ordered: false,
};

/// `tee`: what is read is printed and written to files.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = TEE.parse(arguments)?;
    let text = context.stdin();
    for path in &parsed.operands {
        let before = match parsed.has("a") {
            true => context.files.read(path).unwrap_or_default(),
            false => "",
        };
        write::replace(path, format!("{before}{text}"), "tee", context)?;
    }
    Ok(CommandOutput::answered(text))
}
