//! A support bundle of a real cluster: what the imported snapshot answers is what a server over the
//! same bundle answered (`../shared/data/k8s-support-bundle/results`). Runs with `AIOPSLAB_INTEROP=1`.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::imports::counted;
use crate::program::{Place, is_interop};

/// An answer, the moment at which it was given, and the commands that it answers.
///
/// The moments stand nowhere: they are those at which the ages in the answers are right.
/// The bundle holds the ConfigMaps of three namespaces out of nine, so that `-A` can't be known from
/// it; the server that gave the answers did not mind, and answered with those of the three.
const ANSWERS: [(&str, &str, &[&str]); 5] = [
    (
        "configmaps_all_namespaces",
        "2024-04-21T12:00:00Z",
        &[
            "kubectl get configmaps -n default",
            "kubectl get configmaps -n kube-node-lease",
            "kubectl get configmaps -n kube-public",
        ],
    ),
    (
        "configmaps_kube_public_namespace",
        "2024-04-21T12:00:00Z",
        &["kubectl get configmaps -n kube-public"],
    ),
    (
        "pods_all_namespaces",
        "2022-04-14T00:30:00Z",
        &["kubectl get pods -A"],
    ),
    (
        "pods_restic_only",
        "2022-04-14T16:30:00Z",
        &["kubectl get pods -n velero -l name=restic"],
    ),
    (
        "pods_velero_namespace",
        "2022-04-14T16:30:00Z",
        &["kubectl get pods -n velero"],
    ),
];

fn bundle() -> Option<PathBuf> {
    if !is_interop() {
        println!("skipped: AIOPSLAB_INTEROP is not 1");
        return None;
    }
    let dir = PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/data/k8s-support-bundle"
    ));
    assert!(dir.join("results").is_dir(), "no {}", dir.display());
    Some(dir)
}

/// What was taken of each file is what a script of Python finds in it by other means.
fn equal_counts(report: &Value, dir: &Path) {
    let counts = counted("k8s-support-bundle", dir);
    let left_out = |part: &str| -> Vec<&str> {
        let all = report[part]["left_out"].as_array().unwrap().iter();
        all.map(|one| one["what"].as_str().unwrap()).collect()
    };
    let left_out = [left_out("files"), left_out("logs")].concat();
    let taken = counts.iter();
    let taken = taken.filter(|(path, _)| !left_out.contains(&path.as_str()));
    let sum = |of: &str| -> u64 {
        let each = taken.clone().filter_map(|(_, count)| count[of].as_u64());
        each.sum()
    };
    let (objects, lines) = (sum("objects"), sum("log lines"));
    assert!(objects > 200 && lines > 10, "{objects} {lines}");
    assert_eq!(report["objects"]["read"], objects);
    assert_eq!(report["rows"]["log lines"]["read"], lines);
    println!("{objects} objects and {lines} log lines: equal");
}

#[test]
fn every_answer_of_the_bundles_server_is_ours() {
    let Some(dir) = bundle() else { return };
    let place = Place::new();
    let source = dir.to_str().unwrap();
    let said = place.ok(&[
        "import",
        "k8s-support-bundle",
        source,
        "--out",
        "b",
        "--json",
    ]);
    let report = &serde_json::from_str::<Value>(&said).unwrap()["report"];
    for part in ["files", "objects", "logs"] {
        let count = |field: &str| report[part][field].as_u64().unwrap();
        let left_out = report[part]["left_out"].as_array().unwrap().len() as u64;
        assert_eq!(count("read"), count("written") + left_out, "{part}");
        println!(
            "{part}: {} read, {} written, {left_out} left out",
            count("read"),
            count("written")
        );
    }
    equal_counts(report, &dir);
    place.ok(&["snapshot", "verify", "b"]);

    let results = dir.join("results").read_dir().unwrap();
    assert_eq!(results.count(), ANSWERS.len(), "an answer is not compared");
    let (mut objects, mut cells) = (0, 0);
    for (name, moment, commands) in ANSWERS {
        let file = dir.join("results").join(format!("{name}.json"));
        let table: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let theirs = table["rows"].as_array().unwrap();
        let at = moment.replace(':', "_");
        if !place.path(&at).exists() {
            place.ok(&[
                "import",
                "k8s-support-bundle",
                source,
                "--out",
                &at,
                "--at",
                moment,
            ]);
        }
        // The file is a server's Table. Its rows hold the metadata of the objects, in order; ours
        // are the objects themselves.
        let ours: Vec<Value> = commands
            .iter()
            .flat_map(|command| items(&place, &at, command))
            .collect();
        let ours: Vec<&Value> = ours.iter().map(|object| &object["metadata"]).collect();
        let metadata: Vec<&Value> = theirs
            .iter()
            .map(|row| &row["object"]["metadata"])
            .collect();
        assert_eq!(ours, metadata, "{name}");
        objects += theirs.len();
        // And it holds the cells that kubectl prints.
        let columns = table["columnDefinitions"].as_array().unwrap();
        let heading: Vec<String> = columns
            .iter()
            .map(|column| column["name"].as_str().unwrap().to_uppercase())
            .collect();
        let printed: Vec<Vec<String>> = commands
            .iter()
            .flat_map(|command| rows(&place, &at, command, &heading))
            .collect();
        let text = |cell: &Value| {
            cell.as_str()
                .map_or_else(|| cell.to_string(), str::to_owned)
        };
        let shown: Vec<Vec<String>> = theirs
            .iter()
            .map(|row| row["cells"].as_array().unwrap().iter().map(text).collect())
            .collect();
        assert_eq!(printed, shown, "{name}");
        cells += shown.iter().map(Vec::len).sum::<usize>();
    }
    println!(
        "{} answers: {objects} objects and {cells} cells compared, 0 differ",
        ANSWERS.len()
    );
    assert_eq!(objects, 4 + 1 + 58 + 3 + 5);

    // What the bundle does not hold is not captured, and never "not found".
    for command in [
        "kubectl get configmaps -A",
        "kubectl get configmaps -n minio",
        "kubectl get secrets -n default",
        "kubectl logs -n minio minio-7b45cd544d-2gwml",
    ] {
        place.refused(
            &["shell", "b", "-c", command],
            &["not available", "can't answer"],
        );
    }
    let log = place.ok(&[
        "shell",
        "b",
        "-c",
        "kubectl logs -p -n velero velero-6996dd565b-xl44t -c velero",
    ]);
    assert!(
        log.starts_with("Error: unknown command \"server-junk\""),
        "{log}"
    );
}

fn items(place: &Place, snapshot: &str, command: &str) -> Vec<Value> {
    let command = format!("{command} -o json --show-managed-fields");
    let said = place.ok(&["shell", snapshot, "-c", &command]);
    let mut list: Value = serde_json::from_str(&said).unwrap();
    match list["items"].take() {
        Value::Array(items) => items,
        other => panic!("{command}: {other}"),
    }
}

/// The cells of a wide table, without the namespace that kubectl puts before them.
fn rows(place: &Place, snapshot: &str, command: &str, heading: &[String]) -> Vec<Vec<String>> {
    let command = format!("{command} -o wide");
    let said = place.ok(&["shell", snapshot, "-c", &command]);
    let mut rows = said.lines().map(|line| {
        // Cells have single spaces in them, and three or more between them.
        let cells = line
            .split("  ")
            .map(str::trim)
            .filter(|cell| !cell.is_empty());
        cells.map(str::to_owned).collect::<Vec<_>>()
    });
    let first = rows.next().unwrap();
    let before = first.len() - heading.len();
    assert_eq!(&first[before..], heading, "{command}");
    rows.map(|row| row[before..].to_vec()).collect()
}
