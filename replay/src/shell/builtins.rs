//! Commands that are part of the shell: those of bash, and programs that run or write something.

mod control;
mod find;
mod folders;
mod names;
mod programs;
mod read;
mod test;
mod variables;
mod xargs;

use super::ast::Assignment;
use super::interpreter::{Halt, Shell};

/// Built-ins of bash, as `type` knows them; `echo`, `printf`, `true` and `false` are
/// among the text tools.
pub(super) const BUILTINS: [&str; 61] = [
    ".",
    ":",
    "[",
    "alias",
    "bg",
    "bind",
    "break",
    "builtin",
    "caller",
    "cd",
    "command",
    "compgen",
    "complete",
    "compopt",
    "continue",
    "declare",
    "dirs",
    "disown",
    "echo",
    "enable",
    "eval",
    "exec",
    "exit",
    "export",
    "false",
    "fc",
    "fg",
    "getopts",
    "hash",
    "help",
    "history",
    "jobs",
    "kill",
    "let",
    "local",
    "logout",
    "mapfile",
    "popd",
    "printf",
    "pushd",
    "pwd",
    "read",
    "readarray",
    "readonly",
    "return",
    "set",
    "shift",
    "shopt",
    "source",
    "suspend",
    "test",
    "times",
    "trap",
    "true",
    "type",
    "typeset",
    "ulimit",
    "umask",
    "unalias",
    "unset",
    "wait",
];

/// Programs that run commands or change files, so that they are part of the shell here.
pub(super) const PROGRAMS: [&str; 17] = [
    "bash", "chmod", "cp", "env", "find", "mkdir", "mktemp", "mv", "nohup", "printenv", "rm",
    "rmdir", "sh", "sleep", "timeout", "touch", "xargs",
];

/// Runs a built-in or program of the shell; tells whether there is one of that name.
pub(super) async fn run(
    shell: &mut Shell<'_>,
    name: &str,
    arguments: &[String],
    declarations: &[Assignment],
) -> Result<bool, Halt> {
    match name {
        ":" => {
            shell.status = 0;
            Ok(())
        }
        "printf" if arguments.first().is_some_and(|option| option == "-v") => {
            variables::printf(shell, arguments)
        }
        "test" | "[" => test::run(shell, name, arguments),
        "cd" => folders::cd(shell, arguments),
        "pwd" => folders::pwd(shell, arguments),
        "exit" | "return" | "break" | "continue" => control::leave(shell, name, arguments),
        "shift" => control::shift(shell, arguments),
        "set" => control::set(shell, arguments),
        "eval" => control::eval(shell, arguments).await,
        "." | "source" => control::source(shell, name, arguments).await,
        "exec" => control::exec(shell, arguments).await,
        "command" => names::command(shell, arguments).await,
        "builtin" => names::builtin(shell, arguments).await,
        "type" => names::type_of(shell, arguments),
        "which" => names::which(shell, arguments),
        "wait" if arguments.is_empty() => {
            shell.status = 0;
            Ok(())
        }
        "export" | "readonly" | "local" | "declare" | "typeset" => {
            variables::declare(shell, name, arguments, declarations).await
        }
        "unset" => variables::unset(shell, arguments),
        "let" => variables::let_all(shell, arguments),
        "read" => read::read(shell, arguments),
        "mapfile" | "readarray" => read::mapfile(shell, arguments),
        _ => return run_program(shell, name, arguments).await,
    }?;
    Ok(true)
}

/// Runs a program of the shell; tells whether there is one of that name.
pub(super) async fn run_program(
    shell: &mut Shell<'_>,
    name: &str,
    arguments: &[String],
) -> Result<bool, Halt> {
    match name {
        "bash" | "sh" => programs::bash(shell, arguments).await,
        "env" => programs::env(shell, arguments).await,
        "printenv" => programs::printenv(shell, arguments),
        "timeout" => programs::timeout(shell, arguments).await,
        "nohup" => programs::nohup(shell, arguments).await,
        "sleep" => programs::sleep(shell, arguments),
        "xargs" => xargs::run(shell, arguments).await,
        "find" => find::run(shell, arguments).await,
        "mkdir" => folders::mkdir(shell, arguments),
        "rmdir" => folders::rmdir(shell, arguments),
        "rm" => folders::rm(shell, arguments),
        "touch" => folders::touch(shell, arguments),
        "chmod" => folders::chmod(shell, arguments),
        "mktemp" => folders::mktemp(shell, arguments),
        "cp" | "mv" => folders::copy_or_move(shell, name, arguments),
        _ => return Ok(false),
    }?;
    Ok(true)
}

/// The single letters in front of the operands (`-rf`), and the operands. `--` ends them; long
/// options are among the letters if they are known by one.
fn letters<'a>(
    arguments: &'a [String],
    known: &str,
    long: &[(&str, char)],
) -> Result<(Vec<char>, &'a [String]), String> {
    let mut found = Vec::new();
    let mut rest = arguments;
    while let Some((argument, after)) = rest.split_first() {
        if argument == "--" {
            rest = after;
            break;
        }
        if let Some(name) = argument.strip_prefix("--") {
            match long.iter().find(|(long, _)| *long == name) {
                Some((_, letter)) => found.push(*letter),
                None => return Err(argument.clone()),
            }
        } else if let Some(letters) = argument.strip_prefix('-').filter(|rest| !rest.is_empty()) {
            for letter in letters.chars() {
                if !known.contains(letter) {
                    return Err(format!("-{letter}"));
                }
                found.push(letter);
            }
        } else {
            break;
        }
        rest = after;
    }
    Ok((found, rest))
}

/// As [`letters`], with options among the operands as GNU programs allow.
fn permuted(
    arguments: &[String],
    known: &str,
    long: &[(&str, char)],
) -> Result<(Vec<char>, Vec<String>), String> {
    let mut found = Vec::new();
    let mut operands = Vec::new();
    let mut rest = arguments;
    while let Some((argument, after)) = rest.split_first() {
        if argument == "--" {
            operands.extend_from_slice(after);
            break;
        }
        if argument.starts_with('-') && argument.len() > 1 {
            let (letters, _) = letters(std::slice::from_ref(argument), known, long)?;
            found.extend(letters);
        } else {
            operands.push(argument.clone());
        }
        rest = after;
    }
    Ok((found, operands))
}
