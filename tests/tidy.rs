//! The architecture as a test: arrows between rooms, homes of heavy dependencies, file sizes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// No file is longer than this, tests and tables included.
const LONGEST_FILE: usize = 800;

/// Which rooms of ours each room may depend on (design section 2, `ARCHITECTURE.md`).
const ARROWS: [(&str, &[&str]); 7] = [
    (
        "aiopslab",
        &[
            "aiopslab-capture",
            "aiopslab-datasets",
            "aiopslab-problems",
            "aiopslab-replay",
        ],
    ),
    (
        "aiopslab-capture",
        &["aiopslab-datasets", "aiopslab-problems"],
    ),
    ("aiopslab-datasets", &[]),
    ("aiopslab-fuzz", &["aiopslab-problems", "aiopslab-replay"]),
    ("aiopslab-problems", &[]),
    (
        "aiopslab-replay",
        &["aiopslab-datasets", "aiopslab-problems"],
    ),
    ("aiopslab-testbed", &[]),
];

/// Heavy dependencies and the only rooms that may have them.
const HOMES: [(&str, &[&str]); 6] = [
    ("datafusion", &["aiopslab-replay"]),
    ("datafusion-postgres", &["aiopslab-replay"]),
    ("kube", &["aiopslab-capture"]),
    ("parquet", &["aiopslab-datasets", "aiopslab-replay"]),
    ("rmcp", &["aiopslab"]),
    ("tokio-postgres", &["aiopslab-testbed"]),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--offline",
            "--format-version",
            "1",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    metadata["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let used = package["dependencies"].as_array().unwrap();
            (
                name(package),
                used.iter()
                    .filter(|used| used["kind"].is_null())
                    .map(name)
                    .collect(),
            )
        })
        .collect()
}

#[test]
fn rooms_depend_only_along_the_arrows() {
    let all = dependencies();
    let rooms: BTreeSet<&str> = all.keys().map(String::as_str).collect();
    assert_eq!(
        rooms,
        ARROWS.iter().map(|(room, _)| *room).collect(),
        "a room has no row in ARROWS"
    );
    for (room, allowed) in ARROWS {
        let used: Vec<&String> = all[room]
            .iter()
            .filter(|used| rooms.contains(used.as_str()))
            .collect();
        for used in used {
            assert!(
                allowed.contains(&used.as_str()),
                "{room} may not depend on {used}"
            );
        }
    }
}

#[test]
fn heavy_dependencies_stay_in_their_rooms() {
    for (room, used) in dependencies() {
        for (heavy, homes) in HOMES {
            let at_home = homes.contains(&room.as_str());
            assert!(
                at_home || !used.contains(heavy),
                "{room} may not depend on {heavy}"
            );
        }
    }
}

#[test]
fn no_file_is_too_long() {
    let mut files = Vec::new();
    for room in [
        "src", "problems", "datasets", "capture", "replay", "testbed", "tests", "benches", "fuzz",
    ] {
        collect(&root().join(room), &mut files);
    }
    assert!(
        files.len() > 50,
        "the walk found only {} files",
        files.len()
    );
    for file in files {
        let lines = std::fs::read_to_string(&file).unwrap().lines().count();
        assert!(
            lines <= LONGEST_FILE,
            "{} has {lines} lines",
            file.display()
        );
    }
}

#[test]
fn nothing_is_unfinished() {
    let mut files = Vec::new();
    for room in [
        "src", "problems", "datasets", "capture", "replay", "testbed",
    ] {
        collect(&root().join(room), &mut files);
    }
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        for word in ["todo!(", "unimplemented!(", "FIXME"] {
            assert!(!text.contains(word), "{} says {word}", file.display());
        }
    }
}

#[test]
fn the_read_me_names_the_toolchain() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = manifest
        .lines()
        .find_map(|line| line.strip_prefix("rust-version = "))
        .unwrap();
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    assert!(
        readme.contains(version.trim_matches('"')),
        "README.md does not name Rust {version}"
    );
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
