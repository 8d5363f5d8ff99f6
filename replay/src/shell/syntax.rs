//! From a command line to the small tree that the interpreter walks.

use std::io::Cursor;

use brush_parser::ast;
use brush_parser::word::{self, WordPiece, WordPieceWithSource};
use brush_parser::{Parser, ParserOptions};

use super::limits;

/// Pipelines in the order of the line, each with the operator before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Script {
    pub(super) steps: Vec<Step>,
}

/// A pipeline and when it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) when: When,
    pub(super) pipeline: Pipeline,
}

/// The operator before a pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum When {
    /// `;` or the first.
    Always,
    /// `&&`.
    Succeeded,
    /// `||`.
    Failed,
}

/// Commands joined by `|`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Pipeline {
    pub(super) negated: bool,
    pub(super) commands: Vec<Command>,
}

/// One command of a pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Command {
    /// A program with its arguments.
    Simple {
        words: Vec<String>,
        redirections: Vec<Redirection>,
    },
    /// Shell syntax outside of what is interpreted; the text names it.
    Unsupported(String),
}

/// Where a stream goes, in the order of the line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Redirection {
    DiscardStdout,
    DiscardStderr,
    DiscardBoth,
    StderrToStdout,
    StdoutToStderr,
    EmptyStdin,
}

/// Why a line has no tree.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(super) enum SyntaxError {
    #[error("command line of {0} bytes is longer than {max} bytes", max = limits::INPUT_BYTES)]
    TooLong(usize),
    #[error("command line is nested deeper than {max} levels", max = limits::NESTING)]
    TooDeep,
    #[error("syntax error: {0}")]
    Parse(String),
}

/// Parses a command line. The grammar is recursive, so the work is done on a stack of its own.
pub(super) fn parse(line: &str) -> Result<Script, SyntaxError> {
    if line.len() > limits::INPUT_BYTES {
        return Err(SyntaxError::TooLong(line.len()));
    }
    if nesting(line) > limits::NESTING {
        return Err(SyntaxError::TooDeep);
    }
    let text = line.to_owned();
    std::thread::Builder::new()
        .name("shell-parser".to_owned())
        .stack_size(limits::PARSER_STACK_BYTES)
        .spawn(move || parse_here(&text))
        .map_err(|error| SyntaxError::Parse(error.to_string()))?
        .join()
        .unwrap_or_else(|_| Err(SyntaxError::Parse("unexpected input".to_owned())))
}

/// Counts the deepest nesting of brackets, quoted or not, and of words that open a block.
fn nesting(line: &str) -> usize {
    let mut depth = 0usize;
    let mut deepest = 0usize;
    for byte in line.bytes() {
        match byte {
            b'(' | b'{' | b'[' => depth += 1,
            b')' | b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    let mut blocks = 0usize;
    for word in line.split(|c: char| c.is_whitespace() || c == ';' || c == '&' || c == '|') {
        match word {
            "if" | "for" | "while" | "until" | "case" | "select" => blocks += 1,
            "fi" | "done" | "esac" => blocks = blocks.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(blocks);
    }
    deepest.max(line.bytes().filter(|byte| *byte == b'`').count() / 2)
}

fn parse_here(line: &str) -> Result<Script, SyntaxError> {
    let options = ParserOptions {
        enable_extended_globbing: false,
        ..ParserOptions::default()
    };
    let program = Parser::new(Cursor::new(line.as_bytes()), &options)
        .parse_program()
        .map_err(|error| SyntaxError::Parse(first_line(&error.to_string())))?;
    let mut steps = Vec::new();
    for ast::CompoundListItem(list, separator) in
        program.complete_commands.iter().flat_map(|list| &list.0)
    {
        let first = steps.len();
        steps.push(Step {
            when: When::Always,
            pipeline: pipeline(&list.first, &options),
        });
        for next in &list.additional {
            let (when, next) = match next {
                ast::AndOr::And(next) => (When::Succeeded, next),
                ast::AndOr::Or(next) => (When::Failed, next),
            };
            steps.push(Step {
                when,
                pipeline: pipeline(next, &options),
            });
        }
        if matches!(separator, ast::SeparatorOperator::Async) {
            steps.truncate(first);
            let command = Command::Unsupported("a command in the background (&)".to_owned());
            let pipeline = Pipeline {
                negated: false,
                commands: vec![command],
            };
            steps.push(Step {
                when: When::Always,
                pipeline,
            });
        }
    }
    Ok(Script { steps })
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().to_owned()
}

fn pipeline(pipeline: &ast::Pipeline, options: &ParserOptions) -> Pipeline {
    let commands = if pipeline.timed.is_some() {
        vec![Command::Unsupported("time".to_owned())]
    } else {
        pipeline
            .seq
            .iter()
            .map(|item| command(item, options))
            .collect()
    };
    Pipeline {
        negated: pipeline.bang,
        commands,
    }
}

fn command(command: &ast::Command, options: &ParserOptions) -> Command {
    let simple = match command {
        ast::Command::Simple(simple) => simple,
        ast::Command::Compound(compound, _) => {
            return Command::Unsupported(compound_name(compound).to_owned());
        }
        ast::Command::Function(_) => return Command::Unsupported("a function".to_owned()),
        ast::Command::ExtendedTest(..) => return Command::Unsupported("[[ … ]]".to_owned()),
    };
    let mut words = Vec::new();
    let mut redirections = Vec::new();
    let prefix = simple.prefix.iter().flat_map(|prefix| &prefix.0);
    let suffix = simple.suffix.iter().flat_map(|suffix| &suffix.0);
    let lowered = prefix
        .map(Item::Other)
        .chain(simple.word_or_name.iter().map(Item::Word))
        .chain(suffix.map(Item::Other))
        .try_for_each(|item| lower(item, &mut words, &mut redirections, options));
    match lowered {
        Err(unsupported) => Command::Unsupported(unsupported),
        Ok(()) => Command::Simple {
            words,
            redirections,
        },
    }
}

enum Item<'a> {
    Word(&'a ast::Word),
    Other(&'a ast::CommandPrefixOrSuffixItem),
}

fn lower(
    item: Item<'_>,
    words: &mut Vec<String>,
    redirections: &mut Vec<Redirection>,
    options: &ParserOptions,
) -> Result<(), String> {
    match item {
        Item::Word(word) | Item::Other(ast::CommandPrefixOrSuffixItem::Word(word)) => {
            words.push(expand(&word.value, options)?);
        }
        Item::Other(ast::CommandPrefixOrSuffixItem::IoRedirect(redirect)) => {
            redirections.push(redirection(redirect, options)?);
        }
        // `--flag=value` after a command looks like an assignment to the parser.
        Item::Other(ast::CommandPrefixOrSuffixItem::AssignmentWord(_, word)) => {
            if words.is_empty() {
                return Err("an assignment to a variable".to_owned());
            }
            words.push(expand(&word.value, options)?);
        }
        Item::Other(ast::CommandPrefixOrSuffixItem::ProcessSubstitution(..)) => {
            return Err("process substitution".to_owned());
        }
    }
    Ok(())
}

fn redirection(redirect: &ast::IoRedirect, options: &ParserOptions) -> Result<Redirection, String> {
    use ast::{IoFileRedirectKind as Kind, IoFileRedirectTarget as Target, IoRedirect};
    let unsupported = || format!("the redirection {}", redirect.to_string().trim());
    let target = |target: &Target| match target {
        Target::Filename(word) | Target::Duplicate(word) => expand(&word.value, options).ok(),
        Target::Fd(descriptor) => Some(descriptor.to_string()),
        Target::ProcessSubstitution(..) => None,
    };
    match redirect {
        IoRedirect::File(from, Kind::Write | Kind::Append | Kind::Clobber, to)
            if target(to).as_deref() == Some("/dev/null") =>
        {
            match from.unwrap_or(1) {
                1 => Ok(Redirection::DiscardStdout),
                2 => Ok(Redirection::DiscardStderr),
                _ => Err(unsupported()),
            }
        }
        IoRedirect::File(from, Kind::DuplicateOutput, to) => {
            match (from.unwrap_or(1), target(to).as_deref()) {
                (2, Some("1")) => Ok(Redirection::StderrToStdout),
                (1, Some("2")) => Ok(Redirection::StdoutToStderr),
                (1, Some("1")) | (2, Some("2")) => Err(unsupported()),
                (1, Some("/dev/null")) => Ok(Redirection::DiscardBoth),
                _ => Err(unsupported()),
            }
        }
        IoRedirect::File(None | Some(0), Kind::Read, to)
            if target(to).as_deref() == Some("/dev/null") =>
        {
            Ok(Redirection::EmptyStdin)
        }
        IoRedirect::OutputAndError(word, _)
            if expand(&word.value, options).as_deref() == Ok("/dev/null") =>
        {
            Ok(Redirection::DiscardBoth)
        }
        _ => Err(unsupported()),
    }
}

fn compound_name(compound: &ast::CompoundCommand) -> &'static str {
    use ast::CompoundCommand;
    match compound {
        CompoundCommand::Arithmetic(_) => "(( … ))",
        CompoundCommand::ArithmeticForClause(_) | CompoundCommand::ForClause(_) => "a for loop",
        CompoundCommand::BraceGroup(_) => "{ … }",
        CompoundCommand::Subshell(_) => "a subshell ( … )",
        CompoundCommand::CaseClause(_) => "case",
        CompoundCommand::IfClause(_) => "if",
        CompoundCommand::WhileClause(_) => "a while loop",
        CompoundCommand::UntilClause(_) => "an until loop",
        CompoundCommand::Coprocess(_) => "a coprocess",
    }
}

/// The text of a word without its quotes; an error names an expansion that is not interpreted.
fn expand(raw: &str, options: &ParserOptions) -> Result<String, String> {
    let pieces = word::parse(raw, options).map_err(|_| format!("the word {raw}"))?;
    let mut text = String::new();
    for piece in &pieces {
        if let WordPiece::Text(unquoted) = &piece.piece
            && has_brace_expansion(unquoted)
        {
            return Err("brace expansion".to_owned());
        }
        expand_piece(piece, raw, false, &mut text)?;
    }
    Ok(text)
}

fn expand_piece(
    piece: &WordPieceWithSource,
    raw: &str,
    quoted: bool,
    text: &mut String,
) -> Result<(), String> {
    match &piece.piece {
        WordPiece::Text(piece) | WordPiece::SingleQuotedText(piece) => text.push_str(piece),
        WordPiece::DoubleQuotedSequence(pieces) => {
            for piece in pieces {
                expand_piece(piece, raw, true, text)?;
            }
        }
        WordPiece::EscapeSequence(escape) => {
            let escaped = escape.strip_prefix('\\').unwrap_or(escape);
            match escaped {
                "\n" => {}
                "$" | "`" | "\"" | "\\" => text.push_str(escaped),
                _ if quoted => text.push_str(escape),
                _ => text.push_str(escaped),
            }
        }
        WordPiece::TildeExpansion(_) => return Err("the home folder (~)".to_owned()),
        WordPiece::ParameterExpansion(_) => return Err(format!("the variable in {raw}")),
        WordPiece::CommandSubstitution(_) | WordPiece::BackquotedCommandSubstitution(_) => {
            return Err("command substitution $( … )".to_owned());
        }
        WordPiece::ArithmeticExpression(_) => return Err("arithmetic $(( … ))".to_owned()),
        WordPiece::AnsiCQuotedText(_) | WordPiece::GettextDoubleQuotedSequence(_) => {
            return Err(format!("the quotes in {raw}"));
        }
    }
    Ok(())
}

/// Whether unquoted text holds `{a,b}` or `{1..3}`, which a shell would expand.
fn has_brace_expansion(text: &str) -> bool {
    text.match_indices('{').any(|(open, _)| {
        text[open..].find('}').is_some_and(|close| {
            let inner = &text[open + 1..open + close];
            inner.contains(',') || inner.contains("..")
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<String> {
        match parse(line)
            .unwrap()
            .steps
            .remove(0)
            .pipeline
            .commands
            .remove(0)
        {
            Command::Simple { words, .. } => words,
            Command::Unsupported(what) => vec![format!("unsupported: {what}")],
        }
    }

    #[test]
    fn quotes_are_removed() {
        assert_eq!(
            words(r#"grep -e "a b" 'c "d"' e\ f"#),
            ["grep", "-e", "a b", "c \"d\"", "e f"]
        );
        assert_eq!(words(r#"grep "a\.b\"c\$""#), ["grep", r#"a\.b"c$"#]);
        assert_eq!(
            words("kubectl get pods -l app=x -o=wide"),
            ["kubectl", "get", "pods", "-l", "app=x", "-o=wide"]
        );
        assert_eq!(
            words("kubectl get po --sort-by=.metadata.name"),
            ["kubectl", "get", "po", "--sort-by=.metadata.name"]
        );
        assert_eq!(
            words("kubectl get po -o jsonpath={.items[0].metadata.name}"),
            [
                "kubectl",
                "get",
                "po",
                "-o",
                "jsonpath={.items[0].metadata.name}"
            ]
        );
    }

    #[test]
    fn what_is_not_interpreted_is_named() {
        for line in [
            "echo $HOME",
            "echo $(date)",
            "for i in a b; do echo; done",
            "X=1 echo a",
            "echo {a,b}",
            "echo a > /tmp/x",
            "echo a &",
            "cat <<< a",
            "echo ~",
        ] {
            assert!(
                words(line)[0].starts_with("unsupported"),
                "{line}: {:?}",
                words(line)
            );
        }
    }

    #[test]
    fn operators_and_redirections_are_kept() {
        let script = parse("a 2>/dev/null | b 2>&1 && c || d; ! e &>/dev/null").unwrap();
        let when: Vec<When> = script.steps.iter().map(|step| step.when).collect();
        assert_eq!(
            when,
            [When::Always, When::Succeeded, When::Failed, When::Always]
        );
        assert_eq!(
            script.steps[0].pipeline.commands[0],
            Command::Simple {
                words: vec!["a".into()],
                redirections: vec![Redirection::DiscardStderr]
            }
        );
        assert_eq!(
            script.steps[0].pipeline.commands[1],
            Command::Simple {
                words: vec!["b".into()],
                redirections: vec![Redirection::StderrToStdout]
            }
        );
        assert!(script.steps[3].pipeline.negated);
    }

    #[test]
    fn size_and_depth_are_capped() {
        assert_eq!(
            parse(&"a".repeat(20_000)),
            Err(SyntaxError::TooLong(20_000))
        );
        assert_eq!(parse(&"(".repeat(65)), Err(SyntaxError::TooDeep));
        assert_eq!(parse(&"if ".repeat(5_000)), Err(SyntaxError::TooDeep));
        assert!(parse("echo 'a").is_err());
        assert!(parse(&format!("{}a{}", "(".repeat(64), ")".repeat(64))).is_ok());
    }
}
