//! Writing the files of the episode, and devices.

use super::{Context, Halt, lacking};

/// Replaces a file, or writes to a device, when the program has ended.
pub(super) fn replace(
    path: &str,
    text: String,
    program: &str,
    context: &Context<'_>,
) -> Result<(), Halt> {
    if path == "/dev/null" {
        return Ok(());
    }
    if path.is_empty() || context.files.is_folder(path) {
        return Err(lacking(program, &format!("that writes to {path}")));
    }
    context.written.borrow_mut().push((path.to_owned(), text));
    Ok(())
}
