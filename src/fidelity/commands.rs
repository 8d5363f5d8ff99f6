//! Probes of kubectl, through the interpreter behind `exec_shell`.

use aiopslab_datasets::Snapshot;
use aiopslab_problems::environment::Verdict;
use aiopslab_replay::files::VirtualFiles;
use aiopslab_replay::recording::Recording;
use aiopslab_replay::shell;

use super::{Answer, Replayed};
use crate::exit::Failure;

/// Runs a command at a moment.
pub(super) async fn replay(
    snapshot: &Snapshot,
    moment: i64,
    argv: &[String],
) -> Result<Replayed, Failure> {
    let recording = Recording::open(snapshot, moment)?;
    let outcome = shell::run(&recording, &mut VirtualFiles::new(), &line(argv), 30).await?;
    if outcome.verdict == Verdict::NotCaptured {
        return Ok(Replayed::NotCaptured(outcome.stderr.trim_end().to_owned()));
    }
    Ok(Replayed::Answer(Answer {
        stdout: outcome.stdout,
        stderr: outcome.stderr,
        exit_code: outcome.exit_code,
    }))
}

/// The command line that a shell splits into these words.
pub(super) fn line(argv: &[String]) -> String {
    let words: Vec<_> = argv.iter().map(|word| quoted(word)).collect();
    words.join(" ")
}

fn quoted(word: &str) -> String {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:=,@%+".contains(letter);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_quoted_where_a_shell_needs_it() {
        for (word, expected) in [
            ("get", "get"),
            ("-o=wide", "-o=wide"),
            ("", "''"),
            ("{.items[*]}", "'{.items[*]}'"),
            ("it's", r"'it'\''s'"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
