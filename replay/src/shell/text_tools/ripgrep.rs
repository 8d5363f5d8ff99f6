//! `rg`.

use super::inputs::{self, Input, Unreadable};
use super::options::{Parsed, Program, flag, lacks, value};
use super::pattern::{Flags, Pattern, Syntax};
use super::search::{Found, Search, Shown};
use super::{Context, Halt, ToolResult, glob, lacking};
use crate::shell::command::CommandOutput;

const RG: Program = Program {
    name: "rg",
    usage_code: 2,
    hint: "For more information try --help",
    options: &[
        flag("i ignore-case"),
        flag("s case-sensitive"),
        flag("S smart-case"),
        flag("v invert-match"),
        flag("c count"),
        flag("count-matches"),
        flag("n line-number"),
        flag("N no-line-number"),
        flag("o only-matching"),
        flag("w word-regexp"),
        flag("x line-regexp"),
        flag("F fixed-strings"),
        flag("l files-with-matches"),
        flag("files-without-match"),
        flag("q quiet"),
        flag("H with-filename"),
        flag("I no-filename"),
        flag("a text"),
        flag("u unrestricted"),
        flag("no-heading"),
        flag("no-messages"),
        flag("no-ignore"),
        flag("hidden"),
        flag("b byte-offset"),
        value("e regexp"),
        value("m max-count"),
        value("A after-context"),
        value("B before-context"),
        value("C context"),
        value("g glob"),
        value("color"),
        value("sort"),
        lacks("P U r t T L z f j M d 0 p pcre2 multiline replace type type-not follow file json"),
        lacks("heading column passthru files stats vimgrep pretty max-depth trim null engine"),
    ],
    ordered: false,
};

/// `rg` on what is piped in or on files of the episode.
pub(super) fn run(arguments: &[String], context: &Context<'_>) -> ToolResult {
    let mut parsed = RG.parse(arguments)?;
    if parsed
        .values("color")
        .any(|when| !matches!(when, "never" | "auto"))
    {
        return Err(lacking("rg", "--color"));
    }
    let patterns: Vec<String> = if parsed.has("e") {
        parsed.values("e").map(str::to_owned).collect()
    } else if parsed.operands.is_empty() {
        return Err(lacking("rg", "without a pattern"));
    } else {
        vec![parsed.operands.remove(0)]
    };
    let search = Search {
        pattern: compile(&patterns, &parsed)?,
        invert: parsed.has("v"),
        shown: shown(&parsed),
        line_numbers: parsed.last_of(&["n", "N"]) == Some("n"),
        byte_offsets: parsed.has("b"),
        after: number(&parsed, "A")?.or(number(&parsed, "C")?).unwrap_or(0),
        before: number(&parsed, "B")?.or(number(&parsed, "C")?).unwrap_or(0),
        most: number(&parsed, "m")?.unwrap_or(usize::MAX),
        context_of_matches: true,
        separator: Some("--".to_owned()),
    };
    let mut output = CommandOutput::answered("");
    let (texts, several) = texts(&parsed, context, &mut output)?;
    let with_name = match parsed.last_of(&["H", "I"]) {
        Some("H") => true,
        Some(_) => false,
        None => several,
    };
    let mut found = Found::default();
    for (name, text) in texts {
        if text.contains('\0') && !parsed.has("a") {
            return Err(lacking("rg", "of text with zero bytes"));
        }
        let mut own = Found::default();
        std::mem::swap(&mut own, &mut found);
        let before = (own.out.len(), std::mem::take(&mut own.any));
        search.text(with_name.then_some(name.as_str()), &name, text, &mut own);
        // Nothing is counted in a text without matches.
        if !own.any && matches!(search.shown, Shown::Count | Shown::MatchCount) {
            own.out.truncate(before.0);
        }
        own.any |= before.1;
        found = own;
    }
    output.stdout = found.out;
    if found.any && (parsed.has("q") || output.exit_code == 0) {
        output.exit_code = 0;
    } else if output.exit_code == 0 {
        output.exit_code = 1;
    }
    Ok(output)
}

fn shown(parsed: &Parsed) -> Shown {
    match () {
        () if parsed.has("q") => Shown::Nothing,
        () if parsed.has("files-without-match") => Shown::NameWithout,
        () if parsed.has("l") => Shown::Name,
        () if parsed.has("count-matches") => Shown::MatchCount,
        () if parsed.has("c") && parsed.has("o") && !parsed.has("v") => Shown::MatchCount,
        () if parsed.has("c") => Shown::Count,
        () if parsed.has("o") && !parsed.has("v") => Shown::Matches,
        () => Shown::Lines,
    }
}

fn compile(patterns: &[String], parsed: &Parsed) -> Result<Pattern, Halt> {
    let syntax = match parsed.has("F") {
        true => Syntax::Fixed,
        false => Syntax::Rust,
    };
    let has_uppercase = || patterns.iter().any(|p| p.chars().any(char::is_uppercase));
    let flags = Flags {
        ignore_case: match parsed.last_of(&["i", "s", "S"]) {
            Some("i") => true,
            Some("S") => !has_uppercase(),
            _ => false,
        },
        whole_words: parsed.has("w"),
        whole_lines: parsed.has("x"),
        multi_line: false,
    };
    let all = patterns.iter().map(String::as_str);
    Pattern::any(all, syntax, flags).map_err(|_| lacking("rg", &patterns.join(" ")))
}

fn number(parsed: &Parsed, name: &str) -> Result<Option<usize>, Halt> {
    match parsed.value(name) {
        None => Ok(None),
        Some(text) => match text.parse() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(lacking("rg", &format!("-{name} {text}"))),
        },
    }
}

type Texts<'a> = Vec<(String, &'a str)>;

/// What is searched, and whether names are shown.
fn texts<'a>(
    parsed: &'a Parsed,
    context: &Context<'a>,
    output: &mut CommandOutput,
) -> Result<(Texts<'a>, bool), Halt> {
    if parsed.operands.is_empty() && context.input.is_none() {
        return Err(lacking("rg", "of the working folder"));
    }
    let mut texts = Vec::new();
    let mut several = parsed.operands.len() > 1;
    for input in inputs::inputs(&parsed.operands, context)? {
        match input {
            Ok(Input { name, text }) => {
                let name = name.filter(|name| *name != "-").unwrap_or("<stdin>");
                texts.push((name.to_owned(), text));
            }
            Err((folder, Unreadable::Folder)) => {
                several = true;
                let below = glob::files_below(folder, context.files)?;
                texts.extend(below.filter(|(path, _)| is_included(path, parsed)));
            }
            Err((name, why)) => {
                let message = format!("{name}: {} (os error 2)", why.reason());
                inputs::note(output, &message, 2);
            }
        }
    }
    Ok((texts, several))
}

fn is_included(path: &str, parsed: &Parsed) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let hidden = path.split('/').any(|part| part.starts_with('.'));
    if hidden && !parsed.has("hidden") {
        return false;
    }
    let hits = |glob: &str| glob::matches(glob, name);
    let mut excluded = parsed.values("g").filter_map(|glob| glob.strip_prefix('!'));
    let mut included = parsed
        .values("g")
        .filter(|glob| !glob.starts_with('!'))
        .peekable();
    !excluded.any(hits) && (included.peek().is_none() || included.any(hits))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn lines_are_found() {
        let check = |command: &[&str], expected: &str| {
            assert_eq!(
                tool(command, "a1\nb2\nA3\n").stdout,
                expected,
                "{command:?}"
            );
        };
        check(&["rg", r"\d"], "a1\nb2\nA3\n");
        check(&["rg", "-in", "a"], "1:a1\n3:A3\n");
        check(&["rg", "-S", "a", "-c"], "2\n");
        check(&["rg", "-c", "z"], "");
        check(&["rg", "two", "/data"], "/data/a.txt:two\n");
    }
}
