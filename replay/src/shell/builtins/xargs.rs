//! `xargs`: commands made of what is read.

use aiopslab_problems::environment::Verdict;

use super::programs;
use crate::shell::interpreter::{Done, Halt, Shell, unavailable};
use crate::shell::limits;

/// How commands are made.
#[derive(Debug, Default)]
struct Request {
    /// `-d`, or the zero byte of `-0`.
    delimiter: Option<char>,
    /// `-n`
    words: Option<usize>,
    /// `-L`
    lines: Option<usize>,
    /// `-I`
    replace: Option<String>,
    /// `-r`
    skip_empty: bool,
    /// `-t`
    trace: bool,
    /// `-a`
    file: Option<String>,
    command: Vec<String>,
}

/// `xargs`
pub(super) async fn run(shell: &mut Shell<'_>, arguments: &[String]) -> Done {
    let request = options(arguments)?;
    let text = match &request.file {
        Some(path) => match shell.files.read(path) {
            Some(text) => text.to_owned(),
            None => return Err(crate::shell::interpreter::unknown_path(path).into()),
        },
        None => {
            let text = shell.streams.unread(0).unwrap_or_default().to_owned();
            shell.streams.advance(0, text.len());
            text
        }
    };
    let items = match items(&text, &request) {
        Ok(items) => items,
        Err(message) => {
            shell.status = 1;
            shell.verdict = shell.verdict.max(Verdict::Invalid);
            return shell.print(2, &format!("xargs: {message}\n"));
        }
    };
    if items.len() > limits::WORDS {
        return Err(limits::exceeded("too many words").into());
    }
    // The commands read nothing.
    let input = shell
        .streams
        .targets
        .insert(0, crate::shell::streams::Target::Null);
    let done = run_commands(shell, &request, &items).await;
    match input {
        Some(target) => shell.streams.targets.insert(0, target),
        None => shell.streams.targets.remove(&0),
    };
    done
}

async fn run_commands(shell: &mut Shell<'_>, request: &Request, items: &[Vec<String>]) -> Done {
    let mut commands: Vec<Vec<String>> = Vec::new();
    if let Some(mark) = &request.replace {
        for line in items {
            let line = line.concat();
            shell.budget.step()?;
            let mut command = Vec::new();
            for word in &request.command {
                let replaced = word.replace(mark.as_str(), &line);
                shell.budget.expanded(replaced.len())?;
                command.push(replaced);
            }
            commands.push(command);
        }
    } else {
        let groups: Vec<Vec<String>> = match (request.lines, request.words) {
            (Some(lines), _) => items.chunks(lines.max(1)).map(<[_]>::concat).collect(),
            (None, words) => {
                let words_read: Vec<String> = items.concat();
                let count = words.unwrap_or(usize::MAX).max(1);
                words_read.chunks(count).map(<[_]>::to_vec).collect()
            }
        };
        for group in groups {
            let mut command = request.command.clone();
            command.extend(group);
            commands.push(command);
        }
        // Without input the command still runs once.
        if commands.is_empty() && !request.skip_empty {
            commands.push(request.command.clone());
        }
    }
    let mut status = 0;
    for command in commands {
        let Some((name, arguments)) = command.split_first() else {
            continue;
        };
        shell.budget.step()?;
        if request.trace {
            shell.print(2, &format!("{}\n", command.join(" ")))?;
        }
        match programs::status_of(shell, name, arguments).await? {
            0 => {}
            255 => {
                let message = format!("xargs: {name}: exited with status 255; aborting\n");
                shell.print(2, &message)?;
                status = 124;
                break;
            }
            _ => status = 123,
        }
    }
    shell.status = status;
    Ok(())
}

fn options(arguments: &[String]) -> Result<Request, Halt> {
    let mut request = Request::default();
    let mut rest = arguments;
    while let Some((argument, after)) = rest.split_first() {
        let Some(option) = argument.strip_prefix('-').filter(|rest| !rest.is_empty()) else {
            break;
        };
        rest = after;
        if option == "-" {
            break;
        }
        let (letter, attached) = match long(option) {
            Some((letter, value)) => (letter, value),
            None => {
                let letter = option.chars().next().unwrap_or('-');
                let attached = option.get(letter.len_utf8()..).unwrap_or_default();
                (letter, (!attached.is_empty()).then_some(attached))
            }
        };
        if matches!(letter, '0' | 'r' | 't' | 'x') {
            match letter {
                '0' => request.delimiter = Some('\0'),
                'r' => request.skip_empty = true,
                't' => request.trace = true,
                _ => {}
            }
            // `-0r` is `-0 -r`.
            if let Some(more) = attached {
                let Request { command, .. } = &request;
                debug_assert!(command.is_empty());
                let inner = options(&[format!("-{more}")])?;
                request.skip_empty |= inner.skip_empty;
                request.trace |= inner.trace;
                request.delimiter = request.delimiter.or(inner.delimiter);
                if inner.words.is_some() || inner.replace.is_some() || inner.lines.is_some() {
                    return Err(unavailable(&format!("xargs {argument}")).into());
                }
            }
            continue;
        }
        let value = match attached {
            Some(value) => value.to_owned(),
            None if letter == 'i' => "{}".to_owned(),
            None => match rest.split_first() {
                Some((value, after)) => {
                    rest = after;
                    value.clone()
                }
                None => return Err(unavailable(&format!("xargs {argument}")).into()),
            },
        };
        if !request.take(letter, value) {
            return Err(unavailable(&format!("xargs {argument}")).into());
        }
    }
    request.command = rest.to_vec();
    if request.command.is_empty() {
        request.command.push("echo".to_owned());
    }
    Ok(request)
}

/// The letter of a long option, with its value.
fn long(option: &str) -> Option<(char, Option<&str>)> {
    let name = option.strip_prefix('-')?;
    let (name, value) = match name.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (name, None),
    };
    let letter = match name {
        "null" => '0',
        "no-run-if-empty" => 'r',
        "verbose" => 't',
        "max-args" => 'n',
        "max-lines" => 'L',
        "max-procs" => 'P',
        "replace" => 'i',
        "delimiter" => 'd',
        "arg-file" => 'a',
        _ => return Some(('?', value)),
    };
    Some((letter, value))
}

impl Request {
    /// Takes an option with its value; tells whether it is understood.
    fn take(&mut self, letter: char, value: String) -> bool {
        let count = value.parse::<usize>().ok().filter(|count| *count > 0);
        match letter {
            'n' => {
                self.words = count;
                count.is_some()
            }
            'L' => {
                self.lines = count;
                count.is_some()
            }
            // One command after the other, in the order of the input.
            'P' => value.parse::<usize>().is_ok(),
            's' => count.is_some_and(|count| count >= 4096),
            'I' | 'i' => {
                self.replace = Some(value);
                true
            }
            'd' => {
                self.delimiter = match value.as_str() {
                    "\\n" => Some('\n'),
                    "\\t" => Some('\t'),
                    "\\0" => Some('\0'),
                    "" => None,
                    other => other.chars().next().filter(|_| other.chars().count() == 1),
                };
                self.delimiter.is_some()
            }
            'a' => {
                self.file = Some(value);
                true
            }
            _ => false,
        }
    }
}

/// What is read, as words by line.
fn items(text: &str, request: &Request) -> Result<Vec<Vec<String>>, &'static str> {
    if let Some(delimiter) = request.delimiter {
        let text = text.strip_suffix(delimiter).unwrap_or(text);
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let items = text.split(delimiter);
        return Ok(items.map(|item| vec![item.to_owned()]).collect());
    }
    let by_line = request.replace.is_some();
    let mut lines = Vec::new();
    let mut line = Vec::new();
    let mut word: Option<String> = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\n' => {
                line.extend(word.take());
                if !line.is_empty() {
                    lines.push(std::mem::take(&mut line));
                }
            }
            // A line is one item with `-I`, without the blanks at its start.
            ' ' | '\t' if by_line => {
                if let Some(word) = &mut word {
                    word.push(character);
                }
            }
            ' ' | '\t' => line.extend(word.take()),
            '\\' => {
                let word = word.get_or_insert_default();
                word.extend(characters.next());
            }
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match characters.next() {
                        Some(next) if next == character => break,
                        Some('\n') | None => {
                            return Err(if character == '"' {
                                "unmatched double quote; by default quotes are special to xargs unless you use the -0 option"
                            } else {
                                "unmatched single quote; by default quotes are special to xargs unless you use the -0 option"
                            });
                        }
                        Some(next) => word.push(next),
                    }
                }
            }
            character => word.get_or_insert_default().push(character),
        }
    }
    line.extend(word);
    if !line.is_empty() {
        lines.push(line);
    }
    Ok(lines)
}
