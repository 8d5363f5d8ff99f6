//! What a format finds in a source: incidents, the files of each, and what is known to be true.

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;

use super::defects::Rule;
use super::sheet::Sheet;
use crate::import::{ImportError, LeftOut};

/// What there is in a source.
#[derive(Debug, Default)]
pub(in crate::import) struct Found {
    /// Each becomes a snapshot.
    pub(in crate::import) incidents: Vec<Incident>,
    /// Incidents that are told of, but not there.
    pub(in crate::import) left_out: Vec<LeftOut>,
    /// Whether the source is one recording rather than a set of cases: its snapshot is then the
    /// output folder itself.
    pub(in crate::import) is_single: bool,
    /// The folder that the paths are below, where it is not the source: that is a file then.
    pub(in crate::import) root: Option<Utf8PathBuf>,
}

impl Found {
    /// Takes an incident, or notes why the one in `place` can't be read.
    pub(in crate::import) fn take(
        &mut self,
        place: &Utf8Path,
        incident: Result<Incident, ImportError>,
    ) {
        match incident {
            Ok(incident) => self.incidents.push(incident),
            Err(cause) => self
                .left_out
                .push(LeftOut::because(place.to_string(), &cause)),
        }
    }

    /// A source that is one recording of which nothing is known to be true. Its rows tell their namespaces, if anything does.
    pub(in crate::import) fn recording(
        name: &str,
        application: &str,
        parts: Vec<Part>,
        unread: Vec<LeftOut>,
    ) -> Self {
        Self {
            is_single: true,
            incidents: vec![Incident {
                name: name.to_owned(),
                application: application.to_owned(),
                namespace: String::new(),
                parts,
                unread,
                truth: None,
                defects: Vec::new(),
            }],
            ..Self::default()
        }
    }
}

/// One incident.
#[derive(Debug)]
pub(in crate::import) struct Incident {
    /// Name of its folder and start of its problems' ids; tells nothing of the fault.
    pub(in crate::import) name: String,
    /// Name of the application.
    pub(in crate::import) application: String,
    /// The namespace that everything is said to be in.
    pub(in crate::import) namespace: String,
    /// Its files, in the order in which they are read.
    pub(in crate::import) parts: Vec<Part>,
    /// Files that belong to it and are not read.
    pub(in crate::import) unread: Vec<LeftOut>,
    /// What is true.
    pub(in crate::import) truth: Option<ImportedTruth>,
    /// Defects of its label: which, and where.
    pub(in crate::import) defects: Vec<(&'static Rule, String)>,
}

impl Incident {
    /// Gives it another name.
    pub(in crate::import) fn rename(&mut self, name: &str) {
        name.clone_into(&mut self.name);
        if let Some(truth) = &mut self.truth {
            name.clone_into(&mut truth.name);
        }
    }
}

/// A file of an incident.
#[derive(Debug)]
pub(in crate::import) struct Part {
    /// Its path below the source.
    pub(in crate::import) path: Utf8PathBuf,
    /// What is in it.
    pub(in crate::import) sheet: &'static Sheet,
    /// The names of its columns where its first rows are no plain header.
    pub(in crate::import) header: Option<Vec<String>>,
    /// How many rows those are.
    pub(in crate::import) header_rows: usize,
    /// Where the file is no table: a row is a line of text, the column `line`; these are further columns, which the
    /// path tells. None: the file is a table.
    pub(in crate::import) lines: Option<Vec<(&'static str, String)>>,
    /// Rows of other times (from, to; half-open) belong to other incidents; none: all are taken.
    pub(in crate::import) window: Option<(i64, i64)>,
    /// Parts with the same number tell of one stretch of time without a gap.
    pub(in crate::import) stretch: u32,
}

impl Part {
    /// A file with a plain header, all of whose rows are taken.
    pub(in crate::import) fn new(path: impl Into<Utf8PathBuf>, sheet: &'static Sheet) -> Self {
        Self {
            path: path.into(),
            sheet,
            header: None,
            header_rows: 0,
            lines: None,
            window: None,
            stretch: 0,
        }
    }
}

/// What a source says is true of an incident.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImportedTruth {
    /// Start of the problem ids.
    pub name: String,
    /// Name of the application.
    pub application: String,
    /// Whether anything was wrong; false: the incident is a control.
    pub anomaly: bool,
    /// Right answers to where the fault is, each a set of names.
    pub faulty: Vec<Vec<String>>,
    /// When it began, as near as the source tells; none: it does not.
    pub injected: Option<Timestamp>,
    /// When it was over; none: it lasted to the end.
    pub ended: Option<Timestamp>,
    /// The source's own name for the kind of fault.
    pub kind: String,
    /// One line: what was wrong.
    pub summary: String,
}
