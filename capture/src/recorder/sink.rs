//! The way of rows to the writer: a bounded channel, batches, counts.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use aiopslab_datasets::manifest::RecorderCounts;
use aiopslab_datasets::rows::Row;
use aiopslab_datasets::writer::HELD_BACK;
use aiopslab_datasets::{SnapshotWriter, Visibility};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::progress::SharedProgress;

/// Rows that wait for the writer before recorders have to wait.
const QUEUE: usize = 4096;
/// Rows per batch.
const BATCH: usize = 2048;
/// The first error that ends a recording.
#[derive(Debug, Clone, Default)]
pub(super) struct Failure {
    reason: Arc<OnceLock<String>>,
    token: CancellationToken,
}

impl Failure {
    pub(super) fn set(&self, reason: String) {
        // Only the first one counts.
        self.reason.set(reason).ok();
        self.token.cancel();
    }

    pub(super) fn reason(&self) -> Option<&str> {
        self.reason.get().map(String::as_str)
    }

    pub(super) async fn happened(&self) {
        self.token.cancelled().await;
    }
}

/// What became of the rows of one table.
#[derive(Debug, Default)]
pub(super) struct Tally {
    offered: AtomicU64,
    written: AtomicU64,
    redacted: AtomicU64,
    withheld: AtomicU64,
    lost: AtomicU64,
}

impl Tally {
    pub(super) fn counts(&self) -> RecorderCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RecorderCounts {
            offered: read(&self.offered),
            written: read(&self.written),
            redacted: read(&self.redacted),
            withheld: read(&self.withheld),
            lost: read(&self.lost),
        }
    }
}

/// A row with what was decided about it.
struct Item<R> {
    row: R,
    visibility: Visibility,
    redacted: bool,
}

/// Takes the rows of one table from many tasks.
#[derive(Clone)]
pub(super) struct Sink<R> {
    sender: mpsc::Sender<Item<R>>,
    tally: Arc<Tally>,
}

impl<R: Row + Send + Sync + 'static> Sink<R> {
    /// Opens a sink; its collector ends when the last clone is dropped.
    pub(super) fn open(
        writer: Arc<SnapshotWriter>,
        progress: SharedProgress,
        failure: Failure,
    ) -> (Self, Collector) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let tally = Arc::new(Tally::default());
        let task = tokio::spawn(collect(
            receiver,
            writer,
            progress,
            failure,
            Arc::clone(&tally),
        ));
        let collector = Collector {
            table: R::TABLE.name(),
            tally: Arc::clone(&tally),
            task,
        };
        (Self { sender, tally }, collector)
    }

    /// Hands over a row; waits while the writer is behind.
    pub(super) async fn put(&self, row: R, visibility: Visibility, redacted: bool) {
        self.tally.offered.fetch_add(1, Ordering::Relaxed);
        if self
            .sender
            .send(Item {
                row,
                visibility,
                redacted,
            })
            .await
            .is_err()
        {
            self.tally.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts rows that the source offered and that could not be read.
    pub(super) fn lose(&self, rows: u64) {
        self.tally.offered.fetch_add(rows, Ordering::Relaxed);
        self.tally.lost.fetch_add(rows, Ordering::Relaxed);
    }
}

/// The writing end of a [`Sink`].
pub(super) struct Collector {
    table: &'static str,
    tally: Arc<Tally>,
    task: JoinHandle<()>,
}

impl Collector {
    /// Waits until everything is written.
    pub(super) async fn finish(self) -> (&'static str, RecorderCounts) {
        // A task that panicked has counted nothing as written, so `offered` tells.
        self.task.await.ok();
        let mut counts = self.tally.counts();
        let settled = counts.written + counts.redacted + counts.withheld + counts.lost;
        counts.lost += counts.offered.saturating_sub(settled);
        (self.table, counts)
    }
}

async fn collect<R: Row + Send + Sync + 'static>(
    mut receiver: mpsc::Receiver<Item<R>>,
    writer: Arc<SnapshotWriter>,
    progress: SharedProgress,
    failure: Failure,
    tally: Arc<Tally>,
) {
    let mut batch: Vec<Item<R>> = Vec::new();
    loop {
        if receiver.recv_many(&mut batch, BATCH).await == 0 {
            return;
        }
        let linger = async {
            while batch.len() < BATCH && receiver.recv_many(&mut batch, BATCH).await > 0 {}
        };
        // A row waits for company, but not for long.
        timeout(HELD_BACK, linger).await.ok();
        let items = std::mem::take(&mut batch);
        write(items, Arc::clone(&writer), &failure, &tally).await;
        let counts = tally.counts();
        progress.rows(
            R::TABLE.name(),
            counts.written + counts.redacted + counts.withheld,
        );
    }
}

async fn write<R: Row + Send + Sync + 'static>(
    items: Vec<Item<R>>,
    writer: Arc<SnapshotWriter>,
    failure: &Failure,
    tally: &Tally,
) {
    let (mut visible, mut withheld, mut redacted) = (Vec::new(), Vec::new(), 0);
    for item in items {
        match item.visibility {
            Visibility::Visible => {
                redacted += u64::from(item.redacted);
                visible.push(item.row);
            }
            Visibility::Withheld => withheld.push(item.row),
        }
    }
    let add = |counter: &AtomicU64, rows: u64| counter.fetch_add(rows, Ordering::Relaxed);
    let (seen, hidden) = (visible.len() as u64, withheld.len() as u64);
    let written = tokio::task::spawn_blocking(move || {
        let mut results = (Ok(()), Ok(()));
        if !visible.is_empty() {
            results.0 = writer.append_rows(Visibility::Visible, &visible);
        }
        if !withheld.is_empty() {
            results.1 = writer.append_rows(Visibility::Withheld, &withheld);
        }
        results
    });
    match written.await {
        Ok((visible, withheld)) => {
            match visible {
                Ok(()) => {
                    add(&tally.written, seen - redacted);
                    add(&tally.redacted, redacted);
                }
                Err(error) => {
                    add(&tally.lost, seen);
                    failure.set(error.to_string());
                }
            }
            match withheld {
                Ok(()) => {
                    add(&tally.withheld, hidden);
                }
                Err(error) => {
                    add(&tally.lost, hidden);
                    failure.set(error.to_string());
                }
            }
        }
        Err(error) => {
            add(&tally.lost, seen + hidden);
            failure.set(error.to_string());
        }
    }
}
