//! Built-in functions that take values.

mod collections;
mod outputs;

use super::evaluate::{Flow, Machine, Raise, failure, missing, not_iterable};
use super::value::Value;
use super::{arithmetic, dates, paths, read, strings, write};
use collections::{add, contains, flatten, has, keys, length, transpose};
use outputs::{combinations, leaf_paths, range, stream};

pub(super) use collections::{by_keys, from_entries, not_sortable, to_entries};

/// The functions with the number of their arguments.
const FUNCTIONS: &[(&str, usize)] = &[
    ("length", 0),
    ("utf8bytelength", 0),
    ("keys", 0),
    ("keys_unsorted", 0),
    ("values", 0),
    ("nulls", 0),
    ("booleans", 0),
    ("numbers", 0),
    ("strings", 0),
    ("arrays", 0),
    ("objects", 0),
    ("iterables", 0),
    ("scalars", 0),
    ("add", 0),
    ("any", 0),
    ("all", 0),
    ("flatten", 0),
    ("flatten", 1),
    ("range", 1),
    ("range", 2),
    ("range", 3),
    ("floor", 0),
    ("ceil", 0),
    ("round", 0),
    ("sqrt", 0),
    ("fabs", 0),
    ("pow", 2),
    ("log", 0),
    ("log2", 0),
    ("log10", 0),
    ("exp", 0),
    ("exp2", 0),
    ("exp10", 0),
    ("tostring", 0),
    ("tonumber", 0),
    ("type", 0),
    ("infinite", 0),
    ("nan", 0),
    ("isinfinite", 0),
    ("isnan", 0),
    ("sort", 0),
    ("min", 0),
    ("max", 0),
    ("unique", 0),
    ("reverse", 0),
    ("contains", 1),
    ("inside", 1),
    ("has", 1),
    ("in", 1),
    ("startswith", 1),
    ("endswith", 1),
    ("ltrimstr", 1),
    ("rtrimstr", 1),
    ("explode", 0),
    ("implode", 0),
    ("split", 1),
    ("split", 2),
    ("splits", 1),
    ("splits", 2),
    ("join", 1),
    ("ascii_downcase", 0),
    ("ascii_upcase", 0),
    ("transpose", 0),
    ("to_entries", 0),
    ("from_entries", 0),
    ("tojson", 0),
    ("fromjson", 0),
    ("test", 1),
    ("test", 2),
    ("match", 1),
    ("match", 2),
    ("capture", 1),
    ("capture", 2),
    ("scan", 1),
    ("indices", 1),
    ("index", 1),
    ("rindex", 1),
    ("first", 0),
    ("last", 0),
    ("nth", 1),
    ("leaf_paths", 0),
    ("setpath", 2),
    ("delpaths", 1),
    ("now", 0),
    ("todate", 0),
    ("fromdate", 0),
    ("todateiso8601", 0),
    ("fromdateiso8601", 0),
    ("gmtime", 0),
    ("mktime", 0),
    ("strftime", 1),
    ("strptime", 1),
    ("debug", 0),
    ("halt", 0),
    ("halt_error", 0),
    ("halt_error", 1),
    ("input_line_number", 0),
    ("input_filename", 0),
    ("true", 0),
    ("false", 0),
    ("null", 0),
    ("combinations", 0),
    ("tostream", 0),
    ("@text", 0),
    ("@json", 0),
    ("@csv", 0),
    ("@tsv", 0),
    ("@html", 0),
    ("@uri", 0),
    ("@sh", 0),
    ("@base64", 0),
    ("@base64d", 0),
];

/// Whether there is such a function.
pub(super) fn exists(name: &str, arguments: usize) -> bool {
    FUNCTIONS.contains(&(name, arguments))
}

/// Runs a function on a value.
pub(super) fn run(
    machine: &Machine<'_>,
    name: &str,
    input: &Value,
    arguments: &[Value],
    out: &mut dyn FnMut(Value) -> Flow,
) -> Flow {
    let first = arguments.first().unwrap_or(&Value::Null);
    let second = arguments.get(1).unwrap_or(&Value::Null);
    if name.starts_with('@') {
        return out(Value::text(formatted(name, input)?));
    }
    match name {
        "range" => return range(machine, arguments, out),
        "values" | "nulls" | "booleans" | "numbers" | "strings" | "arrays" | "objects"
        | "iterables" | "scalars" => {
            let kept = match name {
                "values" => input.kind() != "null",
                "iterables" => matches!(input, Value::Array(_) | Value::Object(_)),
                "scalars" => !matches!(input, Value::Array(_) | Value::Object(_)),
                name => name.strip_suffix('s') == Some(input.kind()),
            };
            return if kept { out(input.clone()) } else { Ok(()) };
        }
        "split" if arguments.len() == 2 => {
            return out(Value::array(strings::split_by(
                machine, input, first, second,
            )?));
        }
        "splits" => {
            let parts = strings::split_by(machine, input, first, second)?;
            return parts.into_iter().try_for_each(out);
        }
        "match" => {
            return strings::matches(machine, input, first, second)?
                .into_iter()
                .try_for_each(out);
        }
        "capture" => {
            return strings::captures(machine, input, first, second)?
                .into_iter()
                .try_for_each(out);
        }
        "scan" => {
            return strings::scan(machine, input, first)?
                .into_iter()
                .try_for_each(out);
        }
        "leaf_paths" => return leaf_paths(input, &mut Vec::new(), out),
        "combinations" => return combinations(input, &mut Vec::new(), 0, out),
        "tostream" => return stream(input, &mut Vec::new(), out),
        "halt" => return Err(Raise::Halt(0, String::new())),
        "halt_error" => {
            let code = match (arguments.first(), first) {
                (None, _) => 5,
                (_, Value::Number(code)) => *code as i32,
                _ => return Err(failure("halt_error/1: number required")),
            };
            let message = match input {
                Value::Text(text) => text.to_string(),
                Value::Null => String::new(),
                value => format!("{}\n", write::compact(value)),
            };
            return Err(Raise::Halt(code & 0xff, message));
        }
        _ => {}
    }
    out(one(machine, name, input, first, second)?)
}

/// Functions with one output.
fn one(
    machine: &Machine<'_>,
    name: &str,
    input: &Value,
    first: &Value,
    second: &Value,
) -> Result<Value, Raise> {
    Ok(match name {
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        "null" => Value::Null,
        "type" => Value::text(input.kind()),
        "length" => length(input)?,
        "utf8bytelength" => match input {
            Value::Text(text) => Value::number(text.len() as f64),
            value => {
                let shown = arithmetic::shown(value);
                return Err(failure(format!(
                    "{shown} only strings have UTF-8 byte length"
                )));
            }
        },
        "keys" | "keys_unsorted" => keys(input, name == "keys")?,
        "has" => Value::Bool(has(input, first)?),
        "in" => Value::Bool(has(first, input)?),
        "contains" => Value::Bool(contains(machine, input, first)?),
        "inside" => Value::Bool(contains(machine, first, input)?),
        "add" => add(machine, input)?,
        "any" | "all" => {
            let children = paths::children(input).ok_or_else(|| not_iterable(input))?;
            let mut values = children.iter().map(|(_, value)| value.is_true());
            Value::Bool(if name == "any" {
                values.any(|v| v)
            } else {
                values.all(|v| v)
            })
        }
        "flatten" => {
            let depth = match first {
                Value::Number(depth) if *depth < 0.0 => {
                    return Err(failure("flatten depth must not be negative"));
                }
                Value::Number(depth) => *depth as usize,
                _ => usize::MAX,
            };
            let mut flat = Vec::new();
            flatten(input, depth, &mut flat)?;
            Value::array(flat)
        }
        "floor" | "ceil" | "round" | "sqrt" | "fabs" | "log" | "log2" | "log10" | "exp"
        | "exp2" | "exp10" => {
            let Value::Number(number) = *input else {
                return Err(failure(format!(
                    "{} number required",
                    arithmetic::shown(input)
                )));
            };
            Value::Number(match name {
                "floor" => number.floor(),
                "ceil" => number.ceil(),
                "round" => number.round(),
                "sqrt" => number.sqrt(),
                "fabs" => number.abs(),
                "log" => number.ln(),
                "log2" => number.log2(),
                "log10" => number.log10(),
                "exp" => number.exp(),
                "exp2" => number.exp2(),
                _ => 10f64.powf(number),
            })
        }
        "pow" => match (first, second) {
            (Value::Number(a), Value::Number(b)) => Value::Number(a.powf(*b)),
            (Value::Number(_), other) | (other, _) => {
                return Err(failure(format!(
                    "{} number required",
                    arithmetic::shown(other)
                )));
            }
        },
        "infinite" => Value::Number(f64::INFINITY),
        "nan" => Value::Number(f64::NAN),
        "isinfinite" | "isnan" => match input {
            Value::Number(number) if name == "isnan" => Value::Bool(number.is_nan()),
            Value::Number(number) => Value::Bool(number.is_infinite()),
            other => {
                return Err(failure(format!(
                    "{} number required",
                    arithmetic::shown(other)
                )));
            }
        },
        "tostring" => match input {
            Value::Text(_) => input.clone(),
            value => Value::text(write::compact(value)),
        },
        "tonumber" => match input {
            Value::Number(_) => input.clone(),
            Value::Text(text) => match read::value(text) {
                Ok(value @ Value::Number(_)) => value,
                Ok(_) => return Err(missing("tonumber of other JSON")),
                Err(error) => {
                    return Err(failure(format!("{error} (while parsing '{text}')")));
                }
            },
            other => {
                let shown = arithmetic::shown(other);
                return Err(failure(format!("{shown} cannot be parsed as a number")));
            }
        },
        "tojson" => Value::text(write::compact(input)),
        "fromjson" => match input {
            Value::Text(text) => read::value(text)
                .map_err(|error| failure(format!("{error} (while parsing '{text}')")))?,
            other => {
                let shown = arithmetic::shown(other);
                return Err(failure(format!("{shown} only strings can be parsed")));
            }
        },
        "sort" | "min" | "max" | "unique" => {
            let Value::Array(values) = input else {
                return Err(match name {
                    "sort" => not_sortable(input),
                    name => missing(&format!("{name} of anything but an array")),
                });
            };
            machine.step(values.len() * 64)?;
            let keyed = values.iter().map(|value| (value.clone(), value.clone()));
            by_keys(&format!("{name}_by"), keyed.collect())
        }
        "reverse" => match input {
            Value::Array(values) => Value::array(values.iter().rev().cloned().collect()),
            Value::Null => Value::array(Vec::new()),
            _ => return Err(missing("reverse of anything but an array")),
        },
        "transpose" => transpose(input)?,
        "to_entries" => Value::array(to_entries(input)?),
        "from_entries" => from_entries(input)?,
        "indices" | "index" | "rindex" => {
            let found = strings::indices(input, first)?;
            match (name, &found) {
                ("indices", _) => found,
                ("index", Value::Array(all)) => all.first().cloned().unwrap_or(Value::Null),
                (_, Value::Array(all)) => all.last().cloned().unwrap_or(Value::Null),
                _ => Value::Null,
            }
        }
        "first" => paths::get(input, &Value::number(0))?,
        "last" => paths::get(input, &Value::number(-1))?,
        "nth" => paths::get(input, first)?,
        "setpath" => match first {
            Value::Array(keys) => paths::set_path(input.clone(), keys, second.clone())?,
            _ => return Err(failure("Path must be specified as an array")),
        },
        "delpaths" => match first {
            Value::Array(all) => {
                let mut found = Vec::new();
                for path in all.iter() {
                    let Value::Array(keys) = path else {
                        return Err(failure("Path must be specified as an array"));
                    };
                    found.push((**keys).clone());
                }
                paths::delete(input.clone(), found)?
            }
            _ => return Err(failure("Paths must be specified as an array")),
        },
        "now" => Value::Number(machine.now as f64 / 1e9),
        "input_line_number" => Value::number(machine.lines_read() as f64),
        "input_filename" => return Err(missing("input_filename")),
        "debug" => {
            let text = format!("[\"DEBUG:\",{}]\n", write::compact(input));
            machine.messages.borrow_mut().push_str(&text);
            input.clone()
        }
        "todate" | "fromdate" | "todateiso8601" | "fromdateiso8601" | "gmtime" | "mktime"
        | "strftime" | "strptime" => dates::run(name, input, first)?,
        name => strings::run(machine, name, input, first, second)?,
    })
}

/// A value in a format such as `@csv`.
pub(super) fn formatted(format: &str, value: &Value) -> Result<String, Raise> {
    strings::formatted(format, value)
}
