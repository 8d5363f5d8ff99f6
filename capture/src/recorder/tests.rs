//! Recorders against an API server of the test's own, that breaks off, forgets and rotates.

use std::collections::BTreeMap;
use std::io::Write;

use aiopslab_datasets::Snapshot;
use aiopslab_datasets::manifest::ManifestDraft;
use aiopslab_datasets::rows::{LogLine, ObjectVersion, Row};
use aiopslab_datasets::schema::Table;
use camino::{Utf8Path, Utf8PathBuf};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::sleep;

use super::*;
use crate::progress::Silent;

/// What a request is answered with: each time the next, in the end always the last.
struct Answer {
    /// Lines that follow each other at once.
    lines: Vec<String>,
    end: End,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// The answer is whole.
    Whole,
    /// The connection breaks in the middle of it.
    Cut,
    /// Nothing more comes.
    Silent,
    /// The answer is whole after a while.
    Late,
    /// The status, instead of lines.
    Status(u16),
}

type Script = BTreeMap<&'static str, Vec<Answer>>;

fn answer(lines: &[&str], end: End) -> Answer {
    Answer {
        lines: lines.iter().map(|line| (*line).to_owned()).collect(),
        end,
    }
}

/// Serves a script on loopback; answers are found by the longest key whose words are all in the request.
async fn serve(script: Script) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked: Arc<std::sync::Mutex<BTreeMap<&'static str, usize>>> = Arc::default();
    let script = Arc::new(script);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(reply(stream, Arc::clone(&script), Arc::clone(&asked)));
        }
    });
    port
}

async fn reply(
    mut stream: TcpStream,
    script: Arc<Script>,
    asked: Arc<std::sync::Mutex<BTreeMap<&'static str, usize>>>,
) {
    let mut head = Vec::new();
    let mut block = [0; 4096];
    while !head.windows(4).any(|end| end == b"\r\n\r\n") {
        let read = stream.read(&mut block).await.unwrap_or(0);
        if read == 0 {
            return;
        }
        head.extend_from_slice(&block[..read]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let request = head.lines().next().unwrap_or_default().to_owned();
    let has_words = |key: &&&str| key.split(' ').all(|word| request.contains(word));
    let key = script.keys().filter(has_words).max_by_key(|key| key.len());
    let Some(answers) = key.and_then(|key| script.get(key)) else {
        let none = "HTTP/1.1 404 Not Found\r\nconnection: close\r\ncontent-length: 0\r\n\r\n";
        stream.write_all(none.as_bytes()).await.ok();
        return;
    };
    let nth = {
        let mut asked = asked.lock().unwrap();
        let times = asked.entry(key.unwrap()).or_default();
        *times += 1;
        *times - 1
    };
    let answer = &answers[nth.min(answers.len() - 1)];
    if let End::Status(status) = answer.end {
        let head =
            format!("HTTP/1.1 {status} No\r\nconnection: close\r\ncontent-length: 0\r\n\r\n");
        stream.write_all(head.as_bytes()).await.ok();
        return;
    }
    let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).await.ok();
    for line in &answer.lines {
        let chunk = format!("{:x}\r\n{line}\n\r\n", line.len() + 1);
        stream.write_all(chunk.as_bytes()).await.ok();
    }
    match answer.end {
        End::Late => {
            sleep(Duration::from_millis(1500)).await;
            stream.write_all(b"0\r\n\r\n").await.ok();
        }
        End::Whole => stream.write_all(b"0\r\n\r\n").await.unwrap_or_default(),
        // Time for what was written to be read first.
        End::Cut => {
            sleep(Duration::from_millis(50)).await;
            stream.write_all(b"40\r\n2026-11-23T08:0").await.ok();
        }
        _ => sleep(Duration::from_secs(60)).await,
    }
}

struct Recorded {
    _folder: tempfile::TempDir,
    dir: Utf8PathBuf,
}

impl Recorded {
    fn rows<R: Row>(&self) -> Vec<R> {
        let snapshot = Snapshot::open(&self.dir).unwrap();
        snapshot.read_rows::<R>().unwrap()
    }

    /// Coverage of a table: state and reason of each stretch of the recording, in order.
    fn covered(&self, table: Table) -> Vec<(String, String)> {
        let rows: Vec<Coverage> = self.rows();
        let of_table = rows.into_iter().filter(|row| row.table == table.name());
        of_table
            .map(|row| (row.state, row.reason.unwrap_or_default()))
            .collect()
    }
}

/// Records objects or logs for a while.
async fn record(script: Script, kind: Kind, length: Duration) -> Recorded {
    let mut script = script;
    script.insert("/version", vec![answer(&["{}"], End::Whole)]);
    let port = serve(script).await;
    let folder = tempfile::tempdir().unwrap();
    let root = Utf8Path::from_path(folder.path()).unwrap();
    let kubeconfig = root.join("kubeconfig");
    let config = json!({"apiVersion": "v1", "kind": "Config", "current-context": "x",
        "clusters": [{"name": "x", "cluster": {"server": format!("http://127.0.0.1:{port}")}}],
        "users": [{"name": "x", "user": {}}],
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}]});
    let mut file = std::fs::File::create(&kubeconfig).unwrap();
    file.write_all(config.to_string().as_bytes()).unwrap();
    let cluster = Cluster::connect(Some(&kubeconfig), None).await.unwrap();
    let catalog = aiopslab_problems::catalog::Catalog::embedded().unwrap();
    let application = catalog.application("hotel-testbed").unwrap();
    let dir = root.join("snapshot");
    let writer = Arc::new(SnapshotWriter::create(&dir).unwrap());
    let without = Kind::ALL.into_iter().filter(|it| *it != kind).collect();
    let options = RecorderOptions {
        without,
        more_log_namespaces: Vec::new(),
        ..RecorderOptions::default()
    };
    let from = Timestamp::now();
    let started = Recording::start(
        &cluster,
        application,
        Arc::clone(&writer),
        options,
        Arc::new(Silent),
    );
    let recording = started.await.unwrap();
    sleep(length).await;
    let outcome = recording.finish(from, Timestamp::now()).await.unwrap();
    let draft = ManifestDraft {
        recorders: outcome.counts,
        ..ManifestDraft::default()
    };
    Arc::into_inner(writer).unwrap().finish(draft).unwrap();
    Recorded {
        _folder: folder,
        dir,
    }
}

/// A time within the recording, so many milliseconds after the test began.
fn stamp(started: Timestamp, after: i64) -> String {
    let moment = started + jiff::SignedDuration::from_millis(after);
    format!("{moment:.3}")
}

fn pod(state: Value) -> Value {
    json!({"metadata": {"uid": "u", "namespace": "hotel-testbed", "name": "geo-1", "resourceVersion": "5"},
        "spec": {"nodeName": "lab"},
        "status": {"containerStatuses": [
            {"name": "geo", "restartCount": 0, "containerID": "c://a", "state": state}]}})
}

fn pods(state: Value) -> String {
    json!({"items": [pod(state)], "metadata": {"resourceVersion": "5"}}).to_string()
}

/// A log of a running container whose first connection breaks off after the second line.
async fn follow_again(again: &[(i64, &str)]) -> (Vec<String>, Vec<(String, String)>) {
    let started = Timestamp::now();
    let running = json!({"running": {"startedAt": stamp(started, 0)}});
    let line = |(after, text): &(i64, &str)| format!("{} {text}", stamp(started, *after));
    let lines = |lines: &[(i64, &str)], end| Answer {
        lines: lines.iter().map(line).collect(),
        end,
    };
    let script = Script::from([
        ("/pods", vec![answer(&[&pods(running)], End::Whole)]),
        ("/pods watch=1", vec![answer(&[], End::Silent)]),
        (
            "/log follow=true",
            vec![
                lines(&[(10, "one"), (20, "two")], End::Cut),
                lines(again, End::Silent),
            ],
        ),
        ("/log sinceTime", vec![lines(again, End::Whole)]),
        (
            "/log follow=true sinceTime",
            vec![lines(again, End::Silent)],
        ),
    ]);
    let recorded = record(script, Kind::Logs, Duration::from_millis(2500)).await;
    let lines: Vec<LogLine> = recorded.rows();
    let texts = lines
        .into_iter()
        .map(|line| String::from_utf8(line.message).unwrap());
    (texts.collect(), recorded.covered(Table::LogLines))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_goes_on_after_a_cut_has_no_hole() {
    let (lines, covered) = follow_again(&[(10, "one"), (20, "two"), (1500, "three")]).await;
    assert_eq!(lines, ["one", "two", "three"]);
    let states: Vec<_> = covered.iter().map(|(state, _)| state.as_str()).collect();
    assert_eq!(states, ["recorded"], "{covered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_rotated_during_a_cut_has_a_hole() {
    let (lines, covered) = follow_again(&[(1500, "nine"), (1600, "ten")]).await;
    assert_eq!(lines, ["one", "two", "nine", "ten"]);
    let states: Vec<_> = covered.iter().map(|(state, _)| state.as_str()).collect();
    assert_eq!(states, ["recorded", "partial", "recorded"], "{covered:?}");
    let reason = &covered[1].1;
    assert!(
        reason.contains("geo-1/geo: its log was rotated"),
        "{reason}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_that_goes_while_its_log_is_cut_off_has_a_hole() {
    let started = Timestamp::now();
    let running = json!({"running": {"startedAt": stamp(started, 0)}});
    let first = format!("{} one", stamp(started, 10));
    let script = Script::from([
        ("/pods", vec![answer(&[&pods(running)], End::Whole)]),
        ("/pods watch=1", vec![answer(&[], End::Silent)]),
        (
            "/log container=geo",
            vec![answer(&[&first], End::Cut), answer(&[], End::Status(404))],
        ),
    ]);
    let recorded = record(script, Kind::Logs, Duration::from_millis(2000)).await;
    assert_eq!(recorded.rows::<LogLine>().len(), 1);
    let covered = recorded.covered(Table::LogLines);
    let last = covered.last().unwrap();
    assert_eq!(last.0, "partial", "{covered:?}");
    assert!(last.1.contains("geo-1/geo"), "{covered:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pod_whose_log_was_followed_to_its_end_may_go() {
    let started = Timestamp::now();
    let running = json!({"running": {"startedAt": stamp(started, 0)}});
    let over = json!({"terminated": {"startedAt": stamp(started, 0),
        "finishedAt": stamp(started, 900), "containerID": "c://a"}});
    let deleted = json!({"type": "DELETED", "object": pod(over)}).to_string();
    let first = format!("{} one", stamp(started, 10));
    // Told of its end by the watch, or only by the log.
    for lines in [vec![deleted], Vec::new()] {
        let watch = Answer {
            lines,
            end: End::Silent,
        };
        let gone = answer(&[], End::Status(404));
        let script = Script::from([
            ("/pods", vec![answer(&[&pods(running.clone())], End::Whole)]),
            ("/pods watch=1", vec![watch]),
            (
                "/log container=geo",
                vec![answer(&[&first], End::Whole), gone],
            ),
        ]);
        let recorded = record(script, Kind::Logs, Duration::from_millis(2000)).await;
        assert_eq!(recorded.rows::<LogLine>().len(), 1);
        let covered = recorded.covered(Table::LogLines);
        assert_eq!(covered, [("recorded".to_owned(), String::new())]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_of_the_next_instance_are_not_taken_for_the_dead_ones() {
    let started = Timestamp::now();
    let running = json!({"running": {"startedAt": stamp(started, 0)}});
    let mut again = pod(json!({"running": {"startedAt": stamp(started, 1000)}}));
    again["status"]["containerStatuses"][0] = json!({"name": "geo", "restartCount": 1,
        "containerID": "c://b", "state": {"running": {"startedAt": stamp(started, 1000)}},
        "lastState": {"terminated": {"containerID": "c://a", "startedAt": stamp(started, 0),
            "finishedAt": stamp(started, 900)}}});
    let told = json!({"type": "MODIFIED", "object": again}).to_string();
    let first = format!("{} one", stamp(started, 10));
    let second = format!("{} two", stamp(started, 1100));
    let script = Script::from([
        ("/pods", vec![answer(&[&pods(running)], End::Whole)]),
        // Told after the log of the next instance could be read.
        (
            "/pods watch=1",
            vec![answer(&[], End::Late), answer(&[&told], End::Silent)],
        ),
        ("/log previous=true", vec![answer(&[&first], End::Whole)]),
        (
            "/log follow=true",
            vec![
                answer(&[&first], End::Whole),
                answer(&[&second], End::Silent),
            ],
        ),
        (
            "/log follow=true sinceTime",
            vec![answer(&[&second], End::Silent)],
        ),
        ("/log sinceTime", vec![answer(&[&second], End::Whole)]),
    ]);
    let recorded = record(script, Kind::Logs, Duration::from_millis(6500)).await;
    let lines: Vec<LogLine> = recorded.rows();
    let texts = lines.iter().map(|line| {
        (
            line.instance_id,
            String::from_utf8_lossy(&line.message).into_owned(),
        )
    });
    let texts: Vec<_> = texts.collect();
    assert_eq!(texts, [(0, "one".to_owned()), (1, "two".to_owned())]);
    let covered = recorded.covered(Table::LogLines);
    assert_eq!(covered, [("recorded".to_owned(), String::new())]);
}

/// A line of a watch that prints tables.
fn event(kind: &str, name: &str, version: &str) -> String {
    let object = json!({"kind": "Pod", "metadata": {"name": name, "namespace": "hotel-testbed",
        "uid": name, "resourceVersion": version}});
    let table = json!({"kind": "Table", "metadata": {"resourceVersion": version},
        "columnDefinitions": [], "rows": [{"cells": [name], "object": object}]});
    json!({"type": kind, "object": table}).to_string()
}

fn end_of_list(version: &str) -> String {
    json!({"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": version,
        "annotations": {"k8s.io/initial-events-end": "true"}}}})
    .to_string()
}

/// The watch of pods is cut off after the list; then it is answered like this.
async fn watch_again(resumed: Answer) -> (Vec<(String, String)>, Vec<(String, String)>) {
    let discovery = json!({"kind": "APIGroupDiscoveryList", "items": [{"metadata": {},
        "versions": [{"version": "v1", "resources": [{"resource": "pods", "singularResource": "pod",
            "scope": "Namespaced", "responseKind": {"kind": "Pod"}, "verbs": ["list", "watch"]}]}]}]});
    let groups = json!({"kind": "APIGroupDiscoveryList", "items": []}).to_string();
    let first = [
        event("ADDED", "a", "1"),
        event("ADDED", "b", "2"),
        end_of_list("2"),
    ];
    let anew = [
        event("ADDED", "a", "1"),
        event("ADDED", "c", "9"),
        end_of_list("9"),
    ];
    let lines = |lines: &[String], end| Answer {
        lines: lines.to_vec(),
        end,
    };
    let script = Script::from([
        ("/api", vec![answer(&[&discovery.to_string()], End::Whole)]),
        ("/apis", vec![answer(&[&groups], End::Whole)]),
        (
            "/pods watch=1 sendInitialEvents",
            vec![lines(&first, End::Cut), lines(&anew, End::Silent)],
        ),
        (
            "/pods watch=1 &resourceVersion=",
            vec![resumed, answer(&[], End::Silent)],
        ),
    ]);
    let recorded = record(script, Kind::Objects, Duration::from_millis(2500)).await;
    let mut versions: Vec<ObjectVersion> = recorded.rows();
    versions.sort_by_key(|version| version.seq);
    let told = versions.into_iter().map(|it| (it.event, it.name));
    (told.collect(), recorded.covered(Table::ObjectVersions))
}

fn told(versions: &[(&str, &str)]) -> Vec<(String, String)> {
    let versions = versions.iter();
    versions
        .map(|(event, name)| ((*event).to_owned(), (*name).to_owned()))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_that_goes_on_after_a_cut_has_no_hole() {
    let resumed = answer(&[&event("ADDED", "c", "3")], End::Silent);
    let (versions, covered) = watch_again(resumed).await;
    let expected = [("initial", "a"), ("initial", "b"), ("added", "c")];
    assert_eq!(versions, told(&expected));
    assert_eq!(covered, [("recorded".to_owned(), String::new())]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watch_whose_place_is_forgotten_has_a_hole_and_goes_on() {
    let gone = json!({"type": "ERROR", "object": {"kind": "Status", "code": 410}}).to_string();
    let (versions, covered) = watch_again(answer(&[&gone], End::Whole)).await;
    let expected = [
        ("initial", "a"),
        ("initial", "b"),
        ("added", "c"),
        ("deleted", "b"),
    ];
    assert_eq!(versions, told(&expected));
    let states: Vec<_> = covered.iter().map(|(state, _)| state.as_str()).collect();
    assert_eq!(states, ["recorded", "partial", "recorded"], "{covered:?}");
    assert!(covered[1].1.contains("forgot"), "{covered:?}");
}
