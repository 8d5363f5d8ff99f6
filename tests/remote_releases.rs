//! Releases that lie elsewhere: behind a web server of the test, which counts what it is asked.

mod web;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use aiopslab_datasets::release::{About, RELEASE_FILE, Release, ReleaseEntry, ReleaseFile};
use aiopslab_datasets::rows::{LogInstance, LogLine};
use aiopslab_datasets::writer::{SnapshotWriter, Visibility};
use aiopslab_datasets::{ManifestDraft, Snapshot};
use camino::Utf8Path;
use sha2::{Digest, Sha256};

use self::web::Web;
use crate::command_line::copy_folder;
use crate::episodes::records;
use crate::program::{Place, listed};

const SAMPLES: [&str; 2] = [
    "k8s_target_port_misconfig_testbed-1",
    "noop_detection_testbed-1",
];
const COUNTS: &str =
    "select snapshot, count(*) as lines from logs group by snapshot order by snapshot";

/// A release of two samples in the folder `release`.
fn release(place: &Place) -> PathBuf {
    let dir = place.path("release");
    for sample in SAMPLES {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("datasets/samples");
        copy_folder(&source.join(sample), &dir.join("snapshots").join(sample));
    }
    write_release(&dir);
    dir
}

/// Writes the `release.json` of the snapshots in a folder.
fn write_release(dir: &Path) {
    let mut snapshots = BTreeMap::new();
    for entry in fs::read_dir(dir.join("snapshots")).unwrap() {
        let path = entry.unwrap().path();
        let snapshot = Snapshot::open(Utf8Path::from_path(&path).unwrap()).unwrap();
        let entry = ReleaseEntry {
            snapshot: snapshot.manifest().snapshot.to_string(),
            application: snapshot.manifest().application.clone(),
            logical_digest: snapshot.logical_digest().unwrap(),
            problems: BTreeMap::new(),
            sealed: None,
        };
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        snapshots.insert(name, entry);
    }
    let files = listed(dir);
    let release = Release {
        format_version: "1".to_owned(),
        about: About {
            name: "samples".to_owned(),
            version: "1.0.0".to_owned(),
            held_out: false,
            licence: "Apache-2.0 OR MIT".to_owned(),
            citation: "aiopslab".to_owned(),
            url: None,
            published: None,
        },
        snapshots,
        files,
        figures: BTreeMap::new(),
        sha256: String::new(),
    };
    let json = serde_json::to_string_pretty(&release).unwrap();
    fs::write(dir.join(RELEASE_FILE), json).unwrap();
}

/// The folder in which the user's cache keeps a release, by the digest of its `release.json`.
fn kept(place: &Place, release: &Path) -> PathBuf {
    let json = fs::read(release.join(RELEASE_FILE)).unwrap();
    place
        .path(".cache/aiopslab/releases")
        .join(ReleaseFile::of(&json).sha256)
}

fn sql(place: &Place, at: &str, query: &str) -> String {
    place.ok(&["sql", "-s", at, "--format", "csv", query])
}

#[test]
fn a_release_behind_http_is_read_like_a_folder() {
    let place = Place::new();
    let dir = release(&place);
    let web = Web::serve(&dir);
    assert_eq!(
        sql(&place, &web.url, COUNTS),
        sql(&place, "release", COUNTS)
    );
    let asked = web.asked();
    assert!(
        asked
            .iter()
            .all(|one| one.starts_with("GET /") && !one.ends_with('/')),
        "only files are asked for: {asked:?}"
    );
    let fetched = |part: &str| asked.iter().any(|one| one.contains(part));
    assert!(
        fetched("logs/lines.parquet") && !fetched("spans.parquet"),
        "{asked:?}"
    );

    // What was fetched is kept: only release.json is asked for again.
    web.forget();
    sql(&place, &web.url, COUNTS);
    assert_eq!(web.asked(), ["GET /release.json"]);

    let one = format!("{}/snapshots/{}", web.url, SAMPLES[0]);
    let command = "kubectl get pods -n hotel-testbed; kubectl logs -n hotel-testbed deployment/geo";
    let local = format!("release/snapshots/{}", SAMPLES[0]);
    let shell = |at: &str| place.ok(&["shell", at, "-c", command]);
    assert_eq!(shell(&one), shell(&local));
    place.ok(&["snapshot", "verify", &one, "--content"]);
    place.refused(
        &[
            "shell",
            &format!("{}/snapshots/none", web.url),
            "-c",
            "date",
        ],
        &["no snapshot none", SAMPLES[0]],
    );
    place.refused(
        &["sql", "-s", &format!("{}/nowhere", web.url), "select 1"],
        &["neither a release.json nor a manifest.json"],
    );
}

#[test]
fn episodes_on_a_release_behind_http_are_the_same() {
    let place = Place::new();
    let dir = release(&place);
    let web = Web::serve(&dir);
    let eval = |at: &str, out: &str| {
        place.ok(&["eval", at, "--agent", "baseline:doctor", "--out", out]);
        records(&place.path(out).join("baseline-doctor"))
    };
    let (there, here) = (eval(&web.url, "there"), eval("release", "here"));
    assert!(there.len() > 4, "{:?}", there.keys());
    assert_eq!(there, here);
}

#[test]
fn a_snapshot_behind_http_needs_no_release() {
    let place = Place::new();
    let dir = release(&place);
    let web = Web::serve(&dir.join("snapshots").join(SAMPLES[0]));
    let count = "select count(*) as n from logs";
    let local = format!("release/snapshots/{}", SAMPLES[0]);
    assert_eq!(sql(&place, &web.url, count), sql(&place, &local, count));
    place.refused(
        &["sql", "-s", &web.url, count, "--release-key", "a key"],
        &["no release.json"],
    );
}

#[test]
fn what_was_changed_is_refused() {
    let place = Place::new();
    let dir = release(&place);
    let web = Web::serve(&dir);
    let change = |file: &str| {
        let path = dir.join("snapshots").join(SAMPLES[0]).join(file);
        let before = fs::read(&path).unwrap();
        let mut bytes = before.clone();
        bytes[before.len() / 2] ^= 1;
        fs::write(&path, bytes).unwrap();
        let refused = place.run(&["sql", "-s", &web.url, COUNTS]);
        assert_eq!(refused.code, 1, "{file}: {}", refused.stdout);
        for part in [file, "not the file that is listed", "hint: "] {
            assert!(refused.stderr.contains(part), "{file}: {}", refused.stderr);
        }
        fs::write(&path, before).unwrap();
    };
    change("manifest.json");
    change("logs/lines.parquet");
    sql(&place, &web.url, COUNTS);
    let listed = fs::read_to_string(dir.join(RELEASE_FILE)).unwrap();
    fs::write(dir.join(RELEASE_FILE), listed.replace("snapshots/", "../")).unwrap();
    place.refused(
        &["sql", "-s", &web.url, COUNTS],
        &["not that of a file within a release"],
    );
}

/// A release of one snapshot with a log file of some megabytes, of two pods one after the other.
fn large(place: &Place) -> PathBuf {
    let dir = place.path("large");
    let at = dir.join("snapshots/large");
    let writer = SnapshotWriter::create(Utf8Path::from_path(&at).unwrap()).unwrap();
    let start = 1_767_225_600_000_000_000;
    for (instance_id, pod) in [(0, "big-1"), (1, "little-1")] {
        let instance = LogInstance {
            instance_id,
            pod_uid: format!("uid-{pod}"),
            namespace: "shop".to_owned(),
            pod: pod.to_owned(),
            container: "main".to_owned(),
            role: "container".to_owned(),
            restart: 0,
            container_id: String::new(),
            node: String::new(),
            started: None,
            finished: None,
            exit_code: None,
            reason: None,
            first_line_kept: true,
        };
        writer
            .append_rows(Visibility::Visible, &[instance])
            .unwrap();
        let count = if pod == "big-1" { 60_000 } else { 100 };
        let lines = (0..count).map(|seq: u64| LogLine {
            instance_id,
            seq,
            timestamp: start + i64::try_from(seq).unwrap() * 1_000_000,
            // Nothing that could be compressed.
            message: Sha256::digest(format!("{pod}{seq}")).to_vec(),
            stream: None,
            namespace: "shop".to_owned(),
            service: None,
            pod: pod.to_owned(),
            container: "main".to_owned(),
        });
        let lines: Vec<_> = lines.collect();
        writer.append_rows(Visibility::Visible, &lines).unwrap();
    }
    let draft = ManifestDraft {
        seed: "large".to_owned(),
        application: "shop".to_owned(),
        namespaces: vec!["shop".to_owned()],
        ..ManifestDraft::default()
    };
    writer.finish(draft).unwrap();
    write_release(&dir);
    dir
}

const LITTLE: &str =
    "select count(*) as n, max(message) as last from raw.log_lines where pod = 'little-1'";

#[test]
fn a_question_fetches_what_it_needs_of_a_large_file() {
    let place = Place::new();
    let dir = large(&place);
    let lines = dir.join("snapshots/large/logs/lines.parquet");
    let size = fs::metadata(&lines).unwrap().len();
    assert!(size > 1 << 20, "{size}");
    let web = Web::serve(&dir);
    let ran = place.run(&["-v", "sql", "-s", &web.url, "--format", "csv", LITTLE]);
    assert_eq!(ran.stdout, sql(&place, "large", LITTLE), "{}", ran.stderr);
    assert!(web.bytes() < size / 2, "{} of {size} bytes", web.bytes());
    let counted = format!("fetched.bytes={}", web.bytes());
    assert!(ran.stderr.contains(&counted), "{counted}: {}", ran.stderr);
    let whole = "large/snapshots/large/logs/lines.parquet".trim_start_matches("large/");
    assert!(!kept(&place, &dir).join(whole).exists());
}

#[test]
fn a_server_without_ranges_is_read_whole() {
    let place = Place::new();
    let dir = large(&place);
    let web = Web::serve(&dir);
    web.without_ranges();
    assert_eq!(sql(&place, &web.url, LITTLE), sql(&place, "large", LITTLE));
    let file = "snapshots/large/logs/lines.parquet";
    assert_eq!(
        fs::read(kept(&place, &dir).join(file)).unwrap(),
        fs::read(dir.join(file)).unwrap()
    );
    web.forget();
    assert_eq!(sql(&place, &web.url, LITTLE), sql(&place, "large", LITTLE));
    assert_eq!(web.asked(), ["GET /release.json"]);
}

#[test]
fn a_file_that_is_another_now_is_not_read_in_parts() {
    let place = Place::new();
    let dir = large(&place);
    let web = Web::serve(&dir);
    let lines = dir.join("snapshots/large/logs/lines.parquet");
    let mut bytes = fs::read(&lines).unwrap();
    bytes.push(0);
    fs::write(&lines, bytes).unwrap();
    place.refused(
        &["sql", "-s", &web.url, LITTLE],
        &["logs/lines.parquet", "the snapshot's manifest says"],
    );
}

#[test]
fn a_server_that_goes_away_is_named() {
    let place = Place::new();
    let dir = release(&place);
    let web = Web::serve(&dir);
    web.break_off_after(3);
    place.refused(&["sql", "-s", &web.url, COUNTS], &[&web.url, "hint: "]);
    web.break_off_after(usize::MAX);
    assert_eq!(
        sql(&place, &web.url, COUNTS),
        sql(&place, "release", COUNTS)
    );
}

#[test]
fn a_pull_goes_on_where_it_was_interrupted() {
    let place = Place::new();
    let dir = release(&place);
    let web = Web::serve(&dir);
    web.break_off_after(12);
    place.refused(
        &["release", "pull", &web.url, "copy"],
        &["copy is not whole", "the same command goes on"],
    );
    let copy = place.path("copy");
    assert!(!copy.join(RELEASE_FILE).exists(), "it comes last");
    let left = listed(&copy);
    assert!(left.len() > 5, "{:?}", left.keys());

    web.break_off_after(usize::MAX);
    web.forget();
    let said = place.ok(&["release", "pull", &web.url, "copy"]);
    assert!(
        said.contains(&format!("{} of them were there", left.len())),
        "{said}"
    );
    let asked = web.asked();
    for file in left.keys() {
        let again = format!("GET /{file}");
        assert!(!asked.contains(&again), "{again}");
    }
    assert_eq!(listed(&copy), listed(&dir));
    place.ok(&["release", "pull", &web.url, "copy"]);

    fs::write(copy.join("mine.txt"), "").unwrap();
    place.refused(&["release", "pull", &web.url, "copy"], &["mine.txt"]);
    place.refused(
        &[
            "release",
            "pull",
            &web.url,
            "other",
            "--release-key",
            "a key",
        ],
        &["not signed"],
    );
}

#[test]
fn a_push_to_a_folder_sends_what_is_not_there() {
    let place = Place::new();
    let dir = release(&place);
    let files = listed(&dir).len();
    let said = place.ok(&["release", "push", "release", "www/1.0.0"]);
    assert!(
        said.contains(&format!("{files} files")) && said.contains("0 of them"),
        "{said}"
    );
    assert_eq!(listed(&place.path("www/1.0.0")), listed(&dir));
    let file = format!("www/1.0.0/snapshots/{}/manifest.json", SAMPLES[0]);
    fs::write(place.path(&file), "{}").unwrap();
    let said = place.ok(&["release", "push", "release", "www/1.0.0"]);
    assert!(said.contains(&format!("{} of them", files - 1)), "{said}");
    assert_eq!(listed(&place.path("www/1.0.0")), listed(&dir));
    place.ok(&["release", "pull", "www/1.0.0", "copy"]);
    assert_eq!(listed(&place.path("copy")), listed(&dir));

    let web = Web::serve(&dir);
    let elsewhere = format!("{}/elsewhere", web.url);
    place.refused(&["release", "push", "release", &elsewhere], &["s3://"]);
    fs::remove_file(
        dir.join("snapshots")
            .join(SAMPLES[1])
            .join("coverage.parquet"),
    )
    .unwrap();
    place.refused(
        &["release", "push", "release", "www/2.0.0"],
        &["coverage.parquet"],
    );
    assert!(!place.path("www/2.0.0/release.json").exists());
    place.refused(&["release", "push", "www", "www/2.0.0"], &["no release"]);
    place.refused(
        &["release", "push", "release", "oci://host"],
        &["oci://HOST/REPOSITORY:TAG"],
    );
    place.refused(
        &["sql", "-s", "oci://host/a:1", "select 1"],
        &["release pull"],
    );
}
