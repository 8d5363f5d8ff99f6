//! Truth that is held out.

use std::collections::BTreeMap;
use std::fs;

use camino::Utf8Path;
use serde_json::json;

use super::{Place, about, contents, passes};
use crate::release::*;
use crate::rows::{LogLine, MetricSeries, ObjectVersion};
use crate::snapshot::Snapshot;

/// Keys of age that open nothing but what these tests write.
const RECIPIENT: &str = "age1mlmxvucgtze8zpgx93m3l858zn33sf88ga3u7m2h2kf8czmm2dps4t7eyq";
const IDENTITY: &str = "AGE-SECRET-KEY-1SAL7P727M872RYHWD9WYU22FJK6H7C7CLP3L23RETK4S9CRUMF0S3TNR0V";
const OTHER_IDENTITY: &str =
    "AGE-SECRET-KEY-1QDU2GPFAH608GVL56KQGNMMQLKWVPAKUZ68FPYKXC284QFF9ZK3QG2GV28";

/// The identity in a file of `place`.
fn identity(place: &Place, key: &str) -> Identities {
    let path = place.path("key.txt");
    fs::write(&path, format!("# a comment\n{key}\n")).unwrap();
    Identities::read(&path).unwrap()
}

fn build_sealed(dir: &Utf8Path, snapshots: &[Snapshot], secret: &[u8]) -> Release {
    let seal = Seal::new(&[RECIPIENT.to_owned()], secret).unwrap();
    let catalog = BTreeMap::from([(
        "fault.toml".to_owned(),
        "family = \"geo_unplugged\"\n".to_owned(),
    )]);
    let mut builder = Builder::create(dir, about(true)).unwrap();
    for snapshot in snapshots {
        builder.add_sealed(snapshot, &seal, &catalog).unwrap();
    }
    builder.finish().unwrap()
}

fn unlock(
    from: &Utf8Path,
    locked: &Release,
    identities: &Identities,
    out: &Utf8Path,
) -> std::result::Result<BTreeMap<String, Vec<u8>>, ReleaseError> {
    let mut builder = Builder::create(out, about(false)).unwrap();
    let mut catalog = BTreeMap::new();
    for (name, entry) in &locked.snapshots {
        catalog.extend(builder.add_unlocked(from, name, entry, identities)?);
    }
    builder.finish()?;
    Ok(catalog)
}

#[test]
fn a_held_out_snapshot_shows_its_end_and_nothing_more() {
    let place = Place::new();
    let snapshot = place.captured("one");
    let later = later_rows(&snapshot).unwrap();
    let expected = [
        ("metric_samples", 1),
        ("metric_series", 1),
        ("object_versions", 2),
    ];
    assert_eq!(later, BTreeMap::from(expected));
    let dir = place.path("held-out");
    let release = build_sealed(&dir, std::slice::from_ref(&snapshot), b"a secret of 16 b");
    passes(&dir);
    let (name, entry) = release.snapshots.first_key_value().unwrap();
    assert!(release.about.held_out && entry.problems.is_empty());
    assert_eq!((name.len(), name), (16, &entry.snapshot));
    let shown = Snapshot::open(&dir.join("snapshots").join(name)).unwrap();
    assert!(!shown.has_withheld() && later_rows(&shown).unwrap().is_empty());
    let manifest = shown.manifest();
    let original = snapshot.manifest();
    assert_eq!(
        (manifest.end, manifest.observed.to),
        (original.end, original.end)
    );
    assert_eq!(manifest.state, original.state);
    assert!(manifest.recorders.is_empty());
    assert_eq!(manifest.settings, json!({}));
    let versions: Vec<ObjectVersion> = shown.read_rows().unwrap();
    let seen: Vec<_> = versions.iter().map(|row| (row.seq, row.valid_to)).collect();
    assert_eq!(seen, [(1, None)]);
    let series: Vec<MetricSeries> = shown.read_rows().unwrap();
    assert_eq!((series.len(), series[0].last), (1, series[0].first));
    assert_eq!(shown.read_rows::<LogLine>().unwrap().len(), 2);
    // Nothing that is readable names the snapshot that it was.
    for (path, bytes) in contents(&dir) {
        let text = String::from_utf8_lossy(&bytes);
        for told in ["geo_unplugged", original.snapshot.as_str()] {
            assert!(
                !path.contains(told) && !text.contains(told),
                "{path} tells {told}"
            );
        }
    }
}

#[test]
fn two_held_out_builds_differ_in_ciphertext_only() {
    let place = Place::new();
    let snapshots = [place.captured("one"), place.captured("two")];
    let dirs = [place.path("first"), place.path("second")];
    let releases = dirs
        .each_ref()
        .map(|dir| build_sealed(dir, &snapshots, b"a secret of 16 b"));
    let [first, second] = dirs.each_ref().map(|dir| contents(dir));
    assert_eq!(
        first.keys().collect::<Vec<_>>(),
        second.keys().collect::<Vec<_>>()
    );
    let mut differ = first
        .iter()
        .filter(|(path, bytes)| second[*path] != **bytes);
    assert!(differ.all(|(path, _)| path.starts_with("sealed/") || path == RELEASE_FILE));
    assert_eq!(
        releases[0].snapshots, releases[1].snapshots,
        "salted digests too"
    );
    let other = build_sealed(&place.path("other"), &snapshots, b"other secret: 18 b");
    for (name, entry) in &releases[0].snapshots {
        assert!(!other.snapshots.contains_key(name));
        let salted = |one: &ReleaseEntry| one.sealed.clone().unwrap().salted_sha256;
        assert!(
            other
                .snapshots
                .values()
                .all(|one| salted(one) != salted(entry))
        );
    }
    let weak = Seal::new(&[RECIPIENT.to_owned()], b"short").unwrap_err();
    assert!(weak.to_string().contains("5 bytes"), "{weak}");
    let unknown = Seal::new(&["age1x".to_owned()], b"a secret of 16 b").unwrap_err();
    assert!(unknown.to_string().contains("age1x"), "{unknown}");
}

#[test]
fn who_has_the_key_gets_the_same_bytes_back() {
    let place = Place::new();
    let snapshot = place.captured("one");
    let dir = place.path("held-out");
    let release = build_sealed(&dir, std::slice::from_ref(&snapshot), b"a secret of 16 b");
    let wrong = identity(&place, OTHER_IDENTITY);
    let refused = unlock(&dir, &release, &wrong, &place.path("refused"));
    assert!(
        matches!(refused, Err(ReleaseError::Locked { .. })),
        "{refused:?}"
    );
    let right = identity(&place, IDENTITY);
    let out = place.path("unlocked");
    let catalog = unlock(&dir, &release, &right, &out).unwrap();
    assert_eq!(catalog["fault.toml"], b"family = \"geo_unplugged\"\n");
    passes(&out);
    let name = release.snapshots.keys().next().unwrap();
    let unlocked = out.join("snapshots").join(name);
    let withheld = contents(&snapshot.dir().join("withheld"));
    assert!(withheld.len() > 11);
    assert_eq!(contents(&unlocked.join("withheld")), withheld);
    let mut shown = contents(&unlocked);
    shown.retain(|path, _| !path.starts_with("withheld/"));
    assert_eq!(contents(&dir.join("snapshots").join(name)), shown);

    // Something else in its place is noticed, whoever encrypted it.
    let mut other = release.clone();
    let entry = other.snapshots.values_mut().next().unwrap();
    entry.sealed.as_mut().unwrap().salted_sha256 = "0".repeat(64);
    let refused = unlock(&dir, &other, &right, &place.path("wrong"));
    assert!(
        matches!(refused, Err(ReleaseError::WrongPlaintext { .. })),
        "{refused:?}"
    );
    let sealed = dir.join(&release.snapshots[name].sealed.as_ref().unwrap().file);
    let mut bytes = fs::read(&sealed).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&sealed, bytes).unwrap();
    assert!(unlock(&dir, &release, &right, &place.path("torn")).is_err());
}

#[test]
fn what_has_no_truth_can_not_be_held_out() {
    let place = Place::new();
    let snapshot = place.captured("one");
    fs::remove_dir_all(snapshot.dir().join("withheld")).unwrap();
    let published = Snapshot::open(snapshot.dir()).unwrap();
    let seal = Seal::new(&[RECIPIENT.to_owned()], b"a secret of 16 b").unwrap();
    let mut builder = Builder::create(&place.path("held-out"), about(true)).unwrap();
    let refused = builder.add_sealed(&published, &seal, &BTreeMap::new());
    assert!(
        matches!(refused, Err(ReleaseError::NothingToSeal { .. })),
        "{refused:?}"
    );
}

#[test]
fn a_catalog_in_a_held_out_release_is_found() {
    let place = Place::new();
    let seal = Seal::new(&[RECIPIENT.to_owned()], b"a secret of 16 b").unwrap();
    let dir = place.path("held-out");
    let mut builder = Builder::create(&dir, about(true)).unwrap();
    let snapshot = place.captured("one");
    let name = builder
        .add_sealed(&snapshot, &seal, &BTreeMap::new())
        .unwrap();
    let asked = ("geo_unplugged-detection-1".to_owned(), "00".repeat(32));
    builder.ask(&name, BTreeMap::from([asked]));
    builder.add_file("catalog/geo_unplugged.toml", b"").unwrap();
    builder.finish().unwrap();
    let report = verify(&dir, None).unwrap();
    let failed = report.checks.into_iter().filter(|check| !check.passed);
    let names: Vec<String> = failed.map(|check| check.name).collect();
    assert_eq!(names, ["catalog/geo_unplugged.toml", &name]);
}
