//! The head of a dataset card of Hugging Face: YAML that its hub, its viewer and `datasets` read.
//!
//! <https://huggingface.co/docs/hub/datasets-cards>; strings are written as in JSON, which YAML includes.

use aiopslab_datasets::release::{Release, SNAPSHOTS_FOLDER};
use aiopslab_datasets::schema::Table;
use arrow::datatypes::DataType;
use serde_json::json;

use super::contents::Contents;

/// What the hub finds the data by.
const TAGS: [&str; 6] = [
    "aiops",
    "kubernetes",
    "observability",
    "root-cause-analysis",
    "incident-response",
    "benchmark",
];

/// The hub's names of licences that are not their SPDX ids in lower case; and of those that are, the usual
/// ones for data. It refuses a card with any other name.
const LICENCES: [(&str, &str); 15] = [
    ("Apache-2.0", "apache-2.0"),
    ("BSD-3-Clause", "bsd-3-clause"),
    ("CC-BY-4.0", "cc-by-4.0"),
    ("CC-BY-NC-4.0", "cc-by-nc-4.0"),
    ("CC-BY-NC-ND-4.0", "cc-by-nc-nd-4.0"),
    ("CC-BY-NC-SA-4.0", "cc-by-nc-sa-4.0"),
    ("CC-BY-ND-4.0", "cc-by-nd-4.0"),
    ("CC-BY-SA-4.0", "cc-by-sa-4.0"),
    ("CC0-1.0", "cc0-1.0"),
    ("CDLA-Permissive-2.0", "cdla-permissive-2.0"),
    ("CDLA-Sharing-1.0", "cdla-sharing-1.0"),
    ("MIT", "mit"),
    ("ODC-By-1.0", "odc-by"),
    ("ODbL-1.0", "odbl"),
    ("PDDL-1.0", "pddl"),
];

/// The hub's classes of size, each with the rows that it ends before.
const SIZES: [(u64, &str); 8] = [
    (1_000, "n<1K"),
    (10_000, "1K<n<10K"),
    (100_000, "10K<n<100K"),
    (1_000_000, "100K<n<1M"),
    (10_000_000, "1M<n<10M"),
    (100_000_000, "10M<n<100M"),
    (1_000_000_000, "100M<n<1B"),
    (u64::MAX, "n>1B"),
];

/// The head, between its lines of `---`.
pub(super) fn head(release: &Release, contents: &Contents) -> String {
    let about = &release.about;
    let mut head = format!(
        "---\npretty_name: {}\n",
        json!(format!("{} {}", about.name, about.version))
    );
    head.push_str(&licence(&about.licence));
    let rows = contents.rows();
    let class = SIZES.iter().find(|(end, _)| rows < *end);
    let class = class.map_or("n>1B", |(_, class)| class);
    head.push_str(&format!("size_categories:\n- {class}\ntags:\n"));
    for tag in TAGS {
        head.push_str(&format!("- {tag}\n"));
    }
    let read: Vec<&Table> = contents
        .tables
        .keys()
        .filter(|one| is_read(**one))
        .collect();
    if !read.is_empty() {
        head.push_str("configs:\n");
    }
    for table in read {
        let (name, files) = (table.name(), json!(files(*table)));
        head.push_str(&format!("- config_name: {name}\n  data_files: {files}\n"));
    }
    head.push_str("---\n");
    head
}

/// Where the files of a table are, in every snapshot: a pattern whose `*` does not reach into `withheld/`.
pub(super) fn files(table: Table) -> String {
    format!("{SNAPSHOTS_FOLDER}/*/{}", table.file())
}

/// Whether `datasets` reads a table: its builder knows no maps (5.2.0: "Arrow type map<…> does not have a
/// datasets dtype equivalent").
pub(super) fn is_read(table: Table) -> bool {
    let schema = table.schema();
    let mut fields = schema.fields().iter();
    !fields.any(|field| matches!(field.data_type(), DataType::Map(..)))
}

fn licence(spdx: &str) -> String {
    let known = LICENCES.iter().find(|(id, _)| *id == spdx);
    match known {
        Some((_, name)) => format!("license: {name}\n"),
        None => format!("license: other\nlicense_name: {}\n", json!(spdx)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::card::tests::example;
    use super::*;

    #[test]
    fn the_head_is_what_the_hub_reads() {
        let (release, contents) = example();
        let expected = "\
---
pretty_name: \"small 1.0.0\"
license: cc-by-4.0
size_categories:
- 1K<n<10K
tags:
- aiops
- kubernetes
- observability
- root-cause-analysis
- incident-response
- benchmark
configs:
- config_name: log_lines
  data_files: \"snapshots/*/logs/lines.parquet\"
- config_name: usage
  data_files: \"snapshots/*/usage/usage.parquet\"
---
";
        // There are metric series, too, whose labels are a map.
        assert!(contents.tables.contains_key(&Table::MetricSeries));
        assert_eq!(head(&release, &contents), expected);
    }

    #[test]
    fn a_licence_that_the_hub_does_not_know_is_named() {
        assert_eq!(licence("ODbL-1.0"), "license: odbl\n");
        assert_eq!(
            licence("MIT OR Apache-2.0"),
            "license: other\nlicense_name: \"MIT OR Apache-2.0\"\n"
        );
    }
}
