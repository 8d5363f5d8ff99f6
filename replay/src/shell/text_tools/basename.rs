//! `basename` and `dirname`.

use super::ToolResult;
use super::options::{Program, flag, lacks, value};
use crate::shell::command::CommandOutput;

const BASENAME: Program = Program {
    name: "basename",
    usage_code: 1,
    hint: "",
    options: &[flag("a multiple"), value("s suffix"), lacks("z zero")],
    ordered: true,
};

const DIRNAME: Program = Program {
    name: "dirname",
    usage_code: 1,
    hint: "",
    options: &[lacks("z zero")],
    ordered: true,
};

/// `basename`: the last part of a path.
pub(super) fn basename(arguments: &[String]) -> ToolResult {
    let parsed = BASENAME.parse(arguments)?;
    let suffix = parsed.value("s");
    let (names, suffix) = match parsed.operands.as_slice() {
        [] => return Err(BASENAME.usage("missing operand")),
        names if parsed.has("a") || suffix.is_some() => (names, suffix.unwrap_or_default()),
        [_] => (parsed.operands.as_slice(), ""),
        [_, suffix] => (
            parsed.operands.get(..1).unwrap_or_default(),
            suffix.as_str(),
        ),
        [_, _, extra, ..] => return Err(BASENAME.usage(&format!("extra operand ‘{extra}’"))),
    };
    let lines = names.iter().map(|path| {
        let trimmed = path.trim_end_matches('/');
        let name = match trimmed.rsplit('/').next() {
            Some("") | None if path.starts_with('/') => "/",
            name => name.unwrap_or_default(),
        };
        let short = name
            .strip_suffix(suffix)
            .filter(|short| !short.is_empty() && name != "/");
        format!("{}\n", short.unwrap_or(name))
    });
    Ok(CommandOutput::answered(lines.collect::<String>()))
}

/// `dirname`: a path without its last part.
pub(super) fn dirname(arguments: &[String]) -> ToolResult {
    let parsed = DIRNAME.parse(arguments)?;
    if parsed.operands.is_empty() {
        return Err(DIRNAME.usage("missing operand"));
    }
    let lines = parsed.operands.iter().map(|path| {
        let trimmed = path.trim_end_matches('/');
        let folder = match trimmed.rfind('/') {
            None if trimmed.is_empty() && path.starts_with('/') => "/",
            None => ".",
            Some(slash) => match trimmed
                .get(..slash)
                .unwrap_or_default()
                .trim_end_matches('/')
            {
                "" => "/",
                folder => folder,
            },
        };
        format!("{folder}\n")
    });
    Ok(CommandOutput::answered(lines.collect::<String>()))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn paths_are_split() {
        let check = |command: &[&str], expected: &str| {
            assert_eq!(tool(command, "").stdout, expected, "{command:?}");
        };
        check(&["basename", "/a/b.txt", ".txt"], "b\n");
        check(&["basename", "//"], "/\n");
        check(&["basename", "-a", "a/b/", "c"], "b\nc\n");
        check(&["dirname", "/a/b/", "a", "/a", "/"], "/a\n.\n/\n/\n");
    }
}
