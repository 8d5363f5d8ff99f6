//! A query on its way: its rows as they come, and how far it is.

use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::datatypes::SchemaRef;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::error::DataFusionError;
use datafusion::execution::{SendableRecordBatchStream, SessionState};
use datafusion::logical_expr::LogicalPlan;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::coop::CooperativeExec;
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::StreamExt;

use super::QueryAnswer;
use super::statement::Known;
use crate::error::Result;

/// A query that runs as far as its rows are asked for; dropping it ends it.
pub struct RunningQuery {
    plan: Arc<dyn ExecutionPlan>,
    rows: SendableRecordBatchStream,
    known: Arc<Known>,
}

/// How far a query is.
#[derive(Clone)]
pub struct Progress {
    plan: Arc<dyn ExecutionPlan>,
}

/// Lets joins give way now and then, as the engine has scans do: few rows may become many there, and
/// only what gives way can be dropped.
#[derive(Debug)]
pub(super) struct GiveWay;

impl PhysicalOptimizerRule for GiveWay {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _: &ConfigOptions,
    ) -> datafusion::error::Result<Arc<dyn ExecutionPlan>> {
        let plan = plan.transform_up(|node| {
            Ok(match node.name().contains("Join") {
                true => {
                    let node: Arc<dyn ExecutionPlan> = Arc::new(CooperativeExec::new(node));
                    Transformed::yes(node)
                }
                false => Transformed::no(node),
            })
        })?;
        Ok(plan.data)
    }

    fn name(&self) -> &'static str {
        "give_way"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

impl RunningQuery {
    pub(super) async fn start(
        state: &SessionState,
        plan: LogicalPlan,
        known: Arc<Known>,
    ) -> Result<Self> {
        let failed = |error: DataFusionError| known.explain(&error);
        let plan = state.create_physical_plan(&plan).await.map_err(failed)?;
        let rows = execute_stream(Arc::clone(&plan), state.task_ctx()).map_err(failed)?;
        Ok(Self { plan, rows, known })
    }

    /// The columns: those of the physical plan, since the logical one's types are from before they were coerced.
    #[must_use]
    pub fn schema(&self) -> SchemaRef {
        self.plan.schema()
    }

    /// The next rows; none at the end.
    pub async fn next(&mut self) -> Result<Option<RecordBatch>> {
        let batch = self.rows.next().await.transpose();
        batch.map_err(|error| self.known.explain(&error))
    }

    /// What tells how far it is, while it runs.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress {
            plan: Arc::clone(&self.plan),
        }
    }

    /// The rows that came, with their columns.
    #[must_use]
    pub fn answer(&self, batches: Vec<RecordBatch>) -> QueryAnswer {
        // The plan's schema may call a column not null that turns out otherwise, or the reverse.
        let schema = batches
            .first()
            .map_or_else(|| self.schema(), RecordBatch::schema);
        QueryAnswer { schema, batches }
    }
}

impl Progress {
    /// Rows and bytes that were read from files so far.
    #[must_use]
    pub fn read(&self) -> (usize, usize) {
        let (mut rows, mut bytes) = (0, 0);
        let mut nodes = vec![&self.plan];
        while let Some(node) = nodes.pop() {
            let below = node.children();
            if below.is_empty()
                && let Some(metrics) = node.metrics()
            {
                rows += metrics.output_rows().unwrap_or(0);
                bytes += metrics
                    .sum_by_name("bytes_scanned")
                    .map_or(0, |sum| sum.as_usize());
            }
            nodes.extend(below);
        }
        (rows, bytes)
    }
}
