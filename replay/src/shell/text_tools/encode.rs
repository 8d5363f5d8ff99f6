//! `base64`.

use super::options::{Program, flag, value};
use super::{Context, ToolResult, inputs, text};
use crate::shell::command::CommandOutput;
use aiopslab_problems::environment::Verdict;

const BASE64: Program = Program {
    name: "base64",
    usage_code: 1,
    hint: "",
    options: &[flag("d decode"), flag("i ignore-garbage"), value("w wrap")],
    ordered: false,
};

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `base64`; what decodes to no text ends the action.
pub(super) fn base64(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = BASE64.parse(arguments)?;
    let wrap = parsed.value("w").unwrap_or("76");
    let width = match wrap.parse::<usize>() {
        Ok(width) if wrap.bytes().all(|byte| byte.is_ascii_digit()) => width,
        _ => return Err(BASE64.error(&format!("invalid wrap size: ‘{wrap}’"))),
    };
    if let Some(extra) = parsed.operands.get(1) {
        return Err(BASE64.usage(&format!("extra operand ‘{extra}’")));
    }
    let path = parsed.operands.first().map_or("-", String::as_str);
    let input = match inputs::read(path, context)? {
        Ok(input) => input,
        Err(inputs::Unreadable::Folder) => return Err(BASE64.error("read error: Is a directory")),
        Err(why) => return Err(BASE64.error(&format!("{path}: {}", why.reason()))),
    };
    if !parsed.has("d") {
        return Ok(CommandOutput::answered(encode(input.as_bytes(), width)));
    }
    let (bytes, valid) = decode(input, parsed.has("i"));
    let mut output = CommandOutput::answered(text("base64", bytes)?);
    if !valid {
        output.stderr = "base64: invalid input\n".to_owned();
        output.exit_code = 1;
        output.verdict = Verdict::Invalid;
    }
    Ok(output)
}

/// Bytes in base64, in lines of a width.
pub(super) fn encode(bytes: &[u8], width: usize) -> String {
    let mut out = String::new();
    let mut column = 0;
    let mut push = |c: char| {
        if width > 0 && column == width {
            out.push('\n');
            column = 0;
        }
        out.push(c);
        column += 1;
    };
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for sextet in 0..4 {
            let index = (bits >> (18 - 6 * sextet) & 63) as usize;
            let letter = ALPHABET.get(index).copied().unwrap_or(b'=');
            push(char::from(if sextet <= chunk.len() {
                letter
            } else {
                b'='
            }));
        }
    }
    if width > 0 && !out.is_empty() {
        out.push('\n');
    }
    out
}

/// The decoded bytes up to the first error, and whether there was none.
pub(super) fn decode(input: &str, ignore_garbage: bool) -> (Vec<u8>, bool) {
    let value = |byte: u8| ALPHABET.iter().position(|letter| *letter == byte);
    let letters: Vec<u8> = input
        .bytes()
        .filter(|byte| *byte != b'\n')
        .filter(|byte| !ignore_garbage || *byte == b'=' || value(*byte).is_some())
        .collect();
    let mut out = Vec::new();
    for group in letters.chunks(4) {
        let padding = group.iter().rev().take_while(|byte| **byte == b'=').count();
        let data = group.get(..group.len() - padding).unwrap_or_default();
        let values: Vec<usize> = data.iter().map_while(|byte| value(*byte)).collect();
        let bits = (0..4).fold(0, |bits, at| {
            bits << 6 | values.get(at).copied().unwrap_or(0)
        });
        let bytes = [bits >> 16, bits >> 8, bits].map(|bits| bits as u8);
        out.extend(bytes.iter().take((values.len() * 3 / 4).min(3)));
        let complete = values.len() == data.len() && group.len() == 4 && padding <= 2;
        if !complete {
            return (out, false);
        }
        // What the padding cuts off must be zero.
        let cut = match padding {
            1 => bits & 0xff,
            2 => bits & 0xffff,
            _ => 0,
        };
        if cut != 0 {
            return (out, false);
        }
    }
    (out, true)
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn text_is_encoded_and_decoded() {
        let check = |command: &[&str], input: &str, expected: &str| {
            assert_eq!(tool(command, input).stdout, expected, "{command:?}");
        };
        check(&["base64"], "hello", "aGVsbG8=\n");
        check(&["base64", "-w0"], "hello!", "aGVsbG8h");
        check(&["base64", "-w", "4"], "hello", "aGVs\nbG8=\n");
        check(&["base64", "-d"], "aGVs\nbG8=\n", "hello");
        assert_eq!(tool(&["base64", "-d"], "YWJj!").exit_code, 1);
    }
}
