//! `echo`, as bash has it built in.

use super::{ToolResult, text};
use crate::shell::command::CommandOutput;
use crate::shell::escapes::{Place, replace};

/// `echo`; options are only words of the letters n, e and E before all others.
pub(super) fn run(arguments: &[String]) -> ToolResult {
    let is_option = |word: &&String| {
        let letters = word.strip_prefix('-').filter(|letters| !letters.is_empty());
        letters.is_some_and(|letters| letters.bytes().all(|byte| b"neE".contains(&byte)))
    };
    let options = arguments.iter().take_while(is_option).count();
    let (options, words) = arguments.split_at(options);
    let letters: String = options.iter().map(String::as_str).collect();
    let escapes = letters.chars().rfind(|letter| "eE".contains(*letter)) == Some('e');
    let line = words.join(" ");
    let (mut bytes, ended) = match escapes {
        true => replace(&line, Place::Echo),
        false => (line.into_bytes(), false),
    };
    if !letters.contains('n') && !ended {
        bytes.push(b'\n');
    }
    Ok(CommandOutput::answered(text("echo", bytes)?))
}

#[cfg(test)]
mod tests {
    use super::super::tests::tool;

    #[test]
    fn words_are_printed() {
        let check = |command: &[&str], expected: &str| {
            assert_eq!(tool(command, "").stdout, expected, "{command:?}");
        };
        check(&["echo", "a", "b"], "a b\n");
        check(&["echo", "-n", "a"], "a");
        check(&["echo", "-e", "a\\tb\\x41\\0101"], "a\tbAA\n");
        check(&["echo", "-ne", "a\\cb"], "a");
        check(&["echo", "-nx"], "-nx\n");
        check(&["echo", "a\\n"], "a\\n\n");
    }
}
