//! How far a release has come, on its way.

use indicatif::{HumanBytes, ProgressBar, ProgressStyle};

use crate::release::Item;

/// Files and bytes on a moving line, on a terminal only, and counted for the last one.
pub(super) struct Progress {
    bar: ProgressBar,
    /// What was carried, and what was there already.
    carried: usize,
    kept: usize,
}

impl Progress {
    pub(super) fn start(items: &[Item]) -> Self {
        let bar = ProgressBar::new(items.iter().map(|item| item.listed.bytes).sum());
        let style = "{bytes} of {total_bytes}  {msg}  {elapsed}, {eta} left";
        let style = ProgressStyle::with_template(style);
        Self {
            // The template is a constant.
            bar: style.map_or_else(|_| bar.clone(), |style| bar.clone().with_style(style)),
            carried: 0,
            kept: 0,
        }
    }

    /// Names the file that is next.
    pub(super) fn begins(&self, item: &Item) {
        self.bar.set_message(item.name.clone());
    }

    /// Bytes have come or gone.
    pub(super) fn seen(&self, bytes: u64) {
        self.bar.inc(bytes);
    }

    /// A file was carried.
    pub(super) fn carried(&mut self) {
        self.carried += 1;
    }

    /// A file was there already.
    pub(super) fn kept(&mut self, item: &Item) {
        self.kept += 1;
        self.bar.inc(item.listed.bytes);
    }

    /// `3 files, 1.20 MiB in all; 2 of them were there`.
    pub(super) fn finish(self) -> String {
        self.bar.finish_and_clear();
        let bytes = HumanBytes(self.bar.position());
        let files = self.carried + self.kept;
        format!("{files} files, {bytes}; {} of them were there", self.kept)
    }
}
