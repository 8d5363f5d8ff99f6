//! `aiopslab serve --pgwire` as a process, and clients of it.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStdin};

use tokio::task::JoinHandle;
use tokio_postgres::error::{DbError, SqlState};
use tokio_postgres::{Client, Error, NoTls, SimpleQueryMessage};

use crate::program::{Place, serve};

/// The server; it ends with its standard input.
pub(crate) struct Server {
    pub(crate) port: u16,
    process: Child,
    input: Option<ChildStdin>,
}

impl Server {
    pub(crate) fn start(place: &Place, arguments: &[&str]) -> Self {
        Self::start_with(place, arguments, &[])
    }

    pub(crate) fn start_with(
        place: &Place,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Self {
        let mut process = serve(place, arguments, &["--pgwire", "127.0.0.1:0"], environment);
        let output = BufReader::new(process.stdout.take().unwrap());
        let port = output
            .lines()
            .find_map(|line| {
                let line = line.unwrap();
                let address = line.strip_prefix("pgwire postgresql://127.0.0.1:")?;
                address.strip_suffix('/')?.parse().ok()
            })
            .unwrap_or_else(|| panic!("it does not tell its address"));
        Self {
            port,
            input: process.stdin.take(),
            process,
        }
    }

    pub(crate) async fn client(&self) -> Client {
        self.connect(None).await.unwrap()
    }

    pub(crate) async fn connect(&self, password: Option<&str>) -> Result<Client, Error> {
        self.connection(password).await.map(|(client, _)| client)
    }

    /// A client, and its connection: who aborts that hangs up.
    pub(crate) async fn connection(
        &self,
        password: Option<&str>,
    ) -> Result<(Client, JoinHandle<()>), Error> {
        let mut config = tokio_postgres::Config::new();
        config
            .host("127.0.0.1")
            .port(self.port)
            .user("somebody")
            .dbname("snapshots");
        if let Some(password) = password {
            config.password(password);
        }
        let (client, connection) = config.connect(NoTls).await?;
        // It breaks when the server ends.
        let connection = tokio::spawn(async move { drop(connection.await) });
        Ok((client, connection))
    }

    /// Ends the standard input and waits for the end.
    pub(crate) fn stop(&mut self) -> bool {
        drop(self.input.take());
        self.process.wait().unwrap().success()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.input.take());
        drop(self.process.wait());
    }
}

/// The first value of the first row, by the simple protocol.
pub(crate) async fn value(client: &Client, text: &str) -> String {
    let said = client.simple_query(text).await;
    let said = said.unwrap_or_else(|error| panic!("{text}: {error:?}"));
    let row = said.iter().find_map(|message| match message {
        SimpleQueryMessage::Row(row) => Some(row),
        _ => None,
    });
    row.unwrap().get(0).unwrap_or("null").to_owned()
}

/// What a statement is refused with, which has to have this code.
pub(crate) async fn refused(client: &Client, text: &str, code: &SqlState) -> DbError {
    let error = client.simple_query(text).await;
    let error = error.err().unwrap_or_else(|| panic!("{text} is answered"));
    let error = error.as_db_error().unwrap().clone();
    assert_eq!(error.code(), code, "{text}: {error:?}");
    error
}
