//! `grep`.

use super::inputs::{self, Input, Unreadable};
use super::options::{Parsed, Program, flag, lacks, perhaps, value};
use super::pattern::{Flags, Pattern, PatternError, Syntax};
use super::search::{Found, Search, Shown};
use super::{Context, Halt, ToolResult, glob, lacking};
use crate::shell::command::CommandOutput;

const GREP: Program = Program {
    name: "grep",
    usage_code: 2,
    hint: "Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.",
    options: &[
        flag("i ignore-case y"),
        flag("no-ignore-case"),
        flag("v invert-match"),
        flag("c count"),
        flag("n line-number"),
        flag("b byte-offset"),
        flag("E extended-regexp"),
        flag("G basic-regexp"),
        flag("F fixed-strings"),
        flag("P perl-regexp"),
        flag("o only-matching"),
        flag("w word-regexp"),
        flag("x line-regexp"),
        flag("q quiet silent"),
        flag("s no-messages"),
        flag("h no-filename"),
        flag("H with-filename"),
        flag("l files-with-matches"),
        flag("L files-without-match"),
        flag("a text"),
        flag("r recursive"),
        flag("R dereference-recursive"),
        flag("line-buffered"),
        flag("U binary"),
        flag("no-group-separator"),
        value("e regexp"),
        value("f file"),
        value("m max-count"),
        value("A after-context"),
        value("B before-context"),
        value("C context"),
        value("include"),
        value("exclude"),
        value("exclude-dir"),
        value("group-separator"),
        value("label"),
        perhaps("color colour"),
        lacks(
            "z null-data Z null T initial-tab u I D devices d directories binary-files exclude-from",
        ),
    ],
    ordered: false,
};

/// `grep` with the options that agents use; others end the action with a notice.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let mut parsed = GREP.parse(&numbers_as_context(arguments))?;
    if parsed.values("color").any(|when| when == "always") {
        return Err(lacking("grep", "--color=always"));
    }
    let patterns = patterns(&mut parsed, context)?;
    let search = Search {
        pattern: compile(&patterns, &parsed)?,
        invert: parsed.has("v"),
        shown: shown(&parsed),
        line_numbers: parsed.has("n"),
        byte_offsets: parsed.has("b"),
        after: context_length(&parsed, "A")?,
        before: context_length(&parsed, "B")?,
        most: max_count(&parsed)?,
        context_of_matches: false,
        separator: match parsed.last_of(&["no-group-separator", "group-separator"]) {
            Some("no-group-separator") => None,
            Some(_) => parsed.value("group-separator").map(str::to_owned),
            None => Some("--".to_owned()),
        },
    };
    let mut output = CommandOutput::answered("");
    let texts = texts(&parsed, context, &mut output)?;
    let with_name = match parsed.last_of(&["H", "h"]) {
        Some("H") => true,
        Some(_) => false,
        None => texts.folders || parsed.operands.len() > 1,
    };
    let label = parsed.value("label").unwrap_or("(standard input)");
    let mut found = Found::default();
    for (name, text) in texts.texts {
        let name = name.as_deref().unwrap_or(label);
        if text.contains('\0') && !parsed.has("a") {
            let binary = binary(&search, name, text, &mut found, &mut output);
            if binary {
                continue;
            }
        }
        search.text(with_name.then_some(name), name, text, &mut found);
    }
    output.stdout = found.out;
    if found.any && (parsed.has("q") || output.exit_code == 0) {
        output.exit_code = 0;
    } else if output.exit_code == 0 {
        output.exit_code = 1;
    }
    Ok(output)
}

/// `-5` and `-1 -2` (twelve lines) are contexts.
fn numbers_as_context(arguments: &[String]) -> Vec<String> {
    let context = |word: &String| match word.strip_prefix('-') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) => {
            format!("-C{digits}")
        }
        _ => word.clone(),
    };
    let end = arguments.iter().position(|word| word == "--");
    let (before, after) = arguments.split_at(end.unwrap_or(arguments.len()));
    before
        .iter()
        .map(context)
        .chain(after.iter().cloned())
        .collect()
}

fn patterns(parsed: &mut Parsed, context: &Context<'_>) -> Result<Vec<String>, Halt> {
    let mut patterns: Vec<String> = Vec::new();
    for (option, value) in &parsed.options {
        match *option {
            "e" => patterns.extend(value.split('\n').map(str::to_owned)),
            "f" => match inputs::read(value, context)? {
                Ok(text) => patterns.extend(inputs::lines(text).map(str::to_owned)),
                Err(why) => return Err(GREP.error(&format!("{value}: {}", why.reason()))),
            },
            _ => {}
        }
    }
    if !parsed.has("e") && !parsed.has("f") {
        if parsed.operands.is_empty() {
            return Err(Halt::failed(GREP.hint, 2));
        }
        let first = parsed.operands.remove(0);
        patterns.extend(first.split('\n').map(str::to_owned));
    }
    // A pattern that is given twice counts once.
    let mut known: Vec<String> = Vec::new();
    for pattern in patterns {
        if !known.contains(&pattern) {
            known.push(pattern);
        }
    }
    Ok(known)
}

fn compile(patterns: &[String], parsed: &Parsed) -> Result<Pattern, Halt> {
    let syntax = match parsed.last_of(&["E", "G", "F", "P"]) {
        Some("E") => Syntax::Extended,
        Some("F") => Syntax::Fixed,
        Some("P") => Syntax::Perl,
        _ => Syntax::Basic,
    };
    let flags = Flags {
        ignore_case: parsed.last_of(&["i", "no-ignore-case"]) == Some("i"),
        whole_words: parsed.has("w") && !parsed.has("x"),
        whole_lines: parsed.has("x"),
        multi_line: false,
    };
    if syntax == Syntax::Perl && patterns.len() > 1 {
        return Err(GREP.error("the -P option only supports a single pattern"));
    }
    let all = patterns.iter().map(String::as_str);
    Pattern::any(all, syntax, flags).map_err(|error| match error {
        PatternError::Refused(message) => GREP.error(message),
        PatternError::Lacking(what) => {
            lacking("grep", &format!("{} ({what})", patterns.join("\n")))
        }
    })
}

fn shown(parsed: &Parsed) -> Shown {
    if parsed.has("q") {
        return Shown::Nothing;
    }
    match (
        parsed.last_of(&["l", "L"]),
        parsed.has("c"),
        parsed.has("o"),
    ) {
        (Some("l"), ..) => Shown::Name,
        (Some(_), ..) => Shown::NameWithout,
        (None, true, _) => Shown::Count,
        (None, false, true) => Shown::Matches,
        (None, false, false) => Shown::Lines,
    }
}

fn context_length(parsed: &Parsed, side: &str) -> Result<usize, Halt> {
    for value in ["A", "B", "C"]
        .into_iter()
        .flat_map(|name| parsed.values(name))
    {
        if value.is_empty() || !value.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(GREP.error(&format!("{value}: invalid context length argument")));
        }
    }
    let value = parsed.value(side).or(parsed.value("C"));
    Ok(value.map_or(0, |text| text.parse().unwrap_or(usize::MAX)))
}

fn max_count(parsed: &Parsed) -> Result<usize, Halt> {
    match parsed.value("m") {
        None => Ok(usize::MAX),
        Some(text) => match text.parse::<i64>() {
            Ok(number) => Ok(usize::try_from(number).unwrap_or(usize::MAX)),
            Err(_) => Err(GREP.error("invalid max count")),
        },
    }
}

/// What is searched: texts with their names.
struct Texts<'a> {
    texts: Vec<(Option<String>, &'a str)>,
    /// Whether a folder was searched.
    folders: bool,
}

fn texts<'a>(
    parsed: &'a Parsed,
    context: &Context<'a>,
    output: &mut CommandOutput,
) -> Result<Texts<'a>, Halt> {
    let recursive = parsed.has("r") || parsed.has("R");
    if recursive && parsed.operands.is_empty() {
        return Err(lacking("grep", "-r of the working folder"));
    }
    let mut texts = Vec::new();
    let mut folders = false;
    for input in inputs::inputs(&parsed.operands, context)? {
        match input {
            Ok(Input { name, text }) => {
                if name.is_none_or(|name| name == "-" || is_included(name, parsed)) {
                    let name = name.filter(|name| *name != "-").map(str::to_owned);
                    texts.push((name, text));
                }
            }
            Err((folder, Unreadable::Folder)) if recursive => {
                folders = true;
                for (path, text) in glob::files_below(folder, context.files)? {
                    if is_included(&path, parsed) {
                        texts.push((Some(path), text));
                    }
                }
            }
            Err((name, why)) => {
                let message = format!("grep: {name}: {}", why.reason());
                inputs::note(output, &message, 2);
                if parsed.has("s") {
                    output.stderr.clear();
                }
            }
        }
    }
    Ok(Texts { texts, folders })
}

/// Whether `--include`, `--exclude` and `--exclude-dir` let a file through.
fn is_included(path: &str, parsed: &Parsed) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hits = |glob: &str| glob::matches(glob, name) || glob::matches(glob, path);
    let folders: Vec<&str> = path.split('/').collect();
    let folders = folders.split_last().map_or(&[][..], |(_, folders)| folders);
    let mut excluded = parsed.values("exclude-dir");
    if excluded.any(|glob| folders.iter().any(|folder| glob::matches(glob, folder))) {
        return false;
    }
    match parsed.last_of(&["include", "exclude"]) {
        None => true,
        _ => {
            !parsed.values("exclude").any(hits)
                && (!parsed.has("include") || parsed.values("include").any(hits))
        }
    }
}

/// A text with a zero byte is not printed; tells whether that is all there is to do with it.
fn binary(
    search: &Search,
    name: &str,
    text: &str,
    found: &mut Found,
    output: &mut CommandOutput,
) -> bool {
    if !matches!(search.shown, Shown::Lines | Shown::Matches) {
        return false;
    }
    if inputs::lines(text).any(|line| search.pattern.is_match(line) != search.invert) {
        found.any = true;
        output
            .stderr
            .push_str(&format!("grep: {name}: binary file matches\n"));
    }
    true
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    const LOG: &str = "info a\nerror b\ninfo c\nWarning d\ninfo e\nerror f\n";

    fn check(command: &[&str], expected: &str) {
        assert_eq!(tool(command, LOG).stdout, expected, "{command:?}");
    }

    #[test]
    fn options_select_lines() {
        check(&["grep", "error"], "error b\nerror f\n");
        check(&["grep", "-v", "info"], "error b\nWarning d\nerror f\n");
        check(&["grep", "-ciE", "warn|err"], "3\n");
        check(
            &["grep", "-n", "-e", "Warn", "-e", "b$"],
            "2:error b\n4:Warning d\n",
        );
        check(&["grep", "-o", "err[a-z]*"], "error\nerror\n");
        check(&["egrep", "^(e|W)"], "error b\nWarning d\nerror f\n");
        check(&["grep", "-m1", "info"], "info a\n");
        check(&["grep", "-q", "info"], "");
        assert_eq!(tool(&["grep", "-w", "erro"], LOG).exit_code, 1);
        assert_eq!(tool(&["grep", "-w", "error"], LOG).exit_code, 0);
        assert_eq!(tool(&["grep"], LOG).exit_code, 2);
        assert_eq!(
            tool(&["grep", "(a", "-E"], LOG).stderr,
            "grep: Unmatched ( or \\(\n"
        );
    }

    #[test]
    fn context_has_separators() {
        check(&["grep", "-A1", "error b"], "error b\ninfo c\n");
        check(
            &["grep", "-B1", "-n", "error"],
            "1-info a\n2:error b\n--\n5-info e\n6:error f\n",
        );
        check(
            &["grep", "-C", "2", "Warning"],
            "error b\ninfo c\nWarning d\ninfo e\nerror f\n",
        );
    }

    #[test]
    fn files_are_named_when_several() {
        check(&["grep", "two", "/data/a.txt"], "two\n");
        check(&["grep", "-H", "two", "/data/a.txt"], "/data/a.txt:two\n");
        check(&["grep", "-rn", "two", "/data"], "/data/a.txt:2:two\n");
        check(&["grep", "-r", "--include=*.csv", "two", "/data"], "");
        check(
            &["grep", "-L", "two", "/data/a.txt", "-"],
            "(standard input)\n",
        );
    }
}
