//! What is answered: every table, every type, parameters, errors.

use std::time::{Duration, SystemTime};

use tokio_postgres::SimpleQueryMessage;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::server::{Server, refused, value};
use crate::program::Place;

const PORT: &str = "k8s_target_port_misconfig_testbed-1";
const SCALE: &str = "scale_pod_zero_testbed-1";

#[tokio::test]
async fn every_table_and_view_comes_through() {
    let place = Place::new();
    let server = Server::start(&place, &[PORT]);
    let client = server.client().await;
    let tables = client
        .query(
            "SELECT table_schema, table_name FROM information_schema.tables
             WHERE table_schema IN ('public', 'raw') ORDER BY 1, 2",
            &[],
        )
        .await
        .unwrap();
    let mut names = Vec::new();
    for row in &tables {
        let (schema, name): (String, String) = (row.get(0), row.get(1));
        let text = format!("SELECT * FROM {schema}.\"{name}\" LIMIT 5");
        let prepared = client.prepare(&text).await.unwrap();
        let binary = client.query(&prepared, &[]).await;
        let binary = binary.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let plain = client.simple_query(&text).await;
        let plain = plain.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let rows = plain
            .iter()
            .filter(|message| matches!(message, SimpleQueryMessage::Row(_)));
        assert_eq!(rows.count(), binary.len(), "{text}");
        let columns = prepared.columns();
        assert_eq!(columns[0].name(), "snapshot", "{text}");
        // Every cell of the binary form is a value of the type that was told.
        for (column, told) in columns.iter().enumerate() {
            for row in &binary {
                check_cell(row, column, told.type_());
            }
        }
        names.push(format!("{schema}.{name}"));
    }
    for view in aiopslab_replay::sql::views() {
        assert!(
            names.contains(&format!("public.{}", view.name)),
            "{}",
            view.name
        );
    }
    for table in [
        "public.windows",
        "public.snapshots",
        "raw.log_lines",
        "raw.spans",
    ] {
        assert!(names.contains(&table.to_owned()), "{table}: {names:?}");
    }
}

fn check_cell(row: &tokio_postgres::Row, column: usize, told: &Type) {
    let name = row.columns()[column].name().to_owned();
    let read = match *told {
        Type::TEXT => row.try_get::<_, Option<String>>(column).map(drop),
        Type::INT2 => row.try_get::<_, Option<i16>>(column).map(drop),
        Type::INT4 => row.try_get::<_, Option<i32>>(column).map(drop),
        Type::INT8 => row.try_get::<_, Option<i64>>(column).map(drop),
        Type::FLOAT8 => row.try_get::<_, Option<f64>>(column).map(drop),
        Type::BOOL => row.try_get::<_, Option<bool>>(column).map(drop),
        Type::BYTEA => row.try_get::<_, Option<Vec<u8>>>(column).map(drop),
        Type::TIMESTAMPTZ => row.try_get::<_, Option<SystemTime>>(column).map(drop),
        Type::TEXT_ARRAY => row
            .try_get::<_, Option<Vec<Option<String>>>>(column)
            .map(drop),
        // The client has no type for it: the text form is looked at instead.
        Type::NUMERIC => Ok(()),
        ref other => panic!("{name} is {other}"),
    };
    read.unwrap_or_else(|error| panic!("{name}: {error:?}"));
}

#[tokio::test]
async fn values_have_their_types() {
    let place = Place::new();
    let server = Server::start(&place, &[PORT]);
    let client = server.client().await;
    let text = "SELECT labels FROM metrics WHERE name = 'up' AND labels['job'] IS NOT NULL LIMIT 1";
    let labels: serde_json::Value = serde_json::from_str(&value(&client, text).await).unwrap();
    assert!(labels["job"].is_string(), "{labels}");
    let rows = client
        .query(
            "SELECT timestamp, message, seq, true AS yes, 1.5 AS half, ARRAY['a', NULL] AS list,
                    CAST(NULL AS TIMESTAMP) AS nothing
             FROM log_lines ORDER BY timestamp LIMIT 1",
            &[],
        )
        .await
        .unwrap();
    let timestamp: SystemTime = rows[0].get(0);
    let message: Vec<u8> = rows[0].get(1);
    assert!(!message.is_empty());
    let (yes, half): (bool, f64) = (rows[0].get("yes"), rows[0].get("half"));
    assert!(yes && half == 1.5);
    let list: Vec<Option<String>> = rows[0].get("list");
    assert_eq!(list, [Some("a".to_owned()), None]);
    assert_eq!(rows[0].get::<_, Option<SystemTime>>("nothing"), None);
    // The text form of a moment has the same microseconds.
    let text = "SELECT timestamp FROM log_lines ORDER BY timestamp LIMIT 1";
    let shown = value(&client, text).await;
    let shown: jiff::Timestamp = shown.parse().unwrap();
    let shown = SystemTime::from(shown);
    assert_eq!(shown, timestamp);
    let large = "SELECT arrow_cast('18446744073709551615', 'UInt64')";
    assert_eq!(value(&client, large).await, "18446744073709551615");
    let nested = "SELECT changed_paths('{\"a\":1}', '{\"a\":2}')";
    assert_eq!(
        value(&client, nested).await,
        "[{\"path\":\"a\",\"before\":\"1\",\"after\":\"2\"}]"
    );
    let chosen = "SELECT json_get(object, 'kind') FROM pods LIMIT 1";
    assert!(value(&client, chosen).await.contains("Pod"));
}

#[tokio::test]
async fn parameters_are_values_of_their_columns_types() {
    let place = Place::new();
    let server = Server::start(&place, &[PORT]);
    let client = server.client().await;
    let latest = "SELECT max(timestamp) FROM logs";
    let latest: SystemTime = client.query_one(latest, &[]).await.unwrap().get(0);
    let statement = client
        .prepare("SELECT service, message FROM logs WHERE service = $1 AND timestamp >= $2 ORDER BY timestamp LIMIT $3")
        .await
        .unwrap();
    assert_eq!(
        statement.params(),
        [Type::TEXT, Type::TIMESTAMPTZ, Type::INT8]
    );
    let since = latest - Duration::from_secs(600);
    let rows = client
        .query(&statement, &[&"search", &since, &3_i64])
        .await
        .unwrap();
    assert_eq!(rows.len(), 3);
    assert!(rows.iter().all(|row| row.get::<_, &str>(0) == "search"));
    let rows = client
        .query(&statement, &[&"search", &latest, &3_i64])
        .await
        .unwrap();
    assert!(rows.len() < 3);
    // A cursor of the protocol: some rows, then the others.
    let mut client = client;
    let transaction = client.transaction().await.unwrap();
    let portal = transaction
        .bind(
            "SELECT service FROM logs WHERE service = $1 LIMIT 7",
            &[&"search"],
        )
        .await
        .unwrap();
    let first = transaction.query_portal(&portal, 5).await.unwrap();
    let rest = transaction.query_portal(&portal, 0).await.unwrap();
    assert_eq!((first.len(), rest.len()), (5, 2));
    transaction.commit().await.unwrap();
}

#[tokio::test]
async fn one_query_goes_over_many_snapshots() {
    let place = Place::new();
    let server = Server::start(&place, &[PORT, SCALE]);
    let client = server.client().await;
    let text = "SELECT snapshot, count(*) FROM logs GROUP BY snapshot ORDER BY snapshot";
    let rows = client.query(text, &[]).await.unwrap();
    for (row, name) in rows.iter().zip([PORT, SCALE]) {
        assert_eq!(row.get::<_, &str>(0), name);
        let alone = place.ok(&[
            "sql",
            "-s",
            name,
            "select count(*) from logs",
            "--format",
            "csv",
        ]);
        let count: i64 = row.get(1);
        assert_eq!(alone.lines().last().unwrap(), count.to_string(), "{name}");
    }
    let error = refused(&client, "SELECT now()", &SqlState::INVALID_PARAMETER_VALUE).await;
    assert!(error.message().contains("clock(snapshot)"), "{error:?}");
}

#[tokio::test]
async fn now_is_the_clock() {
    let place = Place::new();
    let server = Server::start(&place, &[PORT, "--clock", "before-fault"]);
    let client = server.client().await;
    let ours = place.ok(&[
        "sql",
        "-s",
        PORT,
        "--clock",
        "before-fault",
        "select count(*) from logs where timestamp <= now()",
        "--format",
        "csv",
    ]);
    let text = "SELECT count(*) FROM logs WHERE timestamp <= now()";
    assert_eq!(ours.lines().last().unwrap(), value(&client, text).await);
    place.refused_as_usage(
        &["serve", PORT, "--http", "127.0.0.1:0", "--clock", "end"],
        &["--clock"],
    );
}

#[tokio::test]
async fn mistakes_are_told_with_code_and_hint_and_writes_refused() {
    let place = Place::new();
    let server = Server::start(&place, &[PORT]);
    let client = server.client().await;
    for (text, code, says, hint) in [
        (
            "SELECT * FROM nothing",
            SqlState::UNDEFINED_TABLE,
            "nothing",
            "the tables are calls",
        ),
        (
            "SELECT nothing FROM logs",
            SqlState::UNDEFINED_COLUMN,
            "nothing",
            "DESCRIBE TABLE",
        ),
        (
            "SELECT nothing(1)",
            SqlState::UNDEFINED_FUNCTION,
            "nothing",
            "SHOW FUNCTIONS",
        ),
        ("SELECT 1 +", SqlState::SYNTAX_ERROR, "", "SHOW TABLES"),
        (
            "SELECT since(snapshot, 'soon') FROM snapshots",
            SqlState::INVALID_PARAMETER_VALUE,
            "is no moment",
            "5m",
        ),
    ] {
        let error = refused(&client, text, &code).await;
        assert!(error.message().contains(says), "{text}: {error:?}");
        assert!(error.hint().unwrap().contains(hint), "{text}: {error:?}");
    }
    let read_only = SqlState::READ_ONLY_SQL_TRANSACTION;
    for text in [
        "INSERT INTO spans SELECT * FROM spans",
        "UPDATE spans SET service = ''",
        "DELETE FROM spans",
        "CREATE TABLE x AS SELECT 1",
        "CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '/etc/passwd'",
        "DROP TABLE logs",
        "TRUNCATE logs",
        "COPY logs TO '/tmp/x.csv'",
        "COPY logs FROM STDIN",
        "EXPLAIN ANALYZE INSERT INTO spans SELECT * FROM spans",
        "DECLARE c CURSOR FOR SELECT 1",
    ] {
        let error = client.simple_query(text).await.unwrap_err();
        let code = error.code().unwrap().clone();
        assert!(
            code == read_only || code == SqlState::SYNTAX_ERROR,
            "{text}: {error:?}"
        );
    }
    let error = refused(&client, "DROP TABLE logs", &read_only).await;
    assert!(
        error.message().contains("snapshots are read-only"),
        "{error:?}"
    );
    let error = client
        .query("DELETE FROM logs WHERE service = $1", &[&"x"])
        .await;
    assert_eq!(error.unwrap_err().code(), Some(&read_only));
    // The session goes on, and is as it was.
    for (text, rows) in [
        ("SHOW TABLES", true),
        ("DESCRIBE logs", true),
        ("EXPLAIN SELECT * FROM logs", true),
        ("EXPLAIN ANALYZE SELECT count(*) FROM logs", true),
        ("SHOW server_version", true),
        ("-- nothing", false),
    ] {
        let said = client.simple_query(text).await;
        let said = said.unwrap_or_else(|error| panic!("{text}: {error:?}"));
        let has_rows = said
            .iter()
            .any(|message| matches!(message, SimpleQueryMessage::Row(_)));
        assert_eq!(has_rows, rows, "{text}");
    }
}
