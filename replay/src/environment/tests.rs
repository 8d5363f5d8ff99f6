use super::*;
use crate::testing::{TestSnapshot, at};
use crate::view::ObjectQuery;

async fn act(environment: &mut ReplayEnvironment, action: Action) -> (String, Verdict) {
    let observation = environment.act(&action).await.unwrap();
    (observation.text, observation.verdict)
}

fn logs(service: &str) -> Action {
    Action::GetLogs {
        namespace: "shop".to_owned(),
        service: service.to_owned(),
    }
}

fn metrics(duration: i64) -> Action {
    Action::GetMetrics {
        namespace: "shop".to_owned(),
        duration,
    }
}

fn traces(duration: i64) -> Action {
    Action::GetTraces {
        namespace: "shop".to_owned(),
        duration,
    }
}

#[tokio::test]
async fn nothing_after_now_is_seen() {
    let test = TestSnapshot::new();
    let before = test.environment(Clock::BeforeFault, false);
    let services = ObjectQuery::all("", "services", None);
    let port = |objects: Vec<crate::view::RecordedObject>| {
        objects[0]
            .object
            .pointer("/spec/ports/0/targetPort")
            .unwrap()
            .as_i64()
            .unwrap()
    };
    assert_eq!(before.view().now(), at(100) - 1);
    assert_eq!(port(before.view().objects(&services).await.unwrap()), 8080);
    let instances = before.view().log_instances("shop", "geo-1").await.unwrap();
    assert_eq!(
        (instances[0].finished, instances[0].exit_code),
        (None, None)
    );
    assert!(
        before
            .view()
            .log_instances("shop", "geo-2")
            .await
            .unwrap()
            .is_empty()
    );
    let usage = before.view().usage("pod", None).await.unwrap();
    assert_eq!(
        usage.iter().map(|row| row.timestamp).collect::<Vec<_>>(),
        [at(90)]
    );

    let end = test.environment(Clock::End, false);
    assert_eq!(port(end.view().objects(&services).await.unwrap()), 9999);
    let pods = end
        .view()
        .objects(&ObjectQuery::all("", "pods", Some("shop")))
        .await
        .unwrap();
    assert_eq!(
        pods.iter().map(|pod| pod.name.as_str()).collect::<Vec<_>>(),
        ["geo-2"]
    );
    assert_eq!(
        end.view().usage("pod", Some("shop")).await.unwrap()[0].name,
        "geo-2"
    );
    assert!(
        end.view()
            .covers_objects("", "services", None)
            .await
            .unwrap()
    );
    assert!(!end.view().covers_objects("", "pods", None).await.unwrap());
    assert_eq!(end.view().resources().await.unwrap()[0].short_names, ["po"]);
    assert_eq!(
        end.view().columns("", "pods").await.unwrap()[0].name,
        "Name"
    );
    assert_eq!(
        end.view().server_version().await.unwrap()["gitVersion"],
        "v1.34.0"
    );
}

#[tokio::test]
async fn logs_of_the_first_pod() {
    let test = TestSnapshot::new();
    let mut before = test.environment(Clock::BeforeFault, false);
    assert_eq!(
        act(&mut before, logs("geo")).await,
        ("one\ntwo\n".to_owned(), Verdict::Answered)
    );
    let mut end = test.environment(Clock::End, false);
    assert_eq!(
        act(&mut end, logs("geo")).await,
        ("three\n".to_owned(), Verdict::Answered)
    );
    let (text, verdict) = act(&mut end, logs("rate")).await;
    assert!(
        text.contains("Services with pods: geo.") && verdict == Verdict::Empty,
        "{text}"
    );
    let mut upstream = test.environment(Clock::End, true);
    assert_eq!(
        act(&mut upstream, logs("rate")).await.0,
        answer::unknown_service()
    );
    let elsewhere = Action::GetLogs {
        namespace: "other".to_owned(),
        service: "geo".to_owned(),
    };
    assert_eq!(act(&mut end, elsewhere).await.1, Verdict::NotCaptured);
}

#[tokio::test]
async fn metrics_become_files() {
    let test = TestSnapshot::new();
    let mut end = test.environment(Clock::End, false);
    let (text, verdict) = act(&mut end, metrics(2)).await;
    assert!(
        text.contains("/aiopslab/metrics_output/call-0001") && verdict == Verdict::Answered,
        "{text}"
    );
    let path = "/aiopslab/metrics_output/call-0001/container/kpi_container_memory_rss.csv";
    let csv = end.files().read(path).unwrap().to_owned();
    // Steps at 80, 95, …: the first pod until it is marked stale at 105, its pod-level series on, the second from 120 on.
    let rows = |part: &str| csv.lines().filter(|line| line.contains(part)).count();
    assert_eq!(
        (
            rows("lab.geo-1.geo,"),
            rows("lab.geo-1,"),
            rows("lab.geo-2.geo,")
        ),
        (2, 9, 6),
        "{csv}"
    );
    let (table, _) = act(
        &mut end,
        Action::ReadMetrics {
            file_path: path.to_owned(),
        },
    )
    .await;
    assert!(table.contains("lab.geo-2.geo"), "{table}");
    assert_eq!(act(&mut end, metrics(60)).await.1, Verdict::Partial);
    assert_eq!(act(&mut end, metrics(i64::MAX)).await.1, Verdict::Partial);
    assert_eq!(act(&mut end, metrics(0)).await.1, Verdict::Invalid);

    let mut upstream = test.environment(Clock::End, true);
    act(&mut upstream, metrics(2)).await;
    let csv = upstream.files().read(path).unwrap();
    assert!(
        csv.contains("lab.geo-2,") && !csv.contains("geo-1"),
        "{csv}"
    );
}

#[tokio::test]
async fn traces_that_ended() {
    let test = TestSnapshot::new();
    let path = "/aiopslab/trace_output/call-0001/traces.csv";
    let mut before = test.environment(Clock::BeforeFault, false);
    assert_eq!(act(&mut before, traces(1)).await.1, Verdict::Empty);
    let mut at_100 = test.environment(Clock::At(at(100)), false);
    let (text, verdict) = act(&mut at_100, traces(1)).await;
    assert!(
        text.ends_with(path) && verdict == Verdict::Answered,
        "{text}"
    );
    // The root span ends at 101 only.
    let csv = at_100.files().read(path).unwrap();
    assert_eq!(
        csv.lines().skip(1).collect::<Vec<_>>(),
        [format!(
            "b,4,3,geo,GET /,{},1000000,True,500",
            at(99) / 1000
        )]
    );
    let mut upstream = test.environment(Clock::End, true);
    act(&mut upstream, traces(1)).await;
    assert_eq!(
        upstream.files().read(path).unwrap().lines().count(),
        1 + 2 * 4
    );
    let elsewhere = Action::GetTraces {
        namespace: "other".to_owned(),
        duration: 5,
    };
    assert_eq!(act(&mut at_100, elsewhere).await.1, Verdict::Invalid);
}

#[test]
fn clocks_outside_of_the_recording() {
    let test = TestSnapshot::new();
    let error = Clock::At(at(201))
        .resolve(&test.snapshot)
        .unwrap_err()
        .to_string();
    assert!(error.contains("lies outside of the recording"), "{error}");
    std::fs::remove_dir_all(test.snapshot.dir().join("withheld")).unwrap();
    let error = Clock::BeforeFault
        .resolve(&test.snapshot)
        .unwrap_err()
        .to_string();
    assert!(error.contains("withheld"), "{error}");
}

#[tokio::test]
async fn an_action_that_writes_or_may_is_told_from_one_that_does_not() {
    let test = TestSnapshot::new();
    let mut environment = test.environment(Clock::End, false);
    for (command, may_write) in [
        ("kubectl get pods -n shop", false),
        ("kubectl -n shop annotate pod geo-2 a=b", true),
        (
            "kubectl get svc -n shop; kubectl delete pod geo-2 -n shop | cat",
            true,
        ),
        (
            "x=$(kubectl label pod geo-2 -n shop a=b 2>&1); echo $x",
            true,
        ),
        // Neither a mistyped write nor what needs a terminal changes anything.
        ("kubectl annotate nope geo a=b", false),
        ("kubectl edit service geo", false),
        ("echo kubectl delete pod geo-2", false),
    ] {
        let action = Action::ExecShell {
            command: command.to_owned(),
            timeout: 30,
        };
        act(&mut environment, action).await;
        assert_eq!(environment.may_write(), may_write, "{command}");
    }
    act(&mut environment, logs("geo")).await;
    assert!(!environment.may_write());
    assert_eq!(environment.calls(), 8);
}
