//! `paste`.

use super::options::{Program, flag, lacks, value};
use super::{Context, Halt, ToolResult, inputs};
use crate::shell::command::CommandOutput;
use crate::shell::escapes::control;

const PASTE: Program = Program {
    name: "paste",
    usage_code: 1,
    hint: "",
    options: &[
        value("d delimiters"),
        flag("s serial"),
        lacks("z zero-terminated"),
    ],
    ordered: false,
};

/// `paste`: lines of several files side by side, or of each in one line.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = PASTE.parse(arguments)?;
    let delimiters = delimiters(parsed.value("d").unwrap_or("\t"))?;
    let mut output = CommandOutput::answered("");
    let standard_input = ["-".to_owned()];
    let operands = match parsed.operands.is_empty() {
        true => &standard_input[..],
        false => &parsed.operands,
    };
    let mut columns: Vec<Option<std::vec::IntoIter<&str>>> = Vec::new();
    let mut stdin = inputs::lines(match operands.iter().any(|path| path == "-") {
        true => context.stdin(),
        false => "",
    })
    .collect::<Vec<_>>()
    .into_iter();
    for path in operands {
        if path == "-" {
            columns.push(None);
            continue;
        }
        match inputs::read(path, context)? {
            Ok(text) => columns.push(Some(inputs::lines(text).collect::<Vec<_>>().into_iter())),
            Err(why) => {
                let message = format!("{path}: {}", why.reason());
                if !parsed.has("s") {
                    return Err(PASTE.error(&message));
                }
                inputs::note(&mut output, &format!("paste: {message}"), 1);
            }
        }
    }
    let out = &mut output.stdout;
    if parsed.has("s") {
        for column in columns {
            let lines: Vec<&str> = match column {
                None => stdin.by_ref().collect(),
                Some(lines) => lines.collect(),
            };
            for (position, line) in lines.iter().enumerate() {
                if position > 0 {
                    push(out, &delimiters, position - 1);
                }
                out.push_str(line);
            }
            out.push('\n');
        }
        return Ok(output);
    }
    loop {
        let row: Vec<Option<&str>> = columns
            .iter_mut()
            .map(|column| match column {
                None => stdin.next(),
                Some(lines) => lines.next(),
            })
            .collect();
        if row.iter().all(Option::is_none) {
            return Ok(output);
        }
        for (position, line) in row.iter().enumerate() {
            if position > 0 {
                push(&mut output.stdout, &delimiters, position - 1);
            }
            output.stdout.push_str(line.unwrap_or_default());
        }
        output.stdout.push('\n');
    }
}

fn push(out: &mut String, delimiters: &[Option<char>], position: usize) {
    if !delimiters.is_empty()
        && let Some(Some(delimiter)) = delimiters.get(position % delimiters.len())
    {
        out.push(*delimiter);
    }
}

/// The delimiters in turn; `\0` is none.
fn delimiters(text: &str) -> Result<Vec<Option<char>>, Halt> {
    let mut delimiters = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        delimiters.push(match c {
            '\\' => match chars.next() {
                None => {
                    let message =
                        format!("delimiter list ends with an unescaped backslash: {text}");
                    return Err(PASTE.error(&message));
                }
                Some('0') => None,
                Some(escaped) => Some(control(escaped).unwrap_or(escaped)),
            },
            c => Some(c),
        });
    }
    Ok(delimiters)
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn lines_are_joined() {
        let check = |command: &[&str], expected: &str| {
            assert_eq!(tool(command, "a\nb\nc\n").stdout, expected, "{command:?}");
        };
        check(&["paste", "-sd,"], "a,b,c\n");
        check(&["paste", "-", "-"], "a\tb\nc\t\n");
        check(&["paste", "-d:", "-", "/data/a.txt"], "a:one\nb:two\nc:\n");
    }
}
