//! Where requests run, and how many there were.

use std::io;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use tokio::runtime::{Builder, Runtime};

use crate::error::{Result, SnapshotError};

/// Requests have threads of their own: a snapshot is read by whoever reads it, in a runtime or not, and
/// whoever waits for a file must not keep its connection from being served.
static RUNTIME: LazyLock<io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("requests")
        .enable_all()
        .build()
});

static REQUESTS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);

/// What this process has fetched from elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fetched {
    /// Requests that were answered.
    pub requests: u64,
    /// Bytes of the files in the answers.
    pub bytes: u64,
}

/// What this process has fetched from elsewhere so far.
#[must_use]
pub fn fetched() -> Fetched {
    Fetched {
        requests: REQUESTS.load(Ordering::Relaxed),
        bytes: BYTES.load(Ordering::Relaxed),
    }
}

pub(super) fn count(requests: u64, bytes: usize) {
    REQUESTS.fetch_add(requests, Ordering::Relaxed);
    BYTES.fetch_add(bytes as u64, Ordering::Relaxed);
}

pub(super) fn runtime() -> Result<&'static Runtime> {
    RUNTIME
        .as_ref()
        .map_err(|cause| stopped(&cause.to_string()))
}

/// Runs what asks a store to its end, and keeps the calling thread waiting.
pub(super) fn wait<T: Send + 'static, E: From<SnapshotError> + Send + 'static>(
    work: impl Future<Output = std::result::Result<T, E>> + Send + 'static,
) -> std::result::Result<T, E> {
    let (sender, receiver) = sync_channel(1);
    runtime()?.spawn(async move {
        // Where nobody waits any more, the process ends.
        drop(sender.send(work.await));
    });
    let unanswered = |_| Err(stopped("it was stopped").into());
    receiver.recv().unwrap_or_else(unanswered)
}

/// The same for who can wait otherwise.
pub(super) async fn run<T: Send + 'static>(
    work: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    let joined = runtime()?.spawn(work).await;
    joined.unwrap_or_else(|cause| Err(stopped(&cause.to_string())))
}

fn stopped(cause: &str) -> SnapshotError {
    SnapshotError::Remote {
        action: "run",
        url: "a request".to_owned(),
        cause: cause.to_owned(),
        hint: "try again",
    }
}
