//! Other programs, of which only git and helm are used: run one after the other, and told of.

use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

/// Why a program did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum ProgramError {
    /// It is not there.
    #[error("there is no {program}: {reason}\nhint: install it, or give its path (--helm FILE)")]
    NotThere {
        /// The program.
        program: String,
        /// What the system says.
        reason: std::io::Error,
    },
    /// It said no.
    #[error("`{command}` failed: {reason}")]
    Failed {
        /// The whole command.
        command: String,
        /// Its last words, or how it ended.
        reason: String,
    },
}

/// Runs programs and remembers what was run.
pub(crate) struct Programs {
    within: Duration,
    commands: Vec<String>,
}

impl Programs {
    /// Each may take so long.
    pub(crate) fn new(within: Duration) -> Self {
        Self {
            within,
            commands: Vec::new(),
        }
    }

    /// The commands so far, failed ones too.
    pub(crate) fn commands(self) -> Vec<String> {
        self.commands
    }

    /// Runs a program to its end and returns what it printed.
    pub(crate) async fn run(
        &mut self,
        program: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<String, ProgramError> {
        let command = format!("{program} {}", arguments.join(" "));
        self.commands.push(command.clone());
        let failed = |reason: String| ProgramError::Failed {
            command: command.clone(),
            reason,
        };
        let running = Command::new(program)
            .args(arguments)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = timeout(self.within, running)
            .await
            .map_err(|_| failed(format!("it did not end within {:?}", self.within)))?
            .map_err(|reason| ProgramError::NotThere {
                program: program.to_owned(),
                reason,
            })?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
        }
        let words = String::from_utf8_lossy(&output.stderr);
        let last = words.lines().rev().find(|line| !line.trim().is_empty());
        Err(failed(match last {
            Some(line) => line.trim().to_owned(),
            None => output.status.to_string(),
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_a_program_says_last_is_why_it_failed() {
        let mut programs = Programs::new(Duration::from_secs(5));
        let failed = programs.run("cargo", &["no-such-thing"], &[]).await;
        let text = failed.unwrap_err().to_string();
        assert!(text.starts_with("`cargo no-such-thing` failed: "), "{text}");
        let missing = programs.run("/nowhere/helm", &[], &[]).await.unwrap_err();
        assert!(missing.to_string().contains("--helm FILE"), "{missing}");
        assert_eq!(programs.commands().len(), 2);
    }
}
