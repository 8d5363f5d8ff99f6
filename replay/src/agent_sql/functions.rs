//! The functions of an agent's query: what they give depends on their arguments (and on *now*)
//! alone, and is not much larger than they are.

use datafusion::execution::{SessionStateBuilder, SessionStateDefaults};

/// Their names, sorted; besides `CAST`, `CASE`, `EXTRACT`, `LIKE` and the operators.
pub(super) const NAMES: [&str; 76] = [
    "abs",
    "approx_distinct",
    "approx_percentile_cont",
    "array_length",
    "avg",
    "bool_and",
    "bool_or",
    "btrim",
    "ceil",
    "character_length",
    "coalesce",
    "concat",
    "concat_ws",
    "contains",
    "corr",
    "count",
    "cume_dist",
    "date_bin",
    "date_part",
    "date_trunc",
    "dense_rank",
    "ends_with",
    "exp",
    "first_value",
    "floor",
    "from_unixtime",
    "get_field",
    "greatest",
    "isnan",
    "lag",
    "last_value",
    "lead",
    "least",
    "left",
    "ln",
    "log10",
    "lower",
    "ltrim",
    "make_array",
    "map_extract",
    "map_keys",
    "map_values",
    "max",
    "median",
    "min",
    "now",
    "nth_value",
    "ntile",
    "nullif",
    "nvl",
    "octet_length",
    "percent_rank",
    "power",
    "rank",
    "regexp_count",
    "regexp_like",
    "regexp_match",
    "replace",
    "reverse",
    "right",
    "round",
    "row_number",
    "rtrim",
    "signum",
    "split_part",
    "sqrt",
    "starts_with",
    "stddev",
    "strpos",
    "substr",
    "sum",
    "to_char",
    "to_timestamp",
    "trunc",
    "upper",
    "var",
];

/// Gives the engine these functions and no other.
pub(super) fn register(builder: SessionStateBuilder) -> SessionStateBuilder {
    let mut scalar = SessionStateDefaults::default_scalar_functions();
    scalar.retain(|function| is_allowed(function.name(), function.aliases()));
    let mut aggregate = SessionStateDefaults::default_aggregate_functions();
    aggregate.retain(|function| is_allowed(function.name(), function.aliases()));
    let mut window = SessionStateDefaults::default_window_functions();
    window.retain(|function| is_allowed(function.name(), function.aliases()));
    builder
        .with_expr_planners(SessionStateDefaults::default_expr_planners())
        .with_scalar_functions(scalar)
        .with_aggregate_functions(aggregate)
        .with_window_functions(window)
}

fn is_allowed(name: &str, aliases: &[String]) -> bool {
    // The engine's own name may be an alias of the usual one.
    std::iter::once(name)
        .chain(aliases.iter().map(String::as_str))
        .any(|name| NAMES.binary_search(&name).is_ok())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_name_is_a_function_and_the_list_is_sorted() {
        assert!(NAMES.is_sorted());
        let mut known = BTreeSet::new();
        for function in SessionStateDefaults::default_scalar_functions() {
            known.insert(function.name().to_owned());
            known.extend(function.aliases().iter().cloned());
        }
        for function in SessionStateDefaults::default_aggregate_functions() {
            known.insert(function.name().to_owned());
            known.extend(function.aliases().iter().cloned());
        }
        for function in SessionStateDefaults::default_window_functions() {
            known.insert(function.name().to_owned());
            known.extend(function.aliases().iter().cloned());
        }
        let unknown: Vec<_> = NAMES
            .iter()
            .filter(|name| !known.contains(**name))
            .collect();
        assert!(unknown.is_empty(), "{unknown:?}");
        for name in [
            "random",
            "uuid",
            "version",
            "repeat",
            "range",
            "generate_series",
            "lpad",
        ] {
            assert!(!is_allowed(name, &[]), "{name}");
        }
    }
}
