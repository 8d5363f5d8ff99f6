//! How a command ends: exit codes and what is said about a failure.

use std::process::ExitCode;

/// Done, whatever an agent scored.
pub const DONE: u8 = 0;
/// The user's input or surroundings: a bad argument, a missing file, an unreachable cluster.
pub const USER: u8 = 1;
/// A defect of ours.
pub const OURS: u8 = 2;

/// Why a command did not end well.
#[derive(Debug)]
pub enum Failure {
    /// The user can do something about it.
    User(anyhow::Error),
    /// Only we can.
    Ours(anyhow::Error),
}

impl Failure {
    /// What went wrong, with its causes.
    #[must_use]
    pub fn reason(&self) -> String {
        let (Self::User(error) | Self::Ours(error)) = self;
        format!("{error:#}")
    }

    /// A failure that is said in one sentence, with an optional `hint:` line in it.
    pub fn user(message: impl std::fmt::Display) -> Self {
        Self::User(anyhow::anyhow!("{message}"))
    }
}

/// Errors are the user's surroundings unless said otherwise.
impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::User(error.into())
    }
}

/// Prints a failure with its causes, hints last, and returns its exit code.
pub fn report(failure: &Failure) -> ExitCode {
    tell(failure);
    ExitCode::from(match failure {
        Failure::User(_) => USER,
        Failure::Ours(_) => OURS,
    })
}

/// Prints a failure with its causes, hints last.
pub fn tell(failure: &Failure) {
    let (Failure::User(error) | Failure::Ours(error)) = failure;
    eprint!("{}", render(error));
    if matches!(failure, Failure::Ours(_)) {
        eprintln!(
            "hint: this is a defect of aiopslab; please report it with the command and this output"
        );
    }
}

/// `error: …: cause: cause`, then every `hint:` line of the chain.
fn render(error: &anyhow::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut hints: Vec<String> = Vec::new();
    for cause in error.chain() {
        let text = cause.to_string();
        let mut plain = Vec::new();
        for line in text.lines() {
            if line.trim_start().starts_with("hint:") {
                if !hints.iter().any(|hint| hint == line.trim()) {
                    hints.push(line.trim().to_owned());
                }
            } else {
                plain.push(line);
            }
        }
        let plain = plain.join("\n");
        // Libraries often repeat their source in their own text.
        if !plain.is_empty() && !parts.iter().any(|part| part.contains(&plain)) {
            parts.push(plain);
        }
    }
    let mut out = format!("error: {}\n", parts.join(": "));
    for hint in hints {
        out.push_str(&hint);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn causes_follow_and_hints_come_last() {
        let error =
            anyhow::anyhow!("no such file\nhint: look elsewhere").context("opening a.parquet");
        assert_eq!(
            render(&error),
            "error: opening a.parquet: no such file\nhint: look elsewhere\n"
        );
    }

    #[test]
    fn a_repeated_cause_is_said_once() {
        let error = anyhow::anyhow!("disk full").context("writing: disk full");
        assert_eq!(render(&error), "error: writing: disk full\n");
    }
}
