//! The views: what was true or finished at *now*, in the shape that people ask for.

use super::header::Header;

/// A view: its name, and what its file says.
#[derive(Debug, Clone)]
pub struct View {
    /// Its name.
    pub name: &'static str,
    /// What it shows, and its columns.
    pub header: Header,
    /// Its query, header included.
    pub(super) sql: &'static str,
}

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, include_str!(concat!("views/", $name, ".sql")))),*]
    };
}

/// A view comes after those that it reads.
const FILES: [(&str, &str); 15] = files![
    "logs",
    "metrics",
    "rates",
    "spans",
    "traces",
    "calls",
    "edges",
    "log_templates",
    "objects",
    "events",
    "pods",
    "containers",
    "deployments",
    "services",
    "changes",
];

/// Every view, each after those that it reads.
#[must_use]
pub fn views() -> Vec<View> {
    FILES
        .iter()
        .map(|(name, sql)| View {
            name,
            header: Header::parse(sql),
            sql,
        })
        .collect()
}
