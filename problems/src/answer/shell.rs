//! What an agent reads after `exec_shell`.

/// Bytes of each stream that an action answers with.
pub const OUTPUT_BYTES: usize = 10 * 1024 * 1024;

/// Cuts what is more than an action answers with, and says so; tells whether it was.
pub fn cut_output(text: &mut String) -> bool {
    if text.len() <= OUTPUT_BYTES {
        return false;
    }
    let mut end = OUTPUT_BYTES;
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push_str("\nnotice: the rest of the output was cut\n");
    true
}

/// Adds to a command's errors that it was stopped after so many seconds.
pub fn add_stopped(stderr: &mut String, seconds: i64) {
    if !stderr.is_empty() && !stderr.ends_with('\n') {
        stderr.push('\n');
    }
    stderr.push_str(&format!(
        "notice: stopped after {seconds} s, the timeout of this action\n"
    ));
}

/// Standard output, then standard error.
#[must_use]
pub fn shell_text(stdout: &str, stderr: &str) -> String {
    let mut text = stdout.to_owned();
    if !text.is_empty() && !text.ends_with('\n') && !stderr.is_empty() {
        text.push('\n');
    }
    text.push_str(stderr);
    text
}

/// What AIOpsLab returns of a command, as on its `localhost` (in a `kind` cluster, errors are
/// dropped).
#[must_use]
pub fn shell_text_upstream(stdout: &str, stderr: &str, exit_code: i32) -> String {
    if exit_code == 0 {
        format!("{stdout}{stderr}")
    } else {
        super::command_failed(stderr)
    }
}

/// Says that the agent goes on with a state that is not the one it has looked at so far.
#[must_use]
pub fn refreshed() -> &'static str {
    "notice: the state of the system has been refreshed, and this action was not carried out. \
     Look again before going on.\n"
}
