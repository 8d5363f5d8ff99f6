//! Releases through the program: built of samples, checked, split, held out, unlocked and evaluated on.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use aiopslab::library::Library;
use aiopslab::settings::Settings;
use aiopslab_datasets::Snapshot;
use aiopslab_replay::Clock;
use aiopslab_replay::environment::ReplayOptions;
use camino::Utf8Path;
use serde_json::Value;

use crate::nothing_later;
use crate::program::Place;

const QUIET: &str = "noop_detection_testbed-1";
/// Recorded with probes, for a while after its end.
const KILLED: &str = "container_kill_testbed-1";
const SCALED: &str = "scale_pod_zero_testbed-1";
const MISDIRECTED: &str = "k8s_target_port_misconfig_testbed-2";

/// Keys of age that open nothing but what these tests write.
const RECIPIENT: &str = "age1mlmxvucgtze8zpgx93m3l858zn33sf88ga3u7m2h2kf8czmm2dps4t7eyq";
const IDENTITY: &str = "AGE-SECRET-KEY-1SAL7P727M872RYHWD9WYU22FJK6H7C7CLP3L23RETK4S9CRUMF0S3TNR0V";
const OTHER_IDENTITY: &str =
    "AGE-SECRET-KEY-1QDU2GPFAH608GVL56KQGNMMQLKWVPAKUZ68FPYKXC284QFF9ZK3QG2GV28";

fn build<'a>(snapshots: &[&'a str], out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let about = [
        "--name",
        "testbed",
        "--version",
        "1.0.0",
        "--licence",
        "CC-BY-4.0",
        "--citation",
        "A. Author, 2026",
        "--out",
        out,
    ];
    [&["release", "build"], snapshots, &about, more].concat()
}

fn held_out<'a>(snapshots: &[&'a str], out: &'a str) -> Vec<&'a str> {
    let more = ["--held-out", "--recipient", RECIPIENT, "--secret", "secret"];
    build(snapshots, out, &more)
}

/// A place with keys, and with the samples that have probes without them: a build replays all of them, which takes
/// half a minute.
fn place() -> Place {
    let place = Place::new();
    for name in [QUIET, KILLED, MISDIRECTED] {
        let dir = place.path(name);
        crate::command_line::copy_folder(samples(name).as_ref(), &dir);
        let list = dir.join("withheld/files.json");
        let mut listed: Value = serde_json::from_slice(&fs::read(&list).unwrap()).unwrap();
        let probes = "withheld/probes.jsonl.zst";
        assert!(listed.as_object_mut().unwrap().remove(probes).is_some());
        fs::write(&list, listed.to_string()).unwrap();
        fs::remove_file(dir.join(probes)).unwrap();
    }
    fs::write(place.path("secret"), "a secret of the builder").unwrap();
    fs::write(place.path("key.txt"), IDENTITY).unwrap();
    fs::write(place.path("other.txt"), OTHER_IDENTITY).unwrap();
    place
}

/// Every file below a folder.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(dir: &Path, root: &Path, found: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                let name = path.strip_prefix(root).unwrap().to_str().unwrap();
                found.insert(name.to_owned(), fs::read(&path).unwrap());
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(dir, dir, &mut found);
    found
}

fn manifest(place: &Place, release: &str) -> Value {
    let text = fs::read(place.path(release).join("release.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

fn names(release: &Value) -> Vec<&str> {
    let snapshots = release["snapshots"].as_object().unwrap();
    snapshots.keys().map(String::as_str).collect()
}

fn samples(name: &str) -> String {
    format!("{}/datasets/samples/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// What the doctor solved, by problem.
fn solved(place: &Place, what: &str, out: &str) -> BTreeMap<String, bool> {
    let summary = place.ok(&[
        "eval",
        what,
        "--agent",
        "baseline:doctor",
        "--json",
        "--out",
        out,
    ]);
    let summary: Value = serde_json::from_str(&summary).unwrap();
    let episodes = summary["episodes"].as_array().unwrap().iter();
    let own = episodes.filter(|one| one["agent"] == "baseline:doctor");
    own.map(|one| {
        let problem = one["problem"].as_str().unwrap().to_owned();
        (problem, one["success"] == true)
    })
    .collect()
}

#[test]
fn a_release_is_built_checked_and_evaluated_on() {
    let place = place();
    place.ok(&build(&[QUIET, SCALED], "release", &[]));
    place.ok(&build(&[QUIET, SCALED], "again", &[]));
    assert_eq!(
        contents(&place.path("release")),
        contents(&place.path("again"))
    );
    let release = manifest(&place, "release");
    assert_eq!(names(&release), [QUIET, SCALED]);
    let problems = release["snapshots"][SCALED]["problems"]
        .as_object()
        .unwrap();
    let digest = problems["scale_pod_zero_testbed-localization-1"].as_str();
    assert_eq!(digest.unwrap().len(), 64);
    for file in [
        "hotel-testbed",
        "noop_detection_testbed",
        "scale_pod_zero_testbed",
    ] {
        assert!(
            release["files"][format!("catalog/{file}.toml")].is_object(),
            "{file}"
        );
    }
    let original = contents(Path::new(&samples(SCALED)));
    assert_eq!(
        contents(&place.path("release/snapshots").join(SCALED)),
        original
    );
    let verified = place.ok(&["release", "verify", "release"]);
    assert!(!verified.contains("FAIL"), "{verified}");
    place.refused(
        &["release", "verify", "release", "--release-key", "RW"],
        &["not signed"],
    );
    let episodes = solved(&place, "release", "results");
    assert_eq!(episodes.len(), 4);
    assert!(episodes.values().all(|solved| *solved), "{episodes:?}");
    let count = "select count(distinct snapshot) as n from metric_series";
    assert!(
        place
            .ok(&["sql", "-s", "release", "--format", "csv", count])
            .contains("\n2\n")
    );

    place.ok(&["release", "pack", "release", "one.tar"]);
    place.ok(&["release", "pack", "again", "two.tar"]);
    let tar = |name: &str| fs::read(place.path(name)).unwrap();
    assert_eq!(tar("one.tar"), tar("two.tar"));
    place.ok(&["release", "unpack", "one.tar", "unpacked"]);
    assert_eq!(
        contents(&place.path("unpacked")),
        contents(&place.path("release"))
    );

    let changed = "snapshots/scale_pod_zero_testbed-1/withheld/truth.json";
    fs::write(place.path("release").join(changed), "{}").unwrap();
    place.refused(&["release", "verify", "release"], &[changed, "was changed"]);
    place.refused(&build(&[QUIET], "release", &[]), &["not empty"]);
    place.refused(&build(&[QUIET, QUIET], "twice", &[]), &[QUIET]);
    place.refused(&["release", "verify", "nothing"], &["no release.json"]);
}

/// A family that the catalog lacks comes with the release.
#[test]
fn a_release_brings_its_catalog() {
    let place = place();
    let family = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/problems/catalog/scale_pod_zero_testbed.toml"
    );
    let family = fs::read_to_string(family).unwrap();
    fs::create_dir(place.path("catalog")).unwrap();
    let renamed = family.replace("\"scale_pod_zero_testbed\"", "\"scaled_to_zero_testbed\"");
    fs::write(place.path("catalog/scaled_to_zero_testbed.toml"), renamed).unwrap();
    let dir = place.path("scaled");
    crate::command_line::copy_folder(samples(SCALED).as_ref(), &dir);
    let path = dir.join("withheld/truth.json");
    let truth = fs::read_to_string(&path).unwrap();
    let truth = truth.replace("scale_pod_zero_testbed", "scaled_to_zero_testbed");
    fs::write(&path, truth).unwrap();
    // Lists it anew.
    let mut snapshot = Snapshot::open(Utf8Path::from_path(&dir).unwrap()).unwrap();
    let truth = snapshot.withheld_json("truth").unwrap();
    snapshot.write_withheld_json(&[("truth", truth)]).unwrap();
    let with_catalog =
        |arguments: Vec<&str>| place.ok(&[&arguments[..], &["--catalog", "catalog"]].concat());
    with_catalog(build(&["scaled"], "release", &[]));
    with_catalog(held_out(&["scaled"], "locked"));
    assert!(
        place
            .path("release/catalog/scaled_to_zero_testbed.toml")
            .is_file()
    );
    assert!(!place.path("locked/catalog").exists());
    place.ok(&[
        "release",
        "unlock",
        "locked",
        "--identity",
        "key.txt",
        "--out",
        "unlocked",
    ]);
    for release in ["release", "unlocked"] {
        let episodes = solved(&place, release, &format!("results-{release}"));
        let id = "scaled_to_zero_testbed-localization-1";
        assert_eq!(episodes.get(id), Some(&true), "{episodes:?}");
    }
}

#[test]
fn a_split_is_by_family_and_the_same_each_time() {
    let place = place();
    let split = |seed: &str| {
        let arguments = [
            "release",
            "split",
            "--held-out",
            "0.4",
            "--seed",
            seed,
            "--json",
        ];
        place.ok(&arguments)
    };
    assert_eq!(split("3"), split("3"));
    let mut seen = std::collections::BTreeSet::new();
    for seed in ["1", "2", "3", "4"] {
        let split: Value = serde_json::from_str(&split(seed)).unwrap();
        let families = |side: &str| -> std::collections::BTreeSet<String> {
            let dirs = split[side].as_array().unwrap().iter();
            let names = dirs.map(|dir| dir.as_str().unwrap().rsplit('/').next().unwrap());
            names
                .map(|name| name.rsplit_once('-').unwrap().0.to_owned())
                .collect()
        };
        let (mut public, mut held_out) = (families("public"), families("held_out"));
        // Controls are on both sides.
        for side in [&mut public, &mut held_out] {
            assert!(side.remove("noop_detection_testbed"), "{side:?}");
        }
        assert!(public.is_disjoint(&held_out));
        assert_eq!((public.len(), held_out.len()), (2, 2));
        seen.insert(held_out);
    }
    assert!(seen.len() > 1, "{seen:?}");
    let lines = place.ok(&["release", "split", KILLED, SCALED, "--held-out", "0.5"]);
    let sides: Vec<&str> = lines
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(sides, ["public", "held-out"]);
    place.refused(&["release", "split", "--held-out", "2"], &["no share"]);
}

#[test]
fn what_is_held_out_tells_nothing_and_is_given_back() {
    let place = place();
    place.ok(&held_out(&[QUIET, KILLED], "locked"));
    place.ok(&["release", "verify", "locked"]);
    place.ok(&["snapshot", "audit", "--held-out", "locked"]);
    let refusals = [
        "withheld/ is there",
        "rows of object_versions tell of what is after",
        "the folder is named container_kill_testbed-1",
        "counts withheld rows",
    ];
    place.refused(&["snapshot", "audit", "--held-out", KILLED], &refusals);

    // Nothing that can be read names families, problems or the snapshots that these were.
    let locked = manifest(&place, "locked");
    for (path, bytes) in contents(&place.path("locked")) {
        let text = String::from_utf8_lossy(&bytes);
        for sample in [QUIET, KILLED] {
            let text_of_sample = fs::read_to_string(samples(sample) + "/manifest.json").unwrap();
            let of_sample: Value = serde_json::from_str(&text_of_sample).unwrap();
            let family = sample.trim_end_matches("-1");
            for told in [family, of_sample["snapshot"].as_str().unwrap()] {
                assert!(
                    !path.contains(told) && !text.contains(told),
                    "{path} tells {told}"
                );
            }
        }
    }
    assert_eq!(locked["held_out"], true);
    for (id, entry) in locked["snapshots"].as_object().unwrap() {
        assert_eq!(
            (&entry["snapshot"], &entry["problems"]),
            (&Value::from(id.as_str()), &serde_json::json!({}))
        );
    }
    place.refused(
        &["eval", "locked", "--out", "x"],
        &["without withheld/", "release unlock"],
    );

    let unlock = |identity: &'static str, out: &'static str| {
        [
            "release",
            "unlock",
            "locked",
            "--identity",
            identity,
            "--out",
            out,
        ]
    };
    place.refused(
        &unlock("other.txt", "refused"),
        &["can't be decrypted", "identity"],
    );
    place.refused(&unlock("secret", "refused-too"), &["secret", "age-keygen"]);
    place.ok(&unlock("key.txt", "unlocked"));
    place.refused(
        &[
            "release",
            "unlock",
            "unlocked",
            "--identity",
            "key.txt",
            "--out",
            "y",
        ],
        &["not held out"],
    );
    place.ok(&["release", "verify", "unlocked"]);
    let unlocked = manifest(&place, "unlocked");
    assert_eq!(names(&unlocked), names(&locked));
    for (name, entry) in unlocked["snapshots"].as_object().unwrap() {
        let sample = match entry["problems"].as_object().unwrap().len() {
            1 => QUIET,
            _ => KILLED,
        };
        let withheld = contents(&place.path("unlocked/snapshots").join(name).join("withheld"));
        assert_eq!(withheld, contents(&place.path(sample).join("withheld")));
        let (digest, shown) = (&entry["logical_digest"], &locked["snapshots"][name]);
        assert_eq!(digest, &shown["logical_digest"]);
    }
    // The same questions get the same marks as on the samples.
    let mut expected = BTreeMap::new();
    for sample in [QUIET, KILLED] {
        expected.extend(solved(&place, sample, &format!("results-{sample}")));
    }
    assert_eq!(solved(&place, "unlocked", "results"), expected);
}

/// What an agent can ask at the end is answered as on the snapshot that it was.
#[tokio::test]
async fn a_held_out_snapshot_answers_as_before() {
    let place = place();
    let mut compared = 0;
    for sample in [KILLED, MISDIRECTED, QUIET] {
        let out = format!("locked-{sample}");
        place.ok(&held_out(&[sample], &out));
        let release = manifest(&place, &out);
        let dir = place.path(&out).join("snapshots").join(names(&release)[0]);
        let dir = Utf8Path::from_path(&dir).unwrap();
        let original = Snapshot::open(samples(sample).as_ref()).unwrap();
        let shown = Snapshot::open(dir).unwrap();
        let settings = Settings::load(&aiopslab::cli::Global::default()).unwrap();
        let library = Library::open(&settings).unwrap();
        let application = library.application("hotel-testbed").unwrap().clone();
        let options = ReplayOptions::new(application);
        let before = nothing_later::answers(&original, Clock::End, &options).await;
        let after = nothing_later::answers(&shown, Clock::End, &options).await;
        assert_eq!(before.len(), after.len());
        for (before, after) in before.iter().zip(&after) {
            assert_eq!(before, after, "{sample}");
            compared += 1;
        }
        // Recorders run commands in pods after the end.
        for command in ["env", "cat /etc/resolv.conf", "getent hosts geo", "nosuch"] {
            let command = format!("kubectl exec -n hotel-testbed deployment/frontend -- {command}");
            let ask = |dir: &str| {
                let ran = place.run(&["shell", dir, "-c", &command]);
                (ran.code, ran.stdout, ran.stderr)
            };
            let (before, after) = (ask(&samples(sample)), ask(dir.as_str()));
            assert_eq!(before, after, "{command} on {sample}");
            compared += 1;
        }
    }
    println!("{compared} answers compared");
    assert!(compared > 150, "{compared}");
}
