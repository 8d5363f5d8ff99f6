//! `sed`.

mod execute;
mod parse;
mod script;

use super::inputs::{self, Unreadable};
use super::options::{Parsed, Program, flag, lacks, perhaps, value};
use super::{Context, Halt, ToolResult, write};
use crate::shell::command::CommandOutput;
use execute::{Machine, Stream};

const SED: Program = Program {
    name: "sed",
    usage_code: 1,
    hint: "Usage: sed [OPTION]... {script-only-if-no-other-script} [input-file]...",
    options: &[
        flag("n quiet silent"),
        flag("E r regexp-extended"),
        flag("s separate"),
        flag("u unbuffered"),
        perhaps("i in-place"),
        value("e expression"),
        value("f file"),
        lacks("z null-data l line-length debug posix sandbox follow-symlinks b binary"),
    ],
    ordered: false,
};

/// `sed`, with the whole command set but `e`, `l`, `R` and `W`.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let mut parsed = SED.parse(arguments)?;
    let expressions = expressions(&mut parsed, context)?;
    let script = parse::parse(&expressions, parsed.has("E"))?;
    let quiet = parsed.has("n") || script.quiet;
    if parsed.has("i") {
        if parsed.value("i").is_some_and(|suffix| suffix.contains('*')) {
            return Err(super::lacking("sed", "-i with a * in its suffix"));
        }
        return in_place(&parsed, &script, quiet, context);
    }
    let mut output = CommandOutput::answered("");
    let texts = readable(&parsed.operands, false, context, &mut output)?;
    let mut machine = Machine::new(&script, quiet, context);
    let streams: Vec<Stream<'_>> = match parsed.has("s") {
        true => texts.iter().map(|text| Stream::new(&[*text])).collect(),
        false => vec![Stream::new(&texts)],
    };
    for stream in streams {
        machine.run(stream)?;
        if machine.exit_code().is_some() {
            break;
        }
    }
    output.stdout = machine.take_output();
    finish(machine, context, output)
}

fn finish(machine: Machine<'_>, context: &Context<'_>, mut output: CommandOutput) -> ToolResult {
    if let Some(code) = machine.exit_code() {
        output.exit_code = code;
    }
    for (path, text) in machine.into_written() {
        // It would stand between the lines that are printed.
        if matches!(path.as_str(), "/dev/stdout" | "/dev/fd/1") {
            return Err(super::lacking("sed", &format!("that writes to {path}")));
        }
        write::replace(&path, text, "sed", context)?;
    }
    Ok(output)
}

/// Edits each file by itself.
fn in_place(
    parsed: &Parsed,
    script: &script::Script,
    quiet: bool,
    context: &Context<'_>,
) -> ToolResult {
    let mut output = CommandOutput::answered("");
    if parsed.operands.is_empty() {
        return Err(Halt::failed("sed: no input files", 4));
    }
    let texts = readable(&parsed.operands, true, context, &mut output)?;
    let mut machine = Machine::new(script, quiet, context);
    for (name, text) in texts {
        let Some(name) = name.filter(|name| *name != "-") else {
            let message = "sed: couldn't edit -: not a regular file";
            return Err(Halt::failed(message, 4));
        };
        machine.run(Stream::new(&[(Some(name), text)]))?;
        let edited = machine.take_output();
        if let Some(suffix) = parsed.value("i").filter(|suffix| !suffix.is_empty()) {
            write::replace(&format!("{name}{suffix}"), text.to_owned(), "sed", context)?;
        }
        // What was not read after `q` stays as it is.
        let rest = machine.take_rest();
        write::replace(name, format!("{edited}{rest}"), "sed", context)?;
        if machine.exit_code().is_some() {
            break;
        }
    }
    finish(machine, context, output)
}

type NamedText<'a> = (Option<&'a str>, &'a str);

fn readable<'a>(
    operands: &'a [String],
    in_place: bool,
    context: &Context<'a>,
    output: &mut CommandOutput,
) -> Result<Vec<NamedText<'a>>, Halt> {
    let mut texts = Vec::new();
    for input in inputs::inputs(operands, context)? {
        match input {
            Ok(input) => texts.push((input.name, input.text)),
            Err((name, Unreadable::Missing)) => {
                let message = format!("sed: can't read {name}: No such file or directory");
                inputs::note(output, &message, 2);
            }
            // In place, it goes on with the next file.
            Err((name, Unreadable::Folder)) if in_place => {
                let message = format!("sed: couldn't edit {name}: not a regular file");
                inputs::note(output, &message, 4);
            }
            Err((name, Unreadable::Folder)) => {
                let message = format!("sed: read error on {name}: Is a directory");
                inputs::note(output, &message, 4);
                break;
            }
        }
    }
    Ok(texts)
}

/// The parts of the script in order; the first operand if no option gives one.
fn expressions(parsed: &mut Parsed, context: &Context<'_>) -> Result<Vec<String>, Halt> {
    let mut expressions = Vec::new();
    for (option, value) in &parsed.options {
        match *option {
            "e" => expressions.push(value.clone()),
            "f" => match inputs::read(value, context)? {
                Ok(text) => {
                    expressions.push(text.strip_suffix('\n').unwrap_or(text).to_owned());
                }
                Err(why) => {
                    let message = format!("sed: couldn't open file {value}: {}", why.reason());
                    return Err(Halt::failed(message, 4));
                }
            },
            _ => {}
        }
    }
    if expressions.is_empty() {
        if parsed.operands.is_empty() {
            return Err(Halt::failed(SED.hint, 1));
        }
        expressions.push(parsed.operands.remove(0));
    }
    Ok(expressions)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{tool, try_tool};

    #[test]
    fn lines_are_edited() {
        let check = |words: &[&str], expected: &str| {
            let command: Vec<&str> = ["sed"].iter().chain(words).copied().collect();
            assert_eq!(
                tool(&command, "one\ntwo\nthree\n").stdout,
                expected,
                "{words:?}"
            );
        };
        check(&["s/o/0/"], "0ne\ntw0\nthree\n");
        check(&["-n", "2p"], "two\n");
        check(&["2,$d"], "one\n");
        check(&["/two/!d"], "two\n");
        check(&["-E", "s/(t)(.)/\\2\\1/"], "one\nwto\nhtree\n");
        check(&["-n", "$="], "3\n");
        check(&["1!G;h;$!d"], "three\ntwo\none\n");
        check(&[":a;N;$!ba;s/\\n/,/g"], "one,two,three\n");
        check(&["2i\\new"], "one\nnew\ntwo\nthree\n");
        check(&["y/one/ONE/"], "ONE\ntwO\nthrEE\n");
        check(&["2q"], "one\ntwo\n");
        check(&["s/.*/\\U&/;s/E/e/2"], "ONE\nTWO\nTHREe\n");
        check(&["/one/,/two/{s/^/# /}"], "# one\n# two\nthree\n");
        let endless = try_tool(&["sed", ":a;ba"], "x\n");
        assert!(endless.is_err());
        let wrong = tool(&["sed", "s/a/b"], "");
        assert_eq!(
            (wrong.stderr.as_str(), wrong.exit_code),
            (
                "sed: -e expression #1, char 5: unterminated `s' command\n",
                1
            )
        );
    }
}
