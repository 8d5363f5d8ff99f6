//! Clients and their sessions: who is let in, several at once, queries that are ended, the end.

use std::time::{Duration, Instant};

use tokio::task::JoinHandle;
use tokio_postgres::error::SqlState;
use tokio_postgres::{CancelToken, NoTls, SimpleQueryMessage};

use super::server::{Server, refused, value};
use crate::program::Place;

const SAMPLE: &str = "scale_pod_zero_testbed-1";

/// It takes longer than any test.
const LONG: &str =
    "SELECT sum(a.series_id + b.series_id) FROM metric_samples AS a CROSS JOIN metric_samples AS b";

#[tokio::test]
async fn sessions_are_what_clients_expect() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE]);
    let client = server.client().await;
    let said = client
        .simple_query("SELECT 1 AS a; SELECT 2 AS a; BEGIN; COMMIT")
        .await;
    let rows: Vec<String> = said
        .unwrap()
        .iter()
        .filter_map(|message| match message {
            SimpleQueryMessage::Row(row) => row.get("a").map(str::to_owned),
            _ => None,
        })
        .collect();
    assert_eq!(rows, ["1", "2"]);
    for text in [
        "SET application_name = 'test'",
        "SET client_encoding TO 'UTF8'",
        "SET TIME ZONE 'UTC'",
        "SET extra_float_digits = 3",
    ] {
        client.simple_query(text).await.unwrap();
    }
    for text in [
        "SET datafusion.execution.batch_size = 1",
        "SET TIME ZONE 'Europe/Berlin'",
    ] {
        let error = refused(&client, text, &SqlState::FEATURE_NOT_SUPPORTED).await;
        assert!(error.message().contains("is refused"), "{error:?}");
    }
    // A transaction that has failed answers nothing until it ends.
    client.simple_query("BEGIN").await.unwrap();
    refused(&client, "SELECT * FROM nothing", &SqlState::UNDEFINED_TABLE).await;
    refused(&client, "SELECT 1", &SqlState::IN_FAILED_SQL_TRANSACTION).await;
    client.simple_query("ROLLBACK").await.unwrap();
    assert_eq!(value(&client, "SELECT 1").await, "1");
    // What clients look tables up in.
    let tables = "SELECT count(*) FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
                  WHERE n.nspname = 'public' AND pg_catalog.pg_table_is_visible(c.oid) AND c.relname IN ('logs', 'pods')";
    assert_eq!(value(&client, tables).await, "2");
}

/// How long a request to cancel may take to be heard: it comes on a connection of its own, and nobody answers it.
const ARRIVES: Duration = Duration::from_secs(1);

/// Asks for the end of what was asked until it has ended: a request that comes while a statement is still understood
/// finds nothing to end. Waits for those that come too late, which would end what is asked next.
async fn cancelled<T>(cancel: &CancelToken, asked: JoinHandle<T>) -> T {
    while !asked.is_finished() {
        cancel.cancel_query(NoTls).await.unwrap();
        tokio::time::sleep(ARRIVES).await;
    }
    asked.await.unwrap()
}

#[tokio::test]
async fn a_query_is_ended_while_others_are_answered() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE]);
    let (one, other) = (server.client().await, server.client().await);
    let cancel = one.cancel_token();
    let long = tokio::spawn(async move { (one.simple_query(LONG).await, one) });
    let begun = Instant::now();
    for _ in 0..5 {
        assert_ne!(value(&other, "SELECT count(*) FROM logs").await, "0");
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!long.is_finished());
    let (ended, one) = cancelled(&cancel, long).await;
    assert_eq!(ended.unwrap_err().code(), Some(&SqlState::QUERY_CANCELED));
    assert_eq!(value(&one, "SELECT 1").await, "1");
    // Likewise a statement that was prepared; and nothing later.
    let cancel = one.cancel_token();
    let long = tokio::spawn(async move { (one.query(LONG, &[]).await.map(drop), one) });
    let (ended, one) = cancelled(&cancel, long).await;
    assert_eq!(ended.unwrap_err().code(), Some(&SqlState::QUERY_CANCELED));
    cancel.cancel_query(NoTls).await.unwrap();
    tokio::time::sleep(ARRIVES).await;
    assert_eq!(value(&one, "SELECT 1").await, "1");
    assert!(begun.elapsed() < Duration::from_secs(300));
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_nothing_running() {
    let place = Place::new();
    let mut server = Server::start(&place, &[SAMPLE]);
    let (client, connection) = server.connection(None).await.unwrap();
    let idle = server.client().await;
    let long = tokio::spawn(async move { client.simple_query(LONG).await.map(drop) });
    tokio::time::sleep(Duration::from_millis(500)).await;
    connection.abort();
    assert!(long.await.unwrap().is_err());
    tokio::time::sleep(Duration::from_millis(500)).await;
    let begun = Instant::now();
    let stopping = tokio::task::spawn_blocking(move || server.stop());
    assert!(stopping.await.unwrap(), "it ends well");
    // A query under way would have had ten seconds.
    assert!(
        begun.elapsed() < Duration::from_secs(8),
        "{:?}",
        begun.elapsed()
    );
    assert!(idle.simple_query("SELECT 1").await.is_err());
}

#[tokio::test]
async fn answers_under_way_are_finished_before_the_end() {
    let place = Place::new();
    let mut server = Server::start(&place, &[SAMPLE]);
    let client = server.client().await;
    let text = "SELECT count(*) FROM metric_samples AS a CROSS JOIN metric_samples AS b WHERE a.value < b.value";
    let asked = tokio::spawn(async move { client.simple_query(text).await });
    tokio::time::sleep(Duration::from_millis(300)).await;
    let stopping = tokio::task::spawn_blocking(move || server.stop());
    let answered = asked.await.unwrap();
    assert!(stopping.await.unwrap(), "it ends well");
    // A slow machine may not finish in time; what it answers is whole.
    if let Ok(said) = answered {
        assert!(
            said.iter()
                .any(|one| matches!(one, SimpleQueryMessage::Row(_)))
        );
    }
}

#[tokio::test]
async fn the_password_is_the_server_s_key() {
    let place = Place::new();
    place.refused(
        &["serve", SAMPLE, "--pgwire", "0.0.0.0:0"],
        &["--api-key-file", "AIOPSLAB_API_KEY"],
    );
    let server = Server::start_with(&place, &[SAMPLE], &[("AIOPSLAB_API_KEY", "secret")]);
    for wrong in [Some("Secret"), Some("")] {
        let error = server.connect(wrong).await.err().unwrap();
        assert_eq!(error.code(), Some(&SqlState::INVALID_PASSWORD), "{error:?}");
    }
    assert!(server.connect(None).await.is_err());
    let client = server.connect(Some("secret")).await.unwrap();
    assert_eq!(value(&client, "SELECT 1").await, "1");
}

#[tokio::test]
async fn one_client_too_many_is_told_so() {
    let place = Place::new();
    let server = Server::start(&place, &[SAMPLE]);
    let mut clients = Vec::new();
    for _ in 0..aiopslab::serve::pgwire::CLIENTS {
        clients.push(server.client().await);
    }
    let error = server.connect(None).await.err().unwrap();
    assert_eq!(
        error.code(),
        Some(&SqlState::TOO_MANY_CONNECTIONS),
        "{error:?}"
    );
    // One leaves, and its place is free.
    drop(clients.pop());
    let begun = Instant::now();
    while server.connect(None).await.is_err() {
        assert!(begun.elapsed() < Duration::from_secs(60));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn other_protocols_are_served_beside_it() {
    let place = Place::new();
    let server = Server::start(
        &place,
        &[
            SAMPLE,
            "--kubernetes",
            "127.0.0.1:0",
            "--http",
            "127.0.0.1:0",
        ],
    );
    let client = server.client().await;
    assert_ne!(value(&client, "SELECT count(*) FROM pods").await, "0");
}
