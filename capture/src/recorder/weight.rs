//! How much memory a row takes while it waits for the writer.

use aiopslab_datasets::rows::{
    Exec, LogInstance, LogLine, MetricMetadata, MetricSample, MetricSeries, ObjectApi,
    ObjectVersion, Span, Usage,
};

/// What a row takes besides its long texts, in bytes; roughly.
const FIXED: usize = 512;

/// A row that knows how much memory it takes.
pub(super) trait Weight {
    /// Bytes of its long texts.
    fn text(&self) -> usize {
        0
    }

    /// Bytes, roughly.
    fn weight(&self) -> usize {
        FIXED + self.text()
    }
}

impl Weight for LogInstance {}
impl Weight for MetricSample {}
impl Weight for Usage {}

impl Weight for LogLine {
    fn text(&self) -> usize {
        self.message.len()
    }
}

impl Weight for ObjectVersion {
    fn text(&self) -> usize {
        self.object.len() + self.cells.as_ref().map_or(0, String::len)
    }
}

impl Weight for ObjectApi {
    fn text(&self) -> usize {
        self.json.len()
    }
}

impl Weight for MetricMetadata {
    fn text(&self) -> usize {
        self.json.as_ref().map_or(0, String::len)
    }
}

impl Weight for MetricSeries {
    fn text(&self) -> usize {
        let labels = self.labels.iter();
        labels.map(|(name, value)| name.len() + value.len()).sum()
    }
}

impl Weight for Span {
    fn text(&self) -> usize {
        [&self.attributes, &self.resource, &self.events, &self.links]
            .map(String::len)
            .iter()
            .sum()
    }
}

impl Weight for Exec {
    fn text(&self) -> usize {
        self.stdout.len() + self.stderr.len()
    }
}
