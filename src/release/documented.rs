//! What tables and columns mean, in the words of `docs/formats/snapshot-v1.md`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aiopslab_datasets::schema::Table;

const DOCUMENT: &str = include_str!("../../docs/formats/snapshot-v1.md");

/// A table as the document describes it.
#[derive(Default)]
struct Described<'a> {
    about: &'a str,
    columns: BTreeMap<&'a str, &'a str>,
}

static TABLES: LazyLock<BTreeMap<&str, Described>> = LazyLock::new(|| {
    // A table has a heading of the third order, then a sentence, then a row for each column.
    let parts = DOCUMENT.split("\n### `").skip(1);
    let named = parts.filter_map(|part| part.split_once("`\n"));
    named
        .map(|(name, text)| (name, Described::read(text)))
        .collect()
});

impl<'a> Described<'a> {
    fn read(text: &'a str) -> Self {
        let rows = text.lines().filter(|line| line.starts_with("| `"));
        let columns = rows.filter_map(|row| {
            let mut cells = row.trim_matches('|').split(" | ").map(str::trim);
            let name = cells.next()?.trim_matches('`');
            Some((name, cells.nth(2)?))
        });
        Self {
            about: text
                .lines()
                .find(|line| !line.is_empty())
                .unwrap_or_default(),
            columns: columns.collect(),
        }
    }
}

/// A table in one sentence.
pub(super) fn about(table: Table) -> &'static str {
    TABLES.get(table.name()).map_or("", |table| table.about)
}

/// A column in one sentence.
pub(super) fn column(table: Table, name: &str) -> &'static str {
    let described = TABLES.get(table.name());
    let told = described.and_then(|described| described.columns.get(name));
    told.copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_and_column_is_described() {
        for table in Table::ALL {
            assert!(about(table).ends_with('.'), "{table:?}: {}", about(table));
            for field in table.schema().fields() {
                let told = column(table, field.name());
                assert!(told.ends_with(['.', '…']), "{table:?}.{}", field.name());
            }
        }
        let samples = column(Table::MetricSamples, "timestamp");
        assert_eq!(samples, "Milliseconds since the epoch.");
    }
}
