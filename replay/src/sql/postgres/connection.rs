//! One client: it is let in, can end its queries, and is told the last.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion_postgres::pgwire::api::auth::{
    DefaultServerParameterProvider, StartupHandler, finish_authentication, protocol_negotiation,
    save_startup_parameters_to_metadata,
};
use datafusion_postgres::pgwire::api::cancel::{CancelHandler, DefaultCancelHandler};
use datafusion_postgres::pgwire::api::query::{ExtendedQueryHandler, SimpleQueryHandler};
use datafusion_postgres::pgwire::api::{
    ClientInfo, ConnectionGuard, ConnectionHandle, ErrorHandler, METADATA_USER,
    PgWireConnectionState, PgWireServerHandlers, PidSecretKeyGenerator,
};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::startup::Authentication;
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use futures::future::{BoxFuture, Shared as SharedFuture};
use futures::{FutureExt, Sink, SinkExt};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::Shared;
use super::refusal::fatal;
use super::statements::VERSION;

/// One client's connection.
pub(super) struct Connection {
    pub(super) server: Arc<Shared>,
    /// Set once the client has been let in.
    admitted: OnceLock<Admitted>,
    over: Notify,
}

/// What a client has that was let in; it is gone with the connection.
struct Admitted {
    /// Told when a query is to end.
    cancel: Arc<ConnectionHandle>,
    _named: ConnectionGuard,
    _place: OwnedSemaphorePermit,
}

/// Resolves when a query is to end; to `false` when nobody can tell any more.
pub(super) type Cancelled = SharedFuture<BoxFuture<'static, bool>>;

/// The parts of the protocol, all of them by one connection.
pub(super) struct Handlers {
    connection: Arc<Connection>,
}

impl Handlers {
    pub(super) fn new(connection: Arc<Connection>) -> Self {
        Self { connection }
    }
}

impl PgWireServerHandlers for Handlers {
    fn simple_query_handler(&self) -> Arc<impl SimpleQueryHandler> {
        Arc::clone(&self.connection)
    }

    fn extended_query_handler(&self) -> Arc<impl ExtendedQueryHandler> {
        Arc::clone(&self.connection)
    }

    fn startup_handler(&self) -> Arc<impl StartupHandler> {
        Arc::clone(&self.connection)
    }

    fn error_handler(&self) -> Arc<impl ErrorHandler> {
        Arc::clone(&self.connection)
    }

    fn cancel_handler(&self) -> Arc<impl CancelHandler> {
        let connections = Arc::clone(&self.connection.server.connections);
        Arc::new(DefaultCancelHandler::new(connections))
    }
}

impl Connection {
    pub(super) fn new(server: Arc<Shared>) -> Self {
        Self {
            server,
            admitted: OnceLock::new(),
            over: Notify::new(),
        }
    }

    /// Waits until the client has been told the last that it is told.
    pub(super) async fn is_over(&self) {
        self.over.notified().await;
    }

    /// Lets the client in, if there is a place left.
    async fn admit<C>(&self, client: &mut C) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let place = Arc::clone(&self.server.places).try_acquire_owned();
        let place = place.map_err(|_| {
            // too_many_connections
            let most = self.server.admission.clients;
            fatal("53300", &format!("there are {most} clients already"))
        })?;
        let (number, secret) = self.server.names.generate(&*client);
        client.set_pid_and_secret_key(number, secret.clone());
        let (cancel, named) = self.server.connections.register(number, secret);
        let admitted = Admitted {
            cancel,
            _named: named,
            _place: place,
        };
        drop(self.admitted.set(admitted));
        let mut parameters = DefaultServerParameterProvider::default();
        VERSION.clone_into(&mut parameters.server_version);
        parameters.is_superuser = false;
        parameters.default_transaction_read_only = true;
        finish_authentication(client, &parameters).await
    }

    /// Begins a query: it ends when this resolves.
    pub(super) async fn begin(&self) -> PgWireResult<Cancelled> {
        let admitted = self.admitted.get();
        // A message that came after the refusal.
        let admitted = admitted.ok_or_else(|| fatal("28000", "the client was not let in"))?;
        let told = admitted.cancel.start_query().await;
        Ok(told.map(|told| told.is_ok()).boxed().shared())
    }
}

#[async_trait]
impl StartupHandler for Connection {
    async fn on_startup<C>(
        &self,
        client: &mut C,
        message: PgWireFrontendMessage,
    ) -> PgWireResult<()>
    where
        C: ClientInfo + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let password = &self.server.admission.password;
        match message {
            PgWireFrontendMessage::Startup(startup) => {
                protocol_negotiation(client, &startup).await?;
                save_startup_parameters_to_metadata(client, &startup);
                if password.is_none() {
                    return self.admit(client).await;
                }
                client.set_state(PgWireConnectionState::AuthenticationInProgress);
                let ask = PgWireBackendMessage::Authentication(Authentication::CleartextPassword);
                client.send(ask).await?;
                Ok(())
            }
            PgWireFrontendMessage::PasswordMessageFamily(said) => {
                let said = said.into_password()?;
                if password
                    .as_ref()
                    .is_some_and(|is_right| is_right(&said.password))
                {
                    return self.admit(client).await;
                }
                let user = client.metadata().get(METADATA_USER).cloned();
                Err(PgWireError::InvalidPassword(user.unwrap_or_default()))
            }
            _ => Ok(()),
        }
    }
}

impl ErrorHandler for Connection {
    fn on_error<C>(&self, _client: &C, problem: &mut PgWireError)
    where
        C: ClientInfo,
    {
        let info = ErrorInfo::from(std::mem::replace(problem, PgWireError::QueryCanceled));
        if info.is_fatal() {
            self.over.notify_one();
        }
        *problem = PgWireError::UserError(Box::new(info));
    }
}
