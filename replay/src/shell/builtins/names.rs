//! What a name means: `command`, `type`, `which`.

use aiopslab_problems::environment::Verdict;

use super::{BUILTINS, PROGRAMS, letters};
use crate::shell::interpreter::{Done, Halt, Shell, unavailable};
use crate::shell::text_tools;

/// Words that mean something where a command starts.
const KEYWORDS: [&str; 22] = [
    "!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for",
    "function", "if", "in", "select", "then", "time", "until", "while", "{", "}",
];

/// What a name means.
enum Meaning {
    Keyword,
    Function,
    Builtin,
    Program(String),
}

fn meaning(shell: &Shell<'_>, name: &str) -> Result<Meaning, Halt> {
    if KEYWORDS.contains(&name) {
        return Ok(Meaning::Keyword);
    }
    if shell.state.functions.contains_key(name) {
        return Ok(Meaning::Function);
    }
    if BUILTINS.contains(&name) {
        return Ok(Meaning::Builtin);
    }
    Ok(Meaning::Program(program(name)?))
}

/// Where a program lies. Whether others are there can't be known.
fn program(name: &str) -> Result<String, Halt> {
    if name == "kubectl" {
        return Ok("/usr/local/bin/kubectl".to_owned());
    }
    if PROGRAMS.contains(&name) || text_tools::is_program(name) {
        return Ok(format!("/usr/bin/{name}"));
    }
    Err(unavailable(name).into())
}

/// `command`: runs a command that is no function, or with `-v` tells what a name means.
pub(super) async fn command(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let (options, words) = match letters(arguments, "pvV", &[]) {
        Ok(parsed) => parsed,
        Err(option) => return invalid_option(shell, "command", &option),
    };
    let Some((name, rest)) = words.split_first() else {
        shell.status = 0;
        return Ok(());
    };
    if options.contains(&'V') {
        return describe(shell, words);
    }
    if !options.contains(&'v') {
        return shell.builtin_or_program(name, rest, &[]).await;
    }
    let mut text = String::new();
    for name in words {
        let line = match meaning(shell, name)? {
            Meaning::Program(path) => path,
            _ => name.clone(),
        };
        text.push_str(&format!("{line}\n"));
    }
    shell.status = 0;
    shell.print(1, &text)
}

/// `builtin`
pub(super) async fn builtin(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    match arguments.split_first() {
        None => {
            shell.status = 0;
            Ok(())
        }
        Some((name, rest)) if BUILTINS.contains(&name.as_str()) => {
            shell.builtin_or_program(name, rest, &[]).await
        }
        Some((name, _)) => {
            let message = format!("builtin: {name}: not a shell builtin");
            shell.misused(1, &message)
        }
    }
}

/// `type`, with `-t`, `-p` and `-P`.
pub(super) fn type_of(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let (options, names) = match letters(arguments, "tpP", &[]) {
        Ok(parsed) => parsed,
        Err(option) => return Err(unavailable(&format!("type {option}")).into()),
    };
    if options.is_empty() {
        return describe(shell, names);
    }
    let mut text = String::new();
    for name in names {
        if options.contains(&'P') {
            text.push_str(&format!("{}\n", program(name)?));
            continue;
        }
        let line = match (meaning(shell, name)?, options.contains(&'t')) {
            (Meaning::Keyword, true) => "keyword".to_owned(),
            (Meaning::Function, true) => "function".to_owned(),
            (Meaning::Builtin, true) => "builtin".to_owned(),
            (Meaning::Program(_), true) => "file".to_owned(),
            (Meaning::Program(path), false) => path,
            (_, false) => continue,
        };
        text.push_str(&format!("{line}\n"));
    }
    shell.status = 0;
    shell.print(1, &text)
}

fn describe(shell: &mut Shell<'_>, names: &[String]) -> Done {
    let mut text = String::new();
    for name in names {
        let line = match meaning(shell, name)? {
            Meaning::Keyword => format!("{name} is a shell keyword"),
            Meaning::Builtin => format!("{name} is a shell builtin"),
            Meaning::Program(path) => format!("{name} is {path}"),
            // bash prints the function as it would write it.
            Meaning::Function => {
                return Err(unavailable("type of a function").into());
            }
        };
        text.push_str(&format!("{line}\n"));
    }
    shell.status = 0;
    shell.print(1, &text)
}

/// `which`
pub(super) fn which(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let mut text = String::new();
    for name in arguments {
        if name.starts_with('-') {
            return Err(unavailable(&format!("which {name}")).into());
        }
        text.push_str(&format!("{}\n", program(name)?));
    }
    shell.status = i32::from(arguments.is_empty());
    shell.print(1, &text)
}

/// A built-in was called with an option that it has not.
pub(super) fn invalid_option(shell: &mut Shell<'_>, name: &str, option: &str) -> Done {
    shell.verdict = shell.verdict.max(Verdict::Invalid);
    shell.fail(2, &format!("{name}: {option}: invalid option"))
}
