use std::error::Error as _;

use serde_json::json;

use super::*;
use crate::fault::Step;

const OWN: &str = r#"
family = "own"
summary = "of the user's"
application = "hotel-testbed"
workload = "mixed"
tasks = ["detection"]
exercised = "never"
variants = [{ n = 1, target = "geo" }]
inject = [{ restart = "deployment/{target}" }]
manifested = [{ pods = "ready" }]
[truth]
"#;

fn with(text: &str) -> Result<Catalog, CatalogError> {
    Catalog::with_dir(&[("own.toml".to_owned(), text.to_owned())])
}

#[test]
fn problems_follow_from_families() {
    let catalog = Catalog::embedded().unwrap();
    let ids: Vec<&str> = catalog
        .problems()
        .iter()
        .map(|problem| problem.id.as_str())
        .collect();
    // Fifteen variants of four tasks and a control each, and those without a fault.
    assert_eq!(ids.len(), 15 * 5 + 5);
    assert_eq!(
        ids[10..15]
            .join(" ")
            .replace("k8s_target_port_misconfig_testbed", "F"),
        "F-detection-1 F-detection-control-1 F-localization-1 F-analysis-1 F-mitigation-1"
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

#[test]
fn own_families_are_added_and_checked() {
    let catalog = with(OWN).unwrap();
    assert!(catalog.problem("own-detection-1").is_ok());
    for (from, to, message) in [
        (
            "workload = \"mixed\"",
            "workload = \"none\"",
            "has no workload \"none\"",
        ),
        (
            "family = \"own\"",
            "family = \"noop_detection_testbed\"",
            "another family",
        ),
        ("deployment/{target}", "deployment", "resource/name"),
        (
            "[\"detection\"]",
            "[\"localization\"]",
            "needs `truth.faulty_components`",
        ),
        (
            "{ pods = \"ready\" }",
            "{ log = \"geo\", matches = \"(\", since = \"inject\" }",
            "malformed pattern",
        ),
        ("{target}", "{victim}", "no variable \"victim\""),
        ("\"detection\"]", "5]", "line 6"),
        ("{ pods = \"ready\" }", "{ pods = \"happy\" }", "line 10"),
    ] {
        assert!(OWN.contains(from), "{from}");
        let error = with(&OWN.replace(from, to)).unwrap_err();
        let text = format!(
            "{error} {}",
            error.source().map(ToString::to_string).unwrap_or_default()
        );
        assert!(text.contains(message), "{message:?} not in {text:?}");
        assert!(text.contains("own.toml"), "{text}");
    }
}
