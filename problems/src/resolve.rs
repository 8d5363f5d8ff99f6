//! One variant of a family, with its variables put in.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

use crate::family::Family;

/// A family with exactly one variant and no `{variable}` left in it.
pub type ResolvedFamily = Family;

/// A family that can't be resolved.
#[derive(Debug, thiserror::Error)]
pub enum ResolveError {
    /// There is no such variant.
    #[error("family {family} has no variant {n}\nhint: it has {known}")]
    UnknownVariant {
        /// Name of the family.
        family: String,
        /// Number that was asked for.
        n: u32,
        /// Numbers that there are.
        known: String,
    },
    /// A text uses a variable that the variant doesn't have.
    #[error("variant {n} of family {family} has no variable {variable:?}\nhint: it has: {known}")]
    UnknownVariable {
        /// Name of the family.
        family: String,
        /// Number of the variant.
        n: u32,
        /// Name of the variable.
        variable: String,
        /// Names that there are.
        known: String,
    },
    /// The family is no longer one with the variables put in.
    #[error("variables break family {family}")]
    Broken {
        /// Name of the family.
        family: String,
        /// Where.
        #[source]
        source: serde_json::Error,
    },
}

impl Family {
    /// `FAMILY-N` of the one variant of a resolved family.
    #[must_use]
    pub fn name(&self) -> String {
        let n = self.variants.first().map_or(1, |variant| variant.n);
        format!("{}-{n}", self.family)
    }

    /// Returns the family for one variant, with `{variable}` replaced in its summary, workload, steps, conditions and truth.
    pub fn resolve(&self, n: u32) -> Result<ResolvedFamily, ResolveError> {
        let variant = self
            .variants
            .iter()
            .find(|variant| variant.n == n)
            .ok_or_else(|| {
                let known: Vec<String> = self
                    .variants
                    .iter()
                    .map(|variant| variant.n.to_string())
                    .collect();
                ResolveError::UnknownVariant {
                    family: self.family.clone(),
                    n,
                    known: known.join(", "),
                }
            })?;
        let broken = |source| ResolveError::Broken {
            family: self.family.clone(),
            source,
        };
        let mut missing = None;
        let mut value = serde_json::to_value(Self {
            variants: Vec::new(),
            ..self.clone()
        })
        .map_err(broken)?;
        substitute(&mut value, &variant.variables, &mut missing);
        if let Some(variable) = missing {
            let known: Vec<&str> = variant.variables.keys().map(String::as_str).collect();
            let known = if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            };
            return Err(ResolveError::UnknownVariable {
                family: self.family.clone(),
                n,
                variable,
                known,
            });
        }
        let mut resolved: Self = serde_json::from_value(value).map_err(broken)?;
        resolved.variants = vec![variant.clone()];
        Ok(resolved)
    }
}

static VARIABLE: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\{([a-z][a-z0-9_]*)\}").ok());

fn substitute(
    value: &mut Value,
    variables: &BTreeMap<String, String>,
    missing: &mut Option<String>,
) {
    match value {
        Value::String(text) => {
            let Some(variable) = VARIABLE.as_ref() else {
                return;
            };
            let replaced = variable.replace_all(text, |captures: &Captures<'_>| {
                variables.get(&captures[1]).cloned().unwrap_or_else(|| {
                    missing.get_or_insert_with(|| captures[1].to_owned());
                    String::new()
                })
            });
            *text = replaced.into_owned();
        }
        Value::Array(items) => items
            .iter_mut()
            .for_each(|item| substitute(item, variables, missing)),
        Value::Object(fields) => fields
            .values_mut()
            .for_each(|field| substitute(field, variables, missing)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
