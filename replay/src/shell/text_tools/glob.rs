//! File name patterns, and the files below a folder.

use super::pattern::{Flags, Pattern, Syntax};
use crate::files::VirtualFiles;

/// Whether a name matches a file name pattern (`*`, `?`, `[…]`); `*` also matches a slash.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    let mut expression = String::from("^");
    let mut chars = glob.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' => expression.push_str(".*"),
            '?' => expression.push('.'),
            '[' => {
                expression.push('[');
                if chars.next_if(|c| matches!(c, '!' | '^')).is_some() {
                    expression.push('^');
                }
            }
            '\\' => {
                let escaped = chars.next().unwrap_or('\\');
                expression.push_str(&format!("[{escaped}]"));
            }
            '.' | '(' | ')' | '|' | '+' | '^' | '$' | '{' => {
                expression.push('\\');
                expression.push(c);
            }
            other => expression.push(other),
        }
    }
    expression.push('$');
    let pattern = Pattern::new(&expression, Syntax::Extended, Flags::default());
    // A bracket that is not closed is an ordinary character.
    pattern.map_or(glob == name, |pattern| pattern.is_match(name))
}

/// The files below a folder with their paths, which start as the folder was written.
pub(super) fn files_below<'a>(
    folder: &str,
    files: &'a VirtualFiles,
) -> impl Iterator<Item = (String, &'a str)> {
    let below = format!("{}/", files.resolve(folder));
    let written = folder.strip_suffix('/').unwrap_or(folder).to_owned();
    files.iter().filter_map(move |(path, text)| {
        let rest = path.strip_prefix(&below)?;
        Some((format!("{written}/{rest}"), text))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_match() {
        let check = |glob: &str, name: &str, expected: bool| {
            assert_eq!(matches(glob, name), expected, "{glob} {name}");
        };
        check("*.csv", "a.csv", true);
        check("*.csv", "acsv", false);
        check("a?[!b]", "axc", true);
        check("a?[!b]", "axb", false);
        check("[", "[", true);
        check("a+b", "a+b", true);
    }
}
