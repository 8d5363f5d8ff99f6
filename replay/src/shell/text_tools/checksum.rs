//! `sha256sum`.

use sha2::{Digest, Sha256};

use super::options::{Program, flag, lacks};
use super::{Context, ToolResult, inputs, lacking};
use crate::shell::command::CommandOutput;

const SHA256SUM: Program = Program {
    name: "sha256sum",
    usage_code: 1,
    hint: "",
    options: &[
        flag("b binary"),
        flag("t text"),
        lacks("c check tag z zero ignore-missing quiet status strict w warn"),
    ],
    ordered: false,
};

/// `sha256sum`; other digests are not computed.
pub(super) fn run(name: &str, arguments: &[String], context: &Context<'_>) -> ToolResult {
    if name != "sha256sum" {
        return Err(lacking(name, "of anything"));
    }
    let parsed = SHA256SUM.parse(arguments)?;
    let mark = match parsed.last_of(&["b", "t"]) {
        Some("b") => '*',
        _ => ' ',
    };
    let mut output = CommandOutput::answered("");
    for input in inputs::readable(name, 1, &parsed.operands, context, &mut output)? {
        let digest = Sha256::digest(input.text.as_bytes());
        let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
        let path = input.name.unwrap_or("-");
        output.stdout.push_str(&format!("{digest} {mark}{path}\n"));
    }
    Ok(output)
}
