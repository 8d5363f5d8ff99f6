//! Releases that lie in another folder: everything but HTTP, which `tests/remote_releases.rs` has.

use std::collections::BTreeMap;
use std::fs;

use camino::{Utf8Path, Utf8PathBuf};
use futures::StreamExt;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;
use crate::files;
use crate::release::manifest::is_within;
use crate::release::{About, RELEASE_FILE, Release, ReleaseEntry, ReleaseFile};
use crate::rows::LogLine;
use crate::snapshot::Snapshot;
use crate::writer::SnapshotWriter;
use crate::writer::tests::{draft, folder, record};

/// Makes a release of one snapshot, `one`; its folder, its URL, and a cache.
fn release() -> (tempfile::TempDir, Utf8PathBuf, String, Utf8PathBuf) {
    let (temporary, dir) = folder();
    let at = dir.join("snapshots/one");
    let writer = SnapshotWriter::create(&at).unwrap();
    record(&writer);
    let truth = serde_json::json!({"family": "f", "variant": 1});
    writer.write_withheld_json("truth", &truth).unwrap();
    let manifest = writer.finish(draft()).unwrap();
    fs::create_dir(dir.join("catalog")).unwrap();
    fs::write(dir.join("catalog/f.toml"), "family = 'f'\n").unwrap();
    let entry = ReleaseEntry {
        snapshot: manifest.snapshot.to_string(),
        application: manifest.application,
        logical_digest: Snapshot::open(&at).unwrap().logical_digest().unwrap(),
        problems: BTreeMap::new(),
        sealed: None,
    };
    write_release(&dir, BTreeMap::from([("one".to_owned(), entry)]));
    let (url, cache) = (format!("file://{dir}"), dir.with_file_name("cache"));
    (temporary, dir, url, cache)
}

fn write_release(dir: &Utf8Path, snapshots: BTreeMap<String, ReleaseEntry>) {
    let mut listed = BTreeMap::new();
    list(dir, dir, &mut listed);
    let release = Release {
        format_version: "1".to_owned(),
        about: About {
            name: "test".to_owned(),
            version: "1.0.0".to_owned(),
            held_out: false,
            licence: "CC0-1.0".to_owned(),
            citation: "nobody".to_owned(),
            url: None,
            published: None,
        },
        snapshots,
        files: listed,
        figures: BTreeMap::new(),
        sha256: String::new(),
    };
    let value = serde_json::to_value(release).unwrap();
    files::write_json(&dir.join(RELEASE_FILE), &value).unwrap();
}

fn list(root: &Utf8Path, dir: &Utf8Path, listed: &mut BTreeMap<String, ReleaseFile>) {
    for entry in dir.read_dir_utf8().unwrap() {
        let path = entry.unwrap().into_path();
        if path.is_dir() {
            list(root, &path, listed);
        } else {
            let (bytes, sha256) = files::measure(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().to_string();
            listed.insert(name, ReleaseFile { bytes, sha256 });
        }
    }
}

#[test]
fn a_release_is_opened_without_its_tables_and_read_like_any_other() {
    let (_temporary, dir, url, cache) = release();
    let opened = open(&url, &cache, None).unwrap();
    assert_eq!(
        fs::read(opened.join(RELEASE_FILE)).unwrap(),
        fs::read(dir.join(RELEASE_FILE)).unwrap()
    );
    assert!(opened.join("catalog/f.toml").exists());
    let one = opened.join("snapshots/one");
    assert_eq!(
        open(&format!("{url}/snapshots/one"), &cache, None).unwrap(),
        one
    );

    let here = Snapshot::open(&dir.join("snapshots/one")).unwrap();
    let mut there = Snapshot::open(&one).unwrap();
    assert!(!one.join("logs/lines.parquet").exists() && !one.join("withheld/truth.json").exists());
    assert_eq!(
        there.logical_digest().unwrap(),
        here.logical_digest().unwrap()
    );
    assert!(
        !one.join("logs/lines.parquet").exists(),
        "the release says its digest"
    );
    assert_eq!(
        there.read_rows::<LogLine>().unwrap(),
        here.read_rows::<LogLine>().unwrap()
    );
    assert!(one.join("logs/lines.parquet").exists());
    assert!(there.find_withheld_json("truth").unwrap().is_some());
    assert!(there.find_withheld_json("windows").unwrap().is_none());
    let refused = there.write_withheld_json(&[]).unwrap_err().to_string();
    assert!(refused.contains("release pull"), "{refused}");
    let report = crate::verify::verify(&there, false);
    assert!(report.passed(), "{report:?}");
    // What was fetched is there after the release has gone.
    fs::remove_dir_all(&dir).unwrap();
    assert!(crate::verify::verify(&Snapshot::open(&one).unwrap(), false).passed());
    let gone = open(&url, &cache, None).unwrap_err().to_string();
    assert!(gone.contains(&url) && gone.contains("hint: "), "{gone}");
}

#[test]
fn a_snapshot_alone_is_opened_and_what_is_withheld_may_be_added_to() {
    let (_temporary, dir, _, cache) = release();
    fs::remove_file(dir.join(RELEASE_FILE)).unwrap();
    let url = format!("file://{dir}/snapshots/one");
    let truth = |opened: &Utf8Path| {
        let snapshot = Snapshot::open(opened).unwrap();
        snapshot.withheld_json("truth").unwrap()["family"].clone()
    };
    let opened = open(&url, &cache, None).unwrap();
    assert_eq!(opened.file_name(), Some("one"));
    assert_eq!(truth(&opened), "f");
    let mut original = Snapshot::open(&dir.join("snapshots/one")).unwrap();
    let said = serde_json::json!({"family": "another"});
    original.write_withheld_json(&[("truth", said)]).unwrap();
    assert_eq!(truth(&open(&url, &cache, None).unwrap()), "another");
    let error = open(&url, &cache, Some("a key")).unwrap_err().to_string();
    assert!(error.contains("signed"), "{error}");
}

#[test]
fn what_was_changed_is_refused_by_name() {
    let (_temporary, dir, url, cache) = release();
    let error = open(&url, &cache, Some("a key")).unwrap_err().to_string();
    assert!(error.contains("release.json.minisig"), "{error}");
    let error = open(&format!("{url}/snapshots/two"), &cache, None).unwrap_err();
    assert!(error.to_string().contains("it has one"), "{error}");

    let opened = open(&url, &cache, None).unwrap().join("snapshots/one");
    let spans = dir.join("snapshots/one/traces/spans.parquet");
    let mut bytes = fs::read(&spans).unwrap();
    bytes[9] ^= 1;
    fs::write(&spans, bytes).unwrap();
    let snapshot = Snapshot::open(&opened).unwrap();
    let error = snapshot.read_rows::<crate::rows::Span>().unwrap_err();
    assert!(
        error.to_string().contains("traces/spans.parquet"),
        "{error}"
    );
    let left: Vec<_> = files::list(&opened.join("traces")).unwrap();
    assert!(left.is_empty(), "{left:?}");

    let manifest = dir.join("snapshots/one/manifest.json");
    let text = fs::read_to_string(&manifest).unwrap();
    fs::write(&manifest, text.replace("shop", "shoq")).unwrap();
    fs::remove_dir_all(&cache).unwrap();
    let error = open(&url, &cache, None).unwrap_err().to_string();
    assert!(
        error.contains("one/manifest.json") && error.contains("sha256"),
        "{error}"
    );
}

#[test]
fn nothing_is_believed_that_leads_out_of_the_release() {
    for (path, plain) in [
        ("a/b.json", true),
        ("../b", false),
        ("a/../../b", false),
        ("/etc/passwd", false),
        ("", false),
        (".", false),
    ] {
        assert_eq!(is_within(path), plain, "{path}");
    }
    let (_temporary, dir, _, _) = release();
    let json = fs::read_to_string(dir.join(RELEASE_FILE)).unwrap();
    assert!(Release::parse(json.as_bytes(), "here/release.json").is_ok());
    for (from, to, says) in [
        ("catalog/f.toml", "catalog/../../f.toml", "f.toml"),
        (
            "\"format_version\": \"1\"",
            "\"format_version\": \"9\"",
            "9",
        ),
        ("{", "[", "here/release.json"),
    ] {
        let error = Release::parse(json.replacen(from, to, 1).as_bytes(), "here/release.json");
        let error = error.unwrap_err().to_string();
        assert!(error.contains(says) && error.contains("hint: "), "{error}");
    }
}

#[test]
fn urls_are_checked() {
    for url in [
        "ftp://host/a",
        "https://me:word@host/a",
        "s3://b/a?x=1",
        "nothing",
    ] {
        let error = Place::parse(url).unwrap_err().to_string();
        assert!(error.contains(url) && error.contains("hint: "), "{error}");
    }
    let place = Place::parse("https://host/a/").unwrap();
    assert_eq!(place.url_of("b.json"), "https://host/a/b.json");
}

#[tokio::test]
async fn an_engine_reads_absent_files_where_they_would_be() {
    let (_temporary, dir, url, cache) = release();
    let one = open(&url, &cache, None).unwrap().join("snapshots/one");
    let (here, there) = (
        Snapshot::open(&dir.join("snapshots/one")).unwrap(),
        Snapshot::open(&one).unwrap(),
    );
    assert!(FilesElsewhere::of([&here]).unwrap().is_none());
    let all = FilesElsewhere::of([&here, &there]).unwrap().unwrap();
    let at = |snapshot: &Snapshot| {
        let path = snapshot.path(crate::schema::Table::LogLines);
        Path::from_absolute_path(path).unwrap()
    };
    let bytes = fs::read(here.path(crate::schema::Table::LogLines)).unwrap();
    assert_eq!(
        all.head(&at(&there)).await.unwrap().size,
        bytes.len() as u64
    );
    assert!(!one.join("logs/lines.parquet").exists());
    for snapshot in [&here, &there] {
        let parts = all.get_ranges(&at(snapshot), &[4..9, 0..4]).await.unwrap();
        assert_eq!(parts, [&bytes[4..9], &bytes[0..4]]);
    }
    assert!(all.list(None).next().await.unwrap().is_err());
    assert!(all.put(&at(&there), "x".into()).await.is_err());
}

#[tokio::test]
async fn a_place_is_written_to_and_knows_what_it_holds() {
    let (_temporary, dir, _, _) = release();
    let place = Place::parse(&format!("file://{}", dir.with_file_name("copy"))).unwrap();
    let from = dir.join(RELEASE_FILE);
    let (bytes, sha256) = files::measure(&from).unwrap();
    let listed = ReleaseFile { bytes, sha256 };
    assert!(!place.holds("a/b.json", &listed).await.unwrap());
    let nobody = |_| ();
    place
        .put("a/b.json", &from, &listed.sha256, &nobody)
        .await
        .unwrap();
    assert!(place.holds("a/b.json", &listed).await.unwrap());
    let read = place.read("a/b.json").await.unwrap().unwrap();
    assert_eq!(read.to_vec(), fs::read(&from).unwrap());
    assert_eq!(place.read("a/c.json").await.unwrap(), None);
}
