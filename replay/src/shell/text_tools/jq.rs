//! `jq`, version 1.6.
//!
//! The language is parsed by jaq; it is interpreted here, so that every step is counted and so that
//! orders, errors and numbers are jq's. What later versions answer otherwise ends the action.

mod arithmetic;
mod builtins;
mod dates;
mod evaluate;
mod paths;
mod read;
mod strings;
mod value;
mod write;

use aiopslab_problems::environment::Verdict;

use super::inputs;
use super::options::{OptionSpec, Program, flag, lacks, value};
use super::{Context, Halt, ToolResult, lacking, print};
use crate::shell::command::CommandOutput;
use evaluate::{Failure, Machine, Raise};
use value::{Object, Value};
use write::Style;

const OPTIONS: &[OptionSpec] = &[
    flag("r raw-output"),
    flag("c compact-output"),
    flag("n null-input"),
    flag("s slurp"),
    flag("e exit-status"),
    flag("j join-output"),
    flag("R raw-input"),
    flag("S sort-keys"),
    flag("M monochrome-output"),
    flag("a ascii-output"),
    flag("tab"),
    flag("unbuffered"),
    value("indent"),
    value("f from-file"),
    lacks("C color-output seq stream stream-errors L h V args jsonargs slurpfile rawfile argfile"),
];

const JQ: Program = Program {
    name: "jq",
    usage_code: 2,
    hint: "Use jq --help for help with command-line options,\nor see the jq manpage, or online docs  at https://stedolan.github.io/jq",
    options: OPTIONS,
    ordered: false,
};

/// Stack of the thread that parses and interprets a program.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// `jq`. Programs nest, so that the work is done on a stack of its own.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let mut named = Vec::new();
    let arguments = take_named(arguments, &mut named)?;
    let mut parsed = JQ
        .parse(&arguments)
        .map_err(|halt| unknown_option(halt, &arguments))?;
    let program = match parsed.value("f") {
        Some(path) => match inputs::read(path, context)? {
            Ok(text) => text.to_owned(),
            Err(why) => {
                let message = format!("jq: error: Could not open file {path}: {}", why.reason());
                return Err(Halt::failed(message, 2));
            }
        },
        None if parsed.operands.is_empty() => return Err(lacking("jq", "without a program")),
        None => parsed.operands.remove(0),
    };
    let mut output = CommandOutput::answered("");
    let mut text = String::new();
    let mut name = None;
    for input in inputs::inputs(&parsed.operands, context)? {
        match input {
            Ok(input) => {
                text.push_str(input.text);
                name = input.name;
            }
            Err((path, why)) => {
                let message = format!("jq: error: Could not open file {path}: {}", why.reason());
                inputs::note(&mut output, &message, 2);
            }
        }
    }
    let style = style(&parsed)?;
    let run = Run {
        program: &program,
        named: &named,
        text: &text,
        name: name.filter(|_| parsed.operands.len() == 1),
        raw_input: parsed.has("R"),
        slurp: parsed.has("s"),
        null_input: parsed.has("n"),
        exit_status: parsed.has("e"),
        raw: parsed.has("r") || parsed.has("j"),
        join: parsed.has("j"),
        style,
        now: context.now,
    };
    let done = std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .name("jq".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || run.execute());
        worker.ok()?.join().ok()
    });
    let Some(done) = done else {
        return Err(lacking("jq", "of such a program"));
    };
    let done = done?;
    output.stdout = done.stdout;
    output.stderr.push_str(&done.stderr);
    if done.exit_code != 0 {
        output.exit_code = done.exit_code;
    }
    if !done.stderr.is_empty() {
        output.verdict = output.verdict.max(Verdict::Invalid);
    }
    Ok(output)
}

/// Takes `--arg NAME VALUE` and `--argjson NAME VALUE` out of the arguments.
fn take_named(
    arguments: &[String],
    named: &mut Vec<(String, String, bool)>,
) -> Result<Vec<String>, Halt> {
    let mut rest = arguments.iter();
    let mut others = Vec::new();
    while let Some(argument) = rest.next() {
        match argument.as_str() {
            option @ ("--arg" | "--argjson") => {
                let (Some(name), Some(value)) = (rest.next(), rest.next()) else {
                    let what = match option {
                        "--arg" => "--arg takes two parameters (e.g. --arg varname value)",
                        _ => "--argjson takes two parameters (e.g. --argjson varname text)",
                    };
                    return Err(Halt::failed(format!("jq: {what}\n{}", JQ.hint), 2));
                };
                let json = option == "--argjson";
                if json && read::value(value).is_err() {
                    let message = format!("jq: invalid JSON text passed to --argjson\n{}", JQ.hint);
                    return Err(Halt::failed(message, 2));
                }
                named.push((name.clone(), value.clone(), json));
            }
            "--indent" => {
                let width = rest.next().cloned().unwrap_or_default();
                others.push(format!("--indent={width}"));
            }
            // A program may begin with a minus sign.
            word if word.starts_with('-')
                && word
                    .chars()
                    .nth(1)
                    .is_some_and(|c| !c.is_ascii_alphabetic() && c != '-') =>
            {
                others.push(format!(" {word}"));
            }
            _ => others.push(argument.clone()),
        }
    }
    Ok(others)
}

/// jq's own words for an option that it has not.
fn unknown_option(halt: Halt, arguments: &[String]) -> Halt {
    match halt {
        Halt::Output(output) if output.stderr.contains("option") => {
            let quoted = output
                .stderr
                .split('\'')
                .nth(1)
                .unwrap_or_default()
                .to_owned();
            let named = |word: &&String| word.starts_with('-') && word.contains(&quoted);
            let option = arguments.iter().find(named).cloned().unwrap_or(quoted);
            Halt::failed(format!("jq: Unknown option {option}\n{}", JQ.hint), 2)
        }
        halt => halt,
    }
}

fn style(parsed: &super::options::Parsed) -> Result<Style, Halt> {
    let indent = match parsed.last_of(&["c", "tab", "indent"]) {
        None => "  ".to_owned(),
        Some("c") => String::new(),
        Some("tab") => "\t".to_owned(),
        Some(_) => match parsed
            .value("indent")
            .and_then(|width| width.parse::<usize>().ok())
        {
            Some(width) if width <= 7 => " ".repeat(width),
            _ => return Err(lacking("jq", "--indent of that width")),
        },
    };
    Ok(Style {
        indent,
        sorted: parsed.has("S"),
        ascii: parsed.has("a"),
    })
}

/// One run of a program over its inputs; everything that passes to the thread.
struct Run<'a> {
    program: &'a str,
    named: &'a [(String, String, bool)],
    text: &'a str,
    name: Option<&'a str>,
    raw_input: bool,
    slurp: bool,
    null_input: bool,
    exit_status: bool,
    raw: bool,
    join: bool,
    style: Style,
    now: i64,
}

/// What a run printed.
struct Done {
    stdout: String,
    stderr: String,
    exit_code: i32,
}

impl Run<'_> {
    fn execute(&self) -> Result<Done, Halt> {
        let program = match evaluate::parse(self.program)? {
            Ok(program) => program,
            Err(message) => {
                return Ok(Done {
                    stdout: String::new(),
                    stderr: message,
                    exit_code: 3,
                });
            }
        };
        let mut variables: Vec<(String, Value)> = Vec::new();
        let mut arguments = Object::new();
        for (name, text, json) in self.named {
            let value = match json {
                true => read::value(text).unwrap_or(Value::Null),
                false => Value::text(text),
            };
            arguments
                .entry(name.as_str().into())
                .or_insert_with(|| value.clone());
            // The first of a name wins.
            if !variables.iter().any(|(known, _)| known == name) {
                variables.push((name.clone(), value));
            }
        }
        let mut names = Object::new();
        names.insert("positional".into(), Value::array(Vec::new()));
        names.insert("named".into(), Value::object(arguments));
        variables.push(("ARGS".to_owned(), Value::object(names)));
        let machine = Machine::new(self.reader(), self.now, variables);
        if let Err(message) = machine.check(&program) {
            return Ok(Done {
                stdout: String::new(),
                stderr: format!(
                    "jq: error: {message} at <top-level>, line 1:\n{}\njq: 1 compile error\n",
                    self.program
                ),
                exit_code: 3,
            });
        }
        let mut printer = Printer {
            run: self,
            stdout: String::new(),
            last: None,
        };
        let mut done = Done {
            stdout: String::new(),
            stderr: String::new(),
            exit_code: 0,
        };
        loop {
            let input = match self.null_input {
                true => Some(Ok(Value::Null)),
                false => machine.next_input(),
            };
            let input = match input {
                None => break,
                Some(Ok(input)) => input,
                Some(Err(message)) => {
                    done.stderr.push_str(&format!("parse error: {message}\n"));
                    done.exit_code = 4;
                    break;
                }
            };
            let flow = machine.run(&program, input, &mut |value| printer.print(&value));
            done.stderr.push_str(&machine.take_messages());
            // The last input decides.
            done.exit_code = 0;
            match flow {
                Ok(()) => {}
                Err(Raise::Stop(halt)) => return Err(halt),
                Err(Raise::Break(_)) => {
                    let position = machine.position(self.name, self.null_input);
                    done.stderr
                        .push_str(&format!("jq: error (at {position}): break\n"));
                    done.exit_code = 5;
                }
                Err(Raise::Halt(code, message)) => {
                    done.stderr.push_str(&message);
                    done.exit_code = code;
                    done.stdout = printer.stdout;
                    return Ok(done);
                }
                Err(Raise::Error(failure)) => {
                    let position = machine.position(self.name, self.null_input);
                    done.stderr.push_str(&error_text(&failure, &position)?);
                    done.exit_code = 5;
                    if failure.is_parse_error {
                        done.exit_code = 4;
                        break;
                    }
                }
            }
            if self.null_input {
                break;
            }
        }
        if self.exit_status && done.exit_code == 0 {
            done.exit_code = match &printer.last {
                None => 4,
                Some(value) => i32::from(!value.is_true()),
            };
        }
        done.stdout = printer.stdout;
        Ok(done)
    }

    fn reader(&self) -> read::Inputs<'_> {
        match (self.raw_input, self.slurp) {
            (true, true) => read::Inputs::values(vec![Value::text(self.text)]),
            (true, false) => {
                let lines = inputs::lines(self.text).map(Value::text);
                read::Inputs::values(lines.collect())
            }
            (false, slurp) => read::Inputs::json(self.text, slurp),
        }
    }
}

fn error_text(failure: &Failure, position: &str) -> Result<String, Halt> {
    match &failure.value {
        Value::Text(text) => Ok(format!("jq: error (at {position}): {text}\n")),
        Value::Null => Err(lacking("jq", "error(null)")),
        value => {
            let text = write::compact(value);
            Ok(format!(
                "jq: error (at {position}) (not a string): {text}\n"
            ))
        }
    }
}

struct Printer<'a> {
    run: &'a Run<'a>,
    stdout: String,
    last: Option<Value>,
}

impl Printer<'_> {
    fn print(&mut self, value: &Value) -> Result<(), Raise> {
        let text = match value {
            Value::Text(text) if self.run.raw && !self.run.style.ascii => text.to_string(),
            value => write::text(value, &self.run.style),
        };
        print("jq", &mut self.stdout, &text).map_err(Raise::Stop)?;
        if !self.run.join {
            self.stdout.push('\n');
        }
        self.last = Some(value.clone());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{tool, try_tool};

    const PODS: &str = r#"{"items":[{"name":"a","n":2},{"name":"b","n":1.5}]}"#;

    #[test]
    fn values_are_filtered() {
        let check = |words: &[&str], expected: &str| {
            let command: Vec<&str> = ["jq"].iter().chain(words).copied().collect();
            assert_eq!(tool(&command, PODS).stdout, expected, "{words:?}");
        };
        check(&["-r", ".items[].name"], "a\nb\n");
        check(&["-c", ".items[0]"], "{\"name\":\"a\",\"n\":2}\n");
        check(&[".items | length"], "2\n");
        check(
            &["-c", "[.items[] | select(.n > 1.7) | .name]"],
            "[\"a\"]\n",
        );
        check(&["-r", ".items[] | \"\\(.name)=\\(.n)\""], "a=2\nb=1.5\n");
        check(
            &["-c", "--arg", "x", "b", ".items | map(select(.name == $x))"],
            "[{\"name\":\"b\",\"n\":1.5}]\n",
        );
        check(
            &["-c", ".items |= sort_by(.n) | .items[0].n += 1"],
            "{\"items\":[{\"name\":\"b\",\"n\":2.5},{\"name\":\"a\",\"n\":2}]}\n",
        );
        check(&["-n", "[range(3)] | add"], "3\n");
        check(
            &["-c", "[paths]"],
            "[[\"items\"],[\"items\",0],[\"items\",0,\"name\"],[\"items\",0,\"n\"],[\"items\",1],[\"items\",1,\"name\"],[\"items\",1,\"n\"]]\n",
        );
    }

    #[test]
    fn errors_are_jqs() {
        let check = |program: &str, stderr: &str, code: i32| {
            let output = tool(&["jq", program], PODS);
            assert_eq!((output.stderr.as_str(), output.exit_code), (stderr, code));
        };
        check(
            ".items.a",
            "jq: error (at <stdin>:0): Cannot index array with string \"a\"\n",
            5,
        );
        check(
            "foo",
            "jq: error: foo/0 is not defined at <top-level>, line 1:\nfoo\njq: 1 compile error\n",
            3,
        );
        assert_eq!(
            tool(&["jq", "."], "nope x").stderr,
            "parse error: Invalid literal at line 1, column 5\n"
        );
        assert!(try_tool(&["jq", "-n", "def f: f; f"], "").is_err());
        assert!(try_tool(&["jq", "-n", "[range(1e12)]"], "").is_err());
        assert!(try_tool(&["jq", "-n", "[limit(99; range(1e9))] | length"], "").is_ok());
    }
}
