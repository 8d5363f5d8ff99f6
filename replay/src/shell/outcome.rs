//! What a command line did.

use aiopslab_problems::environment::Verdict;

use super::limits;

/// The status of what is stopped because it takes too long, as that of `timeout`.
pub(super) const TIMED_OUT: i32 = 124;

/// What a command line did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShellOutcome {
    /// Standard output.
    pub stdout: String,
    /// Standard error, with the notice if something is not in the recording.
    pub stderr: String,
    /// Exit code of the last pipeline; 126 after a notice.
    pub exit_code: i32,
    /// The worst of what ran.
    pub verdict: Verdict,
    /// The moment at which it was done, in nanoseconds: later than it began if it waited where time
    /// passes.
    pub now: i64,
}

impl ShellOutcome {
    /// What the agent reads: standard output, then standard error.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = self.stdout.clone();
        if !text.is_empty() && !text.ends_with('\n') && !self.stderr.is_empty() {
            text.push('\n');
        }
        text.push_str(&self.stderr);
        text
    }

    /// Ends the action with a notice that nothing on the command line can hide.
    pub(super) fn notice(&mut self, what: &str) {
        if !self.stderr.is_empty() && !self.stderr.ends_with('\n') {
            self.stderr.push('\n');
        }
        self.stderr.push_str("notice: ");
        self.stderr.push_str(what);
        self.stderr.push('\n');
        self.exit_code = 126;
        self.verdict = Verdict::NotCaptured;
    }

    /// Tells that what would wait for ever was stopped after so many seconds.
    pub(super) fn timed_out(&mut self, seconds: i64) {
        if !self.stderr.is_empty() && !self.stderr.ends_with('\n') {
            self.stderr.push('\n');
        }
        let notice = format!("notice: stopped after {seconds} s, the timeout of this action\n");
        self.stderr.push_str(&notice);
        self.exit_code = TIMED_OUT;
    }

    /// Cuts what is more than an action answers with.
    pub(super) fn cut(mut self) -> Self {
        for text in [&mut self.stdout, &mut self.stderr] {
            if text.len() > limits::OUTPUT_BYTES {
                let mut end = limits::OUTPUT_BYTES;
                while !text.is_char_boundary(end) {
                    end -= 1;
                }
                text.truncate(end);
                text.push_str("\nnotice: the rest of the output was cut\n");
                self.verdict = self.verdict.max(Verdict::Partial);
            }
        }
        self
    }
}
