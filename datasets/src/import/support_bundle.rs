//! A support bundle of Troubleshoot (`kubectl support-bundle`), or a must-gather of OpenShift (`oc adm must-gather`): a
//! cluster at one moment.
//!
//! A bundle holds lists of objects by kind and namespace, logs of some containers, discovery and
//! the server's version. All of it becomes true at the moment of collection and at no other: before
//! it nothing was recorded. What the bundle does not hold is `missing` in the coverage.

mod collector;
mod coverage;
mod files_of;
mod kinds;
mod logs;
mod moment;
mod must_gather;
mod objects;

use std::collections::BTreeMap;

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{ImportError, ImportProgress, Report, size};
use crate::files;
use crate::manifest::{Manifest, ManifestDraft, Observed, RecorderCounts, Redaction};
use crate::rows::ObjectApi;
use crate::writer::{SnapshotWriter, Visibility};

pub use collector::Collector;
use coverage::Covered;
use files_of::Content;
use logs::LogFile;
use objects::{Listed, Objects};

/// Which bundle, and when it was collected.
#[derive(Debug, Clone)]
pub struct SupportBundle {
    /// Who collected it.
    pub collector: Collector,
    /// The unpacked bundle: the folder with `cluster-resources` or `namespaces` in it, or the one around it.
    pub dir: Utf8PathBuf,
    /// When it was collected; none: as it says itself, or the latest time in its objects.
    pub at: Option<Timestamp>,
}

/// Writes a bundle as a snapshot into a new folder.
///
/// # Errors
/// When the source is no bundle, says nothing of its time, or the snapshot can't be written.
pub fn import_support_bundle(
    source: &SupportBundle,
    out: &Utf8Path,
    progress: &dyn ImportProgress,
) -> Result<(Manifest, Report), ImportError> {
    let root = match source.collector {
        Collector::Troubleshoot => files_of::root(&source.dir)?,
        Collector::MustGather => must_gather::root(&source.dir)?,
    };
    let mut report = Report::default();
    let mut bundle = Bundle::read(&root, source.collector, &mut report, progress)?;
    let at = source
        .at
        .or_else(|| bundle.collected.or_else(|| bundle.latest()))
        .ok_or_else(|| ImportError::NoMoment { dir: root.clone() })?;
    bundle.leave_out_what_is_later(at, &mut report);
    let writer = SnapshotWriter::create(out)?;
    bundle.write(&root, (&writer, progress), at, &mut report)?;
    let format = source.collector.format();
    writer.write_withheld_json("import", &json!({"format": format, "report": report}))?;
    let draft = bundle.draft(at, &report);
    Ok((writer.finish(draft)?, report))
}

/// What a bundle holds, read and understood, but for the logs.
struct Bundle {
    collector: Collector,
    /// When, as it says itself.
    collected: Option<Timestamp>,
    version: Option<Value>,
    discovery: Vec<Value>,
    listed: Vec<Listed>,
    logs: Vec<LogFile>,
    digest: String,
}

impl Bundle {
    fn read(
        root: &Utf8Path,
        collector: Collector,
        report: &mut Report,
        progress: &dyn ImportProgress,
    ) -> Result<Self, ImportError> {
        let mut bundle = Self {
            collector,
            collected: None,
            version: None,
            discovery: Vec::new(),
            listed: Vec::new(),
            logs: Vec::new(),
            digest: String::new(),
        };
        let mut digest = Sha256::new();
        let mut errors = Vec::new();
        if collector == Collector::MustGather {
            bundle.collected = must_gather::collected_around(root);
        }
        let paths = files::list_below(root)?;
        let bytes = paths.iter().map(|path| size(&root.join(path))).sum();
        progress.begins(collector.format(), 1, 1, bytes);
        // Which resource a file holds may be told by discovery.
        if let Ok(Value::Array(lists)) = files::read_json(&root.join(files_of::DISCOVERY)) {
            bundle.discovery = lists;
        }
        for path in &paths {
            let content = match collector {
                Collector::Troubleshoot => files_of::content(path, &bundle.discovery),
                Collector::MustGather => must_gather::content(path, &paths),
            };
            digest.update(path.as_str());
            let bytes = match content {
                // A log may be long; it is read when it is written.
                Content::Log(_) => {
                    digest.update(files::measure(&root.join(path))?.1);
                    Vec::new()
                }
                Content::LeftOut(_) => Vec::new(),
                _ => files_of::read(&root.join(path))?,
            };
            digest.update(Sha256::digest(&bytes));
            // A log is done when it is written.
            if !matches!(content, Content::Log(_)) {
                progress.advanced(size(&root.join(path)), 0);
            }
            match content {
                Content::LeftOut(reason) => report.files.left_out(path.as_str(), reason),
                Content::Log(log) => {
                    report.files.wrote();
                    bundle.logs.push(log);
                }
                Content::Moment => {
                    report.files.wrote();
                    bundle.collected = must_gather::collected(&bytes);
                }
                content => match files_of::parse(path, &bytes) {
                    Err(reason) => {
                        if let Content::Objects(kind, namespace) = content {
                            errors.push(Listed::failed(kind, namespace, &reason));
                        }
                        report.files.left_out(path.as_str(), reason);
                    }
                    Ok(document) => {
                        match content {
                            Content::Objects(kind, namespace) => {
                                let listed = match collector {
                                    Collector::Troubleshoot => {
                                        Listed::new(path, kind, namespace, document)
                                    }
                                    Collector::MustGather => {
                                        must_gather::listed(path, kind, namespace, document)
                                    }
                                };
                                if let Some(reason) = listed.error.clone() {
                                    report.files.left_out(path.as_str(), reason);
                                    errors.push(listed);
                                    continue;
                                }
                                bundle.listed.push(listed);
                            }
                            Content::Errors(kind) => {
                                errors.extend(Listed::errors(&kind, &document))
                            }
                            Content::Version => {
                                bundle.version =
                                    Some(document.get("info").cloned().unwrap_or(document));
                            }
                            Content::Discovery
                            | Content::Moment
                            | Content::Log(_)
                            | Content::LeftOut(_) => {}
                        }
                        report.files.wrote();
                    }
                },
            }
        }
        bundle.listed.extend(errors);
        bundle.digest = files::hex(&digest.finalize());
        Ok(bundle)
    }

    fn latest(&self) -> Option<Timestamp> {
        let items = self.listed.iter().flat_map(|listed| &listed.items);
        items.filter_map(moment::latest).max()
    }

    fn leave_out_what_is_later(&mut self, at: Timestamp, report: &mut Report) {
        for listed in &mut self.listed {
            let Listed {
                items,
                path,
                partial,
                ..
            } = listed;
            items.retain(|object| {
                let is_later = moment::created(object).is_some_and(|created| created > at);
                if is_later {
                    *partial = Some("some objects are later");
                    report.objects.left_out(
                        objects::name_in(object, path),
                        "it was created after the moment of collection",
                    );
                }
                !is_later
            });
        }
    }

    fn write(
        &self,
        root: &Utf8Path,
        (writer, progress): (&SnapshotWriter, &dyn ImportProgress),
        at: Timestamp,
        report: &mut Report,
    ) -> Result<(), ImportError> {
        let moment = nanoseconds(at);
        let mut objects = Objects::new(moment);
        for listed in &self.listed {
            objects.add(listed, &mut report.objects);
        }
        let read = logs::write(
            root,
            (self.logs.as_slice(), &objects, moment),
            (writer, progress),
            report,
        )?;
        let covered = Covered {
            source: self.collector.source(),
            has_other_namespaces: self.collector == Collector::MustGather,
            listed: &self.listed,
            logs: &read.instances,
            unstamped: &read.unstamped,
            discovery: &self.discovery,
            namespaces: self.namespaces(),
        };
        let visible = Visibility::Visible;
        writer.append_rows(visible, &covered.rows(moment))?;
        writer.append_rows(visible, &objects.rows)?;
        writer.append_rows(visible, &self.api(moment))?;
        Ok(())
    }

    fn api(&self, moment: i64) -> Vec<ObjectApi> {
        let row = |kind: &str, name: &str, document: &Value| ObjectApi {
            kind: kind.to_owned(),
            name: name.to_owned(),
            json: document.to_string(),
            valid_from: moment,
            valid_to: None,
        };
        let name = |list: &Value| {
            let name = list.get("groupVersion").and_then(Value::as_str);
            name.unwrap_or_default().to_owned()
        };
        let lists = self.discovery.iter();
        let mut rows: Vec<_> = lists
            .map(|list| row("discovery", &name(list), list))
            .collect();
        rows.extend(
            self.version
                .iter()
                .map(|version| row("version", "", version)),
        );
        rows
    }

    /// Names of the namespaces, sorted; none if the bundle does not list them.
    fn namespaces(&self) -> Vec<String> {
        let listed = self
            .listed
            .iter()
            .filter(|listed| listed.kind.resource == "namespaces");
        let mut names: Vec<String> = listed
            .flat_map(|listed| &listed.items)
            .filter_map(|object| {
                object
                    .pointer("/metadata/name")?
                    .as_str()
                    .map(str::to_owned)
            })
            .collect();
        names.sort();
        names
    }

    fn draft(&self, at: Timestamp, report: &Report) -> ManifestDraft {
        let counts = |tally: &super::Tally| RecorderCounts {
            offered: tally.written,
            written: tally.written,
            ..RecorderCounts::default()
        };
        let version = self
            .version
            .as_ref()
            .and_then(|version| version.get("gitVersion"));
        ManifestDraft {
            seed: self.digest.clone(),
            application: self.collector.source().to_owned(),
            namespaces: self.namespaces(),
            versions: version
                .map(|version| BTreeMap::from([("kubernetes".to_owned(), version.clone())]))
                .unwrap_or_default(),
            observed: Some(Observed { from: at, to: at }),
            end: Some(at),
            redaction: Redaction {
                rules: vec![self.collector.redaction().to_owned()],
                values: 0,
            },
            recorders: BTreeMap::from([
                ("objects".to_owned(), counts(&report.objects)),
                ("logs".to_owned(), counts(&report.logs)),
            ]),
            settings: json!({"imported": {
                "from": self.collector.format(),
                "files_left_out": report.files.left_out.len(),
                "objects_left_out": report.objects.left_out.len(),
                "logs_left_out": report.logs.left_out.len(),
            }}),
            ..ManifestDraft::default()
        }
    }
}

fn nanoseconds(time: Timestamp) -> i64 {
    i64::try_from(time.as_nanosecond()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests;
