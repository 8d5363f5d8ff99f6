//! SIGINT and SIGTERM: a command that is told to stop finishes what it must first.

use tokio_util::sync::CancellationToken;

/// Cancels at the first SIGINT or SIGTERM, and says what happens first.
pub(crate) async fn cancel_on_signal(cancel: CancellationToken, stopping: &str) {
    told_to_stop().await;
    eprintln!("stopping: {stopping}");
    cancel.cancel();
}

/// Waits for SIGINT or SIGTERM.
pub(crate) async fn told_to_stop() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                tokio::select! {
                    _ = tokio::signal::ctrl_c() => {}
                    _ = terminate.recv() => {}
                }
            }
            Err(_) => drop(tokio::signal::ctrl_c().await),
        }
    }
    #[cfg(not(unix))]
    drop(tokio::signal::ctrl_c().await);
}

/// Ends at Ctrl-C. From when it is first asked on, the signal does not end the program.
pub(crate) async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
