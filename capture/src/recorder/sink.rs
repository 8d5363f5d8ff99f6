//! The way of rows to the writer: a bounded channel, batches, counts.
//!
//! What waits is bounded in bytes, for all tables together: a recorder whose source is faster than
//! the disk has to wait, and with it its source.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use aiopslab_datasets::manifest::RecorderCounts;
use aiopslab_datasets::rows::Row;
use aiopslab_datasets::writer::HELD_BACK;
use aiopslab_datasets::{SnapshotWriter, Visibility};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::weight::Weight;
use crate::progress::SharedProgress;

/// Rows that wait for the writer before recorders have to wait.
const QUEUE: usize = 4096;
/// Rows per batch.
const BATCH: usize = 2048;
/// Bytes of a batch that does not wait for more rows.
const FULL: usize = 8 << 20;
/// Kibibytes of all rows that wait for the writer.
const BUDGET: u32 = 64 << 10;

/// The memory for rows that wait, shared by all sinks of a recording.
#[derive(Clone)]
pub(super) struct Budget(Arc<Semaphore>);

impl Default for Budget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BUDGET as usize)))
    }
}

impl Budget {
    /// Waits until there is room; a row that is larger than all of it takes all of it.
    async fn take(&self, bytes: usize) -> Option<OwnedSemaphorePermit> {
        let kibibytes = u32::try_from(bytes >> 10)
            .unwrap_or(BUDGET)
            .saturating_add(1);
        let all = Arc::clone(&self.0);
        // It is never closed.
        all.acquire_many_owned(kibibytes.min(BUDGET)).await.ok()
    }
}

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
    bytes: usize,
    /// Returned when the row is written.
    room: Option<OwnedSemaphorePermit>,
}

/// Takes the rows of one table from many tasks.
#[derive(Clone)]
pub(super) struct Sink<R> {
    sender: mpsc::Sender<Item<R>>,
    tally: Arc<Tally>,
    budget: Budget,
}

impl<R: Row + Weight + Send + Sync + 'static> Sink<R> {
    /// Opens a sink; its collector ends when the last clone is dropped.
    pub(super) fn open(
        writer: Arc<SnapshotWriter>,
        progress: SharedProgress,
        failure: Failure,
        budget: Budget,
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
        let sink = Self {
            sender,
            tally,
            budget,
        };
        (sink, collector)
    }

    /// Hands over a row; waits while the writer is behind.
    pub(super) async fn put(&self, row: R, visibility: Visibility, redacted: bool) {
        self.tally.offered.fetch_add(1, Ordering::Relaxed);
        let bytes = row.weight();
        let room = self.budget.take(bytes).await;
        if self
            .sender
            .send(Item {
                row,
                visibility,
                redacted,
                bytes,
                room,
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
        let linger =
            async { while !is_full(&batch) && receiver.recv_many(&mut batch, BATCH).await > 0 {} };
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

fn is_full<R>(batch: &[Item<R>]) -> bool {
    let bytes: usize = batch.iter().map(|item| item.bytes).sum();
    batch.len() >= BATCH || bytes >= FULL
}

async fn write<R: Row + Send + Sync + 'static>(
    items: Vec<Item<R>>,
    writer: Arc<SnapshotWriter>,
    failure: &Failure,
    tally: &Tally,
) {
    let (mut visible, mut withheld, mut redacted) = (Vec::new(), Vec::new(), 0);
    let mut rooms = Vec::new();
    for item in items {
        rooms.push(item.room);
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
    let written = written.await;
    drop(rooms);
    match written {
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aiopslab_datasets::rows::LogLine;
    use aiopslab_datasets::schema::Table;
    use camino::Utf8Path;

    use super::*;
    use crate::progress::Silent;

    fn line(seq: u64, bytes: usize) -> LogLine {
        LogLine {
            instance_id: 0,
            seq,
            timestamp: 0,
            message: vec![b'x'; bytes],
            stream: None,
            namespace: "shop".to_owned(),
            service: None,
            pod: "geo-1".to_owned(),
            container: "geo".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_waits_is_bounded_in_bytes_and_nothing_of_it_is_lost() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Utf8Path::from_path(folder.path()).unwrap().join("snapshot");
        let writer = Arc::new(SnapshotWriter::create(&folder).unwrap());
        let budget = Budget::default();
        let (sink, collector) = Sink::<LogLine>::open(
            Arc::clone(&writer),
            Arc::new(Silent),
            Failure::default(),
            budget.clone(),
        );
        // 200 MiB and one line that is larger than all the room.
        let room = usize::try_from(BUDGET).unwrap() << 10;
        let mut least = usize::MAX;
        for seq in 0..400 {
            let bytes = if seq == 200 { room + 1 } else { 512 << 10 };
            sink.put(line(seq, bytes), Visibility::Visible, false).await;
            least = least.min(budget.0.available_permits());
        }
        assert!(least < BUDGET as usize / 2, "nothing ever waited");
        drop(sink);
        let (table, counts) = collector.finish().await;
        assert_eq!(table, Table::LogLines.name());
        assert_eq!((counts.offered, counts.written, counts.lost), (400, 400, 0));
        assert_eq!(budget.0.available_permits(), BUDGET as usize);
    }

    #[tokio::test]
    async fn a_source_waits_for_a_writer_that_is_behind() {
        let budget = Budget::default();
        let held = budget.take(usize::MAX).await;
        let mut waiting = Box::pin(budget.take(1));
        let soon = Duration::from_millis(20);
        assert!(timeout(soon, &mut waiting).await.is_err());
        drop(held);
        assert!(timeout(soon, waiting).await.is_ok());
    }
}
