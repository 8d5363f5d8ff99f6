//! `read` and `mapfile`: input into variables.

use crate::shell::interpreter::{Done, Halt, Shell, unavailable};
use crate::shell::limits;
use crate::shell::state::is_name;

/// What `read` was asked for.
struct Request {
    raw: bool,
    delimiter: char,
    /// Characters at most, with whether delimiters end it before.
    count: Option<(usize, bool)>,
    array: Option<String>,
    descriptor: u32,
    names: Vec<String>,
}

/// A character of the line, with whether a backslash was before it.
type Character = (char, bool);

/// `read`: a line into variables. The status is 1 at the end of the input.
pub(super) fn read(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let Some(request) = options(shell, arguments)? else {
        return Ok(());
    };
    for name in request.array.iter().chain(&request.names) {
        if !is_name(name) {
            let message = format!("read: `{name}': not a valid identifier");
            return shell.misused(1, &message);
        }
    }
    let unread = shell.streams.unread(request.descriptor);
    let (line, bytes, complete) = match unread {
        None if request.descriptor > 2 => {
            let message = format!(
                "read: {}: invalid file descriptor: Bad file descriptor",
                request.descriptor
            );
            return shell.misused(1, &message);
        }
        unread => take_line(unread.unwrap_or_default(), &request),
    };
    shell.streams.advance(request.descriptor, bytes);
    shell.budget.expanded(line.len())?;
    shell.status = 0;
    let separators = shell.state.text("IFS").unwrap_or(" \t\n").to_owned();
    let assigned = assign(shell, &request, &line, &separators);
    if !complete && shell.status == 0 {
        shell.status = 1;
    }
    assigned
}

fn assign(shell: &mut Shell<'_>, request: &Request, line: &[Character], separators: &str) -> Done {
    if let Some(array) = &request.array {
        let mut values = Vec::new();
        let mut rest = line;
        loop {
            rest = skip_blanks(rest, separators);
            if rest.is_empty() {
                break;
            }
            let field;
            (field, rest) = take_field(rest, separators);
            values.push((None, text(field)));
        }
        if values.len() > limits::ELEMENTS {
            return Err(limits::exceeded("arrays of this size").into());
        }
        shell.assign_array(array, values, false)?;
        return Ok(());
    }
    let Some((last, names)) = request.names.split_last() else {
        shell.assign_text("REPLY", None, &text(line), false)?;
        return Ok(());
    };
    let mut rest = skip_blanks(line, separators);
    for name in names {
        let field;
        (field, rest) = take_field(rest, separators);
        shell.assign_text(name, None, &text(field), false)?;
    }
    // One field with its separator is that field; otherwise the last name gets all that is left.
    let (field, after) = take_field(rest, separators);
    let value = if after.is_empty() {
        field
    } else {
        let mut end = rest.len();
        while let Some((character, false)) = end.checked_sub(1).and_then(|at| rest.get(at))
            && is_blank(*character, separators)
        {
            end -= 1;
        }
        rest.get(..end).unwrap_or_default()
    };
    shell.assign_text(last, None, &text(value), false)?;
    Ok(())
}

fn options(shell: &mut Shell<'_>, arguments: &[String]) -> Result<Option<Request>, Halt> {
    let mut request = Request {
        raw: false,
        delimiter: '\n',
        count: None,
        array: None,
        descriptor: 0,
        names: Vec::new(),
    };
    let mut rest = arguments.iter();
    while let Some(argument) = rest.next() {
        let Some(letters) = argument.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            request.names.push(argument.clone());
            request.names.extend(rest.cloned());
            break;
        };
        if letters == "-" {
            request.names.extend(rest.cloned());
            break;
        }
        let mut letters = letters.chars();
        while let Some(letter) = letters.next() {
            if matches!(letter, 'r' | 's' | 'e') {
                request.raw |= letter == 'r';
                continue;
            }
            if !"adnNpituN".contains(letter) {
                super::names::invalid_option(shell, "read", &format!("-{letter}"))?;
                return Ok(None);
            }
            let attached: String = letters.by_ref().collect();
            let value = if attached.is_empty() {
                match rest.next() {
                    Some(value) => value.clone(),
                    None => {
                        let message = format!("read: -{letter}: option requires an argument");
                        shell.misused(2, &message)?;
                        return Ok(None);
                    }
                }
            } else {
                attached
            };
            if !option(&mut request, letter, &value) {
                return Err(unavailable(&format!("read -{letter} {value}")).into());
            }
        }
    }
    Ok(Some(request))
}

/// Takes an option with its value; tells whether it is understood.
fn option(request: &mut Request, letter: char, value: &str) -> bool {
    match letter {
        'a' => request.array = Some(value.to_owned()),
        // An empty delimiter is the zero byte.
        'd' => request.delimiter = value.chars().next().unwrap_or('\0'),
        'n' | 'N' => match value.parse() {
            Ok(count) => request.count = Some((count, letter == 'n')),
            Err(_) => return false,
        },
        'u' => match value.parse() {
            Ok(descriptor) => request.descriptor = descriptor,
            Err(_) => return false,
        },
        // Prompts are shown on terminals only, and all input is there at once.
        'p' | 't' => {}
        _ => return false,
    }
    true
}

/// A line, the bytes of input that it takes, and whether it was ended by its delimiter.
fn take_line(input: &str, request: &Request) -> (Vec<Character>, usize, bool) {
    let mut line = Vec::new();
    let mut bytes = 0;
    let mut characters = input.chars();
    loop {
        if let Some((count, _)) = request.count
            && line.len() >= count
        {
            return (line, bytes, true);
        }
        let Some(character) = characters.next() else {
            return (line, bytes, false);
        };
        bytes += character.len_utf8();
        let ends = request.count.is_none_or(|(_, ends)| ends);
        if character == request.delimiter && ends {
            return (line, bytes, true);
        }
        if character == '\\' && !request.raw {
            match characters.next() {
                None => return (line, bytes, false),
                Some(next) => {
                    bytes += next.len_utf8();
                    if next != '\n' {
                        line.push((next, true));
                    }
                }
            }
        } else if character != '\0' {
            line.push((character, false));
        }
    }
}

fn is_blank(character: char, separators: &str) -> bool {
    separators.contains(character) && matches!(character, ' ' | '\t' | '\n')
}

fn skip_blanks<'c>(line: &'c [Character], separators: &str) -> &'c [Character] {
    let blanks = line
        .iter()
        .take_while(|(character, escaped)| !escaped && is_blank(*character, separators))
        .count();
    line.get(blanks..).unwrap_or_default()
}

/// A field, and what follows its separator.
fn take_field<'c>(line: &'c [Character], separators: &str) -> (&'c [Character], &'c [Character]) {
    let length = line
        .iter()
        .take_while(|(character, escaped)| *escaped || !separators.contains(*character))
        .count();
    let (field, rest) = line.split_at_checked(length).unwrap_or((line, &[]));
    let rest = skip_blanks(rest, separators);
    let rest = match rest.first() {
        Some((character, false))
            if separators.contains(*character) && !is_blank(*character, separators) =>
        {
            skip_blanks(rest.get(1..).unwrap_or_default(), separators)
        }
        _ => rest,
    };
    (field, rest)
}

fn text(characters: &[Character]) -> String {
    characters.iter().map(|(character, _)| *character).collect()
}

/// `mapfile`: the lines of the input into an array.
pub(super) fn mapfile(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let mut strip = false;
    let mut name = "MAPFILE";
    for argument in arguments {
        match argument.as_str() {
            "-t" => strip = true,
            option if option.starts_with('-') => {
                return Err(unavailable(&format!("mapfile {option}")).into());
            }
            other => name = other,
        }
    }
    if !is_name(name) {
        let message = format!("mapfile: `{name}': not a valid identifier");
        return shell.misused(1, &message);
    }
    let input = shell.streams.unread(0).unwrap_or_default().to_owned();
    shell.streams.advance(0, input.len());
    shell.budget.expanded(input.len())?;
    let lines = input.split_inclusive('\n').map(|line| {
        let line = if strip {
            line.strip_suffix('\n').unwrap_or(line)
        } else {
            line
        };
        (None, line.to_owned())
    });
    let lines: Vec<_> = lines.collect();
    if lines.len() > limits::ELEMENTS {
        return Err(limits::exceeded("arrays of this size").into());
    }
    shell.status = 0;
    shell.assign_array(name, lines, false)?;
    Ok(())
}
