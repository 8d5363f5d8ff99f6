use serde_json::json;

use super::*;

fn condition(toml: &str) -> Condition {
    #[derive(serde::Deserialize)]
    struct Document {
        c: Condition,
    }
    toml::from_str::<Document>(&format!("c = {toml}"))
        .unwrap()
        .c
}

/// Judges a condition that has one question by one answer; `holds`, `fails: …` or `unknown: …`.
fn judge(toml: &str, answer: Value) -> String {
    let condition = condition(toml);
    let answers = condition
        .needs()
        .into_iter()
        .map(|question| (question, answer.clone()))
        .collect();
    match condition.eval(&answers) {
        Outcome::Holds => "holds".to_owned(),
        Outcome::Fails(because) => format!("fails: {because}"),
        Outcome::Unknown(because) => format!("unknown: {because}"),
    }
}

fn pod(status: Value) -> Value {
    json!([{"metadata": {"name": "geo-1"}, "spec": {"containers": [{}]}, "status": status}])
}

#[test]
fn fields_are_tested() {
    let port = "{ field = 'service/rate', path = 'spec.ports[*].targetPort', equals = 9999 }";
    let service = |ports: Value| json!({"spec": {"ports": ports}});
    assert_eq!(judge(port, service(json!([{"targetPort": 9999}]))), "holds");
    assert_eq!(
        judge(
            port,
            service(json!([{"targetPort": 9999}, {"targetPort": 8080}]))
        ),
        "fails: spec.ports[*].targetPort of service/rate is 8080, wanted 9999"
    );
    assert_eq!(
        judge(port, service(json!([]))),
        "fails: service/rate has no spec.ports[*].targetPort"
    );
    assert_eq!(
        judge(port, Value::Null),
        "fails: service/rate does not exist"
    );
    assert_eq!(
        judge(
            "{ field = 'a/b', path = 'x', at_least = 1 }",
            json!({"x": 1})
        ),
        "holds"
    );
    assert_eq!(
        judge("{ field = 'a/b', path = 'x', exists = false }", json!({})),
        "holds"
    );
}

#[test]
fn pods_are_ready_only_if_every_container_is() {
    let ready = "{ pods = 'ready' }";
    let running =
        |container: Value| pod(json!({"phase": "Running", "containerStatuses": [container]}));
    assert_eq!(
        judge(
            ready,
            running(json!({"ready": true, "state": {"running": {}}}))
        ),
        "holds"
    );
    assert_eq!(judge(ready, pod(json!({"phase": "Succeeded"}))), "holds");
    assert_eq!(
        judge(ready, pod(json!({"phase": "Pending"}))),
        "fails: pod geo-1 is in phase Pending"
    );
    assert_eq!(judge(ready, json!([])), "fails: there is no pod");
    assert_eq!(
        judge(
            ready,
            running(
                json!({"name": "geo", "ready": false, "state": {"waiting": {"reason": "CrashLoopBackOff"}}})
            )
        ),
        "fails: pod geo-1 has container geo waiting: CrashLoopBackOff"
    );
    let mut leaving = running(json!({"ready": true, "state": {"running": {}}}));
    leaving[0]["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    assert_eq!(judge(ready, leaving), "fails: pod geo-1 is terminating");
}

#[test]
fn endpoints_count_once() {
    let none = "{ endpoints = 'geo', equals = 0 }";
    let slice = |ready: Value| json!([{"endpoints": [{"addresses": ["10.0.0.1"], "conditions": {"ready": ready}}]}]);
    assert_eq!(judge(none, json!([{"endpoints": null}])), "holds");
    assert_eq!(judge(none, slice(json!(false))), "holds");
    assert_eq!(
        judge(none, slice(json!(true))),
        "fails: service geo has 1 ready endpoints, wanted exactly 0"
    );
}

#[test]
fn workload_figures_are_compared_with_the_baseline() {
    let figures = |errors: i64, before: i64| json!({"baseline": {"requests": 100, "errors": before}, "present": {"requests": 100, "errors": errors}});
    let above = "{ workload = { error_ratio = { above = 0.05 } } }";
    let back = "{ workload = { error_ratio = { back_to_baseline_within = 0.02 } } }";
    assert_eq!(judge(above, figures(30, 0)), "holds");
    assert!(
        judge(above, figures(30, 28))
            .starts_with("fails: workload error ratio is 0.300 (baseline 0.280)")
    );
    assert_eq!(judge(back, figures(2, 0)), "holds");
    assert!(judge(back, figures(30, 0)).starts_with("fails"));
    let silent = json!({"baseline": {"requests": 100, "errors": 0}, "present": {"requests": 0, "errors": 0}});
    assert_eq!(
        judge(back, silent),
        "unknown: no request of the workload has come to an end in the present window"
    );
    assert_eq!(
        judge(
            "{ workload = { error_ratio = { below = 0.02 } } }",
            json!({"present": {"requests": 5, "errors": 0}})
        ),
        "holds"
    );
    let broken =
        json!({"present": {"requests": 5, "errors": 5, "error_classes": {"500": 2, "connect": 3}}});
    assert_eq!(
        judge("{ workload = { error_ratio = { below = 0.02 } } }", broken),
        "fails: workload error ratio is 1.000 (500: 2, connect: 3), wanted below 0.02"
    );
}

#[test]
fn parts_combine() {
    let both = "{ all = [{ endpoints = 'a', at_least = 1 }, { pods = 'ready', service = 'a' }] }";
    assert_eq!(condition(both).needs().len(), 2);
    let mut answers = Answers::new();
    assert!(matches!(
        condition(both).eval(&answers),
        Outcome::Unknown(_)
    ));
    answers.insert(Question::Endpoints("a".to_owned()), json!([]));
    assert!(
        matches!(condition(both).eval(&answers), Outcome::Fails(_)),
        "a failing part outweighs an unknown one"
    );
    let either = condition(
        "{ any = [{ endpoints = 'a', at_least = 1 }, { endpoints = 'a', at_most = 0 }] }",
    );
    assert_eq!(either.eval(&answers), Outcome::Holds);
    assert_eq!(
        condition("{ not = { endpoints = 'a', at_least = 1 } }").eval(&answers),
        Outcome::Holds
    );
}

#[test]
fn a_condition_without_a_test_is_refused() {
    assert!(condition("{ field = 'a/b', path = 'x' }").check().is_err());
    assert!(
        condition("{ log = 'a', matches = '(', since = 'inject' }")
            .check()
            .is_err()
    );
}
