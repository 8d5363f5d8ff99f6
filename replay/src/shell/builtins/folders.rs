//! The working folder, and programs that change the files of the episode.

use aiopslab_problems::environment::Verdict;

use super::names::invalid_option;
use super::permuted;
use crate::shell::interpreter::{Done, Halt, Shell, unavailable, unknown_path};
use crate::shell::limits;

/// `cd`
pub(super) fn cd(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let (_, operands) = match super::letters(arguments, "LP", &[]) {
        Ok(parsed) => parsed,
        Err(option) => return invalid_option(shell, "cd", &option),
    };
    if operands.len() > 1 {
        return shell.misused(1, "cd: too many arguments");
    }
    let (folder, shows) = match operands.first().map(String::as_str) {
        None => match shell.state.text("HOME") {
            Some(home) => (home.to_owned(), false),
            None => return shell.misused(1, "cd: HOME not set"),
        },
        Some("-") => match shell.state.text("OLDPWD") {
            Some(folder) => (folder.to_owned(), true),
            None => return shell.misused(1, "cd: OLDPWD not set"),
        },
        Some("") => (".".to_owned(), false),
        Some(folder) => (folder.to_owned(), false),
    };
    let absolute = shell.files.resolve(&folder);
    if shell.files.read(&folder).is_some() {
        return shell.fail(1, &format!("cd: {folder}: Not a directory"));
    }
    if !shell.files.is_folder(&folder) {
        if shell.files.is_known(&folder) {
            shell.verdict = shell.verdict.max(Verdict::Empty);
            return shell.fail(1, &format!("cd: {folder}: No such file or directory"));
        }
        return Err(unknown_path(&folder).into());
    }
    let old = shell.state.working_folder.clone();
    shell.files.set_working_folder(&absolute);
    shell.state.working_folder.clone_from(&absolute);
    shell.status = 0;
    let old_is_set = shell.assign_text("OLDPWD", None, &old, false)?;
    if !shell.assign_text("PWD", None, &absolute, false)? || !old_is_set {
        shell.status = 1;
    }
    if shows {
        shell.print(1, &format!("{absolute}\n"))?;
    }
    Ok(())
}

/// `pwd`
pub(super) fn pwd(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    if let Err(option) = super::letters(arguments, "LP", &[]) {
        return invalid_option(shell, "pwd", &option);
    }
    shell.status = 0;
    let line = format!("{}\n", shell.state.working_folder);
    shell.print(1, &line)
}

/// Letters of options, and operands.
type Parsed = (Vec<char>, Vec<String>);

/// The options and operands of a program; none after a mistake, which is printed. What a real
/// program might know is not here.
fn parsed(
    shell: &mut Shell<'_>,
    name: &str,
    arguments: &[String],
    known: &str,
    long: &[(&str, char)],
) -> Result<Option<Parsed>, Halt> {
    let (options, operands) = permuted(arguments, known, long)
        .map_err(|option| unavailable(&format!("{name} {option}")))?;
    if operands.is_empty() && !options.contains(&'f') {
        shell.status = 1;
        shell.verdict = shell.verdict.max(Verdict::Invalid);
        let what = if matches!(name, "cp" | "mv" | "touch") {
            "file operand"
        } else {
            "operand"
        };
        let message =
            format!("{name}: missing {what}\nTry '{name} --help' for more information.\n");
        shell.print(2, &message)?;
        return Ok(None);
    }
    shell.status = 0;
    Ok(Some((options, operands)))
}

/// A program failed on one of its operands.
fn failed(shell: &mut Shell<'_>, message: &str) -> Done {
    shell.status = 1;
    shell.print(2, &format!("{message}\n"))
}

/// Whether something is at a path; what can't be known ends the action.
fn exists(shell: &Shell<'_>, path: &str) -> Result<bool, Halt> {
    if shell.files.read(path).is_some() || shell.files.is_folder(path) {
        return Ok(true);
    }
    if path.is_empty() || shell.files.is_known(path) {
        return Ok(false);
    }
    Err(unknown_path(path).into())
}

/// `mkdir`
pub(super) fn mkdir(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let long = [("parents", 'p'), ("verbose", 'v')];
    let Some((options, operands)) = parsed(shell, "mkdir", arguments, "p", &long)? else {
        return Ok(());
    };
    let parents = options.contains(&'p');
    for path in &operands {
        let absolute = shell.files.resolve(path);
        let is_folder = shell.files.is_folder(path);
        if parents && is_folder {
            continue;
        }
        if is_folder || shell.files.read(path).is_some() {
            let message = format!("mkdir: cannot create directory ‘{path}’: File exists");
            failed(shell, &message)?;
            continue;
        }
        if !parents && let Some(reason) = shell.can_write(&absolute)? {
            let message = format!("mkdir: cannot create directory ‘{path}’: {reason}");
            failed(shell, &message)?;
            continue;
        }
        if parents {
            // What is around the first folder that is new.
            let around = ancestors(&absolute).find(|folder| shell.files.is_folder(folder));
            if !around.is_some_and(|folder| shell.files.is_writable(folder)) {
                return Err(unknown_path(path).into());
            }
            if ancestors(&absolute).any(|folder| shell.files.read(folder).is_some()) {
                return Err(unavailable(&format!("mkdir -p {path}")).into());
            }
        }
        shell.files.make_folder(&absolute);
    }
    Ok(())
}

/// The folders around an absolute path, the nearest first and the root last.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| {
        let (folder, _) = path.rsplit_once('/')?;
        match (folder, *path) {
            ("", "/") => None,
            ("", _) => Some("/"),
            (folder, _) => Some(folder),
        }
    })
    .skip(1)
}

/// `rmdir`
pub(super) fn rmdir(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let Some((_, operands)) = parsed(shell, "rmdir", arguments, "", &[])? else {
        return Ok(());
    };
    for path in &operands {
        let reason = if shell.files.read(path).is_some() {
            Some("Not a directory")
        } else if !exists(shell, path)? {
            Some("No such file or directory")
        } else if !shell.files.is_complete(path) {
            return Err(unknown_path(path).into());
        } else if shell.files.names_in(path).is_empty() {
            shell.files.remove_folder(path);
            None
        } else {
            Some("Directory not empty")
        };
        if let Some(reason) = reason {
            failed(
                shell,
                &format!("rmdir: failed to remove '{path}': {reason}"),
            )?;
        }
    }
    Ok(())
}

/// `rm`
pub(super) fn rm(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let long = [("recursive", 'r'), ("force", 'f')];
    let Some((options, operands)) = parsed(shell, "rm", arguments, "rRf", &long)? else {
        return Ok(());
    };
    let recursive = options.contains(&'r') || options.contains(&'R');
    let force = options.contains(&'f');
    for path in &operands {
        if shell.files.remove(path) {
            continue;
        }
        if !exists(shell, path)? {
            if !force {
                let message = format!("rm: cannot remove '{path}': No such file or directory");
                failed(shell, &message)?;
            }
        } else if !recursive {
            failed(
                shell,
                &format!("rm: cannot remove '{path}': Is a directory"),
            )?;
        } else if shell.files.is_complete(path) {
            shell.files.remove_folder(path);
        } else {
            return Err(unknown_path(path).into());
        }
    }
    Ok(())
}

/// `touch`
pub(super) fn touch(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let Some((_, operands)) = parsed(shell, "touch", arguments, "c", &[])? else {
        return Ok(());
    };
    for path in &operands {
        if shell.files.read(path).is_some() || shell.files.is_folder(path) {
            continue;
        }
        match shell.can_write(path)? {
            None => shell.files.append(path, ""),
            Some(reason) => {
                failed(shell, &format!("touch: cannot touch '{path}': {reason}"))?;
            }
        }
    }
    Ok(())
}

/// `chmod`: files of the episode have no modes, so it only looks whether they are there.
pub(super) fn chmod(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let [mode, paths @ ..] = arguments else {
        return Err(unavailable("chmod without a mode").into());
    };
    if mode.starts_with("--") || paths.is_empty() {
        return Err(unavailable(&format!("chmod {mode}")).into());
    }
    shell.status = 0;
    for path in paths {
        if !exists(shell, path)? {
            let message = format!("chmod: cannot access '{path}': No such file or directory");
            failed(shell, &message)?;
        }
    }
    Ok(())
}

/// `mktemp`: a new file or folder; its name is the same in every run.
pub(super) fn mktemp(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let folder = match arguments {
        [] => false,
        [option] if option == "-d" => true,
        [option, ..] => return Err(unavailable(&format!("mktemp {option}")).into()),
    };
    let taken = |number: &u32| {
        let path = format!("/tmp/tmp.{number:010}");
        shell.files.read(&path).is_some() || shell.files.is_folder(&path)
    };
    let Some(number) = (1..1_000_000).find(|number| !taken(number)) else {
        return Err(limits::exceeded("more than 1000000 temporary files").into());
    };
    let path = format!("/tmp/tmp.{number:010}");
    if folder {
        shell.files.make_folder(&path);
    } else {
        shell.files.write(&path, "");
    }
    shell.status = 0;
    shell.print(1, &format!("{path}\n"))
}

/// `cp` and `mv` of files; `mv` takes folders, too.
pub(super) fn copy_or_move(shell: &mut Shell<'_>, name: &str, arguments: &[String]) -> Done {
    let long = [("force", 'f'), ("recursive", 'r')];
    let known = if name == "cp" { "frRap" } else { "f" };
    let Some((options, mut operands)) = parsed(shell, name, arguments, known, &long)? else {
        return Ok(());
    };
    let last = operands.pop().unwrap_or_default();
    if operands.is_empty() {
        shell.verdict = shell.verdict.max(Verdict::Invalid);
        let message = format!(
            "{name}: missing destination file operand after '{last}'\n\
             Try '{name} --help' for more information."
        );
        return failed(shell, &message);
    }
    let into_folder = shell.files.is_folder(&last);
    if operands.len() > 1 && !into_folder {
        if !exists(shell, &last)? || shell.files.read(&last).is_some() {
            return failed(
                shell,
                &format!("{name}: target '{last}' is not a directory"),
            );
        }
        return Err(unknown_path(&last).into());
    }
    let recursive = name == "mv" || options.iter().any(|option| "rRa".contains(*option));
    for source in &operands {
        let target = if into_folder {
            let base = source.trim_end_matches('/').rsplit('/').next();
            format!("{}/{}", last.trim_end_matches('/'), base.unwrap_or(source))
        } else {
            last.clone()
        };
        transfer(shell, name, source, &target, recursive)?;
    }
    Ok(())
}

fn transfer(
    shell: &mut Shell<'_>,
    name: &str,
    source: &str,
    target: &str,
    recursive: bool,
) -> Done {
    if !exists(shell, source)? {
        let message = format!("{name}: cannot stat '{source}': No such file or directory");
        return failed(shell, &message);
    }
    let (from, to) = (shell.files.resolve(source), shell.files.resolve(target));
    if from == to {
        return failed(
            shell,
            &format!("{name}: '{source}' and '{target}' are the same file"),
        );
    }
    if let Some(text) = shell.files.read(source).map(str::to_owned) {
        if let Some(reason) = shell.can_write(&to)? {
            let message = format!("{name}: cannot create regular file '{target}': {reason}");
            return failed(shell, &message);
        }
        shell.store(&to, text)?;
        if name == "mv" {
            shell.files.remove(&from);
        }
        return Ok(());
    }
    if !recursive {
        return failed(
            shell,
            &format!("cp: -r not specified; omitting directory '{source}'"),
        );
    }
    if !shell.files.is_complete(&from) || to.starts_with(&format!("{from}/")) {
        return Err(unavailable(&format!("{name} {source} {target}")).into());
    }
    if shell.can_write(&to)?.is_some() {
        return Err(unavailable(&format!("{name} {source} {target}")).into());
    }
    shell.files.make_folder(&to);
    let below = format!("{from}/");
    let inside: Vec<(String, String)> = shell
        .files
        .iter()
        .filter_map(|(path, text)| Some((path.strip_prefix(&below)?.to_owned(), text.to_owned())))
        .collect();
    for (path, text) in inside {
        shell.store(&format!("{to}/{path}"), text)?;
    }
    if name == "mv" {
        shell.files.remove_folder(&from);
    }
    Ok(())
}
