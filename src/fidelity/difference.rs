//! What differs between two answers.

use similar::{ChangeTag, TextDiff};

use super::Answer;

/// Lines around a difference.
const CONTEXT: usize = 2;

/// How many lines differ.
pub(super) fn size(live: &Answer, replay: &Answer) -> usize {
    let (live, replay) = (document(live), document(replay));
    let lines = TextDiff::from_lines(&live, &replay);
    let differs = |change: &similar::Change<&str>| change.tag() != ChangeTag::Equal;
    lines.iter_all_changes().filter(differs).count()
}

/// The difference: lines of the live system with `-`, of the replay with `+`.
pub(super) fn text(live: &Answer, replay: &Answer) -> String {
    let (live, replay) = (document(live), document(replay));
    TextDiff::from_lines(&live, &replay)
        .unified_diff()
        .context_radius(CONTEXT)
        .header("live", "replay")
        .to_string()
}

/// An answer as one text.
fn document(answer: &Answer) -> String {
    let mut text = answer.stdout.clone();
    if !text.is_empty() && !text.ends_with('\n') {
        text.push_str("\u{240a}\n"); // the line has no line feed
    }
    for line in answer.stderr.lines() {
        text.push_str(&format!("stderr: {line}\n"));
    }
    text.push_str(&format!("exit code: {}\n", answer.exit_code));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_shows_both_sides_and_where_they_came_from() {
        let answer = |stdout: &str, stderr: &str, exit_code| Answer {
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
            exit_code,
        };
        let (live, replay) = (answer("a\nb\n", "", 0), answer("a\nc", "no\n", 1));
        assert_eq!(
            text(&live, &replay),
            "--- live\n+++ replay\n@@ -1,3 +1,4 @@\n a\n-b\n-exit code: 0\n+c\u{240a}\n+stderr: no\n+exit code: 1\n"
        );
        assert_eq!(size(&live, &replay), 5);
    }
}
