//! What a capture writes about itself: notes that survive a crash, truth, windows, manifest.

use std::sync::Arc;
use std::time::Instant;

use aiopslab_datasets::manifest::{Manifest, ManifestDraft, Observed};
use aiopslab_datasets::writer::{DRAFT_NOTE, SnapshotWriter};
use camino::Utf8Path;
use serde_json::{Value, json};

use super::{Capture, CaptureSummary};
use crate::error::CaptureError;
use crate::programs;

/// The document in `withheld/` that lists the programs that were run.
const PROGRAMS: &str = "programs";

impl Capture {
    /// Writes down what a salvage needs, as it is known now.
    pub(super) async fn note_all(&self) -> Result<(), CaptureError> {
        self.note("truth", &self.truth()?)?;
        self.note("windows", &to_json("the windows", &self.windows)?)?;
        self.note("journal", &self.journal_record().await?)?;
        self.note("workload", &self.workload_results()?)?;
        if let Some(programs) = self.programs() {
            self.note(PROGRAMS, &programs)?;
        }
        self.note(DRAFT_NOTE, &to_json("the manifest", &self.draft())?)
    }

    fn note(&self, name: &str, value: &Value) -> Result<(), CaptureError> {
        Ok(self.writer.note(name, value)?)
    }

    /// What the live system said is redacted, wherever it goes.
    fn redacted(&self, mut value: Value) -> Value {
        if let Some(rules) = &self.redaction {
            rules.object("", &mut value);
        }
        value
    }

    async fn journal_record(&self) -> Result<Value, CaptureError> {
        Ok(self.redacted(self.journal.record(&self.cluster).await?))
    }

    fn truth(&self) -> Result<Value, CaptureError> {
        let family = &self.request.family;
        let variant = family.variants.first();
        Ok(json!({
            "family": family.family,
            "variant": variant.map_or(1, |variant| variant.n),
            "variables": variant.map(|variant| &variant.variables),
            "summary": family.summary,
            "application": family.application,
            "workload": family.workload,
            "tasks": family.tasks,
            "truth": family.truth,
            "seed": self.request.seed,
            "evidence": self.redacted(to_json("the evidence", &self.evidence)?),
        }))
    }

    /// The programs that made the application's manifests; none: they were there already.
    ///
    /// Withheld: a chart that is rendered twice tells of a fault in its values.
    fn programs(&self) -> Option<Value> {
        programs::document(&self.calls).map(|programs| self.redacted(programs))
    }

    fn workload_results(&self) -> Result<Value, CaptureError> {
        let end = self.windows.fault.filter(|_| self.outcome.is_some());
        let end = end.map_or(i64::MAX, |window| window.to.as_millisecond());
        let intervals = self.workload_client.intervals();
        let intervals: Vec<_> = intervals
            .into_iter()
            .filter(|interval| interval.start_ms < end)
            .collect();
        Ok(json!({
            "name": self.request.family.workload,
            "workload": to_json("the workload", &self.workload)?,
            "intervals": to_json("the intervals", &intervals)?,
        }))
    }

    fn draft(&self) -> ManifestDraft {
        let application = &self.request.application;
        let mut draft = ManifestDraft {
            seed: self.identity.clone(),
            application: application.name.clone(),
            namespaces: vec![application.namespace.clone()],
            service_label: application.service_label.clone(),
            ..ManifestDraft::default()
        };
        let workload = self.workload.as_ref().map(|workload| {
            json!({"rate": workload.rate, "arrival": workload.arrival, "mix": workload.mix})
        });
        let mut settings = json!({"workload": workload});
        let end = self.windows.fault.map(|window| window.to);
        draft.observed = self.recording_from_if_started().map(|from| Observed {
            from,
            to: self.recording_to.or(end).unwrap_or(from).max(from),
        });
        if let Some(recording) = &self.recording {
            draft.begun = recording.begun();
        }
        if let Some(outcome) = &self.outcome {
            draft.end = end;
            draft.versions = outcome.versions.clone();
            draft
                .versions
                .insert("aiopslab".to_owned(), json!(env!("CARGO_PKG_VERSION")));
            draft.clock_offsets = outcome.clock_offsets.clone();
            draft.recorders = outcome.counts.clone();
            draft.redaction = outcome.redaction.clone();
            settings["recorders"] = outcome.settings.clone();
        }
        draft.settings = settings;
        draft
    }

    fn recording_from_if_started(&self) -> Option<jiff::Timestamp> {
        let has_started = self.recording.is_some() || self.outcome.is_some();
        has_started.then_some(self.recording_from)
    }

    /// Writes what was found out and finishes the snapshot; the manifest comes last.
    pub(super) async fn complete(mut self) -> Result<CaptureSummary, CaptureError> {
        let mut documents = vec![
            ("truth", self.truth()?),
            ("windows", to_json("the windows", &self.windows)?),
            ("journal", self.journal_record().await?),
            ("workload", self.workload_results()?),
        ];
        documents.extend(self.programs().map(|programs| (PROGRAMS, programs)));
        for (name, value) in &documents {
            self.writer.write_withheld_json(name, value)?;
        }
        if !self.probes.is_empty() {
            self.writer.write_probes(&self.probes)?;
        }
        let differences = self.compare().await?;
        self.close_stage();
        self.progress
            .stage("finish", "sorting the tables and writing the manifest");
        let draft = self.draft();
        let Self {
            writer,
            folder,
            windows,
            mut durations,
            wrong_repairs_failed,
            before,
            ..
        } = self;
        let started = Instant::now();
        let manifest = finish(writer, &folder, draft).await?;
        durations.push(("finish".to_owned(), started.elapsed().as_secs_f64()));
        if !differences.is_empty() {
            return Err(CaptureError::Different(differences));
        }
        let objects_compared = before.len();
        Ok(CaptureSummary {
            folder,
            manifest,
            windows,
            durations,
            wrong_repairs_failed,
            objects_compared,
        })
    }
}

pub(crate) async fn finish(
    writer: Arc<SnapshotWriter>,
    folder: &Utf8Path,
    draft: ManifestDraft,
) -> Result<Manifest, CaptureError> {
    let unfinished = |reason: String| CaptureError::Unfinished {
        folder: folder.to_owned(),
        reason,
    };
    // The recorders have been joined, so that this is the last handle.
    let writer =
        Arc::into_inner(writer).ok_or_else(|| unfinished("a recorder still writes".to_owned()))?;
    match tokio::task::spawn_blocking(move || writer.finish(draft)).await {
        Ok(finished) => Ok(finished?),
        Err(broken) => Err(unfinished(broken.to_string())),
    }
}

fn to_json<T: serde::Serialize>(what: &str, value: &T) -> Result<Value, CaptureError> {
    serde_json::to_value(value).map_err(CaptureError::json(what))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use aiopslab_problems::catalog::Catalog;
    use tokio_util::sync::CancellationToken;

    use super::*;
    use crate::cluster::in_memory::InMemory;
    use crate::programs::Call;
    use crate::progress::Silent;
    use crate::run::CaptureRequest;

    /// A capture that has done nothing yet.
    fn begun(out: &Utf8Path, calls: Vec<Call>) -> Capture {
        let catalog = Catalog::embedded().unwrap();
        let family = catalog
            .families()
            .iter()
            .find(|it| it.application == "hotel-testbed");
        let family = family.unwrap().resolve(1).unwrap();
        let application = catalog.application("hotel-testbed").unwrap().clone();
        let request = CaptureRequest::new(family, application, out.to_owned());
        let cluster = InMemory::default().cluster();
        let cancel = CancellationToken::new();
        let capture = Capture::begun(request, cluster, Arc::new(Silent), cancel).unwrap();
        Capture { calls, ..capture }
    }

    /// The notes of a capture, by file name, and what the one of programs says.
    async fn noted(calls: Vec<Call>) -> (BTreeSet<String>, Option<Value>) {
        let out = tempfile::tempdir().unwrap();
        let capture = begun(Utf8Path::from_path(out.path()).unwrap(), calls);
        capture.note_all().await.unwrap();
        let notes = capture.folder.join(".recording/notes");
        let names = notes.read_dir_utf8().unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().to_owned());
        let programs = std::fs::read_to_string(notes.join("programs.json"));
        let programs = programs.map(|text| serde_json::from_str(&text).unwrap());
        (names.collect(), programs.ok())
    }

    #[tokio::test]
    async fn the_programs_that_were_run_are_withheld() {
        let call = Call {
            command: "helm template shop charts/shop".to_owned(),
            exit_code: Some(0),
            seconds: 1.5,
        };
        let (names, programs) = noted(vec![call]).await;
        let expected = json!({"calls": [{"command": "helm template shop charts/shop",
            "exit_code": 0, "seconds": 1.5}]});
        assert_eq!(programs, Some(expected));
        let (others, none) = noted(Vec::new()).await;
        assert_eq!(none, None);
        let more: Vec<_> = names.difference(&others).collect();
        assert_eq!(more, ["programs.json"]);
    }
}
