//! The recorders started and stopped, and the baseline window that they record first.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::waiting::Purpose;
use crate::error::CaptureError;
use crate::recorder::Recording;
use crate::run::{Capture, open_window};

/// How often the baseline's health is judged.
const BASELINE_POLL: Duration = Duration::from_secs(10);
/// How long the recorders run on after the end, for what arrives late.
const AFTERMATH: Duration = Duration::from_secs(4);

impl Capture {
    pub(super) async fn start_recorders(&mut self) -> Result<(), CaptureError> {
        self.enter("record", "starting the recorders")?;
        let recording = Recording::start(
            &self.cluster,
            &self.request.application,
            self.writer.clone(),
            self.request.recorder.clone(),
            self.progress.clone(),
        )
        .await;
        let recording = recording?;
        self.redaction = Some(Arc::clone(recording.redaction()));
        self.recording = Some(recording);
        self.recording_from = self.cluster.now();
        self.note_all().await
    }

    pub(super) async fn baseline(&mut self) -> Result<(), CaptureError> {
        let length = self.lengths.baseline;
        self.enter(
            "baseline",
            &format!("{} s without a fault", length.as_secs()),
        )?;
        let mut window = open_window(&self.cluster);
        let until = Instant::now() + length;
        self.windows.baseline = Some(window);
        self.note_all().await?;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            self.pause(left.min(BASELINE_POLL)).await?;
            window.to = self.cluster.now();
            self.windows.baseline = Some(window);
            self.anchors.baseline = Some(window);
            let evidence = self.judge(Purpose::Healthy).await?;
            if let Some(because) = evidence.because() {
                return Err(self.timeout(window_length(window), &because));
            }
            if Instant::now() >= until {
                self.evidence.push(evidence);
                return Ok(());
            }
        }
    }

    pub(super) async fn stop_recorders(&mut self) -> Result<(), CaptureError> {
        self.enter("stop", "the recorders take what arrives late, and stop")?;
        let end = self.cluster.now();
        self.pause(AFTERMATH).await?;
        self.recording_to = Some(end);
        if let Some(recording) = self.recording.take() {
            let outcome = recording.finish(self.recording_from, end).await;
            self.outcome = Some(outcome?);
        }
        self.workload_client.fetch(&self.cluster).await?; // the last seconds have settled by now
        self.note_all().await
    }
}

fn window_length(window: crate::windows::Window) -> Duration {
    Duration::try_from(window.to.duration_since(window.from)).unwrap_or_default()
}
