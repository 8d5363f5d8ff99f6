//! What changes the course of a script: `exit`, `return`, `break`, `set`, `eval`, …

use std::sync::Arc;

use crate::shell::interpreter::{Done, Halt, Shell, unavailable, unknown_path};

/// `exit`, `return`, `break` and `continue`.
pub(super) fn leave(shell: &mut Shell<'_>, name: &str, arguments: &[String]) -> Done {
    let is_loop = matches!(name, "break" | "continue");
    if is_loop && shell.loops == 0 {
        shell.status = 0;
        let message = format!("{name}: only meaningful in a `for', `while', or `until' loop");
        return shell.complain(&message);
    }
    if name == "return" && shell.state.locals.is_empty() && shell.sourcing == 0 {
        let message = "return: can only `return' from a function or sourced script";
        return shell.misused(2, message);
    }
    let number = match arguments.first() {
        None => None,
        Some(text) => match text.trim().parse::<i64>() {
            Ok(number) => Some(number),
            Err(_) => {
                let message = format!("{name}: {text}: numeric argument required");
                shell.misused(2, &message)?;
                return Err(Halt::Exit);
            }
        },
    };
    if arguments.len() > 1 {
        let message = format!("{name}: too many arguments");
        shell.misused(1, &message)?;
        return if is_loop {
            Err(Halt::Break(usize::MAX))
        } else {
            Ok(())
        };
    }
    if !is_loop {
        if let Some(number) = number {
            shell.status = i32::try_from(number & 0xff).unwrap_or(0);
        }
        return Err(if name == "exit" {
            Halt::Exit
        } else {
            Halt::Return
        });
    }
    let levels = number.unwrap_or(1);
    if levels < 1 {
        let message = format!("{name}: {levels}: loop count out of range");
        shell.misused(1, &message)?;
        return Err(Halt::Break(usize::MAX));
    }
    shell.status = 0;
    // More levels than there are loops mean all of them.
    let levels = usize::try_from(levels)
        .unwrap_or(usize::MAX)
        .min(shell.loops);
    Err(if name == "break" {
        Halt::Break(levels)
    } else {
        Halt::Continue(levels)
    })
}

/// `shift`
pub(super) fn shift(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let count = match arguments.first() {
        None => 1,
        Some(text) => match text.parse::<i64>() {
            Ok(count) => match usize::try_from(count) {
                Ok(count) => count,
                Err(_) => {
                    let message = format!("shift: {count}: shift count out of range");
                    return shell.misused(1, &message);
                }
            },
            Err(_) => {
                let message = format!("shift: {text}: numeric argument required");
                return shell.misused(1, &message);
            }
        },
    };
    let parameters = shell.state.positional.len();
    if count > parameters {
        shell.status = 1;
        return Ok(());
    }
    shell.budget.expanded(parameters)?;
    Arc::make_mut(&mut shell.state.positional).drain(..count);
    shell.status = 0;
    Ok(())
}

/// `set`: options and positional parameters.
pub(super) fn set(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    if arguments.is_empty() {
        return Err(unavailable("set without arguments").into());
    }
    let mut rest = arguments;
    while let Some((argument, after)) = rest.split_first() {
        let (on, letters) = match (argument.strip_prefix('-'), argument.strip_prefix('+')) {
            (Some("-"), _) => {
                shell.state.positional = Arc::new(after.to_vec());
                break;
            }
            (Some(letters), _) if !letters.is_empty() => (true, letters),
            (_, Some(letters)) if !letters.is_empty() => (false, letters),
            _ => {
                shell.state.positional = Arc::new(rest.to_vec());
                break;
            }
        };
        rest = after;
        for letter in letters.chars() {
            if letter != 'o' {
                option(shell, letter, on)?;
                continue;
            }
            let Some((name, after)) = rest.split_first() else {
                return Err(unavailable("set -o without a name").into());
            };
            rest = after;
            long_option(shell, name, on)?;
        }
    }
    shell.status = 0;
    Ok(())
}

/// Sets an option by its letter.
pub(super) fn option(shell: &mut Shell<'_>, letter: char, on: bool) -> Done {
    let options = &mut shell.state.options;
    match letter {
        'e' => options.exit_on_error = on,
        'u' => options.unset_is_error = on,
        'f' => options.no_file_names = on,
        'a' => options.export_all = on,
        'h' | 'B' => {}
        'x' | 'v' if !on => {}
        other => return Err(unavailable(&format!("set -{other}")).into()),
    }
    Ok(())
}

/// Sets an option by its name.
pub(super) fn long_option(shell: &mut Shell<'_>, name: &str, on: bool) -> Done {
    match name {
        "errexit" => option(shell, 'e', on),
        "nounset" => option(shell, 'u', on),
        "noglob" => option(shell, 'f', on),
        "allexport" => option(shell, 'a', on),
        "xtrace" => option(shell, 'x', on),
        "pipefail" => {
            shell.state.options.pipe_fails = on;
            Ok(())
        }
        other => Err(unavailable(&format!("set -o {other}")).into()),
    }
}

/// `eval`
pub(super) async fn eval(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let text = arguments.join(" ");
    shell.status = 0;
    shell.enter()?;
    let place = format!("{}: eval: ", shell.state.place);
    let line = shell.line;
    let done = shell.script(&text, &place).await;
    shell.line = line;
    shell.depth -= 1;
    done
}

/// `.` and `source`: runs a file of the episode here.
pub(super) async fn source(shell: &mut Shell<'_>, name: &str, arguments: &[String]) -> Done {
    let Some((path, arguments)) = arguments.split_first() else {
        let message = format!("{name}: filename argument required");
        return shell.misused(2, &message);
    };
    let Some(text) = shell.files.read(path).map(str::to_owned) else {
        if shell.files.is_known(path) {
            return shell.fail(1, &format!("{path}: No such file or directory"));
        }
        return Err(unknown_path(path).into());
    };
    shell.status = 0;
    shell.enter()?;
    let positional = (!arguments.is_empty())
        .then(|| std::mem::replace(&mut shell.state.positional, Arc::new(arguments.to_vec())));
    shell.sourcing += 1;
    let line = shell.line;
    let place = std::mem::replace(&mut shell.state.place, path.as_str().into());
    let done = shell.script(&text, &format!("{path}: ")).await;
    shell.state.place = place;
    shell.line = line;
    shell.sourcing -= 1;
    if let Some(positional) = positional {
        shell.state.positional = positional;
    }
    shell.depth -= 1;
    match done {
        Err(Halt::Return) => Ok(()),
        other => other,
    }
}

/// `exec`: the command instead of the shell. Redirections without one are kept by the caller.
pub(super) async fn exec(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    if arguments.is_empty() {
        shell.status = 0;
        return Ok(());
    }
    if arguments.first().is_some_and(|name| name.starts_with('-')) {
        return Err(unavailable("exec with options").into());
    }
    let (name, arguments) = match arguments.split_first() {
        Some((name, arguments)) => (name, arguments),
        None => return Ok(()),
    };
    shell.builtin_or_program(name, arguments, &[]).await?;
    Err(Halt::Exit)
}
