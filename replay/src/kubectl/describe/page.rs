//! A page of `describe`: indented lines with tab-separated cells.

use crate::kubectl::tabwriter;

/// Lines that are aligned when printed.
#[derive(Debug, Default)]
pub(super) struct Page {
    text: String,
    /// What a page holds whose layout is not known here.
    unknown: Option<String>,
}

impl Page {
    /// A line at a level of indentation (two spaces each).
    pub(super) fn line(&mut self, level: usize, text: impl AsRef<str>) {
        self.part(level, text);
        self.text.push('\n');
    }

    /// The beginning of a line.
    pub(super) fn part(&mut self, level: usize, text: impl AsRef<str>) {
        self.text.extend(std::iter::repeat_n("  ", level));
        self.text.push_str(&tabwriter::escape(text.as_ref()));
    }

    /// `Label:` and its value.
    pub(super) fn field(&mut self, level: usize, label: &str, value: impl std::fmt::Display) {
        self.line(level, format!("{label}:\t{value}"));
    }

    /// The same, if there is a value.
    pub(super) fn field_if(&mut self, level: usize, label: &str, value: &str) {
        if !value.is_empty() {
            self.field(level, label, value);
        }
    }

    /// Headings of a table with lines below them.
    pub(super) fn headings(&mut self, level: usize, names: &[&str]) {
        self.line(level, names.join("\t"));
        let lines: Vec<String> = names.iter().map(|name| "-".repeat(name.len())).collect();
        self.line(level, lines.join("\t"));
    }

    /// One value per line under one label, or `<none>`.
    pub(super) fn lines(&mut self, label: &str, values: &[String]) {
        self.part(0, format!("{label}:\t"));
        if values.is_empty() {
            self.line(0, "<none>");
        }
        for (position, value) in values.iter().enumerate() {
            if position > 0 {
                self.part(0, "\t");
            }
            self.line(0, value);
        }
    }

    /// Notes something whose layout is not known: the page can't be shown.
    pub(super) fn lacks(&mut self, what: impl Into<String>) {
        self.unknown.get_or_insert_with(|| what.into());
    }

    /// What the page lacks.
    pub(super) fn unknown(&self) -> Option<&str> {
        self.unknown.as_deref()
    }

    /// The text with its tabs.
    pub(super) fn raw(self) -> String {
        self.text
    }

    /// The aligned text.
    pub(super) fn print(&self) -> String {
        tabwriter::align(&self.text, 0, 2)
    }
}
