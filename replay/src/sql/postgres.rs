//! A person's SQL by the protocol of PostgreSQL: the codec and the codes.
//!
//! What may be asked, and what is answered, is decided by [`SqlSession`] as for `aiopslab sql`.
//! `connection` is one client and `queries` what it asks; `statements` understands what it says,
//! `parameters` fills in what it gives, `rows` puts answers into types that PostgreSQL has,
//! `refusal` puts errors into its codes.
//!
//! Nothing listens here: [`PostgresServer::answer`] is given a connection.

mod connection;
mod parameters;
mod queries;
mod refusal;
mod rows;
mod statements;

use std::sync::Arc;

use aiopslab_datasets::snapshot::Snapshot;
use datafusion_postgres::datafusion_pg_catalog::pg_catalog::context::EmptyContextProvider;
use datafusion_postgres::datafusion_pg_catalog::setup_pg_catalog;
use datafusion_postgres::pgwire::api::{ConnectionManager, RandomPidSecretKeyGenerator};
use datafusion_postgres::pgwire::tokio::process_socket;
use tokio::net::TcpStream;
use tokio::sync::Semaphore;

use self::connection::{Connection, Handlers};
use self::statements::Reader;
use super::{SqlLimits, SqlSession};
use crate::clock::Clock;
use crate::error::Result;
use crate::tables::read_error;

/// Tells whether a password is the right one.
pub type PasswordCheck = dyn Fn(&str) -> bool + Send + Sync;

/// Who is let in.
pub struct Admission {
    /// How many at a time.
    pub clients: usize,
    /// Who knows the password; none: everybody.
    pub password: Option<Box<PasswordCheck>>,
}

/// Snapshots that clients of PostgreSQL ask.
pub struct PostgresServer {
    shared: Arc<Shared>,
}

/// What all connections have in common.
struct Shared {
    session: SqlSession,
    reader: Reader,
    admission: Admission,
    /// A permit for each client more that can be let in.
    places: Arc<Semaphore>,
    /// Names connections, with a secret that ends their queries.
    names: RandomPidSecretKeyGenerator,
    /// Finds a connection by those.
    connections: Arc<ConnectionManager>,
}

impl PostgresServer {
    /// Opens snapshots under their names, which differ, at a clock. All clients' queries together
    /// keep to the limits.
    ///
    /// # Errors
    /// When a snapshot can't be opened, or has no such moment.
    pub async fn open(
        snapshots: Vec<(String, Snapshot)>,
        clock: Clock,
        limits: &SqlLimits,
        admission: Admission,
    ) -> Result<Self> {
        let session = SqlSession::open_with(snapshots, clock, limits, |context| {
            let state = context.state();
            let catalog = &state.config_options().catalog.default_catalog;
            // What clients look tables up in: `\d` of psql, the completion of editors.
            setup_pg_catalog(context, catalog, EmptyContextProvider)
                .map_err(|error| read_error("pg_catalog", &error))
        })
        .await?;
        Ok(Self {
            shared: Arc::new(Shared {
                session,
                reader: Reader::default(),
                places: Arc::new(Semaphore::new(admission.clients)),
                admission,
                names: RandomPidSecretKeyGenerator::default(),
                connections: Arc::new(ConnectionManager::new()),
            }),
        })
    }

    /// Answers a client until it leaves; dropping this ends what it asked for.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn answer(&self, socket: TcpStream) -> std::io::Result<()> {
        let connection = Arc::new(Connection::new(Arc::clone(&self.shared)));
        let handlers = Handlers::new(Arc::clone(&connection));
        tokio::select! {
            // The last words are said before it is over.
            biased;
            answered = process_socket(socket, None, handlers) => answered,
            () = connection.is_over() => Ok(()),
        }
    }
}
