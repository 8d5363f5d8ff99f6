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
    let (schema, progress) = (query.schema(), query.progress());
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
    let mut bar = Bar::new(progress);
    let started = tokio::time::Instant::now();
    let mut ticks = tokio::time::interval_at(started + PATIENCE, TICK);
    tokio::pin!(cancelled);
    let result = loop {
        tokio::select! {
            batch = receiver.recv() => match batch {
                Some(Ok(batch)) => {
                    if let Err(failure) = bar.aside(|| take(batch)) {
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
    bar.clear();
    computing.abort();
    // It ends where it next gives way; nobody has to wait for that.
    match tokio::time::timeout(PATIENCE, computing).await {
        Ok(Err(error)) if error.is_panic() => Err(Failure::Ours(anyhow::anyhow!(
            "the query engine panicked: {error}"
        ))),
        _ => result,
    }
}

/// A moving line on a terminal, once a query takes long; nothing elsewhere.
struct Bar {
    bar: Option<ProgressBar>,
    progress: Progress,
}

impl Bar {
    fn new(progress: Progress) -> Self {
        Self {
            bar: None,
            progress,
        }
    }

    fn show(&mut self) {
        if !std::io::stderr().is_terminal() {
            return;
        }
        let bar = self.bar.get_or_insert_with(|| {
            let bar = ProgressBar::new_spinner().with_elapsed(PATIENCE);
            match ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
                Ok(style) => bar.with_style(style),
                Err(_) => bar,
            }
        });
        let (rows, bytes) = self.progress.read();
        let (rows, bytes) = (HumanCount(rows as u64), HumanBytes(bytes as u64));
        bar.set_message(format!("{rows} rows, {bytes} read"));
        bar.tick();
    }

    /// Does something that prints.
    fn aside<T>(&self, print: impl FnOnce() -> T) -> T {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
