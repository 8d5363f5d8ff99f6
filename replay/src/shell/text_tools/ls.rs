//! `ls` of the files that the episode wrote.

use super::inputs::note;
use super::options::{Parsed, Program, flag, lacks, perhaps};
use super::{Context, Halt, ToolResult, date, lacking};
use crate::shell::command::CommandOutput;
use crate::shell::interpreter::unknown_path;

const LS: Program = Program {
    name: "ls",
    usage_code: 2,
    hint: "",
    options: &[
        flag("1"),
        flag("a all"),
        flag("A almost-all"),
        flag("d directory"),
        flag("l"),
        flag("r reverse"),
        flag("S"),
        flag("t"),
        flag("p"),
        flag("F classify"),
        flag("h human-readable"),
        perhaps("color"),
        lacks("b c f g i k m n o q s u v w x B C D G H I L N Q R T U X Z recursive inode size"),
        lacks("full-time group-directories-first time sort time-style format hide ignore"),
    ],
    ordered: false,
};

/// One line of a listing.
struct Entry {
    name: String,
    is_folder: bool,
    bytes: usize,
}

/// `ls`; every file was written at the recording's now.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let parsed = LS.parse(arguments)?;
    if parsed.has("l") && parsed.has("h") {
        return Err(lacking("ls", "-lh"));
    }
    let here = [".".to_owned()];
    let operands = match parsed.operands.is_empty() {
        false => parsed.operands.as_slice(),
        true => &here[..],
    };
    let mut output = CommandOutput::answered("");
    let (mut files, mut folders) = (Vec::new(), Vec::new());
    let mut sorted: Vec<&String> = operands.iter().collect();
    sorted.sort();
    for path in sorted {
        if let Some(text) = context.files.read(path) {
            files.push(Entry {
                name: path.clone(),
                is_folder: false,
                bytes: text.len(),
            });
        } else if parsed.has("d") && context.files.is_folder(path) {
            files.push(Entry {
                name: path.clone(),
                is_folder: true,
                bytes: 4096,
            });
        } else if context.files.is_complete(path) {
            folders.push(path);
        } else if !path.is_empty() && !context.files.is_known(path) {
            return Err(Halt::Stop(unknown_path(&context.files.resolve(path))));
        } else {
            let message = format!("ls: cannot access '{path}': No such file or directory");
            note(&mut output, &message, 2);
        }
    }
    let printed_files = !files.is_empty();
    print(files, &parsed, context, &mut output)?;
    for (position, folder) in folders.iter().enumerate() {
        if position > 0 || printed_files {
            output.stdout.push('\n');
        }
        if parsed.operands.len() > 1 {
            output.stdout.push_str(&format!("{folder}:\n"));
        }
        let entries = entries_in(folder, &parsed, context);
        if parsed.has("l") {
            let blocks: usize = entries
                .iter()
                .map(|entry| entry.bytes.div_ceil(4096) * 4)
                .sum();
            output.stdout.push_str(&format!("total {blocks}\n"));
        }
        print(entries, &parsed, context, &mut output)?;
    }
    Ok(output)
}

fn entries_in(folder: &str, parsed: &Parsed, context: &Context<'_>) -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    if parsed.last_of(&["a", "A"]) == Some("a") {
        for name in [".", ".."] {
            entries.push(Entry {
                name: name.to_owned(),
                is_folder: true,
                bytes: 4096,
            });
        }
    }
    let hidden = parsed.has("a") || parsed.has("A");
    for (name, is_folder) in context.files.names_in(folder) {
        if !hidden && name.starts_with('.') {
            continue;
        }
        let text = context.files.read(format!("{folder}/{name}"));
        entries.push(Entry {
            name,
            is_folder,
            bytes: if is_folder {
                4096
            } else {
                text.map_or(0, str::len)
            },
        });
    }
    entries.sort_by(|a, b| a.name.cmp(&b.name));
    entries
}

fn print(
    mut entries: Vec<Entry>,
    parsed: &Parsed,
    context: &Context<'_>,
    output: &mut CommandOutput,
) -> Result<(), Halt> {
    if parsed.last_of(&["S", "t"]) == Some("S") {
        entries.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
    }
    if parsed.has("r") {
        entries.reverse();
    }
    let time = date::formatted(i128::from(context.now), "%b %e %H:%M", "ls")?;
    let width = entries
        .iter()
        .map(|entry| entry.bytes.to_string().len())
        .max();
    let width = width.unwrap_or(0);
    for entry in entries {
        let mark = match entry.is_folder && (parsed.has("F") || parsed.has("p")) {
            true => "/",
            false => "",
        };
        if parsed.has("l") {
            let (mode, links) = match entry.is_folder {
                true => ("drwxr-xr-x", 2),
                false => ("-rw-r--r--", 1),
            };
            let bytes = entry.bytes;
            let line = format!("{mode} {links} root root {bytes:>width$} {time} ");
            output.stdout.push_str(&line);
        }
        output.stdout.push_str(&format!("{}{mark}\n", entry.name));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn folders_are_listed() {
        let check = |command: &[&str], expected: &str| {
            assert_eq!(tool(command, "").stdout, expected, "{command:?}");
        };
        check(&["ls", "/data"], "a.txt\n");
        check(&["ls", "-a", "/data"], ".\n..\na.txt\n");
        check(
            &["ls", "-l", "/data/a.txt"],
            "-rw-r--r-- 1 root root 8 Nov 14 22:13 /data/a.txt\n",
        );
        assert_eq!(tool(&["ls", "/data/b"], "").exit_code, 2);
    }
}
