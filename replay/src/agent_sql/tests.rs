use aiopslab_datasets::rows::Coverage;
use aiopslab_problems::action::SQL_VIEWS;

use super::*;
use crate::clock::Clock;
use crate::recording::Recording;
use crate::testing::{TestSnapshot, at};
use crate::view::{ObjectQuery, View};

async fn ask(now: i64, text: &str) -> Observation {
    let test = TestSnapshot::new();
    let recording = Recording::open(&test.snapshot, now).unwrap();
    recording.query_sql(text).await.unwrap()
}

fn row(table: Table, state: &str) -> Coverage {
    Coverage {
        table: table.name().to_owned(),
        source: String::new(),
        scope: String::new(),
        from: at(0),
        to: at(200),
        state: state.to_owned(),
        reason: None,
        from_is_source_start: false,
    }
}

async fn text(now: i64, query: &str) -> String {
    let answer = ask(now, query).await;
    assert_eq!(
        answer.verdict,
        Verdict::Answered,
        "{query}: {}",
        answer.text
    );
    answer.text
}

#[tokio::test]
async fn views_hold_what_was_true_or_finished() {
    let count = async |view: &str, seconds: i64| {
        let query = format!("SELECT count(*) AS n FROM {view}");
        text(at(seconds), &query).await.trim().replace("n\n", "")
    };
    for (view, seconds, rows) in [
        ("logs", 100, "2"),
        ("logs", 200, "3"),
        ("logs", 89, "1"),
        ("metrics", 100, "3"),
        ("metrics", 4, "0"),
        ("traces", 100, "3"),
        ("traces", 99, "2"),
        ("traces", 11, "1"),
        ("objects", 100, "2"),
    ] {
        assert_eq!(count(view, seconds).await, rows, "{view} at {seconds}");
    }
    assert_eq!(
        text(
            at(100),
            "SELECT now() AS now, current_timestamp() = now() AS same"
        )
        .await,
        "now,same\n2023-11-14T22:15:00Z,true\n"
    );
    assert_eq!(
        text(
            at(100),
            "SELECT message FROM logs ORDER BY timestamp DESC LIMIT 1"
        )
        .await,
        "message\ntwo\n"
    );
    assert_eq!(
        text(at(100), "WITH m AS (SELECT labels['pod'] AS pod, value FROM metrics) SELECT pod, max(value) AS v FROM m GROUP BY pod").await.lines().next(),
        Some("pod,v")
    );
    // Ends of coverage that are yet to come are not told.
    let covered = text(
        at(50),
        "SELECT max(\"to\") <= now() AS hidden FROM coverage",
    )
    .await;
    assert_eq!(covered, "hidden\ntrue\n");
}

#[tokio::test]
async fn agents_are_told_the_columns_that_there_are() {
    let test = TestSnapshot::new();
    let recording = Recording::open(&test.snapshot, at(200)).unwrap();
    let sql = AgentSql::open(recording.tables(), at(200)).await.unwrap();
    let recorded = Table::ALL.map(|table| row(table, "recorded")).to_vec();
    let recorded = CoverageAt::new(recorded, at(200));
    let ask = async |query: &str| sql.query(query, &recorded).await.text;
    for (view, columns, _) in SQL_VIEWS {
        let query = format!("SELECT * FROM {view} WHERE false");
        let answer = ask(&query).await;
        let told = columns.replace(['"', ' '], "");
        assert_eq!(answer.trim(), told, "{view}");
    }
    assert_eq!(
        SQL_VIEWS.map(|view| view.0),
        views::VIEWS.map(|view| view.name)
    );
}

#[tokio::test]
async fn an_order_is_not_left_to_chance() {
    assert_eq!(
        text(at(200), "SELECT message FROM logs").await,
        "message\none\nthree\ntwo\n"
    );
}

#[tokio::test]
async fn only_a_select_over_the_views_runs() {
    for (query, says) in [
        ("INSERT INTO logs SELECT * FROM logs", "INSERT is refused"),
        ("CREATE TABLE x AS SELECT 1", "CREATE is refused"),
        (
            "CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/etc'",
            "CREATE is refused",
        ),
        ("COPY logs TO '/tmp/x.csv'", "COPY is refused"),
        ("DROP VIEW logs", "DROP is refused"),
        ("SET datafusion.execution.batch_size = 1", "SET is refused"),
        ("EXPLAIN SELECT 1", "EXPLAIN is refused"),
        ("SHOW TABLES", "SHOW is refused"),
        ("DESCRIBE logs", "the views are:\n    coverage("),
        ("VALUES (1)", "this is no SELECT"),
        ("SELECT 1 INTO x", "hint:"),
        ("SELECT 1; SELECT 2", "hint:"),
        ("", "hint:"),
        ("SELEC 1", "hint:"),
        (
            "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT * FROM r",
            "RECURSIVE is refused",
        ),
        ("SELECT * FROM log_lines", "the views are:\n    coverage("),
        ("SELECT * FROM spans", "the views are:"),
        ("SELECT * FROM metric_series", "the views are:"),
        ("SELECT * FROM object_versions", "the views are:"),
        ("SELECT * FROM windows", "the views are:"),
        ("SELECT * FROM truth", "the views are:"),
        ("SELECT * FROM withheld.logs", "the views are:"),
        ("SELECT * FROM information_schema.tables", "hint:"),
        ("SELECT * FROM '/etc/passwd'", "the views are:"),
        ("SELECT * FROM \"withheld/truth.json\"", "the views are:"),
        ("SELECT * FROM range(1, 1000000000)", "hint:"),
        ("SELECT random()", "the functions are abs"),
        ("SELECT uuid()", "the functions are abs"),
        ("SELECT version()", "the functions are abs"),
        ("SELECT repeat('x', 1000000000)", "the functions are abs"),
        ("SELECT nosuch FROM logs", "No field named nosuch"),
    ] {
        let answer = ask(at(200), query).await;
        assert_eq!(answer.verdict, Verdict::Invalid, "{query}: {}", answer.text);
        assert!(
            answer.text.starts_with("Error: "),
            "{query}: {}",
            answer.text
        );
        assert!(answer.text.contains(says), "{query}: {}", answer.text);
    }
}

#[tokio::test]
async fn work_and_answers_have_limits() {
    let ones = "(SELECT 1 AS one FROM logs UNION ALL SELECT 1 FROM logs UNION ALL SELECT 1 FROM logs UNION ALL SELECT 1 FROM logs)";
    // 12 rows each: 12^8 rows, joined on equal numbers or on none.
    for on in ["ON a.one = b.one", "ON a.one <= b.one"] {
        let mut query = format!("SELECT count(*) FROM {ones} a JOIN {ones} b {on}");
        for name in ["c", "d", "e", "f", "g", "h"] {
            query.push_str(&format!(" JOIN {ones} {name} {}", on.replace('b', name)));
        }
        let answer = ask(at(200), &query).await;
        assert_eq!(answer.verdict, Verdict::Invalid, "{}", answer.text);
        assert!(answer.text.contains(meter::EXCEEDED), "{}", answer.text);
    }
    let many = format!("SELECT a.one FROM {ones} a, {ones} b, {ones} c");
    let answer = text(at(200), &many).await;
    assert_eq!(answer.lines().count(), 1 + ROWS + 1);
    assert!(answer.ends_with(
        "notice: only the first 1000 rows are shown; narrow the query down or aggregate\n"
    ));
}

#[tokio::test]
async fn of_a_visible_and_a_withheld_version_the_newest_is_shown() {
    let test = TestSnapshot::new();
    let query = "SELECT name, json_get_str(object, 'status', 'phase') AS phase FROM objects \
                 WHERE resource = 'pods'";
    for (seconds, visible, all) in [
        (106, "Running", "Running"),
        (120, "Running", "Withheld"),
        (199, "Succeeded", "Succeeded"),
    ] {
        let agent = Recording::open(&test.snapshot, at(seconds)).unwrap();
        let upstream = Recording::open_with_withheld(&test.snapshot, at(seconds)).unwrap();
        for (recording, phase) in [(agent, visible), (upstream, all)] {
            let answer = recording.query_sql(query).await.unwrap();
            assert_eq!(answer.text.trim(), format!("name,phase\ngeo-2,{phase}"));
            let pods = ObjectQuery::all("", "pods", None);
            let pods = recording.objects(&pods).await.unwrap();
            assert_eq!(
                (pods.len(), &pods[0].object["status"]["phase"]),
                (1, &phase.into())
            );
        }
    }
}

#[tokio::test]
async fn nothing_is_empty_only_where_it_was_recorded() {
    let nothing = ask(at(200), "SELECT * FROM logs WHERE message = 'nosuch'").await;
    assert_eq!(nothing.verdict, Verdict::Empty, "{}", nothing.text);
    let test = TestSnapshot::new();
    let recording =
        Recording::open(&test.snapshot, Clock::End.resolve(&test.snapshot).unwrap()).unwrap();
    let sql = AgentSql::open(recording.tables(), at(200)).await.unwrap();
    let coverage = |state: &str| CoverageAt::new(vec![row(Table::LogLines, state)], at(200));
    for (state, verdict) in [
        ("missing", Verdict::NotCaptured),
        ("partial", Verdict::Partial),
        ("recorded", Verdict::Empty),
    ] {
        let query = "SELECT count(*) FROM logs HAVING count(*) > 99";
        let answer = sql.query(query, &coverage(state)).await;
        assert_eq!(answer.verdict, verdict, "{state}: {}", answer.text);
    }
}

#[tokio::test]
async fn what_people_have_is_not_there() {
    for text in [
        "SELECT * FROM windows",
        "SELECT * FROM snapshots",
        "SELECT * FROM raw.spans",
        "SELECT * FROM changes",
        "SELECT in_fault(timestamp) FROM logs",
        "SELECT in_baseline(timestamp) FROM logs",
        "SELECT clock('a')",
        "SELECT since('a', 'fault')",
        "SELECT snapshot FROM logs",
    ] {
        let answer = ask(at(150), text).await;
        assert_eq!(answer.verdict, Verdict::Invalid, "{text}: {}", answer.text);
    }
}
