//! A query while it runs: rows as they come, progress on standard error, an end before its end.

use std::future::Future;
use std::io::IsTerminal;
use std::time::Duration;

use aiopslab_replay::ReplayError;
use aiopslab_replay::sql::{Progress, RunningQuery};
use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressStyle};
use tokio::sync::mpsc;

use crate::exit::Failure;

/// How long a query runs before it tells how far it is.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often it tells then.
const TICK: Duration = Duration::from_millis(200);

/// Runs a query and hands its rows on; gives its columns, none where it was cancelled.
pub(super) async fn run(
    mut query: RunningQuery,
    cancelled: impl Future<Output = ()>,
    mut take: impl FnMut(RecordBatch) -> Result<(), Failure>,
) -> Result<Option<SchemaRef>, Failure> {
    let (schema, progress) = (query.schema().clone(), query.progress());
    let (sender, mut receiver) = mpsc::channel::<Result<RecordBatch, ReplayError>>(1);
    // Computing happens elsewhere, so that the terminal is listened to meanwhile.
    let computing = tokio::spawn(async move {
        while let Some(batch) = query.next().await.transpose() {
            let is_error = batch.is_err();
            if sender.send(batch).await.is_err() || is_error {
                break;
            }
        }
    });
    let bar = Bar::new(progress);
    let started = tokio::time::Instant::now();
    let mut ticks = tokio::time::interval_at(started + PATIENCE, TICK);
    tokio::pin!(cancelled);
    let result = loop {
        tokio::select! {
            batch = receiver.recv() => match batch {
                Some(Ok(batch)) => {
                    if let Err(failure) = bar.bar.suspend(|| take(batch)) {
                        break Err(failure);
                    }
                }
                Some(Err(error)) => break Err(error.into()),
                None => break Ok(Some(schema)),
            },
            _ = ticks.tick() => bar.show(),
            () = &mut cancelled => break Ok(None),
        }
    };
    bar.bar.finish_and_clear();
    computing.abort();
    // It ends where it next gives way; nobody has to wait for that.
    match tokio::time::timeout(PATIENCE, computing).await {
        Ok(Err(error)) if error.is_panic() => Err(Failure::Ours(anyhow::anyhow!(
            "the query engine panicked: {error}"
        ))),
        _ => result,
    }
}

/// A moving line on a terminal; nothing elsewhere.
struct Bar {
    bar: ProgressBar,
    progress: Progress,
}

impl Bar {
    fn new(progress: Progress) -> Self {
        let bar = match std::io::stderr().is_terminal() {
            true => ProgressBar::new_spinner(),
            false => ProgressBar::hidden(),
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
            bar.set_style(style);
        }
        Self { bar, progress }
    }

    fn show(&self) {
        let (rows, bytes) = self.progress.read();
        let (rows, bytes) = (HumanCount(rows as u64), HumanBytes(bytes as u64));
        self.bar.set_message(format!("{rows} rows, {bytes} read"));
        self.bar.tick();
    }
}
