//! File name patterns, and the files below a folder.

use super::Halt;
use crate::files::VirtualFiles;
use crate::shell::interpreter::unknown_path;
use crate::shell::pattern::Pattern;

/// Whether a name matches a file name pattern (`*`, `?`, `[…]`); `*` also matches a slash.
pub(super) fn matches(glob: &str, name: &str) -> bool {
    let pattern = Pattern::parse([(glob, false)]);
    // One that is too large to be compiled is taken as it is written.
    pattern.matches(name).unwrap_or(glob == name)
}

/// The files below a folder with their paths, which start as the folder was written. A folder of
/// which not everything is known ends the action.
pub(super) fn files_below<'a>(
    folder: &str,
    files: &'a VirtualFiles,
) -> Result<impl Iterator<Item = (String, &'a str)>, Halt> {
    if !files.is_complete(folder) {
        return Err(Halt::Stop(unknown_path(folder)));
    }
    let below = format!("{}/", files.resolve(folder));
    let written = folder.strip_suffix('/').unwrap_or(folder).to_owned();
    Ok(files.iter().filter_map(move |(path, text)| {
        let rest = path.strip_prefix(&below)?;
        Some((format!("{written}/{rest}"), text))
    }))
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
