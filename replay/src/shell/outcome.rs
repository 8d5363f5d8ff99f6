//! What a command line did.

use aiopslab_problems::answer;
use aiopslab_problems::environment::Verdict;

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
    /// Whether something in it would have changed the cluster, or may have: what a command inside
    /// a container does is not known.
    pub may_write: bool,
    /// The moment at which it was done, in nanoseconds: later than it began if it waited where time
    /// passes.
    pub now: i64,
}

impl ShellOutcome {
    /// What the agent reads: standard output, then standard error.
    #[must_use]
    pub fn text(&self) -> String {
        answer::shell_text(&self.stdout, &self.stderr)
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
        answer::add_stopped(&mut self.stderr, seconds);
        self.exit_code = TIMED_OUT;
    }

    /// Cuts what is more than an action answers with.
    pub(super) fn cut(mut self) -> Self {
        for text in [&mut self.stdout, &mut self.stderr] {
            if answer::cut_output(text) {
                self.verdict = self.verdict.max(Verdict::Partial);
            }
        }
        self
    }
}
