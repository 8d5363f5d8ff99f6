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

/// Shows an import's progress: bytes, rows and time of the incident under way on a moving line, and a
/// line for each that is done.
pub struct ImportProgress {
    bar: indicatif::ProgressBar,
    rows: std::sync::atomic::AtomicU64,
}

impl ImportProgress {
    /// The moving line is there on a terminal only.
    #[must_use]
    pub fn start() -> Self {
        let style = "{prefix}  {bytes} of {total_bytes}  {msg} rows  {elapsed}, {eta} left";
        let style = indicatif::ProgressStyle::with_template(style);
        let bar = indicatif::ProgressBar::new(0);
        Self {
            // The template is a constant.
            bar: style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)),
            rows: std::sync::atomic::AtomicU64::new(0),
        }
    }

    /// Leaves the last incident's line.
    pub fn finish(&self) {
        if self.bar.length().is_some_and(|bytes| bytes > 0) {
            let (name, rows) = (self.bar.prefix(), self.bar.message());
            let bytes = indicatif::HumanBytes(self.bar.position());
            let seconds = self.bar.elapsed().as_secs_f64();
            self.bar
                .suspend(|| eprintln!("{name}  {bytes}, {rows} rows in {seconds:.1} s"));
        }
        self.bar.finish_and_clear();
    }
}

impl aiopslab_datasets::import::ImportProgress for ImportProgress {
    fn begins(&self, incident: &str, number: usize, of: usize, bytes: u64) {
        self.finish();
        self.bar.reset();
        self.bar.set_length(bytes);
        self.bar.set_prefix(format!("{number}/{of} {incident}"));
        self.rows.store(0, std::sync::atomic::Ordering::Relaxed);
        self.advanced(0, 0);
    }

    fn advanced(&self, bytes: u64, rows: u64) {
        let before = self
            .rows
            .fetch_add(rows, std::sync::atomic::Ordering::Relaxed);
        self.bar.set_message((before + rows).to_string());
        self.bar.inc(bytes);
    }
}
