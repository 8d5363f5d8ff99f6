//! Nothing later than *now* reaches an agent.
//!
//! The oracle is a copy of the recording in which everything later is gone: whatever is asked at a
//! moment, the recording and the copy that ends there give the same answer, byte for byte. Beside
//! that, no time in an answer lies after the moment.

use std::sync::Arc;

use aiopslab::library::Library;
use aiopslab::settings::Settings;
use aiopslab_datasets::Snapshot;
use aiopslab_problems::action::{Action, ActionSet, SQL_VIEWS};
use aiopslab_problems::environment::{Environment, Observation, Verdict};
use aiopslab_replay::Clock;
use aiopslab_replay::environment::{ReplayEnvironment, ReplayOptions};
use aiopslab_replay::kubernetes::{ApiPath, Form, Include, KubernetesApi, ListOptions};
use aiopslab_replay::recording::Recording;
use camino::Utf8Path;
use jiff::Timestamp;

use crate::truncated::{self, Moments};

const NAMESPACE: &str = "hotel-testbed";

/// Asked of `exec_shell`.
const COMMANDS: [&str; 34] = [
    "kubectl get pods -n hotel-testbed -o wide",
    "kubectl get pods -A --show-labels",
    "kubectl get pods -A -o json",
    "kubectl get pods -n hotel-testbed -o jsonpath='{.items[*].metadata.name}'",
    "kubectl get all -n hotel-testbed",
    "kubectl get deployments,replicasets -n hotel-testbed -o yaml",
    "kubectl get services,endpoints,endpointslices -n hotel-testbed -o wide",
    "kubectl get services,endpoints,endpointslices -n hotel-testbed -o yaml",
    "kubectl get configmaps,secrets,serviceaccounts -A",
    "kubectl get jobs -A -o wide",
    "kubectl get events -n hotel-testbed",
    "kubectl get events -A --sort-by=.lastTimestamp",
    "kubectl get events -A -o json",
    "kubectl events -n hotel-testbed",
    "kubectl get nodes -o wide",
    "kubectl get nodes -o yaml",
    "kubectl get namespaces,pv,pvc -A",
    "kubectl describe pods -n hotel-testbed",
    "kubectl describe deployments -n hotel-testbed",
    "kubectl describe services -n hotel-testbed",
    "kubectl describe nodes",
    "kubectl top pods -n hotel-testbed --containers",
    "kubectl top nodes",
    "kubectl logs -n hotel-testbed deployment/geo --timestamps",
    "kubectl logs -n hotel-testbed deployment/frontend --tail=20 --timestamps",
    "kubectl logs -n hotel-testbed deployment/rate --since=30s --timestamps",
    "kubectl logs -n hotel-testbed deployment/geo --previous",
    "kubectl logs -n hotel-testbed -l app=reservation --tail=50 --timestamps --prefix",
    "kubectl rollout status deployment/rate -n hotel-testbed",
    "kubectl rollout history deployment/rate -n hotel-testbed",
    "kubectl auth can-i list pods",
    "kubectl api-resources",
    "kubectl version",
    "date",
];

/// Asked of the Kubernetes API.
const PATHS: [&str; 8] = [
    "/api/v1/namespaces/hotel-testbed/pods",
    "/api/v1/events",
    "/api/v1/nodes",
    "/api/v1/namespaces/hotel-testbed/endpoints",
    "/api/v1/namespaces/hotel-testbed/services/rate",
    "/apis/apps/v1/namespaces/hotel-testbed/deployments",
    "/apis/apps/v1/namespaces/hotel-testbed/replicasets",
    "/apis/metrics.k8s.io/v1beta1/namespaces/hotel-testbed/pods",
];

fn actions() -> Vec<Action> {
    let text = |text: &str| text.to_owned();
    let mut actions = Vec::new();
    for service in [
        "frontend",
        "geo",
        "rate",
        "postgres",
        "memcached-rate",
        "nosuch",
    ] {
        let (namespace, service) = (text(NAMESPACE), text(service));
        actions.push(Action::GetLogs { namespace, service });
    }
    for duration in [1, 30] {
        let namespace = text(NAMESPACE);
        actions.push(Action::GetMetrics {
            namespace,
            duration,
        });
        let namespace = text(NAMESPACE);
        actions.push(Action::GetTraces {
            namespace,
            duration,
        });
    }
    for command in COMMANDS {
        actions.push(Action::ExecShell {
            command: text(command),
            timeout: 30,
        });
    }
    for (view, _, _) in SQL_VIEWS {
        let query = format!("SELECT count(*) FROM {view}");
        actions.push(Action::QuerySql { query });
    }
    for view in ["coverage", "events", "logs", "objects", "usage"] {
        let query = format!("SELECT * FROM {view}");
        actions.push(Action::QuerySql { query });
    }
    for query in [
        "SELECT name, namespace, max(timestamp), max(value), count(*) FROM metrics GROUP BY name, namespace",
        "SELECT service, operation, status, count(*), max(\"end\"), sum(duration_ms) FROM traces GROUP BY 1, 2, 3",
        "SELECT pod, container, max(timestamp), count(*), min(seq), max(seq) FROM logs GROUP BY 1, 2",
        "SELECT c.service, p.service, count(*) FROM traces c JOIN traces p ON c.trace_id = p.trace_id AND c.parent_span_id = p.span_id GROUP BY 1, 2",
        "SELECT now(), max(valid_from) <= now() FROM objects",
    ] {
        actions.push(Action::QuerySql { query: text(query) });
    }
    actions
}

/// Every action, at one clock.
fn environment(snapshot: &Snapshot, clock: Clock, options: &ReplayOptions) -> ReplayEnvironment {
    let options = ReplayOptions {
        clock,
        action_set: ActionSet::Extended,
        ..options.clone()
    };
    ReplayEnvironment::new(snapshot, &options).unwrap()
}

/// Whatever is asked of a snapshot at a clock, with the answers.
pub(crate) async fn answers(
    snapshot: &Snapshot,
    clock: Clock,
    options: &ReplayOptions,
) -> Vec<(String, Observation)> {
    let mut environment = environment(snapshot, clock, options);
    let mut answers = Vec::new();
    for action in actions() {
        let answer = environment.act(&action).await.unwrap();
        answers.push((format!("{action:?}"), answer));
    }
    // What get_metrics and get_traces wrote is compared as it is, and read as agents do once each.
    let files: Vec<(String, String)> = environment
        .files()
        .iter()
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .collect();
    let first = |part: &str| {
        let found = files.iter().find(|(path, _)| path.contains(part));
        found.map(|(path, _)| path.clone())
    };
    let read = [
        first("memory_usage").map(|file_path| Action::ReadMetrics { file_path }),
        first("traces.csv").map(|file_path| Action::ReadTraces { file_path }),
    ];
    for action in read.into_iter().flatten() {
        let answer = environment.act(&action).await.unwrap();
        answers.push((format!("{action:?}"), answer));
    }
    for (path, text) in files {
        answers.push((path, Observation::new(text, Verdict::Answered)));
    }
    answers
}

async fn api_answers(snapshot: &Snapshot, now: i64) -> Vec<(String, String)> {
    let view = Arc::new(Recording::open(snapshot, now).unwrap());
    let api = KubernetesApi::open(view).await.unwrap();
    let mut answers = Vec::new();
    for path in PATHS {
        let ApiPath::Resource(resource) = ApiPath::parse(path) else {
            panic!("{path} is no resource");
        };
        for form in [Form::Object, Form::Metadata, Form::Table(Include::Object)] {
            let answer = api.read(&resource, form, &ListOptions::default()).await;
            let answer = match answer {
                Ok(value) => value.to_string(),
                Err(status) => format!("{status:?}"),
            };
            answers.push((format!("{path} {form:?}"), answer));
        }
    }
    answers
}

/// No time in an answer lies after the moment, and no age is negative.
fn check_times(asked: &str, answer: &str, now: i64) -> usize {
    assert!(!answer.contains("<invalid>"), "{asked}");
    let mut seen = 0;
    let stamp = regex::Regex::new(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z").unwrap();
    for found in stamp.find_iter(answer) {
        let time: Timestamp = found.as_str().parse().unwrap();
        assert!(
            time.as_nanosecond() <= i128::from(now),
            "{asked} tells of {time}"
        );
        seen += 1;
    }
    seen
}

/// The times in the CSV files that actions wrote.
fn check_files(answers: &[(String, Observation)], now: i64) -> usize {
    let mut seen = 0;
    for (path, file) in answers.iter().filter(|(path, _)| path.ends_with(".csv")) {
        for line in file.text.lines().skip(1) {
            if path.contains("metrics_output") {
                let seconds: i64 = line.split(',').next().unwrap().parse().unwrap();
                assert!(seconds * 1_000_000_000 <= now, "{path}: {line}");
            } else {
                // … start_time,duration,has_error,response
                let from_end: Vec<&str> = line.rsplit(',').collect();
                let number = |n: usize| from_end[n].parse::<i64>().unwrap();
                assert!((number(3) + number(2)) * 1000 <= now, "{path}: {line}");
            }
            seen += 1;
        }
    }
    seen
}

#[tokio::test]
async fn answers_are_those_of_a_recording_that_ends_now() {
    let library =
        Library::open(&Settings::load(&aiopslab::cli::Global::default()).unwrap()).unwrap();
    let (mut moments, mut compared, mut times) = (0, 0, 0);
    for dir in library.snapshots(&[]).unwrap() {
        let snapshot = Snapshot::open(&dir).unwrap();
        let application = library
            .application(&snapshot.manifest().application)
            .unwrap();
        let options = ReplayOptions::new(application.clone());
        for now in Moments::of(&snapshot) {
            let folder = tempfile::tempdir().unwrap();
            let copy = Utf8Path::from_path(folder.path()).unwrap().join("copy");
            let copy = truncated::at(&snapshot, now, &copy);
            let whole = answers(&snapshot, Clock::At(now), &options).await;
            let ended = answers(&copy, Clock::End, &options).await;
            assert_eq!(whole.len(), ended.len());
            for ((asked, ours), (_, theirs)) in whole.iter().zip(&ended) {
                assert_eq!(ours, theirs, "{asked} at {now} of {dir}");
                times += check_times(asked, &ours.text, now);
            }
            times += check_files(&whole, now);
            compared += whole.len();
            let whole = api_answers(&snapshot, now).await;
            for (ours, theirs) in whole.iter().zip(api_answers(&copy, now).await) {
                assert_eq!(*ours, theirs, "{} at {now} of {dir}", ours.0);
                times += check_times(&ours.0, &ours.1, now);
                compared += 1;
            }
            moments += 1;
        }
    }
    println!("{moments} moments, {compared} answers compared, {times} times seen");
    assert!(moments >= 8 && compared > 1000 && times > 10_000);
}

/// Each waits, where time passes, for something that happens around a fault.
const WAITS: [&str; 6] = [
    "timeout 20 kubectl get pods -n hotel-testbed -w -o wide; date",
    "timeout 20 kubectl get events -A -w -o json",
    "kubectl wait --for=delete pod -l app.kubernetes.io/name=geo -n hotel-testbed --timeout=15s; kubectl get pods -A",
    "kubectl rollout status deployment/geo -n hotel-testbed --timeout=10s; kubectl get events -A",
    "timeout 10 kubectl logs -n hotel-testbed deployment/frontend -f --tail=3 --timestamps",
    "sleep 7.5; kubectl get pods -A -o json",
];

async fn acted(
    snapshot: &Snapshot,
    clock: Clock,
    actions: &[Action],
    options: &ReplayOptions,
) -> Vec<(Observation, i64)> {
    let mut environment = environment(snapshot, clock, options);
    let mut answers = Vec::new();
    for action in actions {
        let answer = environment.act(action).await.unwrap();
        answers.push((answer, environment.view().now()));
    }
    answers
}

/// The actions whose answers don't number the calls before them, some of them at a time.
fn unnumbered(part: usize, of: usize) -> Vec<Action> {
    let numbered =
        |action: &Action| matches!(action, Action::GetMetrics { .. } | Action::GetTraces { .. });
    let actions = actions().into_iter().filter(|action| !numbered(action));
    actions.skip(part).step_by(of).collect()
}

#[tokio::test]
async fn playing_tells_nothing_before_its_time() {
    let library =
        Library::open(&Settings::load(&aiopslab::cli::Global::default()).unwrap()).unwrap();
    let (mut compared, mut waited, mut times) = (0, 0, 0);
    let dirs = library.snapshots(&[]).unwrap();
    for (number, dir) in dirs.iter().enumerate() {
        let snapshot = Snapshot::open(dir).unwrap();
        let application = library
            .application(&snapshot.manifest().application)
            .unwrap();
        let options = ReplayOptions::new(application.clone());
        // What is answered while time passes is what a clock answers that stands there.
        let play = Clock::Play { from: None };
        let actions = unnumbered(number, dirs.len());
        let played = acted(&snapshot, play, &actions, &options).await;
        for (action, (answer, now)) in actions.iter().zip(&played) {
            let stands = Clock::At(*now);
            let frozen = acted(&snapshot, stands, std::slice::from_ref(action), &options).await;
            assert_eq!(*answer, frozen[0].0, "{action:?} at {now} of {dir}");
            times += check_times(&format!("{action:?}"), &answer.text, *now);
            compared += 1;
        }
        // What a wait tells is what a recording tells that ends with the wait.
        let from = Clock::BeforeFault
            .resolve(&snapshot)
            .unwrap_or_else(|_| Moments::of(&snapshot).next().unwrap());
        let play = Clock::Play { from: Some(from) };
        for command in WAITS {
            let wait = Action::ExecShell {
                command: command.to_owned(),
                timeout: 30,
            };
            let wait = std::slice::from_ref(&wait);
            let (answer, now) = acted(&snapshot, play, wait, &options).await.remove(0);
            let folder = tempfile::tempdir().unwrap();
            let copy = Utf8Path::from_path(folder.path()).unwrap().join("copy");
            let copy = truncated::at(&snapshot, now, &copy);
            let ended = acted(&copy, play, wait, &options).await.remove(0);
            assert_eq!((&answer, now), (&ended.0, ended.1), "{command} of {dir}");
            times += check_times(command, &answer.text, now);
            waited += usize::from(now > from);
        }
    }
    println!("{compared} answers compared, {waited} waits, {times} times seen");
    assert!(compared > 40 && waited > 20 && times > 1000);
}
