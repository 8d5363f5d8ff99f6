//! Reading the files of the episode.

use aiopslab_problems::environment::Verdict;

use super::{Context, ToolResult, not_available, options, usage};
use crate::files::normalize;
use crate::shell::command::{CommandOutput, Stop};

/// A text with the name that it was asked for by; `-` and no name are standard input.
pub(super) struct Input<'a> {
    pub(super) name: Option<&'a str>,
    pub(super) text: &'a str,
}

/// Why a file can't be read.
pub(super) enum Missing {
    /// There is no such file, for sure.
    Absent(String),
    /// The path is outside of what the episode wrote.
    Unknown(Stop),
}

/// The texts that a program works on.
pub(super) fn inputs<'a>(
    operands: &'a [String],
    context: &Context<'a>,
) -> Vec<Result<Input<'a>, Missing>> {
    if operands.is_empty() {
        return vec![Ok(Input {
            name: None,
            text: context.stdin(),
        })];
    }
    operands.iter().map(|path| read(path, context)).collect()
}

fn read<'a>(path: &'a str, context: &Context<'a>) -> Result<Input<'a>, Missing> {
    if path == "-" || path == "/dev/stdin" {
        return Ok(Input {
            name: Some(path),
            text: context.stdin(),
        });
    }
    if let Some(text) = context.files.read(path) {
        return Ok(Input {
            name: Some(path),
            text,
        });
    }
    if path == "/dev/null" {
        return Ok(Input {
            name: Some(path),
            text: "",
        });
    }
    if context.files.is_folder(path) && normalize(path) != "/" {
        return Err(Missing::Absent(format!("{path}: Is a directory")));
    }
    if in_known_folder(path, context) {
        return Err(Missing::Absent(format!(
            "{path}: No such file or directory"
        )));
    }
    let notice = format!("{path}: this file is not available in this recording");
    Err(Missing::Unknown(Stop::NotCaptured(notice)))
}

/// Whether the episode wrote files beside this path, so that all of its neighbours are known.
fn in_known_folder(path: &str, context: &Context<'_>) -> bool {
    let path = normalize(path);
    path.rsplit_once('/')
        .is_some_and(|(folder, _)| !folder.is_empty() && context.files.is_folder(folder))
}

/// `cat`.
pub(super) fn cat(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let specs = [options::option('n', "number", false)];
    let parsed = match options::parse(arguments, &specs) {
        Ok(parsed) => parsed,
        Err(options::OptionError::Unknown(option) | options::OptionError::NoValue(option)) => {
            return Err(not_available("cat", &option));
        }
    };
    let mut output = CommandOutput::answered("");
    let mut number = 0;
    for input in inputs(&parsed.operands, context) {
        match input {
            Ok(input) if parsed.has('n') => {
                for line in input.text.split_inclusive('\n') {
                    number += 1;
                    output.stdout.push_str(&format!("{number:6}\t{line}"));
                }
            }
            Ok(input) => output.stdout.push_str(input.text),
            Err(missing) => absent("cat", missing, &mut output, 1)?,
        }
    }
    Ok(output)
}

/// Notes a file that is not there in a program's output.
pub(super) fn absent(
    name: &str,
    missing: Missing,
    output: &mut CommandOutput,
    exit_code: i32,
) -> Result<(), Stop> {
    match missing {
        Missing::Unknown(stop) => Err(stop),
        Missing::Absent(message) => {
            output.stderr.push_str(&format!("{name}: {message}\n"));
            output.exit_code = exit_code;
            output.verdict = output.verdict.max(Verdict::Empty);
            Ok(())
        }
    }
}

/// `ls` of folders that the episode wrote; options change nothing but `-1`, `-a` and `-R`.
pub(super) fn ls(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let specs = [
        options::option('1', "", false),
        options::option('a', "all", false),
        options::option('A', "almost-all", false),
    ];
    let parsed = match options::parse(arguments, &specs) {
        Ok(parsed) => parsed,
        Err(options::OptionError::Unknown(option) | options::OptionError::NoValue(option)) => {
            return Err(not_available("ls", &option));
        }
    };
    if parsed.operands.is_empty() {
        return Err(not_available("ls", "of the working folder"));
    }
    let mut output = CommandOutput::answered("");
    let several = parsed.operands.len() > 1;
    for (position, path) in parsed.operands.iter().enumerate() {
        if context.files.read(path).is_some() {
            output.stdout.push_str(&format!("{path}\n"));
        } else if context.files.is_folder(path) && normalize(path) != "/" {
            if several {
                let gap = if position > 0 { "\n" } else { "" };
                output.stdout.push_str(&format!("{gap}{path}:\n"));
            }
            for name in names_in(path, context) {
                output.stdout.push_str(&format!("{name}\n"));
            }
        } else if in_known_folder(path, context) {
            let text = format!("cannot access '{path}': No such file or directory");
            absent("ls", Missing::Absent(text), &mut output, 2)?;
        } else {
            let notice = format!("{path}: this folder is not available in this recording");
            return Err(Stop::NotCaptured(notice));
        }
    }
    if output.stdout.is_empty() && output.stderr.is_empty() {
        return Ok(usage("ls", "nothing to list", 2));
    }
    Ok(output)
}

fn names_in(path: &str, context: &Context<'_>) -> Vec<String> {
    let below = format!("{}/", normalize(path));
    let mut names: Vec<String> = context
        .files
        .iter()
        .filter_map(|(file, _)| file.strip_prefix(&below))
        .map(|rest| rest.split('/').next().unwrap_or(rest).to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}
