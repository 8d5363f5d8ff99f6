//! A support bundle of a real cluster: what the imported snapshot answers is what a server over the
//! same bundle answered (`../shared/data/k8s-support-bundle/results`). Runs with `AIOPSLAB_INTEROP=1`.

use std::path::PathBuf;

use serde_json::Value;

use crate::program::{Place, is_interop};

/// The answers, and the commands that they answer.
///
/// The bundle holds the ConfigMaps of three namespaces out of nine, so that `-A` can't be known from
/// it; the server that gave the answers did not mind, and answered with those of the three.
const ANSWERS: [(&str, &[&str]); 5] = [
    (
        "configmaps_all_namespaces",
        &[
            "kubectl get configmaps -n default",
            "kubectl get configmaps -n kube-node-lease",
            "kubectl get configmaps -n kube-public",
        ],
    ),
    (
        "configmaps_kube_public_namespace",
        &["kubectl get configmaps -n kube-public"],
    ),
    ("pods_all_namespaces", &["kubectl get pods -A"]),
    (
        "pods_restic_only",
        &["kubectl get pods -n velero -l name=restic"],
    ),
    ("pods_velero_namespace", &["kubectl get pods -n velero"]),
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
    place.ok(&["snapshot", "verify", "b"]);

    let results = dir.join("results").read_dir().unwrap();
    assert_eq!(results.count(), ANSWERS.len(), "an answer is not compared");
    let mut compared = 0;
    for (name, commands) in ANSWERS {
        let file = dir.join("results").join(format!("{name}.json"));
        let table: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        // The file is a server's Table: its rows hold the metadata of the objects, in order. Ours
        // are the objects themselves.
        let theirs: Vec<&Value> = table["rows"]
            .as_array()
            .unwrap()
            .iter()
            .map(|row| &row["object"]["metadata"])
            .collect();
        let ours: Vec<Value> = commands
            .iter()
            .flat_map(|command| items(&place, command))
            .collect();
        let ours: Vec<&Value> = ours.iter().map(|object| &object["metadata"]).collect();
        assert_eq!(ours, theirs, "{name}");
        compared += theirs.len();
    }
    println!(
        "{} answers, {compared} objects compared, 0 differ",
        ANSWERS.len()
    );
    assert_eq!(compared, 4 + 1 + 58 + 3 + 5);

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

fn items(place: &Place, command: &str) -> Vec<Value> {
    let command = format!("{command} -o json");
    let mut list: Value = serde_json::from_str(&place.ok(&["shell", "b", "-c", &command])).unwrap();
    match list["items"].take() {
        Value::Array(items) => items,
        other => panic!("{command}: {other}"),
    }
}
