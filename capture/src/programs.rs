//! Other programs, of which only git and helm are used: run one after the other, and told of.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::{Value, json};
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

/// One run of a program, as a capture keeps it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Call {
    /// The program and its arguments, without credentials.
    pub(crate) command: String,
    /// Its exit code; none: it was not started, or did not end by itself.
    pub(crate) exit_code: Option<i32>,
    /// How long it took.
    pub(crate) seconds: f64,
}

/// Calls as they are kept; none: nothing was run.
pub(crate) fn document(calls: &[Call]) -> Option<Value> {
    (!calls.is_empty()).then(|| json!({"calls": calls}))
}

/// Runs programs and remembers what was run.
pub(crate) struct Programs {
    within: Duration,
    calls: Vec<Call>,
}

impl Programs {
    /// Each may take so long.
    pub(crate) fn new(within: Duration) -> Self {
        Self {
            within,
            calls: Vec::new(),
        }
    }

    /// The calls so far, failed ones too.
    pub(crate) fn calls(self) -> Vec<Call> {
        self.calls
    }

    /// Runs a program to its end and returns what it printed.
    pub(crate) async fn run(
        &mut self,
        program: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Result<String, ProgramError> {
        let shown: Vec<String> = arguments.iter().map(|it| without_credentials(it)).collect();
        let command = format!("{program} {}", shown.join(" "));
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
        let started = Instant::now();
        let ended = timeout(self.within, running).await;
        let status = ended.as_ref().ok().and_then(|output| output.as_ref().ok());
        self.calls.push(Call {
            command: command.clone(),
            exit_code: status.and_then(|output| output.status.code()),
            seconds: started.elapsed().as_secs_f64(),
        });
        let output = ended
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

/// An argument without what stands before the host of a URL: a name and a password, or a token.
fn without_credentials(argument: &str) -> String {
    let Some((scheme, rest)) = argument.split_once("://") else {
        return argument.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://***{}", &rest[at..]),
        None => argument.to_owned(),
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
        assert_eq!(programs.calls().len(), 2);
    }

    #[tokio::test]
    async fn each_call_is_kept_with_how_it_ended() {
        let mut programs = Programs::new(Duration::from_secs(5));
        let url = "https://me:word@charts.example/x";
        programs.run("sh", &["-c", "exit 0", url], &[]).await.ok();
        programs.run("sh", &["-c", "exit 3"], &[]).await.ok();
        programs.run("/nowhere/helm", &["template"], &[]).await.ok();
        programs.within = Duration::from_millis(50);
        programs.run("sleep", &["5"], &[]).await.ok();
        let calls = programs.calls();
        assert!(calls.iter().all(|call| call.seconds < 5.0), "{calls:?}");
        let kept: Vec<_> = calls
            .iter()
            .map(|call| (call.command.as_str(), call.exit_code))
            .collect();
        let expected = [
            ("sh -c exit 0 https://***@charts.example/x", Some(0)),
            ("sh -c exit 3", Some(3)),
            ("/nowhere/helm template", None),
            ("sleep 5", None),
        ];
        assert_eq!(kept, expected);
    }

    #[test]
    fn what_was_run_makes_a_document() {
        assert_eq!(document(&[]), None);
        let call = Call {
            command: "git init".to_owned(),
            exit_code: None,
            seconds: 0.5,
        };
        let kept = json!({"calls": [{"command": "git init", "exit_code": null, "seconds": 0.5}]});
        assert_eq!(document(&[call]), Some(kept));
    }

    #[test]
    fn credentials_of_urls_are_not_shown() {
        for (argument, shown) in [
            (
                "https://me:word@git.example/a@b",
                "https://***@git.example/a@b",
            ),
            ("https://token@git.example", "https://***@git.example"),
            ("https://git.example/a@b?c@d", "https://git.example/a@b?c@d"),
            ("oci://charts.example/shop", "oci://charts.example/shop"),
            ("--namespace", "--namespace"),
        ] {
            assert_eq!(without_credentials(argument), shown);
        }
    }
}
