//! What a client asks, by both protocols that PostgreSQL has for it: texts, and prepared statements.

use std::fmt::Debug;
use std::sync::Arc;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use datafusion::logical_expr::LogicalPlan;
use datafusion_postgres::arrow_pg::datatypes::encode_recordbatch;
use datafusion_postgres::pgwire::api::portal::{Format, Portal, PortalExecutionState};
use datafusion_postgres::pgwire::api::query::{
    ExtendedQueryHandler, SimpleQueryHandler, send_query_response,
};
use datafusion_postgres::pgwire::api::results::{FieldInfo, QueryResponse, Response, Tag};
use datafusion_postgres::pgwire::api::stmt::QueryParser;
use datafusion_postgres::pgwire::api::store::{Entry, PortalStore};
use datafusion_postgres::pgwire::api::{ClientInfo, ClientPortalStore, DEFAULT_NAME, Type};
use datafusion_postgres::pgwire::error::{PgWireError, PgWireResult};
use datafusion_postgres::pgwire::messages::PgWireBackendMessage;
use datafusion_postgres::pgwire::messages::extendedquery::Execute;
use datafusion_postgres::pgwire::messages::response::TransactionStatus;
use futures::future::BoxFuture;
use futures::{Sink, TryStreamExt, future, stream};

use super::Shared;
use super::connection::{Cancelled, Connection};
use super::parameters::{fill_in, wire_types};
use super::refusal::{error, told};
use super::rows::{fields, present};
use super::statements::{Asked, Command, only};
use crate::sql::RunningQuery;

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
        for asked in self.server.reader.read(&self.server.session, query)? {
            answers.push(match asked {
                Asked::Command(command) => answer(&command, client),
                Asked::Rows(question) => {
                    check_transaction(client)?;
                    let plan = question.plan().clone();
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
        let question = match &portal.statement.statement {
            Asked::Command(command) => return Ok(answer(command, client)),
            Asked::Rows(question) => question,
        };
        check_transaction(client)?;
        let plan = fill_in(&self.server.session, question.plan(), portal)?;
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
        only(self.reader.read(&self.session, sql)?)
    }

    fn get_parameter_types(&self, asked: &Asked) -> PgWireResult<Vec<Type>> {
        match asked {
            Asked::Rows(question) => wire_types(&self.session, question.plan()),
            Asked::Command(_) => Ok(Vec::new()),
        }
    }

    fn get_result_schema(
        &self,
        asked: &Asked,
        format: Option<&Format>,
    ) -> PgWireResult<Vec<FieldInfo>> {
        match asked {
            Asked::Rows(question) => fields(
                &self.session.answer_schema(question.plan()),
                format.unwrap_or(&Format::UnifiedText),
            ),
            Asked::Command(_) => Ok(Vec::new()),
        }
    }
}

impl Connection {
    /// Answers a question for rows, which come as they are sent.
    fn rows<'a>(
        &'a self,
        plan: LogicalPlan,
        format: &'a Format,
        cancelled: Cancelled,
    ) -> BoxFuture<'a, PgWireResult<QueryResponse>> {
        Box::pin(self.begin_rows(plan, format, cancelled))
    }

    async fn begin_rows(
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
        let columns = Arc::new(fields(&running.schema(), format)?);
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
) -> PgWireResult<Option<(RecordBatch, Underway)>> {
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
