//! A wait between steps, until a condition holds.

use std::time::Duration;

use aiopslab_problems::condition::Condition;
use tokio::time::{Instant, sleep};

use super::Scene;
use crate::error::CaptureError;
use crate::observe::judge;

const POLL: Duration = Duration::from_secs(1);

pub(super) async fn wait(
    scene: &mut Scene<'_>,
    until: &Condition,
    seconds: u64,
) -> Result<(), CaptureError> {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        let evidence = judge(
            scene.cluster,
            scene.application,
            scene.workload.as_deref_mut(),
            &scene.anchors,
            "wait_for",
            std::slice::from_ref(until),
        )
        .await?;
        let Some(because) = evidence.because() else {
            return Ok(());
        };
        if Instant::now() > end {
            return Err(CaptureError::Timeout {
                stage: "a step of the fault".to_owned(),
                seconds,
                because,
            });
        }
        sleep(POLL).await;
    }
}
