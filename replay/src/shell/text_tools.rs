//! The programs that work on text: what is piped into them, or the files of the episode.

mod files;
mod grep;
mod lines;
mod options;
mod pattern;
mod sort;

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

/// A program's result; a usage error is an ordinary output.
type ToolResult = Result<CommandOutput, Stop>;

/// Runs a program; none if there is none of that name.
pub(super) fn run(name: &str, arguments: &[String], context: &Context<'_>) -> Option<ToolResult> {
    Some(match name {
        "grep" => grep::run(name, arguments, context),
        "egrep" | "fgrep" => {
            let option = if name == "egrep" { "-E" } else { "-F" };
            let mut all = vec![option.to_owned()];
            all.extend_from_slice(arguments);
            grep::run("grep", &all, context)
        }
        "head" => lines::head(arguments, context),
        "tail" => lines::tail(arguments, context),
        "wc" => lines::wc(arguments, context),
        "sort" => sort::run(arguments, context),
        "cat" => files::cat(arguments, context),
        "ls" => files::ls(arguments, context),
        "echo" => Ok(echo(arguments)),
        "true" | ":" => Ok(CommandOutput::answered("")),
        "false" => Ok(CommandOutput {
            exit_code: 1,
            ..CommandOutput::answered("")
        }),
        "date" => date(arguments, context),
        _ => return None,
    })
}

fn echo(arguments: &[String]) -> CommandOutput {
    let (newline, words) = match arguments.split_first() {
        Some((first, rest)) if first == "-n" => ("", rest),
        _ => ("\n", arguments),
    };
    CommandOutput::answered(format!("{}{newline}", words.join(" ")))
}

/// Prints the recording's now in UTC.
fn date(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let mut format = "%a %b %e %H:%M:%S UTC %Y".to_owned();
    for argument in arguments {
        match argument.as_str() {
            "-u" | "--utc" => {}
            "-Is" | "--iso-8601=seconds" => format = "%Y-%m-%dT%H:%M:%S+00:00".to_owned(),
            other => match other.strip_prefix('+') {
                Some(given) => format = given.to_owned(),
                None => return Err(not_available("date", other)),
            },
        }
    }
    let now = jiff::Timestamp::from_nanosecond(i128::from(context.now)).unwrap_or_default();
    let zoned = now.to_zoned(jiff::tz::TimeZone::UTC);
    match jiff::fmt::strtime::format(&format, &zoned) {
        Ok(text) => Ok(CommandOutput::answered(format!("{text}\n"))),
        Err(_) => Err(not_available("date", &format!("+{format}"))),
    }
}

/// The notice for an option that a real program has and this one has not.
fn not_available(name: &str, option: &str) -> Stop {
    Stop::NotCaptured(format!(
        "{name} {option}: this command is not available in this recording"
    ))
}

/// A usage error of a program.
fn usage(name: &str, message: &str, exit_code: i32) -> CommandOutput {
    CommandOutput::failed(format!("{name}: {message}"), exit_code, Verdict::Invalid)
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn tool(command: &[&str], input: &str) -> CommandOutput {
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
        run(command[0], &arguments, &context).unwrap().unwrap()
    }

    #[test]
    fn date_is_the_recordings() {
        assert_eq!(tool(&["date"], "").stdout, "Tue Nov 14 22:13:20 UTC 2023\n");
        assert_eq!(tool(&["date", "-u", "+%s"], "").stdout, "1700000000\n");
    }

    #[test]
    fn files_of_the_episode_are_read() {
        assert_eq!(tool(&["cat", "/data/a.txt"], "").stdout, "one\ntwo\n");
        assert_eq!(tool(&["ls", "/data"], "").stdout, "a.txt\n");
        assert_eq!(
            tool(&["wc", "-l", "/data/a.txt"], "").stdout,
            "2 /data/a.txt\n"
        );
        let missing = tool(&["cat", "/data/b.txt"], "");
        assert_eq!((missing.exit_code, missing.verdict), (1, Verdict::Empty));
        assert!(
            run(
                "cat",
                &["/etc/hosts".to_owned()],
                &Context {
                    now: 0,
                    files: &VirtualFiles::new(),
                    input: None,
                    input_was_read: Cell::default(),
                    written: RefCell::default(),
                }
            )
            .unwrap()
            .is_err()
        );
    }

    #[test]
    fn lines_are_cut_and_counted() {
        let input = "a b\nc\nd\ne\nf\ng\nh\ni\nj\nk\nl";
        assert_eq!(tool(&["head", "-2"], input).stdout, "a b\nc\n");
        assert_eq!(tool(&["head", "-n", "-9"], input).stdout, "a b\nc\n");
        assert_eq!(tool(&["head", "-c", "3"], input).stdout, "a b");
        assert_eq!(tool(&["tail", "-n2"], input).stdout, "k\nl");
        assert_eq!(tool(&["tail", "-n", "+10"], input).stdout, "k\nl");
        assert_eq!(tool(&["wc", "-l"], input).stdout, "10\n");
        assert_eq!(
            tool(&["wc"], "a b\nc\n").stdout,
            "      2       3       6\n"
        );
        assert_eq!(tool(&["head", "-n", "x"], "").exit_code, 1);
    }

    #[test]
    fn sort_orders_by_number_and_key() {
        assert_eq!(tool(&["sort", "-rn"], "9\n10\nx\n").stdout, "10\n9\nx\n");
        assert_eq!(
            tool(&["sort", "-k2", "-n"], "a 10\nb 9\n").stdout,
            "b 9\na 10\n"
        );
        assert_eq!(tool(&["sort", "-u"], "b\na\nb\n").stdout, "a\nb\n");
        assert_eq!(
            tool(&["sort", "-t,", "-k2,2nr"], "a,1\nb,2\n").stdout,
            "b,2\na,1\n"
        );
    }
}
