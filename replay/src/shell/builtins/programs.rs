//! Programs that run other commands: `bash`, `env`, `timeout`, …

use std::sync::Arc;

use aiopslab_problems::environment::Verdict;

use super::control::{long_option, option};
use crate::shell::interpreter::{Done, Halt, Shell, ended, unavailable, unknown_path};
use crate::shell::state::{State, Variable, is_name};
use crate::shell::waiting;

/// `bash` and `sh`: a script in a shell of its own, from `-c`, a file or the input.
pub(super) async fn bash(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let mut state = State::new();
    // What is not exported is not handed over.
    let _ = state.unset("HOME");
    let exported: Vec<(String, Variable)> = shell
        .state
        .variables
        .iter()
        .filter(|(_, variable)| variable.exported)
        .map(|(name, variable)| {
            let variable = Variable {
                value: variable.value.clone(),
                exported: true,
                ..Variable::default()
            };
            (name.clone(), variable)
        })
        .collect();
    Arc::make_mut(&mut state.variables).extend(exported);
    state.working_folder.clone_from(&shell.state.working_folder);
    let saved = shell.save();
    shell.state = state;
    let sourcing = std::mem::take(&mut shell.sourcing);
    let ignored = std::mem::take(&mut shell.errors_ignored);
    let entered = shell.enter();
    let done = match entered {
        Ok(()) => {
            let done = bash_inside(shell, arguments).await;
            shell.depth -= 1;
            done
        }
        Err(stop) => Err(stop.into()),
    };
    shell.sourcing = sourcing;
    shell.errors_ignored = ignored;
    shell.restore(saved);
    ended(done)
}

async fn bash_inside(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let mut rest = arguments;
    let mut from_argument = false;
    let mut from_input = false;
    while let Some((argument, after)) = rest.split_first() {
        let Some(letters) = argument.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            break;
        };
        rest = after;
        if letters == "-" {
            break;
        }
        if letters.starts_with('-') {
            return Err(unavailable(&format!("bash {argument}")).into());
        }
        for letter in letters.chars() {
            match letter {
                'c' => from_argument = true,
                's' => from_input = true,
                'l' | 'i' => {}
                'o' => {
                    let Some((name, after)) = rest.split_first() else {
                        return Err(unavailable("bash -o without a name").into());
                    };
                    rest = after;
                    long_option(shell, name, true)?;
                }
                letter => option(shell, letter, true)?,
            }
        }
    }
    shell.status = 0;
    if from_argument {
        let Some((script, rest)) = rest.split_first() else {
            return shell.misused(2, "-c: option requires an argument");
        };
        if let Some((name, rest)) = rest.split_first() {
            shell.state.name = name.as_str().into();
            shell.state.place = name.as_str().into();
            shell.state.positional = Arc::new(rest.to_vec());
        }
        let place = format!("{}: -c: ", shell.state.place);
        return shell.script(script, &place).await;
    }
    let script = match rest.split_first() {
        Some((path, rest)) if !from_input => {
            let Some(text) = shell.files.read(path).map(str::to_owned) else {
                if shell.files.is_known(path) {
                    shell.verdict = shell.verdict.max(Verdict::Empty);
                    return shell.fail(127, &format!("{path}: No such file or directory"));
                }
                return Err(unknown_path(path).into());
            };
            shell.state.name = path.as_str().into();
            shell.state.place = path.as_str().into();
            shell.state.positional = Arc::new(rest.to_vec());
            text
        }
        _ => {
            shell.state.positional = Arc::new(rest.to_vec());
            let text = shell.streams.unread(0).unwrap_or_default().to_owned();
            shell.streams.advance(0, text.len());
            text
        }
    };
    let place = format!("{}: ", shell.state.place);
    shell.script(&script, &place).await
}

/// `env`: prints what is exported, or runs a command with other variables.
pub(super) async fn env(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let mut rest = arguments;
    let saved = shell.state.variables.clone();
    while let Some((argument, after)) = rest.split_first() {
        match argument.as_str() {
            "-i" | "-" | "--ignore-environment" => {
                for variable in Arc::make_mut(&mut shell.state.variables).values_mut() {
                    variable.exported = false;
                }
            }
            "-u" => {
                let Some((name, after)) = after.split_first() else {
                    return shell.misused(125, "env: option requires an argument -- 'u'");
                };
                Arc::make_mut(&mut shell.state.variables).remove(name);
                rest = after;
                continue;
            }
            "--" => {}
            option if option.starts_with('-') => {
                shell.state.variables = saved;
                return Err(unavailable(&format!("env {option}")).into());
            }
            assignment => match assignment.split_once('=') {
                Some((name, value)) if is_name(name) => {
                    shell.assign_text(name, None, value, false)?;
                    let _ = shell.state.change(name, |variable| {
                        variable.exported = true;
                        Ok(())
                    });
                }
                _ => break,
            },
        }
        rest = after;
    }
    let done = match rest.split_first() {
        Some((name, arguments)) => program(shell, name, arguments).await,
        None => {
            shell.status = 0;
            let text = exported(shell);
            shell.print(1, &text)
        }
    };
    shell.state.variables = saved;
    done
}

fn exported(shell: &Shell<'_>) -> String {
    shell
        .state
        .variables
        .iter()
        .filter(|(_, variable)| variable.exported)
        .filter_map(|(name, _)| Some(format!("{name}={}\n", shell.state.text(name)?)))
        .collect()
}

/// Runs a command as a program does: functions are not seen.
pub(super) async fn program(shell: &mut Shell<'_>, name: &str, arguments: &[String]) -> Done {
    let done = shell.builtin_or_program(name, arguments, &[]).await;
    ended(done)
}

/// `printenv`
pub(super) fn printenv(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    if let Some(option) = arguments.iter().find(|argument| argument.starts_with('-')) {
        return Err(unavailable(&format!("printenv {option}")).into());
    }
    if arguments.is_empty() {
        shell.status = 0;
        let text = exported(shell);
        return shell.print(1, &text);
    }
    let mut text = String::new();
    let mut status = 0;
    for name in arguments {
        let is_exported = shell
            .state
            .variables
            .get(name)
            .is_some_and(|variable| variable.exported);
        match shell.state.text(name) {
            Some(value) if is_exported => text.push_str(&format!("{value}\n")),
            // The machine of the agent may have set it.
            _ => return Err(unavailable(&format!("${name}")).into()),
        }
        status = status.max(0);
    }
    shell.status = status;
    shell.print(1, &text)
}

/// `timeout`: where time passes, it ends what waits for too long.
pub(super) async fn timeout(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let mut rest = arguments;
    while let Some((argument, after)) = rest.split_first() {
        match argument.as_str() {
            "-s" | "-k" | "--signal" | "--kill-after" => {
                rest = after.get(1..).unwrap_or_default();
            }
            "--preserve-status" | "--foreground" | "-v" | "--verbose" => rest = after,
            "--" => {
                rest = after;
                break;
            }
            option if option.starts_with("--signal=") || option.starts_with("--kill-after=") => {
                rest = after;
            }
            option if option.starts_with('-') && option.len() > 1 => {
                return Err(unavailable(&format!("timeout {option}")).into());
            }
            _ => break,
        }
    }
    let Some((duration, command)) = rest.split_first() else {
        return missing_operand(shell, "timeout", 125);
    };
    let Some(limit) = waiting::duration(duration) else {
        shell.status = 125;
        shell.verdict = shell.verdict.max(Verdict::Invalid);
        let message = format!(
            "timeout: invalid time interval ‘{duration}’\n\
             Try 'timeout --help' for more information.\n"
        );
        return shell.print(2, &message);
    };
    match command.split_first() {
        Some((name, arguments)) => {
            let before = shell.limit(limit);
            let done = program(shell, name, arguments).await;
            shell.unlimit(before, done)
        }
        None => missing_operand(shell, "timeout", 125),
    }
}

/// `nohup`
pub(super) async fn nohup(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    match arguments.split_first() {
        Some((name, arguments)) if !name.starts_with('-') => program(shell, name, arguments).await,
        _ => missing_operand(shell, "nohup", 125),
    }
}

/// `sleep`: where time stands still, it only looks at its operands.
pub(super) fn sleep(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    if arguments.is_empty() {
        return missing_operand(shell, "sleep", 1);
    }
    shell.status = 0;
    let mut all = 0_i64;
    for duration in arguments {
        if let Some(duration) = waiting::duration(duration) {
            all = all.saturating_add(duration);
        } else {
            shell.status = 1;
            shell.verdict = shell.verdict.max(Verdict::Invalid);
            let message = format!("sleep: invalid time interval ‘{duration}’\n");
            shell.print(2, &message)?;
        }
    }
    if shell.status != 0 {
        return shell.print(2, "Try 'sleep --help' for more information.\n");
    }
    shell.sleep(all)
}

fn missing_operand(shell: &mut Shell<'_>, name: &str, status: i32) -> Done {
    shell.status = status;
    shell.verdict = shell.verdict.max(Verdict::Invalid);
    let message = format!("{name}: missing operand\nTry '{name} --help' for more information.\n");
    shell.print(2, &message)
}

/// What a program's command comes to, for programs that look at its status.
pub(super) async fn status_of(
    shell: &mut Shell<'_>,
    name: &str,
    arguments: &[String],
) -> Result<i32, Halt> {
    program(shell, name, arguments).await?;
    Ok(shell.status)
}
