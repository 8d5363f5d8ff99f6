//! The command line: what it answers, and what it says to bad input.

use std::fs;
use std::path::Path;

use serde_json::Value;

use crate::program::Place;

const SAMPLE: &str = "k8s_target_port_misconfig_testbed-1";

#[test]
fn problems_are_listed_and_shown() {
    let place = Place::new();
    let list: Value = serde_json::from_str(&place.ok(&["problems", "list", "--json"])).unwrap();
    let list = list.as_array().unwrap();
    assert!(list.len() > 20);
    assert!(list.iter().any(|problem| problem["snapshot"] == SAMPLE));
    let shown = place.ok(&[
        "problems",
        "show",
        "k8s_target_port_misconfig_testbed-localization-1",
    ]);
    assert!(
        shown.contains("hotel-testbed") && shown.contains("rate"),
        "{shown}"
    );
    place.refused(
        &[
            "problems",
            "show",
            "k8s_target_port_misconfig_testbed-localisation-1",
        ],
        &[
            "unknown problem",
            "k8s_target_port_misconfig_testbed-localization-1",
        ],
    );
}

#[test]
fn samples_are_sound_and_described() {
    let place = Place::new();
    for sample in [
        SAMPLE,
        "k8s_target_port_misconfig_testbed-2",
        "scale_pod_zero_testbed-1",
        "scale_pod_zero_testbed-2",
        "revoke_auth_postgres_testbed-1",
        "noop_detection_testbed-1",
    ] {
        let info: Value =
            serde_json::from_str(&place.ok(&["snapshot", "info", sample, "--json"])).unwrap();
        assert_eq!(info["format_version"], "1");
        assert_eq!(
            info.get("withheld_files"),
            None,
            "it would tell of the fault"
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("datasets/samples")
            .join(sample);
        let bytes = size(&folder);
        assert!(bytes <= 4 << 20, "{sample} has {bytes} bytes");
        place.ok(&["snapshot", "verify", sample, "--content"]);
    }
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).unwrap().map(Result::unwrap);
    let sizes = entries.map(|entry| match entry.metadata().unwrap() {
        found if found.is_dir() => size(&entry.path()),
        found => found.len(),
    });
    sizes.sum()
}

#[test]
fn sql_reads_at_the_clock_and_does_not_write() {
    let place = Place::new();
    let count = |clock: &str| -> u64 {
        let rows = place.ok(&[
            "sql",
            "-s",
            SAMPLE,
            "--clock",
            clock,
            "--format",
            "csv",
            "select count(*) as n from traces",
        ]);
        rows.lines().nth(1).unwrap().parse().unwrap()
    };
    let (before, end) = (count("before-fault"), count("end"));
    assert!(0 < before && before < end, "{before} {end}");
    let json = place.ok(&[
        "sql",
        "-s",
        SAMPLE,
        "--format",
        "json",
        "select now() as moment",
    ]);
    let info: Value =
        serde_json::from_str(&place.ok(&["snapshot", "info", SAMPLE, "--json"])).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&json).unwrap()["moment"]
            .as_str()
            .unwrap()[..19],
        info["end"].as_str().unwrap()[..19]
    );
    for write in [
        "drop table spans",
        "insert into spans values (1)",
        "create table t as select 1",
        "copy spans to 'x'",
    ] {
        place.refused(&["sql", "-s", SAMPLE, write], &["read"]);
    }
    place.refused(
        &["sql", "-s", SAMPLE, "select * from nowhere"],
        &["nowhere", "log_lines"],
    );
}

#[test]
fn named_queries_answer() {
    let place = Place::new();
    let changed = place.ok(&["query", "what-changed", "-s", SAMPLE, "--format", "csv"]);
    assert!(changed.contains("services"), "{changed}");
    assert!(
        place
            .ok(&[
                "query",
                "error-spans-by-edge",
                "-s",
                SAMPLE,
                "--format",
                "csv"
            ])
            .contains("rate")
    );
    place.ok(&["query", "restarts", "-s", SAMPLE]);
    place.refused(
        &["query", "nonsense", "-s", SAMPLE],
        &["nonsense", "`aiopslab query` lists all of them"],
    );
}

#[test]
fn the_shell_answers_from_the_recording_only() {
    let place = Place::new();
    let pods = place.ok(&[
        "shell",
        SAMPLE,
        "-c",
        "kubectl get pods -n hotel-testbed | grep Running | wc -l",
    ]);
    assert!(pods.trim().parse::<u32>().unwrap() >= 10, "{pods}");
    let ports = place.ok(&[
        "shell",
        SAMPLE,
        "-c",
        "kubectl describe service rate -n hotel-testbed | grep TargetPort",
    ]);
    assert!(ports.contains("9999"), "{ports}");
    let before = place.ok(&[
        "shell",
        SAMPLE,
        "--clock",
        "before-fault",
        "-c",
        "kubectl describe service rate -n hotel-testbed | grep TargetPort",
    ]);
    assert!(before.contains("8080"), "{before}");
    place.refused(
        &["shell", SAMPLE, "-c", "nmap localhost"],
        &["can't answer"],
    );
}

#[test]
fn settings_say_where_they_come_from() {
    let place = Place::new();
    std::fs::write(place.path("aiopslab.toml"), "jobs = 7\n").unwrap();
    let settings: Value =
        serde_json::from_str(&place.ok(&["config", "--json", "--snapshots", "here"])).unwrap();
    assert_eq!(settings["jobs"]["from"], "file aiopslab.toml");
    assert_eq!(settings["snapshots"]["from"], "flag");
    std::fs::write(place.path("aiopslab.toml"), "job = 7\n").unwrap();
    place.refused(&["config"], &["aiopslab.toml", "max_steps"]);
}

#[test]
fn bad_input_is_answered_clearly() {
    let place = Place::new();
    place.refused(
        &["eval", "--agent", "gpt"],
        &["unknown agent", "baseline:doctor"],
    );
    place.refused(&["eval", "nowhere"], &["nowhere", SAMPLE]);
    place.refused(
        &["eval", "--problem", "scale_pod_zero_testbed-detektion-1"],
        &["scale_pod_zero_testbed-detection-1"],
    );
    place.refused(
        &[
            "sql",
            "-s",
            SAMPLE,
            "--clock",
            "2001-01-01T00:00:00Z",
            "select 1",
        ],
        &["outside"],
    );
    std::fs::create_dir(place.path("full")).unwrap();
    std::fs::write(place.path("full/file"), "").unwrap();
    place.refused(&["eval", "--out", "full"], &["not empty", "--out"]);
}

#[test]
fn a_cluster_that_is_not_there_is_named() {
    let place = Place::new();
    place.refused(&["check"], &["kubeconfig"]);
    place.refused(
        &["check", "noop_detection_testbed", "wrong_bin_usage"],
        &[
            "noop_detection_testbed-1 is of application hotel-testbed",
            "one application at a time",
        ],
    );
    place.refused(&["recover", "--kubeconfig", "none"], &["none"]);
    let nobody = "apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\nusers: [{name: u, user: {token: t}}]\ncontexts: [{name: c, context: {cluster: c, user: u}}]\ncurrent-context: c\n";
    std::fs::write(place.path("kubeconfig"), nobody).unwrap();
    place.refused(
        &[
            "capture",
            "noop_detection_testbed",
            "--out",
            "out",
            "--kubeconfig",
            "kubeconfig",
        ],
        &["127.0.0.1:1"],
    );
    place.refused(
        &["capture", "nonsense", "--out", "out"],
        &["nonsense", "the nearest are "],
    );
    let repair = "scale_pod_zero_testbed-mitigation-1";
    let live = |more: &[&str], says: &[&str]| {
        place.refused(&[&["eval", "--live"], more].concat(), says);
    };
    live(&[repair, "--kubeconfig", "kubeconfig"], &["127.0.0.1:1"]);
    live(&["scale_pod_zero_testbed-mitigation"], &["the nearest are"]);
    live(
        &[repair, "--rights", "all"],
        &["auto, read, inspect, namespace or cluster"],
    );
    live(
        &["flower_node_stop-detection"],
        &["does not run on Kubernetes"],
    );
    live(&[], &["nothing to ask on the cluster"]);
}

#[test]
fn damaged_snapshots_are_refused_by_name() {
    let place = Place::new();
    let source = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/datasets/samples/k8s_target_port_misconfig_testbed-1"
    );
    let copy = place.path("copy");
    copy_folder(source.as_ref(), &copy);
    let spans = copy.join("traces/spans.parquet");
    let bytes = std::fs::read(&spans).unwrap();
    std::fs::write(&spans, &bytes[..bytes.len() / 2]).unwrap();
    place.refused(&["snapshot", "verify", "copy"], &["spans.parquet"]);
    std::fs::write(&spans, &bytes).unwrap();
    place.ok(&["snapshot", "verify", "copy"]);

    let manifest = copy.join("manifest.json");
    let text = std::fs::read_to_string(&manifest).unwrap();
    std::fs::write(
        &manifest,
        text.replace("\"format_version\": \"1\"", "\"format_version\": \"9\""),
    )
    .unwrap();
    place.refused(&["snapshot", "info", "copy"], &["9", "1, 1-draft"]);
    std::fs::remove_file(&manifest).unwrap();
    place.refused(&["snapshot", "info", "copy"], &["manifest", "salvage"]);
}

pub(crate) fn copy_folder(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}
