//! The PostgreSQL database of a stateful service.

use std::time::Duration;

use anyhow::Context as _;
use deadpool_postgres::{Manager, ManagerConfig, Pool, PoolError, RecyclingMethod, Runtime};
use opentelemetry::KeyValue;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore};
use tokio_postgres::config::SslMode;
use tokio_postgres::types::ToSql;
use tokio_postgres::{NoTls, Row};
use tokio_postgres_rustls::MakeRustlsConnect;

use crate::calls::{Call, Failure, Outcome};
use crate::error::ServiceError;
use crate::metrics::Metrics;
use crate::settings::{self, DEPENDENCY_TIMEOUT};

/// Few enough that a slow database shows as waiting requests.
const POOL_SIZE: usize = 4;

/// A small pool of connections to one database.
#[derive(Clone)]
pub(crate) struct Database {
    dependency: String,
    address: String,
    name: String,
    pool: Pool,
    metrics: Metrics,
}

/// A statement with the short name that spans and errors give it.
pub(crate) struct Statement {
    pub(crate) operation: &'static str,
    pub(crate) table: &'static str,
    pub(crate) sql: &'static str,
}

/// The parameters of a statement.
pub(crate) type Parameters<'a> = &'a [&'a (dyn ToSql + Sync)];

impl Database {
    /// Prepares the pool of `service`'s own database; no connection is made yet.
    pub(crate) fn new(service: &str, metrics: &Metrics) -> anyhow::Result<Self> {
        let dependency = format!("postgres-{service}");
        let address = settings::address("POSTGRES_ADDR", &format!("{dependency}:5432"));
        let name = settings::address("POSTGRES_DB", service);
        let (host, port) = address.rsplit_once(':').unwrap_or((&address, "5432"));
        let mut config = tokio_postgres::Config::new();
        config
            .host(host)
            .port(port.parse()?)
            .dbname(&name)
            .user(settings::address("POSTGRES_USER", service))
            .application_name(service)
            .connect_timeout(DEPENDENCY_TIMEOUT);
        if let Some(password) = settings::variable("POSTGRES_PASSWORD") {
            config.password(password);
        }
        let recycling = ManagerConfig {
            recycling_method: RecyclingMethod::Fast,
        };
        let manager = match settings::variable("POSTGRES_CA") {
            Some(authority) => {
                config.ssl_mode(SslMode::Require);
                Manager::from_config(config, tls(&authority)?, recycling)
            }
            None => Manager::from_config(config, NoTls, recycling),
        };
        let pool = Pool::builder(manager)
            .max_size(POOL_SIZE)
            .runtime(Runtime::Tokio1)
            .wait_timeout(Some(DEPENDENCY_TIMEOUT))
            .create_timeout(Some(DEPENDENCY_TIMEOUT))
            .recycle_timeout(Some(DEPENDENCY_TIMEOUT))
            .build()?;
        metrics.announce_dependency(&dependency);
        Ok(Self {
            dependency,
            address,
            name,
            pool,
            metrics: metrics.clone(),
        })
    }

    /// Runs a statement and gives its rows.
    pub(crate) async fn query(
        &self,
        statement: &Statement,
        parameters: Parameters<'_>,
    ) -> Result<Vec<Row>, ServiceError> {
        let Statement {
            operation,
            table,
            sql,
        } = statement;
        let call = Call {
            metrics: &self.metrics,
            dependency: &self.dependency,
            address: &self.address,
            span_name: format!("{operation} {}.{table}", self.name),
            attributes: vec![
                KeyValue::new("db.system", "postgresql"),
                KeyValue::new("db.system.name", "postgresql"),
                KeyValue::new("db.namespace", self.name.clone()),
                KeyValue::new("db.operation.name", *operation),
                KeyValue::new("db.collection.name", *table),
                KeyValue::new("db.query.text", *sql),
            ],
            time_limit: DEPENDENCY_TIMEOUT,
            optional: false,
        };
        call.run(async {
            let connection = self
                .pool
                .get()
                .await
                .map_err(|error| self.pool_failure(&error))?;
            let prepared = connection.prepare_cached(sql).await;
            let prepared = prepared.map_err(|error| self.failure(&error))?;
            let rows = connection.query(&prepared, parameters).await;
            #[cfg(feature = "next")]
            warm::keep(connection);
            rows.map_err(|error| self.failure(&error))
        })
        .await
    }

    /// Returns once the database has answered; says why it has not, and tries again.
    pub(crate) async fn wait_until_reachable(&self) {
        let mut pause = Duration::from_millis(250);
        loop {
            let probe = tokio::time::timeout(DEPENDENCY_TIMEOUT, async {
                let connection = self
                    .pool
                    .get()
                    .await
                    .map_err(|error| self.pool_failure(&error))?;
                let answer = connection.simple_query("SELECT 1").await;
                answer.map_err(|error| self.failure(&error))
            });
            let reason = match probe.await {
                Ok(Ok(_)) => {
                    tracing::info!(dependency = self.dependency, "store is reachable");
                    return;
                }
                Ok(Err(failure)) => failure.detail,
                Err(_) => format!("timeout: {}", self.address),
            };
            tracing::warn!(
                dependency = self.dependency,
                error = reason,
                "store is not reachable"
            );
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(Duration::from_secs(5));
        }
    }

    /// Writes the pool's present sizes into the metrics.
    pub(crate) fn report_pool(&self) {
        let status = self.pool.status();
        self.metrics.set_pool_connections("max", status.max_size);
        self.metrics.set_pool_connections("open", status.size);
        self.metrics.set_pool_connections("idle", status.available);
        self.metrics.set_pool_connections("waiting", status.waiting);
    }

    fn pool_failure(&self, error: &PoolError) -> Failure {
        match error {
            PoolError::Backend(error) => self.failure(error),
            PoolError::Timeout(_) => Failure {
                outcome: Outcome::Timeout,
                detail: format!("timeout waiting for a connection: {}", self.address),
            },
            other => Failure::of(other, &self.address),
        }
    }

    fn failure(&self, error: &tokio_postgres::Error) -> Failure {
        match error.as_db_error() {
            Some(db) => {
                let (severity, code) = (db.severity(), db.code().code());
                let message = db.message();
                Failure::error(format!("db error: {severity}: {message} (SQLSTATE {code})"))
            }
            None => Failure::of(error, &self.address),
        }
    }
}

/// TLS to servers whose name and certificate an authority (PEM) vouches for.
fn tls(authority: &str) -> anyhow::Result<MakeRustlsConnect> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(authority.as_bytes()) {
        roots.add(certificate.context("POSTGRES_CA is not a certificate in PEM")?)?;
    }
    let config = ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(MakeRustlsConnect::new(config))
}

/// A defect of the next version: connections that are kept warm, and that nobody takes or gives back.
#[cfg(feature = "next")]
mod warm {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::{Mutex, PoisonError};

    use deadpool_postgres::Object;

    /// Of how many statements the connection of one is kept.
    const EVERY: u64 = 10;

    static STATEMENTS: AtomicU64 = AtomicU64::new(1);
    static KEPT: Mutex<Vec<Object>> = Mutex::new(Vec::new());

    pub(super) fn keep(connection: Object) {
        if STATEMENTS
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(EVERY)
        {
            let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
            kept.push(connection);
        }
    }
}
