//! `grep`.

use regex::{Regex, RegexBuilder};

use super::options::{Parsed, option};
use super::pattern::{Syntax, translate};
use super::{Context, ToolResult, files, lines, not_available, usage};
use crate::shell::command::CommandOutput;

/// `grep` with the options that agents use; others end the action with a notice.
pub(super) fn run(name: &str, arguments: &[String], context: &Context<'_>) -> ToolResult {
    let specs = [
        option('i', "ignore-case", false),
        option('y', "no-ignore-case", false),
        option('v', "invert-match", false),
        option('c', "count", false),
        option('n', "line-number", false),
        option('E', "extended-regexp", false),
        option('G', "basic-regexp", false),
        option('F', "fixed-strings", false),
        option('P', "perl-regexp", false),
        option('o', "only-matching", false),
        option('w', "word-regexp", false),
        option('x', "line-regexp", false),
        option('q', "quiet", false),
        option('s', "no-messages", false),
        option('h', "no-filename", false),
        option('H', "with-filename", false),
        option('l', "files-with-matches", false),
        option('a', "text", false),
        option('e', "regexp", true),
        option('m', "max-count", true),
        option('A', "after-context", true),
        option('B', "before-context", true),
        option('C', "context", true),
    ];
    // Colours are for terminals.
    let arguments: Vec<String> = arguments
        .iter()
        .filter(|word| !word.starts_with("--color"))
        .cloned()
        .collect();
    // `-5` is a context for grep.
    let arguments: Vec<String> = arguments
        .into_iter()
        .map(|word| match word.strip_prefix('-') {
            Some(digits) if digits.parse::<u32>().is_ok() => format!("-C{digits}"),
            _ => word,
        })
        .collect();
    let mut parsed = match lines::parse(name, &arguments, &specs)? {
        Ok(parsed) => parsed,
        Err(output) => return Ok(output),
    };
    let patterns: Vec<String> = if parsed.has('e') {
        parsed
            .options
            .iter()
            .filter(|(letter, _)| *letter == 'e')
            .map(|(_, v)| v.clone())
            .collect()
    } else if parsed.operands.is_empty() {
        return Ok(usage(
            name,
            "a pattern is missing\nUsage: grep [OPTION]... PATTERNS [FILE]...",
            2,
        ));
    } else {
        vec![parsed.operands.remove(0)]
    };
    let regex = match compile(&patterns, &parsed) {
        Some(regex) => regex,
        None => return Err(not_available(name, &patterns.join(" "))),
    };
    let mut numbers = [None; 4];
    for (slot, letter) in numbers.iter_mut().zip(['A', 'B', 'C', 'm']) {
        if let Some(text) = parsed.value(letter) {
            match text.parse::<usize>() {
                Ok(number) => *slot = Some(number),
                Err(_) => {
                    let message = format!("{text}: invalid context length argument");
                    return Ok(usage(name, &message, 2));
                }
            }
        }
    }
    let [after, before, around, most] = numbers;
    let search = Search {
        regex,
        invert: parsed.has('v'),
        count: parsed.has('c'),
        number: parsed.has('n'),
        only: parsed.has('o') && !parsed.has('v'),
        names_only: parsed.has('l'),
        with_name: parsed.has('H') || (parsed.operands.len() > 1 && !parsed.has('h')),
        after: after.or(around).unwrap_or(0),
        before: before.or(around).unwrap_or(0),
        most: most.unwrap_or(usize::MAX),
    };
    let mut output = CommandOutput::answered("");
    let mut found = false;
    for input in files::inputs(&parsed.operands, context) {
        match input {
            Ok(input) => {
                let name = input.name.unwrap_or("(standard input)");
                found |= search.text(name, input.text, &mut output.stdout);
            }
            Err(missing) => files::absent("grep", missing, &mut output, 2)?,
        }
    }
    if parsed.has('q') {
        output.stdout.clear();
    }
    if output.exit_code == 0 && !found {
        output.exit_code = 1;
    }
    Ok(output)
}

fn compile(patterns: &[String], parsed: &Parsed) -> Option<Regex> {
    let syntax = match parsed
        .options
        .iter()
        .rfind(|(letter, _)| "EGFP".contains(*letter))
    {
        Some(('E', _)) => Syntax::Extended,
        Some(('F', _)) => Syntax::Fixed,
        Some(('P', _)) => Syntax::Perl,
        _ => Syntax::Basic,
    };
    let mut alternatives = Vec::new();
    for pattern in patterns.iter().flat_map(|pattern| pattern.split('\n')) {
        alternatives.push(format!("(?:{})", translate(pattern, syntax)?));
    }
    let mut whole = alternatives.join("|");
    if parsed.has('w') {
        whole = format!(r"\b{{start-half}}(?:{whole})\b{{end-half}}");
    }
    if parsed.has('x') {
        whole = format!("^(?:{whole})$");
    }
    RegexBuilder::new(&whole)
        .case_insensitive(parsed.has('i'))
        .build()
        .ok()
}

struct Search {
    regex: Regex,
    invert: bool,
    count: bool,
    number: bool,
    only: bool,
    names_only: bool,
    with_name: bool,
    after: usize,
    before: usize,
    most: usize,
}

impl Search {
    /// Searches one text; tells whether a line was selected.
    fn text(&self, name: &str, text: &str, out: &mut String) -> bool {
        let lines: Vec<&str> = text.lines().collect();
        let selected: Vec<usize> = lines
            .iter()
            .enumerate()
            .filter(|(_, line)| self.regex.is_match(line) != self.invert)
            .map(|(position, _)| position)
            .take(self.most)
            .collect();
        if self.names_only {
            if !selected.is_empty() {
                out.push_str(&format!("{name}\n"));
            }
        } else if self.count {
            let prefix = if self.with_name {
                format!("{name}:")
            } else {
                String::new()
            };
            out.push_str(&format!("{prefix}{}\n", selected.len()));
        } else {
            self.print(name, &lines, &selected, out);
        }
        !selected.is_empty()
    }

    fn print(&self, name: &str, lines: &[&str], selected: &[usize], out: &mut String) {
        let with_context = (self.after > 0 || self.before > 0) && !self.only;
        let mut next = 0;
        let mut printed = false;
        for (rank, &position) in selected.iter().enumerate() {
            if self.only {
                for found in self
                    .regex
                    .find_iter(lines[position])
                    .filter(|m| !m.is_empty())
                {
                    self.line(name, position, ':', found.as_str(), out);
                }
                continue;
            }
            let first = position.saturating_sub(self.before).max(next);
            if with_context && printed && first > next {
                out.push_str("--\n");
            }
            for (at, line) in lines.iter().enumerate().take(position).skip(first) {
                self.line(name, at, '-', line, out);
            }
            self.line(name, position, ':', lines[position], out);
            next = position + 1;
            let limit = selected.get(rank + 1).copied().unwrap_or(usize::MAX);
            let end = (position + 1 + self.after).min(lines.len()).min(limit);
            for (at, line) in lines.iter().enumerate().take(end).skip(next) {
                self.line(name, at, '-', line, out);
            }
            next = next.max(end);
            printed = true;
        }
    }

    fn line(&self, name: &str, position: usize, mark: char, text: &str, out: &mut String) {
        if self.with_name {
            out.push_str(&format!("{name}{mark}"));
        }
        if self.number {
            out.push_str(&format!("{}{mark}", position + 1));
        }
        out.push_str(text);
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    const LOG: &str = "info a\nerror b\ninfo c\nWarning d\ninfo e\nerror f\n";

    #[test]
    fn options_select_lines() {
        assert_eq!(tool(&["grep", "error"], LOG).stdout, "error b\nerror f\n");
        assert_eq!(
            tool(&["grep", "-v", "info"], LOG).stdout,
            "error b\nWarning d\nerror f\n"
        );
        assert_eq!(tool(&["grep", "-ciE", "warn|err"], LOG).stdout, "3\n");
        assert_eq!(
            tool(&["grep", "-n", "-e", "Warn", "-e", "b$"], LOG).stdout,
            "2:error b\n4:Warning d\n"
        );
        assert_eq!(
            tool(&["grep", "-o", "err[a-z]*"], LOG).stdout,
            "error\nerror\n"
        );
        assert_eq!(
            tool(&["egrep", "^(e|W)"], LOG).stdout,
            "error b\nWarning d\nerror f\n"
        );
        assert_eq!(tool(&["grep", "-w", "erro"], LOG).exit_code, 1);
        assert_eq!(tool(&["grep", "-w", "error"], LOG).exit_code, 0);
        assert_eq!(tool(&["grep"], LOG).exit_code, 2);
    }

    #[test]
    fn context_has_separators() {
        assert_eq!(
            tool(&["grep", "-A1", "error b"], LOG).stdout,
            "error b\ninfo c\n"
        );
        assert_eq!(
            tool(&["grep", "-B1", "-n", "error"], LOG).stdout,
            "1-info a\n2:error b\n--\n5-info e\n6:error f\n"
        );
        assert_eq!(
            tool(&["grep", "-C", "2", "Warning"], LOG).stdout,
            "error b\ninfo c\nWarning d\ninfo e\nerror f\n"
        );
    }

    #[test]
    fn files_are_named_when_several() {
        assert_eq!(tool(&["grep", "two", "/data/a.txt"], "").stdout, "two\n");
        assert_eq!(
            tool(&["grep", "-H", "two", "/data/a.txt"], "").stdout,
            "/data/a.txt:two\n"
        );
    }
}
