use std::collections::BTreeMap;

use arrow::util::pretty::pretty_format_batches;

use super::*;
use crate::queries::query;
use crate::testing::TestSnapshot;

async fn answer(session: &SqlSession, text: &str) -> String {
    let answer = session.query(text).await.unwrap();
    pretty_format_batches(&answer.batches).unwrap().to_string()
}

async fn named(session: &SqlSession, name: &str) -> String {
    answer(
        session,
        &query(name).unwrap().render(&BTreeMap::new()).unwrap(),
    )
    .await
}

#[tokio::test]
async fn now_is_the_clock() {
    let test = TestSnapshot::new();
    let before = SqlSession::open(&test.snapshot, Clock::BeforeFault)
        .await
        .unwrap();
    let text = answer(&before, "SELECT now() AS now").await;
    assert!(text.contains("2023-11-14T22:14:59.999999999Z"), "{text}");
    for (view, rows) in [
        ("logs", 2),
        ("objects", 2),
        ("metrics", 3),
        ("traces", 2),
        ("events", 0),
    ] {
        let text = format!("SELECT * FROM {view}");
        assert_eq!(before.query(&text).await.unwrap().rows(), rows, "{view}");
    }
    assert_eq!(
        before
            .query("SELECT * FROM log_lines")
            .await
            .unwrap()
            .rows(),
        3
    );
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
    ] {
        let error = session.query(text).await.unwrap_err();
        assert!(
            matches!(&error, ReplayError::Write { statement } if statement == word),
            "{error}"
        );
    }
    let error = session
        .query("SELECT * FROM pods")
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("the tables are coverage"), "{error}");
    for text in ["SHOW TABLES", "DESCRIBE spans", "EXPLAIN SELECT 1"] {
        assert!(session.query(text).await.unwrap().rows() > 0, "{text}");
    }
}

#[tokio::test]
async fn named_queries_answer() {
    let test = TestSnapshot::new();
    let session = SqlSession::open(&test.snapshot, Clock::End).await.unwrap();
    let changed = named(&session, "what-changed").await;
    assert!(
        changed.contains("services/geo") && changed.contains("spec.ports"),
        "{changed}"
    );
    assert_eq!(changed.lines().count(), 5, "{changed}");
    let edges = named(&session, "error-spans-by-edge").await;
    assert!(
        edges.contains("| frontend  | geo      | 2     | 1      | 50.0"),
        "{edges}"
    );
    let restarts = named(&session, "restarts").await;
    assert!(
        restarts.contains("geo-2") && restarts.contains("OOMKilled"),
        "{restarts}"
    );
    let before = SqlSession::open(&test.snapshot, Clock::BeforeFault)
        .await
        .unwrap();
    assert_eq!(named(&before, "what-changed").await.lines().count(), 2);
}
