//! `uniq`.

use super::inputs::{self, Unreadable};
use super::options::{Parsed, Program, flag, lacks, value};
use super::{Context, Halt, ToolResult, lacking, write};
use crate::shell::command::CommandOutput;

const UNIQ: Program = Program {
    name: "uniq",
    usage_code: 1,
    hint: "",
    options: &[
        flag("c count"),
        flag("d repeated"),
        flag("D"),
        flag("u unique"),
        flag("i ignore-case"),
        value("f skip-fields"),
        value("s skip-chars"),
        value("w check-chars"),
        lacks("z zero-terminated all-repeated group"),
    ],
    ordered: false,
};

/// `uniq`: lines that repeat the one before.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = UNIQ.parse(arguments)?;
    let key = Key {
        fields: number(&parsed, "f", "fields to skip")?.unwrap_or(0),
        skipped: number(&parsed, "s", "bytes to skip")?.unwrap_or(0),
        compared: number(&parsed, "w", "bytes to compare")?.unwrap_or(usize::MAX),
        ignore_case: parsed.has("i"),
    };
    if let Some(extra) = parsed.operands.get(2) {
        return Err(UNIQ.usage(&format!("extra operand ‘{extra}’")));
    }
    if parsed.has("D") && (parsed.has("u") || parsed.has("d")) {
        return Err(lacking("uniq", "-D with -d or -u"));
    }
    if parsed.has("c") && parsed.has("D") {
        let message = "printing all duplicated lines and repeat counts is meaningless";
        return Err(UNIQ.usage(message));
    }
    let path = parsed.operands.first().map_or("-", String::as_str);
    let text = match inputs::read(path, context)? {
        Ok(text) => text,
        Err(Unreadable::Missing) => {
            return Err(UNIQ.error(&format!("{path}: No such file or directory")));
        }
        Err(Unreadable::Folder) => {
            return Err(UNIQ.error(&format!("error reading '{path}'")));
        }
    };
    let mut groups: Vec<Vec<&str>> = Vec::new();
    let mut last_key = None;
    for line in inputs::lines(text) {
        let key = key.of(line);
        match groups.last_mut() {
            Some(group) if last_key.as_ref() == Some(&key) => group.push(line),
            _ => groups.push(vec![line]),
        }
        last_key = Some(key);
    }
    let mut out = String::new();
    for group in &groups {
        print(group, &parsed, &mut out);
    }
    match parsed.operands.get(1).filter(|path| *path != "-") {
        None => Ok(CommandOutput::answered(out)),
        Some(path) => {
            write::replace(path, out, "uniq", context)?;
            Ok(CommandOutput::answered(""))
        }
    }
}

fn print(group: &[&str], parsed: &Parsed, out: &mut String) {
    let repeated = group.len() > 1;
    if repeated && parsed.has("u") || !repeated && (parsed.has("d") || parsed.has("D")) {
        return;
    }
    let shown = if parsed.has("D") { group.len() } else { 1 };
    for line in group.iter().take(shown) {
        if parsed.has("c") {
            out.push_str(&format!("{:7} ", group.len()));
        }
        out.push_str(line);
        out.push('\n');
    }
}

fn number(parsed: &Parsed, option: &str, what: &str) -> Result<Option<usize>, Halt> {
    match parsed.value(option) {
        None => Ok(None),
        Some(text) if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) => {
            Ok(Some(text.parse().unwrap_or(usize::MAX)))
        }
        Some(text) => Err(UNIQ.error(&format!("{text}: invalid number of {what}"))),
    }
}

/// Which part of a line is compared.
struct Key {
    fields: usize,
    skipped: usize,
    compared: usize,
    ignore_case: bool,
}

impl Key {
    fn of(&self, line: &str) -> Vec<u8> {
        let mut rest = line;
        for _ in 0..self.fields {
            if rest.is_empty() {
                break;
            }
            let word = rest.trim_start_matches([' ', '\t']);
            rest = word
                .find([' ', '\t'])
                .and_then(|end| word.get(end..))
                .unwrap_or("");
        }
        let bytes = rest.bytes().skip(self.skipped).take(self.compared);
        match self.ignore_case {
            true => bytes.map(|byte| byte.to_ascii_lowercase()).collect(),
            false => bytes.collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn repeated_lines_are_counted() {
        let check = |command: &[&str], expected: &str| {
            assert_eq!(
                tool(command, "a\na\nb\nA\n").stdout,
                expected,
                "{command:?}"
            );
        };
        check(&["uniq"], "a\nb\nA\n");
        check(&["uniq", "-c"], "      2 a\n      1 b\n      1 A\n");
        check(&["uniq", "-d"], "a\n");
        check(&["uniq", "-u"], "b\nA\n");
        check(&["uniq", "-D"], "a\na\n");
    }
}
