use std::fs;

use super::*;
use crate::rows::Coverage;
use crate::writer::SnapshotWriter;
use crate::writer::tests::{draft, folder, record};

fn snapshot(dir: &Utf8Path) -> Snapshot {
    let writer = SnapshotWriter::create(dir).unwrap();
    record(&writer);
    writer.finish(draft()).unwrap();
    Snapshot::open(dir).unwrap()
}

fn failure(dir: &Utf8Path) -> String {
    Snapshot::open(dir).unwrap_err().to_string()
}

#[test]
fn documents_are_written_over_and_listed() {
    let (_temporary, dir) = folder();
    let mut opened = snapshot(&dir);
    let digest = opened.logical_digest().unwrap();
    for text in ["one", "another"] {
        let document = serde_json::json!({"said": text});
        opened
            .write_withheld_json(&[("truth", document.clone())])
            .unwrap();
        let again = Snapshot::open(&dir).unwrap();
        assert_eq!(again.withheld_json("truth").unwrap(), document);
        assert!(crate::verify::verify(&again, false).passed());
        assert_eq!(again.logical_digest().unwrap(), digest);
    }
    // The list is what tells of a change that nobody declared.
    fs::write(dir.join("withheld/truth.json"), "{\"said\": \"anothe?\"}").unwrap();
    let changed = Snapshot::open(&dir).map(|it| crate::verify::verify(&it, false).passed());
    assert!(!changed.unwrap_or(false));

    fs::remove_dir_all(dir.join("withheld")).unwrap();
    let mut published = Snapshot::open(&dir).unwrap();
    let error = published.write_withheld_json(&[("truth", Value::Null)]);
    assert!(error.unwrap_err().to_string().contains("withheld"));
}

#[test]
fn damage_is_named() {
    let (_temporary, dir) = folder();
    let opened = snapshot(&dir);
    let path = opened.path(Table::Spans);
    let whole = fs::read(&path).unwrap();

    fs::write(&path, &whole[..whole.len() / 2]).unwrap();
    let error = failure(&dir);
    assert!(
        error.contains("traces/spans.parquet") && error.contains("truncated"),
        "{error}"
    );

    let mut changed = whole.clone();
    let tail = changed.len() - 4;
    changed[tail..].copy_from_slice(b"oops");
    fs::write(&path, changed).unwrap();
    let error = failure(&dir);
    assert!(
        error.contains("traces/spans.parquet") && error.contains("hint:"),
        "{error}"
    );

    fs::remove_file(&path).unwrap();
    assert!(failure(&dir).contains("spans.parquet is missing"));

    fs::copy(opened.path(Table::Usage), &path).unwrap();
    let length = fs::metadata(&path).unwrap().len();
    edit(
        &dir,
        &format!("\"bytes\": {},", whole.len()),
        &format!("\"bytes\": {length},"),
    );
    let error = failure(&dir);
    assert!(
        error.contains("not those of spans: column 0 is kind, not trace_id"),
        "{error}"
    );
}

fn edit(dir: &Utf8Path, from: &str, to: &str) {
    let path = dir.join("manifest.json");
    let text = fs::read_to_string(&path).unwrap();
    assert!(text.contains(from), "{from} in {text}");
    fs::write(path, text.replace(from, to)).unwrap();
}

#[test]
fn a_future_version_is_refused_before_anything_else() {
    let (_temporary, dir) = folder();
    snapshot(&dir);
    edit(
        &dir,
        "\"format_version\": \"1\"",
        "\"format_version\": \"2\"",
    );
    edit(
        &dir,
        "\"state\": \"complete\"",
        "\"state\": {\"of\": \"the future\"}",
    );
    let error = failure(&dir);
    assert!(
        error.contains("format version 2, this build reads 1, 1-draft"),
        "{error}"
    );
    assert!(error.contains("hint:"), "{error}");
}

#[test]
fn a_draft_is_read_as_version_1() {
    let (_temporary, dir) = folder();
    let digest = snapshot(&dir).logical_digest().unwrap();
    let listed = dir.join("withheld/files.json");
    let files = fs::read_to_string(&listed).unwrap();
    fs::remove_file(&listed).unwrap();
    edit(
        &dir,
        "\"format_version\": \"1\",",
        &format!("\"format_version\": \"1-draft\", \"withheld_files\": {files},"),
    );
    let draft = Snapshot::open(&dir).unwrap();
    assert!(
        draft
            .listed(Visibility::Withheld)
            .contains_key("withheld/logs/lines.parquet")
    );
    assert!(crate::verify::verify(&draft, false).passed());
    assert_eq!(draft.logical_digest().unwrap(), digest);
}

#[test]
fn a_published_snapshot_opens_without_what_is_withheld() {
    let (_temporary, dir) = folder();
    let digest = snapshot(&dir).logical_digest().unwrap();
    fs::remove_dir_all(dir.join(WITHHELD)).unwrap();
    let published = Snapshot::open(&dir).unwrap();
    assert!(!published.has_withheld());
    assert_eq!(published.logical_digest().unwrap(), digest);
    assert_eq!(
        published.read_rows::<Coverage>().unwrap().len(),
        Table::ALL.len()
    );
}

#[test]
fn the_digest_tells_rows_apart() {
    let (_one, first) = folder();
    let (_other, second) = folder();
    let digest = snapshot(&first).logical_digest().unwrap();
    let writer = SnapshotWriter::create(&second).unwrap();
    record(&writer);
    let more = crate::rows::tests::line(2);
    writer.append_rows(Visibility::Visible, &[more]).unwrap();
    writer.finish(draft()).unwrap();
    assert_ne!(
        Snapshot::open(&second).unwrap().logical_digest().unwrap(),
        digest
    );
}
