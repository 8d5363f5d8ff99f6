mod broken;
mod upstream;

use serde_json::json;

use super::*;
use crate::fault::Step;

#[test]
fn problems_follow_from_families() {
    let catalog = Catalog::embedded().unwrap();
    let ids_of = |snapshot| -> Vec<&str> {
        let problems = catalog.problems_of_snapshot(snapshot);
        problems.map(|problem| problem.id.as_str()).collect()
    };
    assert_eq!(
        ids_of("k8s_target_port_misconfig_testbed-1")
            .join(" ")
            .replace("k8s_target_port_misconfig_testbed", "F"),
        "F-detection-1 F-detection-control-1 F-localization-1 F-analysis-1 F-mitigation-1"
    );
    // A few of AIOpsLab's ids have no number.
    assert_eq!(
        ids_of("container_kill-1"),
        [
            "container_kill-detection",
            "container_kill-detection-control",
            "container_kill-localization"
        ]
    );
    let problem = catalog
        .problem("revoke_auth_postgres_testbed-localization-2")
        .unwrap();
    assert_eq!(
        problem.truth.faulty_components,
        [["postgres-rate"], ["rate"]]
    );
    assert_eq!(problem.snapshot, "revoke_auth_postgres_testbed-2");
    let control = catalog
        .problem("scale_pod_zero_testbed-detection-control-1")
        .unwrap();
    assert!(control.control && !control.truth.anomaly);
    assert!(
        !catalog
            .problem("noop_detection_testbed-1")
            .unwrap()
            .truth
            .anomaly
    );
    assert_eq!(
        catalog
            .problems_of_snapshot("scale_pod_zero_testbed-2")
            .count(),
        5
    );
}

#[test]
fn variables_are_put_in() {
    let catalog = Catalog::embedded().unwrap();
    let resolved = catalog
        .family("k8s_target_port_misconfig_testbed")
        .unwrap()
        .resolve(2)
        .unwrap();
    let Step::Patch(patch) = &resolved.inject[0] else {
        panic!("no patch")
    };
    assert_eq!(
        (patch.patch.as_str(), &patch.set.to),
        ("service/profile", &json!(9999))
    );
    let questions: Vec<_> = resolved
        .mitigated
        .iter()
        .flat_map(|condition| condition.needs())
        .collect();
    assert!(questions.contains(&crate::condition::Question::Endpoints("profile".to_owned())));
    assert!(
        !serde_json::to_string(&resolved)
            .unwrap()
            .contains("{target}")
    );
    assert!(resolved.resolve(3).is_err());
}

#[test]
fn an_unknown_problem_names_the_nearest() {
    let error = Catalog::embedded()
        .unwrap()
        .problem("scale_pod_zero_testbed-detecton-1")
        .unwrap_err();
    assert_eq!(error.nearest[0], "scale_pod_zero_testbed-detection-1");
    assert!(
        error
            .to_string()
            .contains("hint: the nearest are scale_pod_zero_testbed-detection-1, ")
    );
}
