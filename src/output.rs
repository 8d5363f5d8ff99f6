//! What a person sees: logging, progress and colour, all on standard error.

use std::io::IsTerminal;

/// Sends diagnostics to standard error; more of them where asked.
pub fn start_logging(verbose: bool) {
    let level = if verbose { "aiopslab=debug,warn" } else { "error" };
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
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        std::process::exit(i32::from(crate::exit::DONE));
    }
}
