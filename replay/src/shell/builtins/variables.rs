//! `export`, `local`, `declare`, `readonly`, `unset` and `let`.

use std::sync::Arc;

use super::names::invalid_option;
use crate::shell::ast::Assignment;
use crate::shell::interpreter::{Done, Shell, unavailable};
use crate::shell::quote;
use crate::shell::state::{AssignError, Index, Value, Variable, is_name};

/// What a declaration changes.
#[derive(Debug, Default, Clone, Copy)]
struct Attributes {
    export: Option<bool>,
    readonly: bool,
    integer: Option<bool>,
    array: bool,
    map: bool,
    local: bool,
    global: bool,
    print: bool,
    functions: bool,
}

/// `export`, `readonly`, `local`, `declare` and `typeset`.
pub(super) async fn declare(
    shell: &mut Shell<'_>,
    name: &str,
    arguments: &[String],
    declarations: &[Assignment],
) -> Done {
    if name == "local" && shell.state.locals.is_empty() {
        return shell.misused(1, "local: can only be used in a function");
    }
    let mut attributes = Attributes {
        export: (name == "export").then_some(true),
        readonly: name == "readonly",
        local: !matches!(name, "export" | "readonly") && !shell.state.locals.is_empty(),
        ..Attributes::default()
    };
    let mut names = arguments;
    while let Some((argument, rest)) = names.split_first() {
        let (on, letters) = match (argument.strip_prefix('-'), argument.strip_prefix('+')) {
            (Some("-"), _) => {
                names = rest;
                break;
            }
            (Some(letters), _) if !letters.is_empty() => (true, letters),
            (_, Some(letters)) if !letters.is_empty() => (false, letters),
            _ => break,
        };
        for letter in letters.chars() {
            match (letter, on) {
                ('x', on) => attributes.export = Some(on),
                ('n', true) if name == "export" => attributes.export = Some(false),
                ('r', true) => attributes.readonly = true,
                ('i', on) => attributes.integer = Some(on),
                ('a', true) => attributes.array = true,
                ('A', true) => attributes.map = true,
                ('g', true) => attributes.global = true,
                ('p', true) => attributes.print = true,
                ('f' | 'F', true) => attributes.functions = true,
                ('l' | 'u' | 'n' | 't', _) => {
                    return Err(unavailable(&format!("{name} {argument}")).into());
                }
                (letter, _) => return invalid_option(shell, name, &format!("-{letter}")),
            }
        }
        names = rest;
    }
    attributes.local &= !attributes.global;
    if attributes.functions {
        let known = names
            .iter()
            .any(|name| shell.state.functions.contains_key(name));
        if !names.is_empty() && !known {
            shell.status = 1;
            return Ok(());
        }
        return Err(unavailable(&format!("{name} -f")).into());
    }
    shell.status = 0;
    if attributes.print || (names.is_empty() && declarations.is_empty()) {
        return print(shell, name, names, attributes);
    }
    declare_all(shell, name, names, declarations, attributes).await
}

async fn declare_all(
    shell: &mut Shell<'_>,
    command: &str,
    names: &[String],
    declarations: &[Assignment],
    attributes: Attributes,
) -> Done {
    let mut status = 0;
    for word in names {
        // A word that became an assignment by expansion is one, too.
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (word.as_str(), None),
        };
        if !is_name(name) {
            let message = format!("{command}: `{word}': not a valid identifier");
            shell.misused(1, &message)?;
            status = 1;
            continue;
        }
        apply(shell, name, attributes)?;
        if let Some(value) = value {
            let assigned = shell.assign_text(name, None, value, false)?;
            status = status.max(i32::from(!assigned));
        }
        finish(shell, name, attributes)?;
    }
    for assignment in declarations {
        apply(shell, &assignment.name, attributes)?;
        let assigned = shell.assign(assignment).await?;
        status = status.max(i32::from(!assigned));
        finish(shell, &assignment.name, attributes)?;
    }
    shell.status = status;
    Ok(())
}

/// What a declaration changes before the value is assigned.
fn apply(shell: &mut Shell<'_>, name: &str, attributes: Attributes) -> Done {
    if attributes.local {
        shell.state.make_local(name);
    }
    let needs_change = attributes.export.is_some()
        || attributes.integer.is_some()
        || attributes.array
        || attributes.map;
    if !needs_change {
        return Ok(());
    }
    let changed = shell.state.change(name, |variable| {
        if let Some(export) = attributes.export {
            variable.exported = export;
        }
        if let Some(integer) = attributes.integer {
            variable.integer = integer;
        }
        if attributes.array && matches!(variable.value, Value::Unset) {
            variable.value = Value::Array(Arc::default());
        }
        if attributes.map && !matches!(variable.value, Value::Map(_)) {
            variable.value = Value::Map(Arc::default());
        }
        Ok(())
    });
    match changed {
        // What is read-only can still be exported.
        Err(AssignError::ReadOnly(_)) | Ok(()) => Ok(()),
        Err(error) => shell.not_assigned(&error),
    }
}

fn finish(shell: &mut Shell<'_>, name: &str, attributes: Attributes) -> Done {
    if !attributes.readonly {
        return Ok(());
    }
    let changed = shell.state.change(name, |variable| {
        variable.readonly = true;
        Ok(())
    });
    match changed {
        Err(AssignError::ReadOnly(_)) | Ok(()) => Ok(()),
        Err(error) => shell.not_assigned(&error),
    }
}

/// `declare -p`, `export -p`.
fn print(shell: &mut Shell<'_>, command: &str, names: &[String], attributes: Attributes) -> Done {
    if names.is_empty() && !matches!(command, "export" | "readonly") {
        return Err(unavailable(&format!("{command} without names")).into());
    }
    let mut text = String::new();
    if names.is_empty() {
        for (name, variable) in shell.state.variables.iter() {
            let shown = if attributes.readonly {
                variable.readonly
            } else {
                variable.exported
            };
            if shown {
                text.push_str(&declaration(name, variable));
            }
        }
    }
    let mut missing = Vec::new();
    for name in names {
        match shell.state.variables.get(name) {
            Some(variable) => {
                if let Value::Map(elements) = &variable.value
                    && elements.len() > 1
                {
                    return Err(unavailable("the order of an associative array").into());
                }
                text.push_str(&declaration(name, variable));
            }
            None => missing.push(format!("{command}: {name}: not found")),
        }
    }
    shell.print(1, &text)?;
    for message in missing {
        shell.misused(1, &message)?;
    }
    Ok(())
}

fn declaration(name: &str, variable: &Variable) -> String {
    let mut letters = String::new();
    let (kind, value) = match &variable.value {
        Value::Unset => ("", String::new()),
        Value::Text(text) => ("", format!("={}", quote::double(text))),
        Value::Array(elements) => {
            let elements: Vec<String> = elements
                .iter()
                .map(|(index, text)| format!("[{index}]={}", quote::double(text)))
                .collect();
            ("a", format!("=({})", elements.join(" ")))
        }
        Value::Map(elements) => {
            let elements: Vec<String> = elements
                .iter()
                .map(|(key, text)| format!("[{key}]={} ", quote::double(text)))
                .collect();
            ("A", format!("=({})", elements.concat()))
        }
    };
    letters.push_str(kind);
    for (is_set, letter) in [
        (variable.integer, 'i'),
        (variable.readonly, 'r'),
        (variable.exported, 'x'),
    ] {
        if is_set {
            letters.push(letter);
        }
    }
    if letters.is_empty() {
        letters.push('-');
    }
    format!("declare -{letters} {name}{value}\n")
}

/// `unset`
pub(super) fn unset(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let (options, names) = match super::letters(arguments, "fvn", &[]) {
        Ok(parsed) => parsed,
        Err(option) => return invalid_option(shell, "unset", &option),
    };
    let mut status = 0;
    for name in names {
        if options.contains(&'f') {
            Arc::make_mut(&mut shell.state.functions).remove(name);
            continue;
        }
        let base = name.split('[').next().unwrap_or(name);
        if !is_name(base) {
            // The name of a function, perhaps.
            Arc::make_mut(&mut shell.state.functions).remove(name);
            continue;
        }
        if let Some(index) = name
            .strip_prefix(base)
            .and_then(|rest| rest.strip_prefix('['))
        {
            let index = index.trim_end_matches(']').to_owned();
            unset_element(shell, base, &index)?;
            continue;
        }
        let is_function = shell.state.functions.contains_key(name);
        if is_function && options.is_empty() && !shell.state.variables.contains_key(name) {
            Arc::make_mut(&mut shell.state.functions).remove(name);
        } else if let Err(AssignError::ReadOnly(name)) = shell.state.unset(name) {
            let message = format!("unset: {name}: cannot unset: readonly variable");
            shell.misused(1, &message)?;
            status = 1;
        }
    }
    shell.status = status;
    Ok(())
}

fn unset_element(shell: &mut Shell<'_>, name: &str, index: &str) -> Done {
    let index = if shell.state.is_map(name) {
        Index::Key(index.to_owned())
    } else {
        Index::Number(shell.evaluate(index, "")?)
    };
    if !shell.state.variables.contains_key(name) {
        return Ok(());
    }
    let removed = shell.state.change(name, |variable| {
        match (&mut variable.value, &index) {
            (Value::Array(elements), Index::Number(index)) => {
                let end = elements.last_key_value().map_or(0, |(last, _)| last + 1);
                let index = match u64::try_from(*index) {
                    Ok(index) => Some(index),
                    Err(_) => end.checked_sub(index.unsigned_abs()),
                };
                if let Some(index) = index {
                    Arc::make_mut(elements).remove(&index);
                }
            }
            (Value::Map(elements), Index::Key(key)) => {
                Arc::make_mut(elements).remove(key);
            }
            _ => {}
        }
        Ok(())
    });
    match removed {
        Ok(()) => Ok(()),
        Err(error) => shell.not_assigned(&error),
    }
}

/// `let`
pub(super) fn let_all(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let mut value = 0;
    for expression in arguments {
        value = match shell.evaluate(expression, "let: ") {
            Ok(value) => value,
            Err(crate::shell::interpreter::Halt::Line) => return Ok(()),
            Err(halt) => return Err(halt),
        };
    }
    shell.status = i32::from(value == 0);
    Ok(())
}

/// `printf -v`: prints into a variable.
pub(super) fn printf(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let [_, name, words @ ..] = arguments else {
        return shell.misused(2, "printf: -v: option requires an argument");
    };
    if !is_name(name) {
        let message = format!("printf: `{name}': not a valid identifier");
        return shell.misused(2, &message);
    }
    let (output, _) = shell.tool_output("printf", words)?;
    let assigned = shell.assign_text(name, None, &output.stdout, false)?;
    shell.verdict = shell.verdict.max(output.verdict);
    shell.status = if assigned { output.exit_code } else { 1 };
    shell.print(2, &output.stderr)
}
