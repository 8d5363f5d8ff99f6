//! The catalog as a user meets it: what is listed, what is checked, what is refused, how a problem is added.

use std::fs;

use aiopslab_problems::condition::Condition;
use aiopslab_problems::fault::Step;
use serde_json::Value;

use crate::program::Place;

const GUIDE: &str = include_str!("../docs/add-a-problem.md");

/// The family in the guide.
fn family_of_the_guide() -> &'static str {
    let text = GUIDE.split("```toml\n").nth(1).unwrap();
    text.split("```").next().unwrap()
}

#[test]
fn our_own_catalog_is_right() {
    let place = Place::new();
    let ran = place.run(&["problems", "check"]);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, ""), "{}", ran.stderr);
    assert!(ran.stderr.contains("families"), "{}", ran.stderr);
}

#[test]
fn a_problem_is_added_in_one_file_as_the_guide_says() {
    let place = Place::new();
    let file = "wrong_port_testbed.toml";
    fs::write(place.path(file), family_of_the_guide()).unwrap();
    assert_eq!(place.ok(&["problems", "check", "."]), "");
    let id = "wrong_port_testbed-localization-2";
    let shown = place.ok(&["--catalog", ".", "problems", "show", id]);
    for part in [
        "Hotel Testbed",
        "faulty component  user",
        "exercised: never",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    // A capture gets as far as to look for a cluster.
    let capture = [
        "--catalog",
        ".",
        "capture",
        "wrong_port_testbed-1",
        "--out",
        "captures",
    ];
    place.refused(&capture, &["kubeconfig"]);
    // Without what shows that the fault is gone, the oracle says nothing.
    let vacuous: String = family_of_the_guide()
        .lines()
        .filter(|line| !line.contains("equals = 8080 },") || line.starts_with("set"))
        .map(|line| format!("{line}\n"))
        .collect();
    fs::write(place.path(file), vacuous).unwrap();
    let wanted = format!("./{file}:21: the oracle can't fail");
    place.refused(&["problems", "check", "."], &[&wanted, "a mistake"]);
    let found = place.run(&["problems", "check", ".", "--json"]).stdout;
    let found: Value = serde_json::from_str(&found).unwrap();
    assert_eq!(
        (&found[0]["line"], found.as_array().unwrap().len()),
        (&Value::from(21), 1)
    );
}

#[test]
fn the_guide_names_every_step_and_condition() {
    for key in Step::kinds().chain(Condition::kinds()) {
        assert!(GUIDE.contains(&format!("`{key}`")), "{key}");
    }
}

#[test]
fn what_can_not_be_asked_is_listed_as_such() {
    let place = Place::new();
    let list = |arguments: &[&str]| -> Vec<Value> {
        let arguments = [&["problems", "list", "--json"], arguments].concat();
        serde_json::from_str(&place.ok(&arguments)).unwrap()
    };
    let all = list(&[]);
    let find = |id: &str| all.iter().find(|problem| problem["id"] == id).unwrap();
    for (id, needs, exercised) in [
        ("flower_node_stop-detection", "docker", "never"),
        ("redeploy_without_PV-localization-1", "disabled", "never"),
        ("wrong_bin_usage-mitigation-1", "cluster", "dry-run"),
        ("container_kill-localization", "snapshot", "dry-run"),
        ("scale_pod_zero_testbed-analysis-1", "snapshot", "lab"),
    ] {
        let problem = find(id);
        assert_eq!(problem["needs"], needs, "{id}");
        assert_eq!(problem["exercised"], exercised, "{id}");
    }
    let recorded = list(&["--recorded", "--task", "analysis"]);
    assert!(!recorded.is_empty());
    for problem in recorded {
        assert!(
            problem["snapshot"].is_string() && problem["task"] == "analysis",
            "{problem}"
        );
    }
    let shop = list(&["--application", "flower"]);
    assert!(
        shop.iter()
            .all(|problem| problem["application"] == "flower")
    );
    place.refused(
        &["problems", "list", "--application", "shop"],
        &["unknown application"],
    );
    // Nothing of AIOpsLab's own applications has been recorded.
    let eval = ["eval", "--problem", "container_kill-localization"];
    place.refused(
        &eval,
        &["no snapshot for the problem container_kill-localization"],
    );
    let eval = ["eval", "--problem", "redeploy_without_PV-localization-1"];
    place.refused(&eval, &["is disabled: AIOpsLab has not decided"]);
}

#[test]
fn a_capture_of_what_is_not_implemented_is_refused_before_anything_starts() {
    let place = Place::new();
    let capture = |family: &str, says: &[&str]| {
        place.refused(&["capture", family, "--out", "captures"], says);
        assert!(!place.path("captures").exists());
    };
    capture("flower_node_stop-1", &["does not run on Kubernetes"]);
    capture("container_kil-1", &["unknown family", "container_kill-1"]);
}
