//! `aiopslab capture`, `recover` and `check`: the commands that need a live cluster.

mod attach;
mod campaign;

use std::sync::Arc;

use aiopslab_capture::cluster::Cluster as LiveCluster;
use aiopslab_capture::recorder::{Kind, RecorderOptions};
use aiopslab_capture::{
    CaptureError, CaptureRequest, CaptureSummary, ClusterOptions, ProbeOptions, Seconds,
};
use aiopslab_problems::resolve::ResolvedFamily;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use crate::cli::{Capture, Check, Cluster};
use crate::exit::Failure;
use crate::library::Library;
use crate::output::{CaptureProgress, print};
use crate::settings::Settings;
use crate::signals::cancel_on_signal;

/// What happens before a capture is left.
pub(super) const FAULT_FIRST: &str = "the fault is undone first";
/// What `--without` calls the questions at the end of the fault window.
const PROBES: &str = "probes";
/// What `check` is about where nothing is named.
const DEFAULT_APPLICATION: &str = "hotel-testbed";

pub(super) async fn capture(arguments: Capture, settings: &Settings) -> Result<(), Failure> {
    let cancel = CancellationToken::new();
    if arguments.attach.print_rbac {
        return attach::print_rbac(&arguments, settings).await;
    }
    let stopping = if arguments.attach.attach {
        "what was recorded is finished first"
    } else {
        FAULT_FIRST
    };
    let watched = tokio::spawn(cancel_on_signal(cancel.clone(), stopping));
    let done = match (&arguments.all, &arguments.family) {
        _ if arguments.attach.attach => attach::run(&arguments, settings, cancel).await,
        (Some(pattern), _) => campaign::run(pattern, &arguments, settings, &cancel).await,
        (None, Some(family)) => alone(family, &arguments, settings, cancel).await,
        (None, None) => Err(Failure::user("neither FAMILY[-N] nor --all GLOB was given")),
    };
    watched.abort();
    done
}

async fn alone(
    family: &str,
    arguments: &Capture,
    settings: &Settings,
    cancel: CancellationToken,
) -> Result<(), Failure> {
    let summary = one(family, arguments, settings, cancel).await??;
    if arguments.json {
        print(&format!("{:#}\n", summary_json(&summary)));
    } else {
        print(&describe(&summary));
    }
    Ok(())
}

/// Captures one variant. The outer error is the user's, before anything started.
async fn one(
    family: &str,
    arguments: &Capture,
    settings: &Settings,
    cancel: CancellationToken,
) -> Result<Result<CaptureSummary, CaptureError>, Failure> {
    let request = request(family, arguments, settings)?;
    let progress = Arc::new(CaptureProgress::start());
    let captured = aiopslab_capture::run(request, progress.clone(), cancel).await;
    progress.finish();
    Ok(captured)
}

pub(super) async fn recover(cluster: Cluster, settings: &Settings) -> Result<(), Failure> {
    let library = Library::open(settings)?;
    let cluster = connect(&cluster, settings).await?;
    let recovered =
        aiopslab_capture::recover(&cluster, |name| library.catalog.application(name).cloned())
            .await?;
    if recovered.is_empty() {
        print("nothing to recover: no capture left anything on this cluster\n");
    }
    let mut problems = 0;
    for one in &recovered {
        print(&format!("{}\n", one.family));
        for done in &one.done {
            print(&format!("  {done}\n"));
        }
        for problem in &one.problems {
            problems += 1;
            print(&format!("  FAILED {problem}\n"));
        }
    }
    if problems == 0 {
        return Ok(());
    }
    Err(Failure::user(format!(
        "{problems} steps could not be undone\nhint: the journal is kept; run `aiopslab recover` again when the cluster is well"
    )))
}

pub(super) async fn check(arguments: Check, settings: &Settings) -> Result<(), Failure> {
    let library = Library::open(settings)?;
    let families = resolved(&library, &arguments.families)?;
    let first = families.first().map(|family| &family.application);
    let name = arguments.application.as_ref().or(first);
    let application = library.application(name.map_or(DEFAULT_APPLICATION, String::as_str))?;
    let cluster = options(&arguments.cluster, settings).connect().await;
    let sources = arguments.sources.options();
    let mut lines = aiopslab_capture::check(cluster.as_ref(), application, &sources).await;
    if let Ok(cluster) = &cluster {
        for family in &families {
            let line = aiopslab_capture::check_fault(cluster, application, family, &sources);
            lines.push(line.await);
        }
    }
    let mut failed = 0;
    for line in &lines {
        let mark = if line.ok { "ok  " } else { "FAIL" };
        print(&format!("{mark} {:<14} {}\n", line.name, line.detail));
        if !line.ok {
            failed += 1;
            if let Some(fix) = &line.fix {
                print(&format!("     {:<14} fix: {fix}\n", ""));
            }
        }
    }
    if failed == 0 {
        return Ok(());
    }
    Err(Failure::user(format!(
        "{failed} of {} needs are not met",
        lines.len()
    )))
}

/// The families of one application.
fn resolved(library: &Library, names: &[String]) -> Result<Vec<ResolvedFamily>, Failure> {
    let mut families: Vec<ResolvedFamily> = Vec::new();
    for name in names {
        let (family, variant) = library.family(name)?;
        if let Some(first) = families.first()
            && first.application != family.application
        {
            return Err(Failure::user(format!(
                "{} is of application {}, {name} of {}\nhint: check the families of one application at a time",
                first.name(),
                first.application,
                family.application
            )));
        }
        families.push(family.resolve(variant)?);
    }
    Ok(families)
}

async fn connect(cluster: &Cluster, settings: &Settings) -> Result<LiveCluster, Failure> {
    Ok(options(cluster, settings).connect().await?)
}

pub(super) fn options(cluster: &Cluster, settings: &Settings) -> ClusterOptions {
    ClusterOptions {
        kubeconfig: cluster
            .kubeconfig
            .clone()
            .or_else(|| settings.kubeconfig.value.clone()),
        context: cluster
            .context
            .clone()
            .or_else(|| settings.context.value.clone()),
    }
}

fn request(
    family: &str,
    arguments: &Capture,
    settings: &Settings,
) -> Result<CaptureRequest, Failure> {
    let library = Library::open(settings)?;
    let (family, variant) = library.family(family)?;
    let application = library.application(&family.application)?.clone();
    let mut request = CaptureRequest::new(
        family.resolve(variant)?,
        application,
        arguments.out().to_owned(),
    );
    request.cluster = options(&arguments.cluster, settings);
    request.baseline = seconds(&arguments.baseline)?;
    request.window = seconds(&arguments.window)?;
    request.age = seconds(&arguments.age)?;
    request.seed = arguments.seed;
    request.rate = arguments.rate;
    request.keep = arguments.keep;
    request.try_wrong_repairs = arguments.wrong_repairs;
    request.sources = arguments.sources.options();
    request.recorder = recorders(&arguments.without)?;
    request.probes = ProbeOptions {
        wanted: !arguments.without.iter().any(|name| name == PROBES),
        kubectl: arguments
            .kubectl
            .clone()
            .or_else(|| settings.kubectl.value.clone()),
    };
    Ok(request)
}

fn recorders(without: &[String]) -> Result<RecorderOptions, Failure> {
    let mut options = RecorderOptions::default();
    for name in without.iter().filter(|name| *name != PROBES) {
        options.without.insert(name.parse::<Kind>()?);
    }
    Ok(options)
}

/// `60s`, `2m` or `45s..75s`.
pub(super) fn seconds(text: &str) -> Result<Seconds, Failure> {
    let wrong = || {
        Failure::user(format!(
            "{text:?} is no length of time\nhint: 60s, 2m, or a range like 45s..75s"
        ))
    };
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let (min, max) = (
        length(from).ok_or_else(wrong)?,
        length(to).ok_or_else(wrong)?,
    );
    if min == 0 || min > max {
        return Err(wrong());
    }
    Ok(Seconds { min, max })
}

/// `60s`, `2m` or `1h`, in seconds.
fn length(text: &str) -> Option<u64> {
    let text = text.trim();
    let units = [("h", 3600), ("m", 60), ("s", 1)];
    let (number, unit) = units
        .iter()
        .find_map(|(letter, unit)| Some((text.strip_suffix(letter)?, *unit)))
        .unwrap_or((text, 1));
    number.parse::<u64>().ok()?.checked_mul(unit)
}

fn describe(summary: &CaptureSummary) -> String {
    let bytes: u64 = summary.manifest.files.values().map(|file| file.bytes).sum();
    let rows: u64 = summary.manifest.files.values().map(|file| file.rows).sum();
    let mut out = format!(
        "captured {}: {rows} rows, {:.2} MiB\ncluster as before: {} objects compared\n",
        summary.folder,
        bytes as f64 / f64::from(1 << 20),
        summary.objects_compared,
    );
    if summary.wrong_repairs_failed > 0 {
        out.push_str(&format!(
            "oracle: {} wrong repairs refused\n",
            summary.wrong_repairs_failed
        ));
    }
    for (stage, took) in &summary.durations {
        out.push_str(&format!("  {stage:<14} {took:>7.1} s\n"));
    }
    out
}

fn summary_json(summary: &CaptureSummary) -> serde_json::Value {
    json!({
        "folder": summary.folder,
        "manifest": summary.manifest,
        "durations": summary.durations,
        "objects_compared": summary.objects_compared,
        "wrong_repairs_refused": summary.wrong_repairs_failed,
    })
}

#[cfg(test)]
mod tests {
    use super::seconds;

    #[test]
    fn lengths_of_time() {
        let read = |text: &str| seconds(text).ok().map(|read| (read.min, read.max));
        assert_eq!(read("60s"), Some((60, 60)));
        assert_eq!(read("1m..90s"), Some((60, 90)));
        assert_eq!(read("1h"), Some((3600, 3600)));
        for wrong in ["", "0s", "90s..60s", "1d", "-1s", "..", "s"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
