//! `aiopslab capture --attach` and `--print-rbac`: a system that is not ours.

use std::sync::Arc;
use std::time::Duration;

use aiopslab_capture::{AttachRequest, AttachSummary, ServiceAccount, attach, print_rights};
use aiopslab_problems::family::{Application, Endpoint};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::{length, options, recorders};
use crate::cli::Capture;
use crate::exit::Failure;
use crate::library::Library;
use crate::output::{CaptureProgress, print};
use crate::settings::Settings;

pub(super) async fn run(
    arguments: &Capture,
    settings: &Settings,
    cancel: CancellationToken,
) -> Result<(), Failure> {
    let request = request(arguments, settings)?;
    let progress = Arc::new(CaptureProgress::start());
    let recorded = attach(request, progress.clone(), cancel).await;
    progress.finish();
    let summary = recorded?;
    if arguments.json {
        let AttachSummary {
            folder,
            manifest,
            gaps,
        } = summary;
        let json = json!({"folder": folder, "manifest": manifest, "gaps": gaps});
        print(&format!("{json:#}\n"));
    } else {
        print(&describe(&summary));
    }
    Ok(())
}

pub(super) async fn print_rbac(arguments: &Capture, settings: &Settings) -> Result<(), Failure> {
    let request = request(arguments, settings)?;
    let usual = ServiceAccount::usual(&request.application.namespace);
    let account = arguments.attach.service_account.clone().unwrap_or(usual);
    print(&print_rights(&request, &account).await?);
    Ok(())
}

fn request(arguments: &Capture, settings: &Settings) -> Result<AttachRequest, Failure> {
    let told = &arguments.attach;
    let Some((first, more)) = told.namespaces.split_first() else {
        return Err(Failure::user(
            "no namespace was given\nhint: -n NAMESPACE, once for each that is to be recorded",
        ));
    };
    let library = Library::open(settings)?;
    let mut application = application(&library, told.application.as_deref(), first);
    if let Some(label) = &told.service_label {
        application.service_label.clone_from(label);
    }
    if let Some(place) = &told.prometheus {
        application.prometheus.clone_from(place);
    }
    if let Some(place) = &told.jaeger {
        application.jaeger.clone_from(place);
    }
    let mut more_namespaces: Vec<String> = Vec::new();
    for namespace in more {
        if namespace != first && !more_namespaces.contains(namespace) {
            more_namespaces.push(namespace.clone());
        }
    }
    Ok(AttachRequest {
        application,
        more_namespaces,
        out: arguments.out().to_owned(),
        cluster: options(&arguments.cluster, settings),
        since: duration("--since", &told.since)?,
        duration: duration("--duration", &told.duration)?,
        recorder: recorders(&arguments.without)?,
    })
}

/// What the catalog knows of the application, in the namespace that is recorded.
fn application(library: &Library, name: Option<&str>, namespace: &str) -> Application {
    let mut known = library.catalog.applications().iter();
    let found = known.find(|one| match name {
        Some(name) => one.name == name,
        None => one.namespace == namespace,
    });
    let Some(found) = found else {
        return Application::unknown(name.unwrap_or(namespace), namespace, "");
    };
    Application {
        namespace: namespace.to_owned(),
        // They are looked for where they are here.
        prometheus: Endpoint::nowhere(),
        jaeger: Endpoint::nowhere(),
        ..found.clone()
    }
}

fn duration(option: &str, text: &str) -> Result<Duration, Failure> {
    let seconds = length(text).filter(|seconds| *seconds <= 7 * 24 * 3600);
    seconds.map(Duration::from_secs).ok_or_else(|| {
        Failure::user(format!(
            "{option}: {text:?} is no length of time up to a week\nhint: 90s, 30m or 2h"
        ))
    })
}

fn describe(summary: &AttachSummary) -> String {
    let manifest = &summary.manifest;
    let bytes: u64 = manifest.files.values().map(|file| file.bytes).sum();
    let rows: u64 = manifest.files.values().map(|file| file.rows).sum();
    let folder = &summary.folder;
    let mut out = format!(
        "recorded {folder}: {rows} rows, {:.2} MiB, {} to {}\n",
        bytes as f64 / f64::from(1 << 20),
        manifest.observed.from,
        manifest.observed.to,
    );
    for gap in &summary.gaps {
        out.push_str(&format!("  {gap}\n"));
    }
    out.push_str(&format!(
        "look around: aiopslab shell {folder}; say what was wrong: aiopslab truth add {folder} --help\n"
    ));
    out
}
