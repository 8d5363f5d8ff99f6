//! `croissant.json`: a release as machines read it, in Croissant 1.1 (<http://mlcommons.org/croissant/1.1>).
//!
//! A `FileObject` for each file, with its digest; a `FileSet` and a `RecordSet` for each table. What the
//! format wants besides, the page (`url`) and the day on which it is published (`datePublished`), is there where
//! its builder has said it.

use aiopslab_datasets::release::{RELEASE_FILE, Release, ReleaseFile, SNAPSHOTS_FOLDER};
use aiopslab_datasets::schema::Table;
use arrow::datatypes::{DataType, Field};
use serde_json::{Value, json};

use super::contents::Contents;
use super::documented;

/// The name of the document.
pub(super) const CROISSANT: &str = "croissant.json";

/// Says what the terms below mean: the context of the specification, its appendix 1.
const CONTEXT: &str = include_str!("croissant_context.json");

/// Describes a release; `summary` is the beginning of its card.
pub(super) fn describe(
    release: &Release,
    contents: &Contents,
    summary: &str,
) -> Result<Value, serde_json::Error> {
    let files = release.files.iter().filter(|(path, _)| is_described(path));
    let mut distribution: Vec<Value> = files.map(|(path, file)| file_object(path, file)).collect();
    let tables = contents.tables.keys();
    distribution.extend(tables.clone().map(|table| file_set(release, *table)));
    let record_sets: Vec<Value> = tables.map(|table| record_set(*table)).collect();
    let about = &release.about;
    let mut described = json!({
        "@context": serde_json::from_str::<Value>(CONTEXT)?,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.1",
        "name": about.name,
        "description": summary,
        "version": about.version,
        "license": licence(&about.licence),
        "citeAs": about.citation,
        "creator": {"@type": "sc:Organization", "name": format!("the authors of {}", about.name)},
        "keywords": ["AIOps", "Kubernetes", "observability", "root cause analysis"],
        "isLiveDataset": false,
        "distribution": distribution,
        "recordSet": record_sets,
    });
    if let Some(url) = &about.url {
        described["url"] = json!(url);
    }
    if let Some(day) = about.published {
        described["datePublished"] = json!(day);
    }
    Ok(described)
}

/// The documents about a release are written from its description, and can't be in it.
fn is_described(path: &str) -> bool {
    !super::card::DOCUMENTS.contains(&path) && path != RELEASE_FILE
}

fn file_object(path: &str, file: &ReleaseFile) -> Value {
    let name = path.rsplit('/').next().unwrap_or(path);
    json!({
        "@type": "cr:FileObject",
        "@id": path,
        "name": name,
        "contentUrl": path,
        "contentSize": format!("{} B", file.bytes),
        "encodingFormat": encoding(name),
        "sha256": file.sha256,
    })
}

fn encoding(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, ending)| ending) {
        "json" => "application/json",
        "md" => "text/markdown",
        "parquet" => PARQUET,
        "toml" => "application/toml",
        "zst" => "application/zstd",
        _ => "application/octet-stream",
    }
}

/// The media type by which the specification and `mlcroissant` know Parquet.
const PARQUET: &str = "application/x-parquet";

/// The files of a table, each by its path: a `*` would reach into `withheld/`.
fn file_set(release: &Release, table: Table) -> Value {
    let names = release.snapshots.keys();
    let paths: Vec<String> = names
        .map(|name| format!("{SNAPSHOTS_FOLDER}/{name}/{}", table.file()))
        .collect();
    json!({
        "@type": "cr:FileSet",
        "@id": file_set_id(table),
        "name": format!("the files of {}", table.name()),
        "encodingFormat": PARQUET,
        "includes": paths,
    })
}

fn file_set_id(table: Table) -> String {
    format!("{}-files", table.name())
}

/// A table's rows, each with the snapshot that it is of.
fn record_set(table: Table) -> Value {
    let snapshot = json!({
        "@type": "cr:Field",
        "@id": format!("{}/snapshot", table.name()),
        "name": "snapshot",
        "description": "Name of the snapshot's folder.",
        "dataType": "sc:Text",
        "source": {
            "fileSet": {"@id": file_set_id(table)},
            "extract": {"fileProperty": "fullpath"},
            "transform": {"regex": format!("{SNAPSHOTS_FOLDER}/([^/]+)/.*")},
        },
    });
    let schema = table.schema();
    let columns = schema.fields().iter();
    let columns = columns.filter_map(|column| field(table, column));
    let fields: Vec<Value> = std::iter::once(snapshot).chain(columns).collect();
    json!({
        "@type": "cr:RecordSet",
        "@id": table.name(),
        "name": table.name(),
        "description": documented::about(table),
        "field": fields,
    })
}

/// A column; none: the format has no word for its type (maps).
fn field(table: Table, column: &Field) -> Option<Value> {
    let (table_name, name) = (table.name(), column.name());
    Some(json!({
        "@type": "cr:Field",
        "@id": format!("{table_name}/{name}"),
        "name": name,
        "description": documented::column(table, name),
        "dataType": data_type(column.data_type())?,
        "source": {
            "fileSet": {"@id": file_set_id(table)},
            "extract": {"column": name},
        },
    }))
}

/// A type in the format's words. Binary columns hold text for the most part, and `sc:Text` comes back as bytes.
fn data_type(column: &DataType) -> Option<&'static str> {
    Some(match column {
        DataType::Boolean => "sc:Boolean",
        DataType::Utf8 | DataType::Binary => "sc:Text",
        DataType::Int32 => "cr:Int32",
        DataType::Int64 => "cr:Int64",
        DataType::UInt32 => "cr:UInt32",
        DataType::UInt64 => "cr:UInt64",
        DataType::Float64 => "cr:Float64",
        DataType::Timestamp(..) => "sc:DateTime",
        _ => return None,
    })
}

/// The page of a licence; what is no single id stays as it is.
fn licence(spdx: &str) -> String {
    if spdx.contains(' ') {
        return spdx.to_owned();
    }
    format!("https://spdx.org/licenses/{spdx}")
}

#[cfg(test)]
mod tests {
    use super::super::card::tests::example;
    use super::*;

    #[test]
    fn a_table_is_described_by_its_columns() {
        let (release, contents) = example();
        let described = describe(&release, &contents, "Small.").unwrap();
        let sets = described["recordSet"].as_array().unwrap();
        let ids: Vec<&Value> = sets.iter().map(|set| &set["@id"]).collect();
        assert_eq!(ids, ["metric_series", "log_lines", "usage"]);
        let bytes = json!({
            "@type": "cr:Field",
            "@id": "usage/memory_bytes",
            "name": "memory_bytes",
            "description": "Working set in bytes.",
            "dataType": "cr:Int64",
            "source": {
                "fileSet": {"@id": "usage-files"},
                "extract": {"column": "memory_bytes"},
            },
        });
        assert_eq!(sets[2]["field"][8], bytes);
        assert_eq!(described["license"], "https://spdx.org/licenses/CC-BY-4.0");
        assert_eq!(described["url"], "https://example.org/small");
        assert_eq!(described["datePublished"], "2026-11-30");
    }

    #[test]
    fn files_have_digests_and_what_is_withheld_is_in_no_table() {
        let (release, contents) = example();
        let described = describe(&release, &contents, "Small.").unwrap();
        let distribution = described["distribution"].as_array().unwrap();
        let of = |kind: &str| -> Vec<&Value> {
            let found = distribution.iter().filter(|one| one["@type"] == kind);
            found.collect()
        };
        let file = json!({
            "@type": "cr:FileObject",
            "@id": "snapshots/one-1/usage/usage.parquet",
            "name": "usage.parquet",
            "contentUrl": "snapshots/one-1/usage/usage.parquet",
            "contentSize": "7 B",
            "encodingFormat": "application/x-parquet",
            "sha256": "aa",
        });
        let files = of("cr:FileObject");
        assert!(files.contains(&&file), "{files:#?}");
        assert!(files.iter().all(|file| file["@id"] != "README.md"));
        let usage = of("cr:FileSet");
        let includes = &usage.last().unwrap()["includes"];
        assert_eq!(
            *includes,
            json!([
                "snapshots/one-1/usage/usage.parquet",
                "snapshots/two-1/usage/usage.parquet"
            ])
        );
    }

    #[test]
    fn columns_of_every_type_but_maps_are_described() {
        let described: Vec<usize> = Table::ALL
            .into_iter()
            .map(|table| {
                let schema = table.schema();
                let all = schema.fields().iter();
                all.filter(|column| field(table, column).is_none()).count()
            })
            .collect();
        // The labels of metric series.
        assert_eq!(described, [0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    }
}
