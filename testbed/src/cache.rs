//! A cache beside a database: memcached or Redis. Without it the service is slower, not broken.

use std::sync::Arc;
use std::time::Duration;

use async_memcached::AsciiProtocol as _;
use opentelemetry::KeyValue;
use redis::aio::MultiplexedConnection;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;

use crate::calls::{Call, Failure};
use crate::metrics::Metrics;
use crate::settings;

/// Short, so that the database behind the cache is in use all the time and its faults show.
const TIME_TO_LIVE_SECONDS: u16 = 3;
const TIME_LIMIT: Duration = Duration::from_millis(250);

/// A client of one cache; clones share the connection.
#[derive(Clone)]
pub(crate) struct Cache {
    kind: CacheKind,
    dependency: String,
    address: String,
    connection: Arc<Mutex<Option<Connection>>>,
    metrics: Metrics,
}

/// The two caches that the application uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheKind {
    Memcached,
    Redis,
}

enum Connection {
    Memcached(async_memcached::Client),
    Redis(MultiplexedConnection),
}

impl Cache {
    /// Prepares the client of `service`'s cache; the connection is made when first needed.
    pub(crate) fn new(kind: CacheKind, service: &str, metrics: &Metrics) -> Self {
        let (name, variable, port) = match kind {
            CacheKind::Memcached => ("memcached", "MEMCACHED_ADDR", 11211),
            CacheKind::Redis => ("redis", "REDIS_ADDR", 6379),
        };
        let dependency = format!("{name}-{service}");
        let address = settings::address(variable, &format!("{dependency}:{port}"));
        metrics.announce_dependency(&dependency);
        Self {
            kind,
            dependency,
            address,
            connection: Arc::default(),
            metrics: metrics.clone(),
        }
    }

    /// The value under `key`; nothing if it is absent or the cache does not answer.
    pub(crate) async fn get<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let call = self.call("get");
        let bytes = call.run(self.with_connection(async |connection| connection.get(key).await));
        let bytes = bytes.await.ok().flatten()?;
        serde_json::from_slice(&bytes).ok()
    }

    /// Keeps `value` under `key` for a few seconds, if the cache answers.
    pub(crate) async fn set<T: Serialize>(&self, key: &str, value: &T) {
        let Ok(text) = serde_json::to_string(value) else {
            return;
        };
        let call = self.call("set");
        // A failure is already logged, counted and in the span; the caller has its value.
        let _ = call
            .run(self.with_connection(async |connection| connection.set(key, &text).await))
            .await;
    }

    fn call(&self, operation: &'static str) -> Call<'_> {
        let system = match self.kind {
            CacheKind::Memcached => "memcached",
            CacheKind::Redis => "redis",
        };
        Call {
            metrics: &self.metrics,
            dependency: &self.dependency,
            address: &self.address,
            span_name: format!("{operation} {system}"),
            attributes: vec![
                KeyValue::new("db.system", system),
                KeyValue::new("db.system.name", system),
                KeyValue::new("db.operation.name", operation),
            ],
            time_limit: TIME_LIMIT,
            optional: true,
        }
    }

    /// Runs `work` on the connection, which goes back only after success: one that failed, or was
    /// abandoned at the time limit, may be in the middle of an answer.
    async fn with_connection<T>(
        &self,
        work: impl AsyncFnOnce(&mut Connection) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut slot = self.connection.lock().await;
        let mut connection = match slot.take() {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let result = work(&mut connection).await;
        match result {
            Ok(value) => {
                *slot = Some(connection);
                Ok(value)
            }
            Err(failure) => Err(failure),
        }
    }

    async fn connect(&self) -> Result<Connection, Failure> {
        match self.kind {
            CacheKind::Memcached => {
                let client = async_memcached::Client::new(format!("tcp://{}", self.address)).await;
                client
                    .map(Connection::Memcached)
                    .map_err(|error| match &error {
                        async_memcached::Error::Connect(io) => Failure::of(io, &self.address),
                        other => Failure::of(other, &self.address),
                    })
            }
            CacheKind::Redis => {
                let failure = |error: redis::RedisError| {
                    let refused = error.is_connection_refusal();
                    let mut failure = Failure::of(&error, &self.address);
                    if refused {
                        failure.outcome = crate::calls::Outcome::Refused;
                        failure.detail = format!("connection refused: {}", self.address);
                    }
                    failure
                };
                let url = format!("redis://{}/", self.address);
                let client = redis::Client::open(url).map_err(failure)?;
                let connection = client.get_multiplexed_async_connection().await;
                connection.map(Connection::Redis).map_err(failure)
            }
        }
    }
}

impl Connection {
    async fn get(&mut self, key: &str) -> Result<Option<Vec<u8>>, Failure> {
        match self {
            Self::Memcached(client) => {
                let value = client.get(key).await;
                let value = value.map_err(|error| Failure::error(error.to_string()))?;
                Ok(value.and_then(|value| value.data))
            }
            Self::Redis(connection) => {
                let value = redis::cmd("GET").arg(key).query_async(connection).await;
                value.map_err(|error| Failure::error(error.to_string()))
            }
        }
    }

    async fn set(&mut self, key: &str, value: &str) -> Result<(), Failure> {
        match self {
            Self::Memcached(client) => {
                let ttl = Some(i64::from(TIME_TO_LIVE_SECONDS));
                let stored = client.set(key, value, ttl, None).await;
                stored.map_err(|error| Failure::error(error.to_string()))
            }
            Self::Redis(connection) => {
                let mut command = redis::cmd("SET");
                command
                    .arg(key)
                    .arg(value)
                    .arg("EX")
                    .arg(TIME_TO_LIVE_SECONDS);
                let stored: Result<(), _> = command.query_async(connection).await;
                stored.map_err(|error| Failure::error(error.to_string()))
            }
        }
    }
}
