use arrow::util::pretty::pretty_format_batches;
use camino::Utf8Path;

use super::*;
use crate::error::ReplayError;
use crate::testing::TestSnapshot;

/// The samples that are in the repository, with a fault and everything recorded.
fn sample(name: &str) -> (String, Snapshot) {
    let root = Utf8Path::new(env!("CARGO_MANIFEST_DIR")).join("../datasets/samples");
    (name.to_owned(), Snapshot::open(&root.join(name)).unwrap())
}

const PORT: &str = "k8s_target_port_misconfig_testbed-1";
const SCALE: &str = "scale_pod_zero_testbed-1";
const KILL: &str = "container_kill_testbed-1";

async fn session(names: &[&str]) -> SqlSession {
    let snapshots = names.iter().map(|name| sample(name)).collect();
    SqlSession::open_all(snapshots, Clock::End, &SqlLimits::default())
        .await
        .unwrap()
}

async fn answer(session: &SqlSession, text: &str) -> String {
    let answer = session
        .query(text)
        .await
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    pretty_format_batches(&answer.batches).unwrap().to_string()
}

async fn error(session: &SqlSession, text: &str) -> String {
    session.query(text).await.unwrap_err().to_string()
}

/// The one value of an answer.
async fn value(session: &SqlSession, text: &str) -> String {
    let table = answer(session, text).await;
    let row = table.lines().nth(3).unwrap_or_default();
    row.trim_matches(['|', ' ']).to_owned()
}

#[tokio::test]
async fn now_is_the_clock() {
    let test = TestSnapshot::new();
    let before = SqlSession::open(&test.snapshot, Clock::BeforeFault)
        .await
        .unwrap();
    let text = answer(
        &before,
        "SELECT now() AS now, clock(snapshot) AS clock FROM snapshots",
    )
    .await;
    assert_eq!(
        text.matches("2023-11-14T22:14:59.999999999Z").count(),
        2,
        "{text}"
    );
    for (view, rows) in [
        ("logs", 2),
        ("objects", 2),
        ("metrics", 3),
        ("traces", 2),
        ("spans", 2),
        ("events", 0),
        ("changes", 0),
        ("log_templates", 2),
    ] {
        let text = format!("SELECT * FROM {view}");
        assert_eq!(before.query(&text).await.unwrap().rows(), rows, "{view}");
    }
    for (text, rows) in [
        ("SELECT * FROM log_lines", 3),
        ("SELECT * FROM raw.log_lines", 3),
    ] {
        assert_eq!(before.query(text).await.unwrap().rows(), rows, "{text}");
    }
    let text = answer(&before, "SELECT message FROM logs ORDER BY timestamp").await;
    assert!(text.contains("| one "), "{text}");
}

#[tokio::test]
async fn writes_are_refused() {
    let test = TestSnapshot::new();
    let session = SqlSession::open(&test.snapshot, Clock::End).await.unwrap();
    for (text, word) in [
        ("INSERT INTO spans SELECT * FROM spans", "INSERT"),
        ("CREATE TABLE x AS SELECT 1", "CREATE"),
        ("DROP TABLE spans", "DROP"),
        ("COPY spans TO '/tmp/x.csv'", "COPY"),
        ("SET datafusion.execution.batch_size = 1", "SET"),
        (
            "EXPLAIN ANALYZE INSERT INTO spans SELECT * FROM spans",
            "INSERT",
        ),
    ] {
        let error = session.query(text).await.unwrap_err();
        assert!(
            matches!(&error, ReplayError::Write { statement } if statement == word),
            "{error}"
        );
    }
    let said = error(&session, "SELECT * FROM nothing").await;
    assert!(said.contains("the tables are calls"), "{said}");
    for text in [
        "SHOW TABLES",
        "SHOW FUNCTIONS",
        "DESCRIBE spans",
        "EXPLAIN SELECT 1",
        "EXPLAIN ANALYZE SELECT count(*) FROM spans",
    ] {
        assert!(session.query(text).await.unwrap().rows() > 0, "{text}");
    }
}

#[tokio::test]
async fn every_view_has_the_columns_that_it_says() {
    let session = session(&[SCALE]).await;
    for view in views() {
        let told: Vec<&str> = view.header.columns.iter().map(|column| column.0).collect();
        assert_eq!(session.columns(view.name).await, told, "{}", view.name);
        assert!(!view.header.title.is_empty(), "{}", view.name);
        let rows = session
            .query(&format!("SELECT * FROM {}", view.name))
            .await
            .unwrap();
        assert!(rows.rows() > 0, "{}", view.name);
    }
    for (table, _) in FACTS {
        assert!(session.tables().iter().any(|one| one == table), "{table}");
    }
    for table in ["metric_samples", "raw.spans"] {
        assert_eq!(session.columns(table).await[0], "snapshot", "{table}");
    }
}

#[tokio::test]
async fn conditions_reach_the_files() {
    let session = session(&[PORT, SCALE]).await;
    for (text, expected) in [
        ("SELECT * FROM logs WHERE service = 'geo'", "service_min"),
        ("SELECT value FROM metrics WHERE name = 'up'", "name_min"),
        (
            "SELECT rate FROM rates WHERE name = 'http_requests_total'",
            "name_min",
        ),
        ("SELECT * FROM pods WHERE namespace = 'a'", "namespace_min"),
        (
            "SELECT * FROM changes WHERE resource = 'services'",
            "services",
        ),
        ("SELECT * FROM spans WHERE service = 'geo'", "service_min"),
    ] {
        let plan = answer(&session, &format!("EXPLAIN {text}")).await;
        let scan = plan
            .lines()
            .find(|line| line.contains("pruning_predicate") && line.contains(expected));
        assert!(scan.is_some(), "{text}\n{plan}");
    }
    let text = format!("EXPLAIN SELECT * FROM metrics WHERE snapshot = '{SCALE}'");
    let plan = answer(&session, &text).await;
    assert!(!plan.contains(PORT), "{plan}");
    let one = session_of_one().await;
    let plan = answer(
        &one,
        "EXPLAIN SELECT message FROM logs WHERE in_fault(timestamp)",
    )
    .await;
    assert!(plan.contains("timestamp_min"), "{plan}");
    assert!(!plan.contains("in_fault"), "{plan}");
}

async fn session_of_one() -> SqlSession {
    session(&[PORT]).await
}

#[tokio::test]
async fn one_query_spans_snapshots_each_at_its_own_now() {
    let session = session(&[SCALE, PORT]).await;
    let all = value(&session, "SELECT count(*) FROM logs").await;
    let mut sum = 0;
    for name in [PORT, SCALE] {
        let one = self::session(&[name]).await;
        let alone = value(&one, "SELECT count(*) FROM logs").await;
        let text = format!("SELECT count(*) FROM logs WHERE snapshot = '{name}'");
        assert_eq!(value(&session, &text).await, alone, "{name}");
        sum += alone.parse::<u64>().unwrap();
    }
    assert_eq!(all, sum.to_string());
    // Series of equal numbers are of different snapshots.
    let text = "SELECT count(*) FROM metrics";
    let samples = "SELECT count(*) FROM metric_samples
                   WHERE timestamp <= arrow_cast(clock(snapshot), 'Timestamp(ms, \"UTC\")')";
    assert_eq!(value(&session, text).await, value(&session, samples).await);
    for text in [
        "SELECT now()",
        "SELECT age(created) FROM pods",
        "SELECT CURRENT_DATE",
    ] {
        let said = error(&session, text).await;
        assert!(said.contains("clock(snapshot)"), "{text}: {said}");
    }
    let said = error(&session, "SELECT in_fault(timestamp) FROM logs").await;
    assert!(said.contains("in_fault(snapshot, time)"), "{said}");
    let known = answer(
        &session,
        "SELECT snapshot, application FROM snapshots ORDER BY 1",
    )
    .await;
    assert!(known.contains(PORT) && known.contains(SCALE), "{known}");
}

#[tokio::test]
async fn several_threads_answer_as_one_does() {
    let names = [KILL, PORT, SCALE];
    let open = async |jobs| {
        let limits = SqlLimits {
            jobs,
            ..SqlLimits::default()
        };
        let snapshots = names.iter().map(|name| sample(name)).collect();
        SqlSession::open_all(snapshots, Clock::End, &limits)
            .await
            .unwrap()
    };
    let (one, two) = (open(1).await, open(2).await);
    for text in [
        "SELECT snapshot, service, count(*), max(duration_ms) FROM spans GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT snapshot, resource, name, path, after FROM changes ORDER BY 1, 2, 3, 4, 5",
        "SELECT snapshot, name, count(*) FROM metrics GROUP BY 1, 2 ORDER BY 1, 2",
        "SELECT snapshot, name, target_ports, ready_addresses FROM services ORDER BY 1, 2",
    ] {
        assert_eq!(answer(&one, text).await, answer(&two, text).await, "{text}");
    }
    let plan = answer(&two, "EXPLAIN SELECT count(*) FROM spans").await;
    assert!(plan.contains("2 groups"), "{plan}");
}

#[tokio::test]
async fn windows_are_there_where_the_truth_is() {
    let one = session_of_one().await;
    let text = "SELECT count(*) FROM logs WHERE in_fault(timestamp)";
    let joined = "SELECT count(*) FROM logs JOIN windows ON logs.snapshot = windows.snapshot
                  WHERE \"window\" = 'fault' AND timestamp >= \"from\" AND timestamp < \"to\"";
    let lines = value(&one, text).await;
    assert_eq!(lines, value(&one, joined).await);
    assert_ne!(lines, "0");
    let injected = "SELECT since(windows.snapshot, 'fault') < \"from\" FROM windows WHERE \"window\" = 'fault'";
    assert_eq!(value(&one, injected).await, "true");
    let two = session(&[PORT, SCALE]).await;
    let text = format!(
        "SELECT count(*) FROM logs WHERE in_fault(snapshot, timestamp) AND snapshot = '{PORT}'"
    );
    assert_eq!(value(&two, &text).await, lines);

    let folder = tempfile::tempdir().unwrap();
    let bare = Utf8Path::from_path(folder.path()).unwrap().join("bare");
    copy_without_withheld(sample(PORT).1.dir(), &bare);
    let bare = SqlSession::open(&Snapshot::open(&bare).unwrap(), Clock::End)
        .await
        .unwrap();
    for text in [
        "SELECT * FROM windows",
        "SELECT in_fault(timestamp) FROM logs",
        "SELECT since(snapshot, 'fault') FROM snapshots",
    ] {
        let said = error(&bare, text).await;
        assert!(
            said.contains("withheld") || said.contains("such as 5m"),
            "{text}: {said}"
        );
    }
    assert!(
        !value(&bare, "SELECT since(snapshot, '90s') FROM snapshots")
            .await
            .is_empty()
    );
}

fn copy_without_withheld(from: &Utf8Path, to: &Utf8Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in from.read_dir_utf8().unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true if entry.file_name() == "withheld" => {}
            true => copy_without_withheld(entry.path(), &target),
            false => drop(std::fs::copy(entry.path(), target).unwrap()),
        }
    }
}

#[tokio::test]
async fn functions_answer() {
    let session = session_of_one().await;
    for (text, expected) in [
        ("age(now() - INTERVAL '330 seconds')", "5m30s"),
        (
            "age(now() - INTERVAL '3 hours', now() - INTERVAL '1 hour')",
            "120m",
        ),
        ("quantity('250m')", "0.25"),
        ("quantity('64Mi')", "67108864.0"),
        ("quantity('a lot')", ""),
        ("template('took 3ms')", "took *ms"),
        ("changed_paths('{\"a\":1}', '{\"a\":2}')[1]['after']", "2"),
        (
            "in_baseline(since('k8s_target_port_misconfig_testbed-1', 'baseline'))",
            "true",
        ),
        (
            "in_fault(since('k8s_target_port_misconfig_testbed-1', 'baseline'))",
            "false",
        ),
        (
            "since('k8s_target_port_misconfig_testbed-1', '1m') = now() - INTERVAL '1 minute'",
            "true",
        ),
    ] {
        let expected = expected.replace("*ms", "*");
        assert_eq!(
            value(&session, &format!("SELECT {text}")).await,
            expected,
            "{text}"
        );
    }
    let said = error(&session, "SELECT age()").await;
    assert!(said.contains("age(time [, now])"), "{said}");
    let said = error(&session, "SELECT since(snapshot, 'soon') FROM snapshots").await;
    assert!(said.contains("is no moment"), "{said}");
    let labels =
        "SELECT count(*) FROM metrics WHERE labels['job'] = 'kubernetes-pods' AND name = 'up'";
    assert_ne!(value(&session, labels).await, "0");
}

#[tokio::test]
async fn views_show_the_incident() {
    let port = session_of_one().await;
    let changes = answer(
        &port,
        "SELECT resource, name, path, before, after FROM changes WHERE resource = 'services'",
    )
    .await;
    assert!(
        changes.contains("| services | rate | spec.ports[name=http].targetPort | 8080   | 9999"),
        "{changes}"
    );
    let edge =
        "SELECT errors > 0 FROM edges WHERE caller = 'search' AND callee = 'rate' AND errors > 0";
    assert_eq!(value(&port, edge).await, "true");
    let templates = answer(
        &port,
        "SELECT template FROM log_templates WHERE service = 'search' AND template LIKE '%refused%'",
    )
    .await;
    assert!(
        templates.contains("connection refused: rate:*"),
        "{templates}"
    );
    let services = answer(
        &port,
        "SELECT target_ports, ready_addresses FROM services WHERE name = 'rate'",
    )
    .await;
    assert!(services.contains("| 9999 "), "{services}");

    let scale = session(&[SCALE]).await;
    let text = "SELECT desired, ready FROM deployments WHERE name = 'recommendation'";
    let deployment = answer(&scale, text).await;
    assert!(deployment.contains("| 0       | 0     |"), "{deployment}");
    let text = "SELECT ready_addresses FROM services WHERE name = 'recommendation'";
    assert_eq!(value(&scale, text).await, "0");
    let deleted = answer(
        &scale,
        "SELECT resource FROM changes WHERE change = 'deleted'",
    )
    .await;
    assert!(deleted.contains("| pods "), "{deleted}");

    let kill = session(&[KILL]).await;
    let text = "SELECT status, restarts FROM pods WHERE name LIKE 'rate-554%'";
    let pods = answer(&kill, text).await;
    let text = "SELECT sum(restarts) FROM containers WHERE pod LIKE 'rate-554%'";
    let restarts = value(&kill, text).await;
    assert!(
        pods.contains(&format!("| {restarts} ")) && restarts != "0",
        "{pods}"
    );
}

#[tokio::test]
async fn counters_that_begin_again_are_no_fall() {
    let port = session_of_one().await;
    let text = "SELECT count(*) FROM rates WHERE increase < 0 OR seconds <= 0 OR rate IS NULL";
    assert_eq!(value(&port, text).await, "0");
    // Without a reset, increases add up to what the counter grew by.
    let text = "SELECT count(*) FROM (
        SELECT series_id, sum(increase) AS sum FROM rates WHERE name = 'http_requests_total'
        GROUP BY series_id HAVING NOT bool_or(reset)) AS rates
      JOIN (SELECT series_id, max(value) - min(value) AS growth FROM metrics
            WHERE name = 'http_requests_total' AND NOT isnan(value) GROUP BY series_id) AS metrics
        ON rates.series_id = metrics.series_id
      WHERE abs(sum - growth) > 1e-9";
    assert_eq!(value(&port, text).await, "0");
    let kill = session(&[KILL]).await;
    let text = "SELECT count(*) FROM rates WHERE reset AND pod LIKE 'rate-554%'";
    assert_ne!(value(&kill, text).await, "0");
}

#[tokio::test]
async fn what_needs_more_memory_is_spilled_or_fails() {
    let sorting = "SELECT max(n) + sum(length(attributes) + length(resource)) FROM (
        SELECT attributes, resource, row_number() OVER (ORDER BY attributes, trace_id, span_id) AS n FROM spans)";
    let small = |spill| SqlLimits {
        memory: 32 << 20,
        spill,
        jobs: 1,
    };
    let open = async |limits: &SqlLimits| {
        SqlSession::open_all(vec![sample(PORT)], Clock::End, limits)
            .await
            .unwrap()
    };
    let said = error(&open(&small(None)).await, sorting).await;
    assert!(said.contains("give it more memory"), "{said}");
    let folder = tempfile::tempdir().unwrap();
    let spilling = open(&small(Some(folder.path().to_owned()))).await;
    let enough = session_of_one().await;
    assert_eq!(
        value(&spilling, sorting).await,
        value(&enough, sorting).await
    );
}

#[tokio::test]
async fn progress_is_what_was_read() {
    let session = session_of_one().await;
    let mut running = session.start("SELECT service FROM spans").await.unwrap();
    let progress = running.progress();
    let mut rows = 0;
    while let Some(batch) = running.next().await.unwrap() {
        rows += batch.num_rows();
    }
    let (read, bytes) = progress.read();
    assert!(
        read >= rows && rows > 1000 && bytes > 1000,
        "{read} {bytes} {rows}"
    );
}

#[tokio::test]
async fn a_query_that_is_dropped_ends() {
    let session = session_of_one().await;
    let text = "SELECT sum(a.flags + b.series_id) FROM spans AS a CROSS JOIN metric_samples AS b";
    let mut running = session.start(text).await.unwrap();
    let limit = std::time::Duration::from_millis(500);
    assert!(tokio::time::timeout(limit, running.next()).await.is_err());
}
