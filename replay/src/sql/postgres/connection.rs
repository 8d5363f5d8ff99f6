//! The protocol with one client: it is let in, asks, and is answered.

use std::fmt::Debug;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use datafusion_postgres::arrow_pg::datatypes::df::deserialize_parameters_with_server_types;
use datafusion_postgres::arrow_pg::datatypes::encode_recordbatch;
use datafusion_postgres::pgwire::api::auth::{
    DefaultServerParameterProvider, StartupHandler, finish_authentication, protocol_negotiation,
    save_startup_parameters_to_metadata,
};
use datafusion_postgres::pgwire::api::cancel::{CancelHandler, DefaultCancelHandler};
use datafusion_postgres::pgwire::api::portal::{Format, Portal, PortalExecutionState};
use datafusion_postgres::pgwire::api::query::{
    ExtendedQueryHandler, SimpleQueryHandler, send_query_response,
};
use datafusion_postgres::pgwire::api::results::{FieldInfo, QueryResponse, Response, Tag};
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::store::{Entry, PortalStore};
use datafusion_postgres::pgwire::api::{
    ClientInfo, ClientPortalStore, ConnectionGuard, ConnectionHandle, DEFAULT_NAME, ErrorHandler,
    METADATA_USER, PgWireConnectionState, PgWireServerHandlers, PidSecretKeyGenerator, Type,
};
use datafusion_postgres::pgwire::error::{ErrorInfo, PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::extendedquery::Execute;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use datafusion_postgres::pgwire::messages::startup::Authentication;
use datafusion_postgres::pgwire::messages::{PgWireBackendMessage, PgWireFrontendMessage};
use futures::future::{BoxFuture, Shared as SharedFuture};
use futures::{FutureExt, Sink, SinkExt, TryStreamExt, future, stream};
use tokio::sync::{Notify, OwnedSemaphorePermit};

use super::Shared;
use super::refusal::{error, fatal, told};
use super::rows::{check_formats, fields, present};
use super::statements::{Asked, Command, VERSION, only, parameter_types, wire_types};
use crate::sql::RunningQuery;

/// One client's connection.
pub(super) struct Connection {
    server: Arc<Shared>,
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
type Cancelled = SharedFuture<BoxFuture<'static, bool>>;

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
    async fn begin(&self) -> PgWireResult<Cancelled> {
        let admitted = self.admitted.get();
        // A message that came after the refusal.
        let admitted = admitted.ok_or_else(|| fatal("28000", "the client was not let in"))?;
        let told = admitted.cancel.start_query().await;
        Ok(told.map(|told| told.is_ok()).boxed().shared())
    }

    /// Answers a question for rows, which come as they are sent.
    async fn rows(
        &self,
        plan: LogicalPlan,
        format: &Format,
        cancelled: Cancelled,
    ) -> PgWireResult<QueryResponse> {
        let session = &self.server.session;
        let starting = RunningQuery::start(&session.state, plan, Arc::clone(&session.known));
        let running = tokio::select! {
            biased;
            true = cancelled.clone() => return Err(PgWireError::QueryCanceled),
            running = starting => running.map_err(|problem| told(&problem))?,
        };
        let columns = Arc::new(fields(running.schema(), format)?);
        let batches = stream::try_unfold((running, cancelled), next_batch);
        let told_columns = Arc::clone(&columns);
        let rows = batches.and_then(move |batch| {
            let batch = present(&batch).map_err(|problem| error("XX000", &problem.to_string()));
            let columns = Arc::clone(&told_columns);
            future::ready(batch.map(|batch| stream::iter(encode_recordbatch(columns, batch))))
        });
        Ok(QueryResponse::new(columns, rows.try_flatten()))
    }
}

type Underway = (RunningQuery, Cancelled);

async fn next_batch(
    (mut running, cancelled): Underway,
) -> PgWireResult<Option<(arrow::array::RecordBatch, Underway)>> {
    let batch = tokio::select! {
        biased;
        true = cancelled.clone() => return Err(PgWireError::QueryCanceled),
        batch = running.next() => batch.map_err(|problem| told(&problem))?,
    };
    Ok(batch.map(|batch| (batch, (running, cancelled))))
}

/// What is answered to what concerns the session.
fn answer<C>(command: &Command, client: &C) -> Response
where
    C: ClientInfo + ClientPortalStore,
    C::PortalStore: PortalStore,
{
    match command {
        Command::Begin => Response::TransactionStart(Tag::new("BEGIN")),
        Command::Commit => Response::TransactionEnd(Tag::new(match client.transaction_status() {
            TransactionStatus::Error => "ROLLBACK",
            _ => "COMMIT",
        })),
        Command::Rollback => Response::TransactionEnd(Tag::new("ROLLBACK")),
        Command::Set => Response::Execution(Tag::new("SET")),
        Command::Deallocate(name) => {
            client.portal_store().rm_statement(name);
            Response::Execution(Tag::new("DEALLOCATE"))
        }
        Command::Discard => Response::Execution(Tag::new("DISCARD ALL")),
    }
}

/// Refuses questions in a transaction that has failed, as PostgreSQL does.
fn check_transaction<C: ClientInfo>(client: &C) -> PgWireResult<()> {
    match client.transaction_status() {
        // in_failed_sql_transaction
        TransactionStatus::Error => Err(error(
            "25P02",
            "current transaction is aborted, commands ignored until end of transaction block",
        )),
        _ => Ok(()),
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
                if password.as_ref().is_some_and(|is_right| is_right(&said.password)) {
                    return self.admit(client).await;
                }
                let user = client.metadata().get(METADATA_USER).cloned();
                Err(PgWireError::InvalidPassword(user.unwrap_or_default()))
            }
            _ => Ok(()),
        }
    }
}

#[async_trait]
impl SimpleQueryHandler for Connection {
    async fn do_query<C>(&self, client: &mut C, query: &str) -> PgWireResult<Vec<Response>>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let cancelled = self.begin().await?;
        let mut answers = Vec::new();
        for asked in self.server.reader.read(&self.server.session, query).await? {
            answers.push(match asked {
                Asked::Command(command) => answer(&command, client),
                Asked::Rows(plan) => {
                    check_transaction(client)?;
                    let rows = self.rows(plan, &Format::UnifiedText, cancelled.clone());
                    Response::Query(rows.await?)
                }
            });
        }
        if answers.is_empty() {
            answers.push(Response::EmptyQuery);
        }
        Ok(answers)
    }
}

#[async_trait]
impl ExtendedQueryHandler for Connection {
    type Statement = Asked;
    type QueryParser = Shared;

    fn query_parser(&self) -> Arc<Shared> {
        Arc::clone(&self.server)
    }

    /// Sends rows as they come: the library would gather all of them before it sends the first.
    async fn on_execute<C>(&self, client: &mut C, message: Execute) -> PgWireResult<()>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Asked>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let name = message.name.as_deref().unwrap_or(DEFAULT_NAME);
        let portal = match client.portal_store().get_portal(name) {
            Some(Entry::Value(portal))
                if message.max_rows <= 0
                    && matches!(portal.statement.statement, Asked::Rows(_)) =>
            {
                portal
            }
            _ => return self._on_execute(client, message).await,
        };
        let state = portal.state();
        let mut state = state.lock().await;
        if !matches!(*state, PortalExecutionState::Initial) {
            drop(state);
            return self._on_execute(client, message).await;
        }
        *state = PortalExecutionState::Finished;
        drop(state);
        match ExtendedQueryHandler::do_query(self, client, &portal, 0).await? {
            Response::Query(rows) => send_query_response(client, rows, false).await,
            _ => Ok(()),
        }
    }

    async fn do_query<C>(
        &self,
        client: &mut C,
        portal: &Portal<Asked>,
        _max_rows: usize,
    ) -> PgWireResult<Response>
    where
        C: ClientInfo + ClientPortalStore + Sink<PgWireBackendMessage> + Unpin + Send + Sync,
        C::PortalStore: PortalStore<Statement = Asked>,
        C::Error: Debug,
        PgWireError: From<<C as Sink<PgWireBackendMessage>>::Error>,
    {
        let cancelled = self.begin().await?;
        let plan = match &portal.statement.statement {
            Asked::Command(command) => return Ok(answer(command, client)),
            Asked::Rows(plan) => plan.clone(),
        };
        check_transaction(client)?;
        let session = &self.server.session;
        let types = parameter_types(session, &plan)?;
        let plan = match types.is_empty() {
            true => plan,
            false => {
                check_formats(&portal.parameter_format, portal.parameter_len())?;
                let wire = wire_types(&types);
                let types: Vec<_> = types.iter().map(Option::as_ref).collect();
                let wire: Vec<_> = wire.iter().map(Some).collect();
                let values = deserialize_parameters_with_server_types(portal, &types, &wire)?;
                plan.replace_params_with_values(&values)
                    .map_err(|problem| told(&session.known.explain(&problem)))?
            }
        };
        let rows = self.rows(plan, &portal.result_column_format, cancelled);
        Ok(Response::Query(rows.await?))
    }
}

#[async_trait]
impl QueryParser for Shared {
    type Statement = Asked;

    async fn parse_sql<C>(
        &self,
        _client: &C,
        sql: &str,
        _types: &[Option<Type>],
    ) -> PgWireResult<Option<Asked>>
    where
        C: ClientInfo + Unpin + Send + Sync,
    {
        only(self.reader.read(&self.session, sql).await?)
    }

    fn get_parameter_types(&self, asked: &Asked) -> PgWireResult<Vec<Type>> {
        match asked {
            Asked::Rows(plan) => Ok(wire_types(&parameter_types(&self.session, plan)?)),
            Asked::Command(_) => Ok(Vec::new()),
        }
    }

    fn get_result_schema(
        &self,
        asked: &Asked,
        format: Option<&Format>,
    ) -> PgWireResult<Vec<FieldInfo>> {
        match asked {
            Asked::Rows(plan) => fields(
                plan.schema().as_arrow(),
                format.unwrap_or(&Format::UnifiedText),
            ),
            Asked::Command(_) => Ok(Vec::new()),
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
