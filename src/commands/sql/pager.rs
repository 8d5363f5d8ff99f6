//! What is longer than the screen goes through the user's pager.

use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use crate::exit::Failure;

/// Prints a text, through the pager where it does not fit on a screen of so many columns and lines.
pub(super) fn show(
    text: &[u8],
    screen: Option<(usize, usize)>,
    pager: &str,
) -> Result<(), Failure> {
    let fits = screen.is_none_or(|screen| fits(&String::from_utf8_lossy(text), screen));
    if fits || !std::io::stdout().is_terminal() || !paged(text, pager)? {
        super::print_bytes(text)?;
    }
    Ok(())
}

fn fits(text: &str, (columns, lines): (usize, usize)) -> bool {
    // The prompt needs a line, too.
    text.lines().count() < lines && text.lines().all(|line| line.chars().count() <= columns)
}

/// Whether the pager could be started.
fn paged(text: &[u8], pager: &str) -> Result<bool, Failure> {
    let mut words = pager.split_whitespace();
    let Some(program) = words.next() else {
        return Ok(false);
    };
    let started = Command::new(program)
        .args(words)
        .stdin(Stdio::piped())
        .spawn();
    let Ok(mut child) = started else {
        return Ok(false);
    };
    if let Some(mut input) = child.stdin.take() {
        // Who has seen enough leaves before the end.
        drop(input.write_all(text));
    }
    child.wait()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_screen_has_columns_and_lines() {
        for (text, expected) in [("a\nb\n", true), ("a\nb\nc\n", false), ("abcdef\n", false)] {
            assert_eq!(fits(text, (5, 3)), expected, "{text:?}");
        }
    }
}
