//! The tables of an incident: what rows become there, a bounded number at a time.

use std::collections::{BTreeMap, BTreeSet};

use super::SOURCE;
use super::covered::Covered;
use super::defects::Notes;
use super::incident::Part;
use super::item::{Item, Log, OneSpan, Point, Samples, Values};
use super::series::AllSeries;
use super::sheet::{Header, Rows};
use super::traces::Traces;
use crate::error::Result;
use crate::rows::{LogInstance, LogLine, MetricSample, Span};
use crate::schema::Table;
use crate::writer::{SnapshotWriter, Visibility};

/// Rows that are written at once.
const ROWS: usize = 8_192;

/// Rows on their way into the tables, and what is known of all of them.
pub(super) struct Tables<'a> {
    writer: &'a SnapshotWriter,
    namespace: &'a str,
    pub(super) covered: Covered,
    pub(super) traces: Traces,
    series: AllSeries,
    /// The instances of containers, by namespace, pod and container: id and node.
    instances: BTreeMap<(String, String, String), (u64, String)>,
    lines: Vec<LogLine>,
    next_line: u64,
    spans: Vec<Span>,
    samples: Vec<MetricSample>,
    /// Rows by table.
    written: BTreeMap<&'static str, u64>,
}

impl<'a> Tables<'a> {
    pub(super) fn new(writer: &'a SnapshotWriter, namespace: &'a str) -> Self {
        Self {
            writer,
            namespace,
            covered: Covered::default(),
            traces: Traces::new(&writer.scratch()),
            series: AllSeries::default(),
            instances: BTreeMap::new(),
            lines: Vec::new(),
            next_line: 0,
            spans: Vec::new(),
            samples: Vec::new(),
            written: BTreeMap::new(),
        }
    }

    /// Rows of another file come, whose columns have other places.
    pub(super) fn next_part(&mut self) {
        self.series.next_part();
    }

    /// The namespaces of all rows.
    pub(super) fn namespaces(&self) -> BTreeSet<String> {
        let own = Some(self.namespace.to_owned()).filter(|name| !name.is_empty());
        let told = self
            .instances
            .keys()
            .map(|(namespace, _, _)| namespace.clone());
        let told = told.chain(self.series.namespaces());
        let told = told.filter(|name| !name.is_empty());
        own.into_iter().chain(told).collect()
    }

    pub(super) fn add(
        &mut self,
        item: Item,
        part: &Part,
        header: &Header,
        notes: &mut Notes,
    ) -> Result<()> {
        let table = match item {
            Item::Log(log) => {
                self.log(*log, part.stretch)?;
                Table::LogLines
            }
            Item::Span(span) => {
                self.span(*span, part.stretch, notes)?;
                Table::Spans
            }
            Item::Samples(samples) => {
                self.sample(&samples, part, header);
                Table::MetricSamples
            }
            Item::Point(point) => {
                self.point(point, part.stretch);
                Table::MetricSamples
            }
            Item::Metadata(metadata) => {
                self.series.describe(metadata);
                return Ok(());
            }
        };
        self.covered.partial(table, part.sheet.partial);
        let longest = self.lines.len().max(self.spans.len());
        if longest.max(self.samples.len()) >= ROWS {
            self.flush()?;
        }
        Ok(())
    }

    fn log(&mut self, log: Log, stretch: u32) -> Result<()> {
        self.covered
            .see(Table::LogLines, stretch, log.time, log.time);
        if let Some(trace) = log.trace {
            self.traces.see_log(trace, log.time)?;
        }
        let next = self.instances.len() as u64;
        let namespace = log.namespace.unwrap_or_else(|| self.namespace.to_owned());
        let key = (namespace.clone(), log.pod.clone(), log.container.clone());
        let (instance_id, node) = self
            .instances
            .entry(key)
            .or_insert_with(|| (next, String::new()));
        if node.is_empty() {
            *node = log.node;
        }
        self.lines.push(LogLine {
            instance_id: *instance_id,
            seq: self.next_line,
            timestamp: log.time,
            message: log.message.into_bytes(),
            stream: log.stream,
            namespace,
            service: Some(log.service),
            pod: log.pod,
            container: log.container,
        });
        self.next_line += 1;
        Ok(())
    }

    fn span(&mut self, span: OneSpan, stretch: u32, notes: &mut Notes) -> Result<()> {
        self.covered
            .see(Table::Spans, stretch, span.start, span.end);
        self.traces.see(&span, notes)?;
        self.spans.push(Span {
            trace_id: format!("{:032x}", span.trace),
            span_id: format!("{:016x}", span.span),
            parent_span_id: span.parent.map(|id| format!("{id:016x}")),
            service: span.service,
            operation: span.operation,
            kind: span.kind.to_owned(),
            start: span.start,
            end: span.end,
            status: span.status.to_owned(),
            message: span.message,
            attributes: span.attributes,
            resource: span.resource,
            scope: span.scope,
            events: span.events,
            links: span.links,
            flags: span.flags,
            warnings: None,
            source: SOURCE.to_owned(),
        });
        Ok(())
    }

    fn sample(&mut self, samples: &Samples, part: &Part, header: &Header) {
        let time = samples.milliseconds();
        self.covered.see(
            Table::MetricSamples,
            part.stretch,
            samples.time,
            samples.time,
        );
        let of = samples.of.as_str();
        match (&samples.values, &part.sheet.rows) {
            (Values::Columns(values), Rows::Wide(wide)) => {
                for (column, value) in values {
                    let name = header.names.get(*column).map_or("", String::as_str);
                    let make = || (wide.series)(name, of);
                    let id = self.series.of_column(of, *column, self.namespace, make);
                    self.push_sample(id, time, *value);
                }
            }
            (Values::Metric(metric, value), Rows::Long(long)) => {
                let mut more: Vec<(String, String)> = samples
                    .labels
                    .iter()
                    .map(|(label, value)| ((*label).to_owned(), value.clone()))
                    .collect();
                if samples.nth > 1 {
                    more.push(("duplicate".to_owned(), samples.nth.to_string()));
                }
                let values = more.iter().map(|(_, value)| value.clone());
                let key = [of.to_owned(), metric.clone()].into_iter().chain(values);
                let key = key.collect();
                let make = || {
                    let mut series = (long.series)(metric, of);
                    series.labels.extend(more);
                    series
                };
                let id = self.series.of_metric(key, self.namespace, make);
                self.push_sample(id, time, *value);
            }
            // The values of a row are what its sheet says.
            _ => {}
        }
    }

    fn point(&mut self, point: Point, stretch: u32) {
        let (time, timestamp) = (point.time, point.milliseconds());
        self.covered.see(Table::MetricSamples, stretch, time, time);
        for reading in point.readings {
            let id = self.series.of_series(&reading.series, self.namespace);
            self.series.sampled(id, timestamp);
            self.samples.push(MetricSample {
                series_id: id as u64,
                timestamp,
                value: reading.value,
                histogram: reading.histogram,
            });
        }
    }

    fn push_sample(&mut self, id: usize, timestamp: i64, value: f64) {
        self.series.sampled(id, timestamp);
        self.samples.push(MetricSample {
            series_id: id as u64,
            timestamp,
            value,
            histogram: None,
        });
    }

    fn flush(&mut self) -> Result<()> {
        let visible = Visibility::Visible;
        self.writer.append_rows(visible, &self.lines)?;
        self.writer.append_rows(visible, &self.spans)?;
        self.writer.append_rows(visible, &self.samples)?;
        for (table, rows) in [
            (Table::LogLines, self.lines.len()),
            (Table::Spans, self.spans.len()),
            (Table::MetricSamples, self.samples.len()),
        ] {
            *self.written.entry(table.name()).or_default() += rows as u64;
        }
        self.lines.clear();
        self.spans.clear();
        self.samples.clear();
        Ok(())
    }

    /// Writes what is known at the end; hands back the rows by table.
    pub(super) fn finish(mut self) -> Result<BTreeMap<&'static str, u64>> {
        self.flush()?;
        let visible = Visibility::Visible;
        let instances = self.instances.into_iter();
        let instances: Vec<_> = instances
            .map(|((namespace, pod, container), (id, node))| LogInstance {
                instance_id: id,
                pod_uid: String::new(),
                namespace,
                pod,
                container,
                role: "container".to_owned(),
                restart: 0,
                container_id: String::new(),
                node,
                started: None,
                finished: None,
                exit_code: None,
                reason: None,
                first_line_kept: false,
            })
            .collect();
        self.writer.append_rows(visible, &instances)?;
        let from = self.covered.range().map_or(0, |(from, _)| from);
        let (series, metadata) = self.series.finish(from);
        self.writer.append_rows(visible, &series)?;
        self.writer.append_rows(visible, &metadata)?;
        self.writer.append_rows(visible, &self.covered.rows())?;
        Ok(self.written)
    }
}
