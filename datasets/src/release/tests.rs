mod sealed;

use std::collections::BTreeMap;
use std::{fs, io};

use camino::{Utf8Path, Utf8PathBuf};
use jiff::Timestamp;
use serde_json::json;

use super::*;
use crate::manifest::{ManifestDraft, RecorderCounts};
use crate::snapshot::Snapshot;
use crate::verify::Report;
use crate::writer::SnapshotWriter;
use crate::writer::tests::{draft, record};

struct Place(tempfile::TempDir);

impl Place {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn path(&self, name: &str) -> Utf8PathBuf {
        Utf8PathBuf::from_path_buf(self.0.path().join(name)).unwrap()
    }

    /// A recording that goes on after its end, with a truth.
    fn captured(&self, name: &str) -> Snapshot {
        let dir = self.path(name);
        let writer = SnapshotWriter::create(&dir).unwrap();
        record(&writer);
        let truth = json!({"family": "geo_unplugged", "variant": 1});
        writer.write_withheld_json("truth", &truth).unwrap();
        let counts = RecorderCounts {
            offered: 3,
            written: 2,
            withheld: 1,
            ..RecorderCounts::default()
        };
        let draft = ManifestDraft {
            seed: name.to_owned(),
            end: Some(Timestamp::from_nanosecond(15).unwrap()),
            recorders: BTreeMap::from([("log_lines".to_owned(), counts)]),
            settings: json!({"workload": {"rate": 10}}),
            ..draft()
        };
        writer.finish(draft).unwrap();
        Snapshot::open(&dir).unwrap()
    }
}

fn about(held_out: bool) -> About {
    About {
        name: "shop".to_owned(),
        version: "1.0.0".to_owned(),
        held_out,
        licence: "CC-BY-4.0".to_owned(),
        citation: "A. Author, 2026".to_owned(),
        url: None,
        published: None,
    }
}

fn build(dir: &Utf8Path, snapshots: &[Snapshot]) -> Release {
    let mut builder = Builder::create(dir, about(false)).unwrap();
    for (number, snapshot) in snapshots.iter().enumerate() {
        let name = format!("fault-{number}");
        builder.add_snapshot(&name, snapshot).unwrap();
        let asked = (format!("fault-detection-{number}"), "00".repeat(32));
        builder.ask(&name, BTreeMap::from([asked]));
    }
    builder.add_file("README.md", b"# shop\n").unwrap();
    builder
        .add_file("catalog/fault.toml", b"family = \"geo_unplugged\"\n")
        .unwrap();
    builder.measured(BTreeMap::from([("doctor".to_owned(), json!(0.5))]));
    builder.finish().unwrap()
}

/// Every file below a folder.
fn contents(dir: &Utf8Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(dir: &Utf8Path, below: &str, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in dir.join(below).read_dir_utf8().unwrap() {
            let entry = entry.unwrap();
            let path = Utf8Path::new(below).join(entry.file_name()).into_string();
            match entry.path().is_dir() {
                true => walk(dir, &path, found),
                false => drop(found.insert(path, fs::read(entry.path()).unwrap())),
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, "", &mut found);
    found
}

/// What is said of a release that must not pass.
fn refusal(dir: &Utf8Path) -> String {
    let report: Report = match verify(dir, None) {
        Ok(report) => report,
        Err(error) => return error.to_string(),
    };
    assert!(!report.passed(), "{report:?}");
    let failed = report.checks.iter().filter(|check| !check.passed);
    let failed = failed.map(|check| format!("{}: {}\n", check.name, check.detail));
    failed.collect()
}

fn passes(dir: &Utf8Path) {
    let report = verify(dir, None).unwrap();
    assert!(report.passed(), "{report:?}");
}

#[test]
fn a_release_is_the_same_each_time_and_every_change_is_named() {
    let place = Place::new();
    let snapshots = [place.captured("one"), place.captured("two")];
    let (dir, again) = (place.path("release"), place.path("again"));
    let release = build(&dir, &snapshots);
    assert_eq!(release, build(&again, &snapshots));
    let files = contents(&dir);
    assert_eq!(files, contents(&again));
    assert_eq!(release, Release::open(&dir, None).unwrap());
    passes(&dir);

    for (path, bytes) in &files {
        let file = dir.join(path);
        let (first, step) = match path == RELEASE_FILE {
            true => (0, 211),
            false => (bytes.len() / 2, bytes.len()),
        };
        for at in (first..bytes.len()).step_by(step) {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            fs::write(&file, changed).unwrap();
            let told = refusal(&dir);
            assert!(told.contains(path), "byte {at} of {path}: {told}");
        }
        fs::remove_file(&file).unwrap();
        let told = refusal(&dir);
        assert!(told.contains(path), "without {path}: {told}");
        fs::write(&file, bytes).unwrap();
    }
    for path in ["extra", "snapshots/fault-0/withheld/extra.json"] {
        fs::write(dir.join(path), "x").unwrap();
        let told = refusal(&dir);
        assert!(told.contains(&format!("{path}: is not listed")), "{told}");
        fs::remove_file(dir.join(path)).unwrap();
    }
    passes(&dir);
}

#[test]
fn what_can_not_be_a_release_is_refused() {
    let place = Place::new();
    let snapshot = place.captured("one");
    let dir = place.path("release");
    let mut builder = Builder::create(&dir, about(false)).unwrap();
    builder.add_snapshot("fault-1", &snapshot).unwrap();
    let twice = builder.add_snapshot("fault-1", &snapshot);
    assert!(
        matches!(twice, Err(ReleaseError::Twice { .. })),
        "{twice:?}"
    );
    for path in ["../README.md", "/README.md", "a//b", "a\\b", "c:d", ""] {
        let bad = builder.add_file(path, b"");
        assert!(matches!(bad, Err(ReleaseError::BadPath { .. })), "{path}");
    }
    for path in [RELEASE_FILE, "snapshots/fault-1/manifest.json"] {
        let twice = builder.add_file(path, b"");
        assert!(matches!(twice, Err(ReleaseError::Twice { .. })), "{path}");
    }
    let used = Builder::create(&dir, about(false));
    assert!(matches!(used, Err(ReleaseError::NotEmpty { .. })));
    let named = About {
        version: "1.0/..".to_owned(),
        ..about(false)
    };
    let bad = Builder::create(&place.path("other"), named);
    assert!(matches!(bad, Err(ReleaseError::BadName { .. })));
    // Without a manifest it is none.
    let none = Release::open(&dir, None);
    assert!(matches!(none, Err(ReleaseError::NoRelease { .. })));

    // A snapshot whose files are not what its own manifest says.
    let file = snapshot.dir().join("logs/lines.parquet");
    let mut bytes = fs::read(&file).unwrap();
    bytes[20] ^= 1;
    fs::write(&file, bytes).unwrap();
    let mut builder = Builder::create(&place.path("changed"), about(false)).unwrap();
    let error = builder.add_snapshot("fault-1", &snapshot).unwrap_err();
    assert!(error.to_string().contains("logs/lines.parquet"), "{error}");
}

#[test]
fn other_versions_and_paths_that_lead_out_are_refused() {
    let place = Place::new();
    let release = build(&place.path("release"), &[]);
    let mut value = serde_json::to_value(&release).unwrap();
    let parse = |value: &serde_json::Value| {
        let text = value.to_string();
        Release::parse(text.as_bytes(), "http://host/release.json")
            .unwrap_err()
            .to_string()
    };
    value["files"]["../../etc/passwd"] = json!({"bytes": 1, "sha256": ""});
    let told = parse(&value);
    assert!(
        told.contains("http://host") && told.contains("../../etc"),
        "{told}"
    );
    let mut value = serde_json::to_value(&release).unwrap();
    value["format_version"] = json!("2");
    let told = parse(&value);
    assert!(
        told.contains("release format 2, this build reads 1"),
        "{told}"
    );
    assert!(parse(&json!([])).contains("release format none"));
}

#[test]
fn a_tar_is_the_same_each_time_and_unpacks_to_the_same() {
    let place = Place::new();
    let dir = place.path("release");
    let release = build(&dir, &[place.captured("one")]);
    fs::write(dir.join(SIGNATURE_FILE), "a signature").unwrap();
    let tars = [place.path("one.tar"), place.path("two.tar")];
    for tar in &tars {
        archive::pack(&dir, tar).unwrap();
    }
    assert_eq!(fs::read(&tars[0]).unwrap(), fs::read(&tars[1]).unwrap());
    let out = place.path("unpacked");
    assert_eq!(archive::unpack(&tars[0], &out).unwrap(), release);
    assert_eq!(contents(&out), contents(&dir));
    let used = archive::unpack(&tars[0], &out);
    assert!(
        matches!(used, Err(ReleaseError::NotEmpty { .. })),
        "{used:?}"
    );
    fs::write(&tars[1], &fs::read(&tars[0]).unwrap()[..1000]).unwrap();
    assert!(archive::unpack(&tars[1], &place.path("torn")).is_err());
}

#[test]
fn a_tar_writes_nowhere_but_into_its_folder() {
    let place = Place::new();
    let entry = |name: &str, kind: tar::EntryType| {
        let mut header = tar::Header::new_gnu();
        let field = &mut header.as_gnu_mut().unwrap().name;
        field[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_mode(0o644);
        header.set_cksum();
        let mut builder = tar::Builder::new(Vec::new());
        builder.append(&header, io::empty()).unwrap();
        builder.into_inner().unwrap()
    };
    let tar = place.path("bad.tar");
    let plain = tar::EntryType::Regular;
    let out = place.path("a/b");
    for (name, kind) in [
        ("../escaped", plain),
        ("x/../../escaped", plain),
        ("/escaped", plain),
        ("x\\..\\..\\escaped", plain),
        ("c:escaped", plain),
        ("link", tar::EntryType::Symlink),
        ("link", tar::EntryType::Link),
        ("device", tar::EntryType::Char),
    ] {
        fs::write(&tar, entry(name, kind)).unwrap();
        let error = archive::unpack(&tar, &out).unwrap_err();
        assert!(
            matches!(&error, ReleaseError::BadPath { path, .. } if path == name),
            "{error}"
        );
    }
    assert!(!place.path("a").exists() && !place.path("escaped").exists());
}

/// `signed/NOTE.md` says how the files were made.
#[test]
fn signatures_of_minisign_are_checked_when_there_is_a_key() {
    let place = Place::new();
    let dir = place.path("signed");
    fs::create_dir(&dir).unwrap();
    let (manifest, signature) = (dir.join(RELEASE_FILE), dir.join(SIGNATURE_FILE));
    let text = include_str!("signed/release.json");
    fs::write(&manifest, text).unwrap();
    let key = include_str!("signed/minisign.pub");
    let other = include_str!("signed/other.pub");
    let unsigned = Release::open(&dir, Some(key)).unwrap_err();
    assert!(
        matches!(unsigned, ReleaseError::NoSignature { .. }),
        "{unsigned}"
    );
    fs::write(&signature, include_str!("signed/release.json.minisig")).unwrap();
    // The file of the key, and the key in one line.
    for key in [key, key.lines().last().unwrap()] {
        let report = verify(&dir, Some(key)).unwrap();
        assert!(report.passed(), "{report:?}");
    }
    let wrong = Release::open(&dir, Some(other)).unwrap_err();
    assert!(
        matches!(wrong, ReleaseError::BadSignature { .. }),
        "{wrong}"
    );
    let none = Release::open(&dir, Some("RW")).unwrap_err();
    assert!(matches!(none, ReleaseError::Key { .. }), "{none}");
    // Who changes the manifest may put its digest right, and can't sign it.
    let mut forged = Release::parse(text.as_bytes(), "here").unwrap();
    forged.about.citation = "somebody, 2026".to_owned();
    fs::write(&manifest, forged.text().unwrap()).unwrap();
    passes(&dir);
    let forged = Release::open(&dir, Some(key)).unwrap_err();
    assert!(
        matches!(forged, ReleaseError::BadSignature { .. }),
        "{forged}"
    );
}
