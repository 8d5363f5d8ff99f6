//! Counts what a query does, so that none goes on for ever: rows that are read and joined, and
//! pairs that a join has to compare. Never the time.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::{Transformed, TreeNode, TreeNodeRecursion};
use datafusion::error::{DataFusionError, Result};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_optimizer::PhysicalOptimizerRule;
use datafusion::physical_plan::joins::HashJoinExec;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{
    ChildrenPropertiesMode, DisplayAs, DisplayFormatType, ExecutionPlan, PlanProperties,
    ReplaceChildrenOptions,
};
use futures::StreamExt;

/// Rows that scans and joins may hand over in one query.
const ROWS: u64 = 20_000_000;
/// Pairs of rows that a join without an equality may compare.
const PAIRS: u64 = 50_000_000;
/// Pairs of rows that a join with an equality and a further condition may have.
const PAIRS_OF_EQUALS: u64 = 2_000_000_000;

/// Begins the error of a query that does too much.
pub(super) const EXCEEDED: &str = "the query does too much";

/// Puts meters into every plan.
#[derive(Debug)]
pub(super) struct MeterRule;

impl PhysicalOptimizerRule for MeterRule {
    fn optimize(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        _config: &ConfigOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        // One budget of rows for the whole query.
        let rows = Arc::new(AtomicU64::new(0));
        let metered = plan.transform_up(|node| {
            let is_leaf = node.children().is_empty();
            let is_join = node.name().contains("Join");
            let node = if is_join { compared(node)? } else { node };
            Ok(if is_leaf || is_join {
                Transformed::yes(Metered::of(node, Gauge::Rows(Arc::clone(&rows))))
            } else {
                Transformed::no(node)
            })
        })?;
        Ok(metered.data)
    }

    fn name(&self) -> &'static str {
        "meter"
    }

    fn schema_check(&self) -> bool {
        true
    }
}

/// A join whose pairs are counted, where it may compare more than it hands over.
fn compared(join: Arc<dyn ExecutionPlan>) -> Result<Arc<dyn ExecutionPlan>> {
    let most = match join.downcast_ref::<HashJoinExec>() {
        Some(hash) if hash.filter().is_none() => return Ok(join),
        Some(_) => PAIRS_OF_EQUALS,
        None => PAIRS,
    };
    let pairs = Arc::new(Pairs {
        sides: [AtomicU64::new(0), AtomicU64::new(0)],
        most,
    });
    let inputs: Vec<_> = join
        .children()
        .into_iter()
        .zip([0, 1])
        .map(|(input, side)| {
            let gauge = Gauge::Pairs(Arc::clone(&pairs), side);
            Metered::of(Arc::clone(input), gauge)
        })
        .collect();
    join.replace_children(
        inputs,
        ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute),
    )
}

/// What is counted.
#[derive(Debug, Clone)]
enum Gauge {
    /// Rows against the query's budget.
    Rows(Arc<AtomicU64>),
    /// Rows of one side of a join, 0 or 1.
    Pairs(Arc<Pairs>, usize),
}

#[derive(Debug)]
struct Pairs {
    sides: [AtomicU64; 2],
    most: u64,
}

impl Gauge {
    /// Counts rows; an error if there are too many.
    fn count(&self, rows: usize) -> Result<()> {
        let rows = rows as u64;
        let (done, most, what) = match self {
            Self::Rows(seen) => {
                let seen = seen.fetch_add(rows, Ordering::Relaxed);
                (seen.saturating_add(rows), ROWS, "rows read and joined")
            }
            Self::Pairs(pairs, side) => {
                if let Some(side) = pairs.sides.get(*side) {
                    side.fetch_add(rows, Ordering::Relaxed);
                }
                let [left, right] = &pairs.sides;
                let (left, right) = (left.load(Ordering::Relaxed), right.load(Ordering::Relaxed));
                (
                    left.saturating_mul(right),
                    pairs.most,
                    "pairs of rows to compare",
                )
            }
        };
        if done <= most {
            return Ok(());
        }
        Err(DataFusionError::Execution(format!(
            "{EXCEEDED}: more than {most} {what}"
        )))
    }
}

/// A plan whose rows are counted as they pass.
#[derive(Debug)]
struct Metered {
    input: Arc<dyn ExecutionPlan>,
    properties: Arc<PlanProperties>,
    gauge: Gauge,
}

impl Metered {
    fn of(input: Arc<dyn ExecutionPlan>, gauge: Gauge) -> Arc<dyn ExecutionPlan> {
        Arc::new(Self {
            properties: Arc::clone(input.properties()),
            input,
            gauge,
        })
    }
}

impl DisplayAs for Metered {
    fn fmt_as(&self, _: DisplayFormatType, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Metered")
    }
}

impl ExecutionPlan for Metered {
    fn name(&self) -> &'static str {
        "Metered"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn maintains_input_order(&self) -> Vec<bool> {
        vec![true]
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        vec![&self.input]
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        match children.into_iter().next() {
            Some(input) => Ok(Self::of(input, self.gauge.clone())),
            None => Ok(self),
        }
    }

    fn execute(
        &self,
        partition: usize,
        context: Arc<TaskContext>,
    ) -> Result<SendableRecordBatchStream> {
        let gauge = self.gauge.clone();
        let batches = self.input.execute(partition, context)?;
        let counted = batches.map(move |batch| {
            let batch = batch?;
            gauge.count(batch.num_rows())?;
            Ok(batch)
        });
        let schema = self.input.schema();
        Ok(Box::pin(RecordBatchStreamAdapter::new(schema, counted)))
    }
}
