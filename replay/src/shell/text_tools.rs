//! The programs that work on text: what is piped into them, or the files of the episode.
//!
//! Each does what GNU's program of that name does, or `jq` and `gawk`; differential tests compare
//! them. What a program has and ours has not ends the action with a notice that names it.

mod awk;
mod basename;
mod cat;
mod checksum;
mod column;
mod cut;
mod date;
mod echo;
mod encode;
mod expand;
mod fold;
mod format;
mod glob;
mod grep;
mod head;
mod inputs;
mod jq;
mod ls;
mod nl;
mod options;
mod paste;
mod pattern;
mod printf;
mod rev;
mod ripgrep;
mod search;
mod sed;
mod seq;
mod sort;
mod steps;
mod tac;
mod tail;
mod tee;
mod tr;
mod uniq;
mod wc;
mod write;

use std::cell::{Cell, RefCell};

use aiopslab_problems::environment::Verdict;

use super::command::{CommandOutput, Stop};
use crate::files::VirtualFiles;

/// What a program sees besides its arguments.
pub(super) struct Context<'a> {
    /// The moment of the recording, in nanoseconds.
    pub(super) now: i64,
    /// The files of the episode.
    pub(super) files: &'a VirtualFiles,
    /// What is piped in; none without a pipe. Programs read it with [`Context::stdin`].
    pub(super) input: Option<&'a str>,
    /// Whether the program read its input; what it left is for the next one of a loop or group.
    pub(super) input_was_read: Cell<bool>,
    /// Paths with the text that the program wrote there (`tee`, `sort -o`, `sed -i`); the shell
    /// writes them when the program has ended.
    pub(super) written: RefCell<Vec<(String, String)>>,
}

impl<'a> Context<'a> {
    /// Standard input to its end; empty without a pipe.
    pub(super) fn stdin(&self) -> &'a str {
        self.input_was_read.set(true);
        self.input.unwrap_or_default()
    }
}

/// Why a program ends early.
#[derive(Debug)]
enum Halt {
    /// With this output; usually an error.
    Output(CommandOutput),
    /// The action ends.
    Stop(Stop),
}

impl Halt {
    /// An error text and exit code.
    fn failed(message: impl Into<String>, exit_code: i32) -> Self {
        Self::Output(CommandOutput::failed(message, exit_code, Verdict::Invalid))
    }
}

/// A program's result.
type ToolResult = Result<CommandOutput, Halt>;

/// Bytes that a program may print.
const PRINTED_BYTES: usize = 16 * 1024 * 1024;

/// A program: what it does with its arguments.
type Program = fn(&[String], &Context<'_>) -> ToolResult;

/// Whether there is a program of that name.
pub(super) fn is_program(name: &str) -> bool {
    program(name).is_some()
}

/// Runs a program; none if there is none of that name.
pub(super) fn run(
    name: &str,
    arguments: &[String],
    context: &Context<'_>,
) -> Option<Result<CommandOutput, Stop>> {
    Some(match program(name)?(arguments, context) {
        Ok(output) | Err(Halt::Output(output)) => Ok(output),
        Err(Halt::Stop(stop)) => Err(stop),
    })
}

fn program(name: &str) -> Option<Program> {
    Some(match name {
        "awk" | "gawk" | "mawk" => awk::run,
        "base64" => encode::base64,
        "basename" => |arguments, _| basename::basename(arguments),
        "cat" => cat::run,
        "column" => column::run,
        "cut" => cut::run,
        "date" => date::run,
        "dirname" => |arguments, _| basename::dirname(arguments),
        "echo" => |arguments, _| echo::run(arguments),
        "egrep" => |arguments, context| grep::run(&with_option("-E", arguments), context),
        "expand" => expand::run,
        "false" => |_, _| {
            Ok(CommandOutput {
                exit_code: 1,
                ..CommandOutput::answered("")
            })
        },
        "fgrep" => |arguments, context| grep::run(&with_option("-F", arguments), context),
        "fold" => fold::run,
        "grep" => grep::run,
        "head" => head::run,
        "jq" => jq::run,
        "ls" => ls::run,
        "md5sum" => |arguments, context| checksum::run("md5sum", arguments, context),
        "nl" => nl::run,
        "paste" => paste::run,
        "printf" => printf::run,
        "rev" => rev::run,
        "rg" => ripgrep::run,
        "sed" => sed::run,
        "seq" => |arguments, _| seq::run(arguments),
        "sha1sum" => |arguments, context| checksum::run("sha1sum", arguments, context),
        "sha256sum" => |arguments, context| checksum::run("sha256sum", arguments, context),
        "sort" => sort::run,
        "tac" => tac::run,
        "tail" => tail::run,
        "tee" => tee::run,
        "tr" => tr::run,
        "true" => |_, _| Ok(CommandOutput::answered("")),
        "uniq" => uniq::run,
        "wc" => wc::run,
        _ => return None,
    })
}

fn with_option(option: &str, arguments: &[String]) -> Vec<String> {
    let mut all = vec![option.to_owned()];
    all.extend_from_slice(arguments);
    all
}

/// The notice for an option or construct that a real program has and this one has not.
fn lacking(name: &str, what: &str) -> Halt {
    Halt::Stop(Stop::NotCaptured(format!(
        "{name} {what}: this command is not available in this recording"
    )))
}

/// Bytes that a program made as text; bytes that are none end the action.
fn text(name: &str, bytes: Vec<u8>) -> Result<String, Halt> {
    String::from_utf8(bytes).map_err(|_| lacking(name, "of bytes that are no text"))
}

/// Adds to what a program prints, within its limit.
fn print(name: &str, out: &mut String, part: &str) -> Result<(), Halt> {
    if out.len() + part.len() > PRINTED_BYTES {
        let what = format!("that prints more than {PRINTED_BYTES} bytes");
        return Err(lacking(name, &what));
    }
    out.push_str(part);
    Ok(())
}

#[cfg(test)]
mod differential;
#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn tool(command: &[&str], input: &str) -> CommandOutput {
        try_tool(command, input).unwrap()
    }

    pub(super) fn try_tool(command: &[&str], input: &str) -> Result<CommandOutput, Stop> {
        let arguments: Vec<String> = command[1..].iter().map(|word| (*word).to_owned()).collect();
        let mut files = VirtualFiles::new();
        files.write("/data/a.txt", "one\ntwo\n");
        let context = Context {
            now: 1_700_000_000_000_000_000,
            files: &files,
            input: Some(input),
            input_was_read: Cell::default(),
            written: RefCell::default(),
        };
        run(command[0], &arguments, &context).unwrap()
    }

    #[test]
    fn files_of_the_episode_are_read() {
        assert_eq!(tool(&["cat", "/data/a.txt"], "").stdout, "one\ntwo\n");
        let missing = tool(&["cat", "/data/b.txt"], "");
        assert_eq!((missing.exit_code, missing.verdict), (1, Verdict::Empty));
        assert!(try_tool(&["cat", "/etc/hosts"], "").is_err());
    }
}
