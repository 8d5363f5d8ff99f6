//! The parameters `$1`, `$2`, … of a statement: their types, and what a client gives for them.

use std::collections::BTreeMap;

use arrow::datatypes::DataType;
use datafusion::common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion::error::DataFusionError;
use datafusion::logical_expr::{Expr, LogicalPlan};
use datafusion_postgres::arrow_pg::datatypes::df::deserialize_parameters_with_server_types;
use datafusion_postgres::arrow_pg::datatypes::into_pg_type;
use datafusion_postgres::pgwire::api::Type;
use datafusion_postgres::pgwire::api::portal::Portal;
use datafusion_postgres::pgwire::error::PgWireResult;

use super::refusal::told;
use super::rows::check_formats;
use super::statements::Asked;
use crate::sql::SqlSession;

/// The types that a client is told of; text where the statement does not tell.
pub(super) fn wire_types(session: &SqlSession, plan: &LogicalPlan) -> PgWireResult<Vec<Type>> {
    Ok(types(session, plan)?.iter().map(wire_type).collect())
}

/// The plan with what a client gave in place of the parameters.
pub(super) fn fill_in(
    session: &SqlSession,
    plan: &LogicalPlan,
    portal: &Portal<Asked>,
) -> PgWireResult<LogicalPlan> {
    let types = types(session, plan)?;
    if types.is_empty() {
        return Ok(plan.clone());
    }
    check_formats(&portal.parameter_format, portal.parameter_len())?;
    let wire: Vec<Type> = types.iter().map(wire_type).collect();
    let types: Vec<_> = types.iter().map(Option::as_ref).collect();
    let wire: Vec<_> = wire.iter().map(Some).collect();
    let values = deserialize_parameters_with_server_types(portal, &types, &wire)?;
    plan.clone()
        .replace_params_with_values(&values)
        .map_err(|problem| told(&session.known.explain(&problem)))
}

fn wire_type(known: &Option<DataType>) -> Type {
    match known {
        Some(known) => into_pg_type(known).unwrap_or(Type::TEXT),
        None => Type::TEXT,
    }
}

/// The type of each parameter, as far as the statement tells.
fn types(session: &SqlSession, plan: &LogicalPlan) -> PgWireResult<Vec<Option<DataType>>> {
    let found = plan.get_parameter_types().and_then(|types| {
        let mut others = not_inferred(plan)?;
        // The protocol can't number more than these.
        let types = types.into_iter().filter_map(|(name, known)| {
            let number: u16 = name.strip_prefix('$')?.parse().ok()?;
            Some((number, known.or_else(|| others.remove(&name))))
        });
        Ok(types.collect::<BTreeMap<_, _>>())
    });
    let mut types = found.map_err(|problem| told(&session.known.explain(&problem)))?;
    let last = types.keys().next_back().copied().unwrap_or_default();
    Ok((1..=last)
        .map(|number| types.remove(&number).flatten())
        .collect())
}

/// What the engine leaves open: the types that parameters are cast to, and that of a number of rows.
fn not_inferred(plan: &LogicalPlan) -> Result<BTreeMap<String, DataType>, DataFusionError> {
    let mut types = BTreeMap::new();
    plan.apply_with_subqueries(|node| {
        if let LogicalPlan::Limit(limit) = node {
            for number in [&limit.skip, &limit.fetch].into_iter().flatten() {
                if let Expr::Placeholder(parameter) = number.as_ref() {
                    types.insert(parameter.id.clone(), DataType::Int64);
                }
            }
        }
        node.apply_expressions(|expression| {
            expression.apply(|inner| {
                if let Expr::Cast(cast) = inner
                    && let Expr::Placeholder(parameter) = cast.expr.as_ref()
                {
                    types.insert(parameter.id.clone(), cast.field.data_type().clone());
                }
                Ok(TreeNodeRecursion::Continue)
            })
        })
    })?;
    Ok(types)
}
