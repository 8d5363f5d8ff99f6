//! What a person sees: logging, progress and colour, all on standard error.

use std::io::IsTerminal;

/// Sends diagnostics to standard error; more of them where asked.
pub fn start_logging(verbose: bool) {
    // The cluster client logs every failed request; what matters of them is in our own errors.
    let level = if verbose {
        "aiopslab=debug,warn"
    } else {
        "error,kube_client=off"
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("AIOPSLAB_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    // A second start (in tests) keeps the first.
    drop(
        tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(std::io::stderr().is_terminal())
            .try_init(),
    );
}

/// Whether standard output is a terminal that takes colours.
#[must_use]
pub fn colours() -> bool {
    std::io::stdout().is_terminal()
}

/// Prints to standard output; a closed pipe ends the program quietly, as with other tools.
pub fn print(text: &str) {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    if out
        .write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .is_err()
    {
        std::process::exit(i32::from(crate::exit::DONE));
    }
}

/// Shows a capture's progress: a line for each stage, and what the recorders have on a moving line.
pub struct CaptureProgress {
    started: std::time::Instant,
    bar: indicatif::ProgressBar,
    rows: std::sync::Mutex<std::collections::BTreeMap<String, u64>>,
}

impl CaptureProgress {
    /// Starts counting; the moving line is there on a terminal only.
    #[must_use]
    pub fn start() -> Self {
        let bar = indicatif::ProgressBar::new_spinner();
        if std::io::stderr().is_terminal() {
            bar.enable_steady_tick(std::time::Duration::from_millis(200));
        }
        Self {
            started: std::time::Instant::now(),
            bar,
            rows: std::sync::Mutex::default(),
        }
    }

    /// Leaves the last counts on a line of their own.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
        let counts = self.counts();
        if !counts.is_empty() {
            eprintln!("{:>6} rows      {counts}", self.elapsed());
        }
    }

    fn elapsed(&self) -> String {
        format!("{}s", self.started.elapsed().as_secs())
    }

    fn counts(&self) -> String {
        let rows = self
            .rows
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        rows.iter()
            .map(|(table, rows)| format!("{table} {rows}"))
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn line(&self, text: &str) {
        self.bar
            .suspend(|| eprintln!("{:>6} {text}", self.elapsed()));
    }
}

impl aiopslab_capture::progress::Progress for CaptureProgress {
    fn stage(&self, name: &str, what: &str) {
        self.line(&format!("{name:<9} {what}"));
    }

    fn rows(&self, table: &str, rows: u64) {
        self.rows
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .insert(table.to_owned(), rows);
        self.bar.set_message(self.counts());
    }

    fn note(&self, text: &str) {
        self.line(&format!("          {text}"));
    }
}
