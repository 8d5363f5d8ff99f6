//! `aiopslab eval --live` and `--on-write live`: an agent on a running cluster.

use std::sync::Arc;
use std::time::Duration;

use aiopslab_capture::live::{Granted, LiveOptions, Rights, ToolboxOptions, UnknownRights};
use tokio_util::sync::CancellationToken;

use crate::cli::{Live, OnWrite};
use crate::commands::capture::{FAULT_FIRST, options, seconds};
use crate::evaluation::Stage;
use crate::exit::Failure;
use crate::output::CaptureProgress;
use crate::settings::Settings;
use crate::signals::cancel_on_signal;

/// Lets something run on the cluster; a signal ends it, and what was done is undone.
pub(super) async fn on_stage<T, W>(
    arguments: &Live,
    settings: &Settings,
    work: impl FnOnce(Stage) -> W,
) -> Result<T, Failure>
where
    W: Future<Output = Result<T, Failure>>,
{
    let progress = Arc::new(CaptureProgress::start());
    let cancel = CancellationToken::new();
    let stage = Stage {
        options: LiveOptions {
            cluster: options(&arguments.cluster, settings),
            sources: arguments.sources.options(),
            toolbox: ToolboxOptions {
                image: arguments.toolbox.clone(),
                rights: rights(arguments)?,
            },
            baseline: length(&arguments.baseline)?,
            settle: length(&arguments.settle)?,
            keep: arguments.keep,
            ..LiveOptions::default()
        },
        fresh: arguments.fresh,
        progress: progress.clone(),
        cancel: cancel.clone(),
    };
    let watched = tokio::spawn(cancel_on_signal(cancel, FAULT_FIRST));
    let done = work(stage).await;
    watched.abort();
    progress.finish();
    done
}

/// Whoever a write leads to the cluster may write there, whatever the task.
fn rights(arguments: &Live) -> Result<Granted, UnknownRights> {
    let granted: Granted = arguments.rights.parse()?;
    Ok(match (granted, arguments.on_write) {
        (Granted::Auto, OnWrite::Live) => Granted::Always(Rights::Namespace),
        _ => granted,
    })
}

fn length(text: &str) -> Result<Duration, Failure> {
    Ok(Duration::from_secs(seconds(text)?.max))
}
