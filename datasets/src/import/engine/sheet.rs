//! What a format says of a kind of file: its columns, their units, and whose rows they are.
//!
//! A sheet is data. Where data does not do, it names a function: of a row, of a text, never of a file.

use super::csv::Fields;
use super::defects::{Notes, Rule};
use super::documents::Documents;
use super::time::Unit;

/// A kind of file with a row per line.
#[derive(Debug)]
pub(in crate::import) struct Sheet {
    /// What its rows are, in the report; no other sheet has the same.
    pub(in crate::import) name: &'static str,
    /// The columns that it must have, in any order.
    pub(in crate::import) columns: &'static [&'static str],
    /// Whether two rows that are equal in everything are one row that was written twice.
    pub(in crate::import) unique: bool,
    /// When a row happened; of a span, when it started.
    pub(in crate::import) time: When,
    /// What a row is.
    pub(in crate::import) rows: Rows,
    /// Why the files do not hold all that there was; none: they do.
    pub(in crate::import) partial: Option<&'static str>,
}

impl Sheet {
    /// A kind of file without columns.
    pub(in crate::import) const fn of_documents(
        name: &'static str,
        documents: Documents,
        partial: Option<&'static str>,
    ) -> Self {
        Self {
            name,
            columns: &[],
            unique: false,
            time: When::Within,
            rows: Rows::Documents(documents),
            partial,
        }
    }

    /// Whether a column becomes something of the snapshot.
    pub(super) fn uses(&self, column: &str) -> bool {
        let is_time = match &self.time {
            When::Column(name, _) => *name == column,
            When::Found(names, _) => names.contains(&column),
            When::Within => false,
        };
        let is_used = match &self.rows {
            Rows::Logs(logs) => {
                let optional = [logs.namespace, logs.container, logs.node, logs.trace];
                [logs.pod, logs.message].contains(&column) || optional.contains(&Some(column))
            }
            Rows::Spans(spans) => {
                let (Until::End(until, _) | Until::Duration(until, _)) = &spans.until;
                [spans.trace, spans.span, spans.parent, spans.of, *until].contains(&column)
                    || spans.operation == Some(column)
                    || spans.attributes.contains(&column)
            }
            Rows::Wide(wide) => wide.of == Some(column) || !self.columns.contains(&column),
            Rows::Long(long) => {
                let own = [long.of, long.metric, long.value];
                own.contains(&column) || long.labels.contains(&column)
            }
            Rows::Documents(_) => false,
        };
        is_time || is_used
    }
}

/// When a row happened.
#[derive(Debug)]
pub(in crate::import) enum When {
    /// A column has it.
    Column(&'static str, Unit),
    /// Nanoseconds since the epoch, found and repaired by a function of these columns.
    Found(
        &'static [&'static str],
        fn(&Row<'_>, &mut Notes) -> Result<i64, String>,
    ),
    /// The rows of its documents tell it.
    Within,
}

/// What the rows of a sheet are.
#[derive(Debug)]
pub(in crate::import) enum Rows {
    /// Log lines.
    Logs(Logs),
    /// Spans.
    Spans(Spans),
    /// Samples: every column that is not among [`Sheet::columns`] is a metric.
    Wide(Wide),
    /// Samples: a column names the metric.
    Long(Long),
    /// Records that hold rows of their own.
    Documents(Documents),
}

/// Log lines.
#[derive(Debug)]
pub(in crate::import) struct Logs {
    /// None: all are in the incident's namespace.
    pub(in crate::import) namespace: Option<&'static str>,
    pub(in crate::import) pod: &'static str,
    /// None: the container has the service's name.
    pub(in crate::import) container: Option<&'static str>,
    pub(in crate::import) node: Option<&'static str>,
    /// The service of a pod.
    pub(in crate::import) service: fn(&str) -> String,
    pub(in crate::import) message: &'static str,
    /// What is in the message's column: stream, and the line itself.
    pub(in crate::import) line: fn(&str, i64, &mut Notes) -> Line,
    /// The trace that the line belongs to.
    pub(in crate::import) trace: Option<&'static str>,
}

/// A log line, out of what its column holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Line {
    pub(in crate::import) message: String,
    pub(in crate::import) stream: Option<String>,
}

/// Takes a column for the line itself.
pub(in crate::import) fn plain(text: &str, _: i64, _: &mut Notes) -> Line {
    Line {
        message: text.trim_end_matches('\n').to_owned(),
        stream: None,
    }
}

/// Spans.
#[derive(Debug)]
pub(in crate::import) struct Spans {
    pub(in crate::import) trace: &'static str,
    pub(in crate::import) span: &'static str,
    pub(in crate::import) parent: &'static str,
    /// What stands in the parent's column of a root.
    pub(in crate::import) root: &'static [&'static str],
    /// Names the pod, or the service itself.
    pub(in crate::import) of: &'static str,
    /// The service that it names.
    pub(in crate::import) service: fn(&str) -> String,
    /// Whether `of` names a pod, which is kept as the resource `k8s.pod.name`.
    pub(in crate::import) of_is_pod: bool,
    /// None: spans have no names in this source.
    pub(in crate::import) operation: Option<&'static str>,
    pub(in crate::import) until: Until,
    /// `unset`, `ok` or `error`.
    pub(in crate::import) status: fn(&Row<'_>) -> &'static str,
    /// Further columns that are kept as attributes, under the columns' names.
    pub(in crate::import) attributes: &'static [&'static str],
}

/// When a span ends.
#[derive(Debug)]
pub(in crate::import) enum Until {
    /// A column has the end.
    End(&'static str, Unit),
    /// A column has how long it took.
    Duration(&'static str, Unit),
}

/// The status of spans where the source tells none.
pub(in crate::import) fn unset(_: &Row<'_>) -> &'static str {
    "unset"
}

/// A table with a metric per column.
#[derive(Debug)]
pub(in crate::import) struct Wide {
    /// The column that says whose samples a row has; none: the metrics' columns do.
    pub(in crate::import) of: Option<&'static str>,
    /// The series of a column in the rows of one of those.
    pub(in crate::import) series: fn(&str, &str) -> Series,
}

/// A table with a sample per row.
#[derive(Debug)]
pub(in crate::import) struct Long {
    /// The column that says whose sample it is.
    pub(in crate::import) of: &'static str,
    /// The column with the metric's name.
    pub(in crate::import) metric: &'static str,
    /// The column with the value.
    pub(in crate::import) value: &'static str,
    /// The series of a metric's name and of whose it is.
    pub(in crate::import) series: fn(&str, &str) -> Series,
    /// Further columns that tell series apart; each is a label.
    pub(in crate::import) labels: &'static [&'static str],
    /// Samples of one metric and moment are of several series whose labels the source dropped, the
    /// sum of which is one of them: they are told apart by their size. None: a second one is a duplicate.
    pub(in crate::import) several: Option<&'static Rule>,
}

/// A metric series.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) struct Series {
    /// A name that PromQL takes.
    pub(in crate::import) name: String,
    /// Its labels; the incident's `namespace` is added.
    pub(in crate::import) labels: Vec<(String, String)>,
    /// What is known of the metric, where the source tells anything.
    pub(in crate::import) metadata: Option<Metadata>,
}

/// What is known of a metric.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::import) struct Metadata {
    /// Its name; that of a histogram is the start of its series' names.
    pub(in crate::import) name: String,
    /// `counter`, `gauge`, `histogram`, …
    pub(in crate::import) kind: Option<String>,
    /// What the source calls it or says of it.
    pub(in crate::import) help: Option<String>,
    pub(in crate::import) unit: Option<String>,
}

/// The columns of a file.
#[derive(Debug)]
pub(in crate::import) struct Header {
    pub(in crate::import) names: Vec<String>,
}

impl Header {
    pub(in crate::import) fn index(&self, name: &str) -> Option<usize> {
        self.names.iter().position(|one| one == name)
    }
}

/// A row whose fields are found by their columns' names.
#[derive(Debug, Clone, Copy)]
pub(in crate::import) struct Row<'a> {
    pub(in crate::import) header: &'a Header,
    pub(in crate::import) fields: &'a Fields,
}

impl<'a> Row<'a> {
    /// The text of a column that the sheet has.
    pub(in crate::import) fn get(&self, name: &str) -> Result<&'a str, String> {
        let index = self.header.index(name);
        self.at(index.ok_or_else(|| format!("there is no column {name}"))?)
    }

    /// The text of a column by its position.
    pub(in crate::import) fn at(&self, index: usize) -> Result<&'a str, String> {
        let name = || self.header.names.get(index).map_or("?", String::as_str);
        let field = self.fields.get(index);
        let field = field.ok_or_else(|| format!("there is no field for {}", name()))?;
        std::str::from_utf8(field).map_err(|_| format!("{} is no UTF-8", name()))
    }
}
