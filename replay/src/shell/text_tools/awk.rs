//! `awk`, as gawk: without reading or starting anything else, and with arrays in the order in which
//! they were filled (gawk's own order is unspecified).

mod functions;
mod interpreter;
mod lexer;
mod parser;
mod program;
mod records;
mod value;

use super::inputs;
use super::options::{Program, lacks, value};
use super::{Context, Halt, ToolResult, lacking};
use interpreter::Interpreter;

const AWK: Program = Program {
    name: "awk",
    usage_code: 2,
    hint: "Usage: awk [POSIX or GNU style options] -f progfile [--] file ...",
    options: &[
        value("F field-separator"),
        value("v assign"),
        value("f file"),
        lacks("b C c d D e E g h i I l L M n N o O p P r s S t V W csv source posix re-interval"),
    ],
    ordered: true,
};

/// Stack of the thread that parses and interprets a program.
const STACK_BYTES: usize = 256 * 1024 * 1024;

/// `awk`. Programs nest, so that the work is done on a stack of its own.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let mut parsed = AWK.parse(arguments)?;
    let program = match parsed.value("f") {
        Some(path) => match inputs::read(path, context)? {
            Ok(text) => text.to_owned(),
            Err(why) => {
                let message = format!(
                    "awk: fatal: cannot open source file `{path}' for reading: {}",
                    why.reason()
                );
                return Err(Halt::failed(message, 2));
            }
        },
        None if parsed.operands.is_empty() => return Err(Halt::failed(AWK.hint, 1)),
        None => parsed.operands.remove(0),
    };
    let files = context.files;
    let operands = parsed.operands;
    let reads = operands.is_empty()
        || operands
            .iter()
            .any(|word| word == "-" || word.contains('='));
    let run = Run {
        program: &program,
        separator: parsed
            .options
            .iter()
            .rfind(|(o, _)| *o == "F")
            .map(|(_, v)| v.as_str()),
        assignments: parsed
            .options
            .iter()
            .filter(|(o, _)| *o == "v")
            .map(|(_, v)| v.as_str())
            .collect(),
        operands: &operands,
        input: if reads { context.stdin() } else { "" },
        files,
        now: context.now,
    };
    let done = std::thread::scope(|scope| {
        let worker = std::thread::Builder::new()
            .name("awk".to_owned())
            .stack_size(STACK_BYTES)
            .spawn_scoped(scope, || run.execute());
        worker.ok()?.join().ok()
    });
    done.unwrap_or_else(|| Err(lacking("awk", "of such a program")))
}

/// Everything that passes to the thread.
struct Run<'a> {
    program: &'a str,
    separator: Option<&'a str>,
    assignments: Vec<&'a str>,
    operands: &'a [String],
    input: &'a str,
    files: &'a crate::files::VirtualFiles,
    now: i64,
}

impl Run<'_> {
    fn execute(&self) -> ToolResult {
        let program = parser::parse(self.program)?;
        let context = Context {
            now: self.now,
            files: self.files,
            input: Some(self.input),
            input_was_read: std::cell::Cell::default(),
            written: std::cell::RefCell::default(),
        };
        let mut interpreter = Interpreter::new(&program, &context, self.operands);
        if let Some(separator) = self.separator {
            let separator = if separator == "t" { "\t" } else { separator };
            interpreter.assign_text("FS", separator)?;
        }
        for assignment in &self.assignments {
            let Some((name, value)) = assignment.split_once('=') else {
                let message =
                    format!("awk: `{assignment}' argument to `-v' not in `var=value' form");
                return Err(Halt::failed(message, 1));
            };
            interpreter.assign_text(name, value)?;
        }
        interpreter.run()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{tool, try_tool};

    const PODS: &str = "a Running 3\nb Pending 10\nc Running 5\n";

    fn check(words: &[&str], expected: &str) {
        let command: Vec<&str> = ["awk"].iter().chain(words).copied().collect();
        let output = tool(&command, PODS);
        assert_eq!(output.stdout, expected, "{words:?} {}", output.stderr);
    }

    #[test]
    fn fields_and_patterns() {
        check(&["{print $1}"], "a\nb\nc\n");
        check(&["$2 == \"Running\" {print $1, $NF}"], "a 3\nc 5\n");
        check(&["NR==2"], "b Pending 10\n");
        check(&["/Pending/,0"], "b Pending 10\nc Running 5\n");
        check(&["-F", "n", "{print NF}"], "4\n3\n4\n");
        check(&["-v", "n=4", "$3 > n {print $1}"], "b\nc\n");
        check(&["{$2=\"x\"} 1"], "a x 3\nb x 10\nc x 5\n");
        check(
            &["BEGIN{OFS=\"-\"} {$1=$1; print}"],
            "a-Running-3\nb-Pending-10\nc-Running-5\n",
        );
        check(&["END{print NR}"], "3\n");
        check(&["$3>max{max=$3} END{print max}"], "10\n");
    }

    #[test]
    fn arrays_loops_and_functions() {
        check(
            &["{n[$2]++} END{for(k in n) print k, n[k]}"],
            "Running 2\nPending 1\n",
        );
        check(
            &["{s+=$3} END{printf \"%d %.2f\\n\", s, s/NR}"],
            "18 6.00\n",
        );
        check(&["function f(x) {return x*2} {print f($3)}"], "6\n20\n10\n");
        check(
            &["BEGIN{while(i<3) {i++; if(i==2) continue; printf \"%s \", i}; print \"\"}"],
            "1 3 \n",
        );
        check(
            &["BEGIN{n=split(\"a:b:c\",p,\":\"); for(i=n;i>0;i--) printf p[i]; print \"\"}"],
            "cba\n",
        );
        check(&["{gsub(/n+/,\"<&>\"); print $2; exit}"], "Ru<nn>i<n>g\n");
        check(
            &[
                "BEGIN{print substr(\"hello\",2,3), index(\"hello\",\"l\"), length(\"héé\"), toupper(\"a\")}",
            ],
            "ell 3 3 A\n",
        );
        check(
            &["BEGIN{if(match(\"xaab\",/a+/)) print RSTART, RLENGTH}"],
            "2 2\n",
        );
        check(
            &["BEGIN{print 1e6, 0.1+0.2, 10%3, 2^10, -3, \"3\"+4, 1==1.0, \"a\"<\"b\"}"],
            "1000000 0.3 1 1024 -3 7 1 1\n",
        );
        check(
            &["BEGIN{a[1,2]=3; if((1,2) in a) print \"in\"; delete a; print length(a)}"],
            "in\n0\n",
        );
        assert!(try_tool(&["awk", "BEGIN{while(1);}"], "").is_err());
        assert!(try_tool(&["awk", "BEGIN{system(\"ls\")}"], "").is_err());
        assert!(try_tool(&["awk", "BEGIN{\"date\" | getline x}"], "").is_err());
        assert_eq!(tool(&["awk", "{print"], "").exit_code, 1);
    }
}
