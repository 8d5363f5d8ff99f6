//! Writing the files of the episode.

use super::{Context, Halt, lacking};

/// Replaces a file when the program has ended; what goes to a device is dropped.
pub(super) fn replace(
    path: &str,
    text: String,
    program: &str,
    context: &Context<'_>,
) -> Result<(), Halt> {
    if path == "/dev/null" {
        return Ok(());
    }
    if path.starts_with("/dev/") || path.is_empty() || context.files.is_folder(path) {
        return Err(lacking(program, &format!("that writes to {path}")));
    }
    context.written.borrow_mut().push((path.to_owned(), text));
    Ok(())
}
