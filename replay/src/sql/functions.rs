//! The functions that a person's SQL has besides the engine's and those on JSON.

mod changes;
mod texts;
mod times;

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, StringArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, TimeUnit, TimestampNanosecondType};
use datafusion::common::{ScalarValue, exec_datafusion_err, plan_err};
use datafusion::error::Result;
use datafusion::logical_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion::logical_expr::{
    ColumnarValue, Expr, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use datafusion::prelude::SessionContext;

use super::recordings::Recordings;

/// Each function's call, and what it gives.
pub const FUNCTIONS: [(&str, &str); 11] = [
    (
        "age(time [, now])",
        "the time since, as kubectl prints it: 5m30s, 3h",
    ),
    (
        "attribute(attributes, key)",
        "the value of a span's attribute, as text",
    ),
    (
        "changed_paths(before, after)",
        "where two JSON objects differ: a list of {path, before, after}; unnest it",
    ),
    ("clock(snapshot)", "now, in that snapshot"),
    (
        "condition(object, type)",
        "the status of an object's condition: True, False, Unknown",
    ),
    (
        "in_baseline([snapshot,] time)",
        "whether a time lies in the baseline window",
    ),
    (
        "in_fault([snapshot,] time)",
        "whether a time lies in the fault window",
    ),
    (
        "printed(resource, object, column, now)",
        "the cell that kubectl prints for an object, e.g. printed('pods', object, 'Status', clock(snapshot))",
    ),
    (
        "quantity(text)",
        "a Kubernetes quantity as a number: 250m is 0.25, 64Mi is 67108864",
    ),
    (
        "since(snapshot, text)",
        "a moment: a time, a length before now (90s, 5m, 2h), fault (its injection), baseline (its start), or '' (the recording's start)",
    ),
    (
        "template(message)",
        "a log line with * for its numbers, times, identifiers and quoted texts",
    ),
];

/// Adds the functions to a session.
pub(super) fn register(context: &SessionContext, recordings: &Arc<Recordings>) {
    let functions = times::functions(recordings)
        .into_iter()
        .chain(texts::functions())
        .chain([changes::function()]);
    for function in functions {
        context.register_udf(ScalarUDF::from(function));
    }
}

/// What an argument has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    /// A timestamp, of whatever unit.
    Time,
}

type Call = dyn Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync;
type Simplify = dyn Fn(&[Expr], &SimplifyContext) -> Result<Option<Expr>> + Send + Sync;

/// A function of rows, by what it takes and what it does.
struct Function {
    name: &'static str,
    /// The forms it may be called in.
    takes: &'static [&'static [Kind]],
    gives: DataType,
    call: Box<Call>,
    /// What it comes down to, once the statement is known.
    simplify: Option<Box<Simplify>>,
    signature: Signature,
}

impl Function {
    fn new(
        name: &'static str,
        takes: &'static [&'static [Kind]],
        gives: DataType,
        call: impl Fn(&[ArrayRef]) -> Result<ArrayRef> + Send + Sync + 'static,
    ) -> Self {
        Self {
            name,
            takes,
            gives,
            call: Box::new(call),
            simplify: None,
            signature: Signature::user_defined(Volatility::Immutable),
        }
    }

    fn simplified(
        mut self,
        simplify: impl Fn(&[Expr], &SimplifyContext) -> Result<Option<Expr>> + Send + Sync + 'static,
    ) -> Self {
        self.simplify = Some(Box::new(simplify));
        self
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

// A session has one function of a name.
impl PartialEq for Function {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Function {}

impl Hash for Function {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl ScalarUDFImpl for Function {
    fn name(&self) -> &str {
        self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> Result<DataType> {
        Ok(self.gives.clone())
    }

    fn coerce_types(&self, given: &[DataType]) -> Result<Vec<DataType>> {
        let form = self.takes.iter().find(|form| form.len() == given.len());
        let Some(form) = form else {
            let forms: Vec<String> = self
                .takes
                .iter()
                .map(|form| form.len().to_string())
                .collect();
            return plan_err!(
                "{} takes {} arguments, not {}: {}",
                self.name,
                forms.join(" or "),
                given.len(),
                usage(self.name)
            );
        };
        let coerced = form
            .iter()
            .zip(given)
            .map(|(kind, given)| match (kind, given) {
                (Kind::Time, DataType::Timestamp(_, Some(_))) => given.clone(),
                (Kind::Time, _) => nanosecond_type(),
                (Kind::Text, _) => DataType::Utf8,
            });
        Ok(coerced.collect())
    }

    fn invoke_with_args(&self, given: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let is_scalar = |value: &ColumnarValue| matches!(value, ColumnarValue::Scalar(_));
        let is_constant = given.args.iter().all(is_scalar);
        let arrays = ColumnarValue::values_to_arrays(&given.args)?;
        let result = (self.call)(&arrays)?;
        Ok(match is_constant {
            true => ColumnarValue::Scalar(ScalarValue::try_from_array(&result, 0)?),
            false => ColumnarValue::Array(result),
        })
    }

    fn simplify(&self, given: Vec<Expr>, info: &SimplifyContext) -> Result<ExprSimplifyResult> {
        let simple = match &self.simplify {
            Some(simplify) => simplify(&given, info)?,
            None => None,
        };
        Ok(match simple {
            Some(simple) => ExprSimplifyResult::Simplified(simple),
            None => ExprSimplifyResult::Original(given),
        })
    }
}

fn usage(name: &str) -> String {
    let of = |call: &&(&str, &str)| call.0.split('(').next() == Some(name);
    FUNCTIONS
        .iter()
        .find(of)
        .map_or_else(String::new, |(call, _)| (*call).to_owned())
}

/// The type of moments.
fn nanosecond_type() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// An argument's texts.
fn texts(given: &[ArrayRef], at: usize) -> Result<&StringArray> {
    given
        .get(at)
        .and_then(|array| array.as_string_opt::<i32>())
        .ok_or_else(|| exec_datafusion_err!("argument {} is no text", at + 1))
}

/// An argument's moments, in nanoseconds since the epoch.
fn moments(given: &[ArrayRef], at: usize) -> Result<Vec<Option<i64>>> {
    let array = given
        .get(at)
        .ok_or_else(|| exec_datafusion_err!("argument {} is missing", at + 1))?;
    let array = cast(array, &nanosecond_type())?;
    Ok(array
        .as_primitive::<TimestampNanosecondType>()
        .iter()
        .collect())
}

/// A function of one text.
fn of_text(given: &[ArrayRef], function: impl Fn(&str) -> Option<String>) -> Result<ArrayRef> {
    let texts = texts(given, 0)?.iter();
    let results: StringArray = texts.map(|text| text.and_then(&function)).collect();
    Ok(Arc::new(results) as ArrayRef)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_is_told_of() {
        let functions = times::functions(&Arc::new(Recordings::default()))
            .into_iter()
            .chain(texts::functions())
            .chain([changes::function()]);
        let mut names: Vec<&str> = functions.map(|function| function.name).collect();
        names.retain(|name| !times::NOW.contains(name));
        names.sort_unstable();
        let told: Vec<&str> = FUNCTIONS
            .iter()
            .filter_map(|(call, _)| call.split('(').next())
            .collect();
        assert_eq!(names, told);
    }
}
