//! Names that a program uses: all of them must be known before it runs.

use std::collections::BTreeMap;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Pattern, Term};
use jaq_core::path::Part;

use super::super::builtins;
use super::{Machine, Program};

/// What later versions have, in any number of arguments.
pub(super) const LATER: &[&str] = &[
    "pick",
    "abs",
    "toarray",
    "trim",
    "ltrim",
    "rtrim",
    "have_literal_numbers",
    "have_decnum",
    "skip",
    "trimstr",
    "significand",
    "env",
    "localtime",
    "strflocaltime",
    "get_search_list",
    "modulemeta",
    "ascii",
    "dateadd",
    "datesub",
    "date",
    "gamma",
    "lgamma",
    "tgamma",
    "frexp",
    "modf",
    "ldexp",
    "scalb",
    "scalbln",
    "nearbyint",
    "trunc",
    "logb",
    "drem",
    "bsearch",
    "tostream",
    "fromstream",
    "truncate_stream",
    "finites",
    "normals",
    "isnormal",
    "isvalid",
    "INDEX",
    "GROUP_BY",
    "IN",
    "INSIDE",
    "builtins",
    "stderr",
    "recurse_down",
    "debug",
    "add",
    "scan",
    "tobytes",
    "@base32",
    "@base32d",
    "@urid",
    "combinations",
];

impl Machine<'_> {
    /// Whether everything that is called by name exists; else what jq says.
    pub(in super::super) fn check(&self, program: &Program<'_>) -> Result<(), String> {
        let mut names = Names::default();
        let known = self.variables.iter().map(|(name, _)| format!("${name}"));
        for name in known.chain(["$ENV".to_owned(), "$__loc__".to_owned()]) {
            *names.variables.entry(name).or_default() += 1;
        }
        check(program, &mut names)
    }
}

/// Names in sight, each with how often it is bound.
#[derive(Default)]
struct Names {
    variables: BTreeMap<String, usize>,
    functions: BTreeMap<(String, usize), usize>,
    labels: BTreeMap<String, usize>,
}

const TERMS: &[(&str, usize)] = &[
    ("empty", 0),
    ("error", 0),
    ("error", 1),
    ("not", 0),
    ("select", 1),
    ("map", 1),
    ("recurse", 0),
    ("recurse", 1),
    ("recurse", 2),
    ("repeat", 1),
    ("first", 1),
    ("limit", 2),
    ("last", 1),
    ("nth", 2),
    ("until", 2),
    ("while", 2),
    ("isempty", 1),
    ("any", 1),
    ("any", 2),
    ("all", 1),
    ("all", 2),
    ("path", 1),
    ("paths", 0),
    ("paths", 1),
    ("del", 1),
    ("map_values", 1),
    ("with_entries", 1),
    ("walk", 1),
    ("env", 0),
    ("getpath", 1),
    ("sort_by", 1),
    ("group_by", 1),
    ("unique_by", 1),
    ("min_by", 1),
    ("max_by", 1),
    ("input", 0),
    ("inputs", 0),
    ("sub", 2),
    ("sub", 3),
    ("gsub", 2),
    ("gsub", 3),
];

fn check(term: &Program<'_>, names: &mut Names) -> Result<(), String> {
    match term {
        Term::Id | Term::Recurse | Term::Num(_) | Term::Arr(None) => Ok(()),
        Term::Str(_, parts) => parts.iter().try_for_each(|part| match part {
            StrPart::Term(term) => check(term, names),
            _ => Ok(()),
        }),
        Term::Arr(Some(inner)) | Term::Neg(inner) => check(inner, names),
        Term::Obj(members) => members.iter().try_for_each(|(key, value)| {
            check(key, names)?;
            value.iter().try_for_each(|value| check(value, names))
        }),
        Term::BinOp(left, BinaryOp::Pipe(Some(pattern)), right) => {
            check(left, names)?;
            with_pattern(pattern, names, |names| check(right, names))
        }
        Term::BinOp(left, _, right) => {
            check(left, names)?;
            check(right, names)
        }
        Term::Label(name, body) => {
            *names.labels.entry((*name).to_owned()).or_default() += 1;
            let result = check(body, names);
            decrement(&mut names.labels, &(*name).to_owned());
            result
        }
        Term::Break(name) => match names.labels.contains_key(*name) {
            true => Ok(()),
            false => Err(format!(
                "$*label-{} is not defined",
                name.trim_start_matches('$')
            )),
        },
        Term::Fold(_, source, pattern, arguments) => {
            check(source, names)?;
            let (start, rest) = arguments.split_at(arguments.len().min(1));
            start.iter().try_for_each(|term| check(term, names))?;
            with_pattern(pattern, names, |names| {
                rest.iter().try_for_each(|term| check(term, names))
            })
        }
        Term::TryCatch(body, handler) => {
            check(body, names)?;
            handler.iter().try_for_each(|term| check(term, names))
        }
        Term::IfThenElse(branches, otherwise) => {
            for (condition, then) in branches {
                check(condition, names)?;
                check(then, names)?;
            }
            otherwise.iter().try_for_each(|term| check(term, names))
        }
        Term::Def(definitions, body) => {
            for definition in definitions {
                let signature = (definition.name.to_owned(), definition.args.len());
                *names.functions.entry(signature).or_default() += 1;
                for argument in &definition.args {
                    let plain = argument.trim_start_matches('$').to_owned();
                    *names.functions.entry((plain, 0)).or_default() += 1;
                    *names.variables.entry((*argument).to_owned()).or_default() += 1;
                }
                let result = check(&definition.body, names);
                for argument in &definition.args {
                    let plain = argument.trim_start_matches('$').to_owned();
                    decrement(&mut names.functions, &(plain, 0));
                    decrement(&mut names.variables, &(*argument).to_owned());
                }
                result?;
            }
            let result = check(body, names);
            for definition in definitions {
                let signature = (definition.name.to_owned(), definition.args.len());
                decrement(&mut names.functions, &signature);
            }
            result
        }
        Term::Call(name, arguments) => {
            let signature = ((*name).to_owned(), arguments.len());
            let known = names.functions.contains_key(&signature)
                || TERMS.contains(&(*name, arguments.len()))
                || builtins::exists(name, arguments.len())
                || LATER.contains(name)
                || name.starts_with('@');
            if !known {
                return Err(format!("{name}/{} is not defined", arguments.len()));
            }
            arguments.iter().try_for_each(|term| check(term, names))
        }
        Term::Var(name) => match names.variables.contains_key(*name) {
            true => Ok(()),
            false => Err(format!("{name} is not defined")),
        },
        Term::Path(start, path) => {
            check(start, names)?;
            path.0.iter().try_for_each(|(part, _)| match part {
                Part::Index(index) => check(index, names),
                Part::Range(from, to) => from
                    .iter()
                    .chain(to)
                    .try_for_each(|term| check(term, names)),
            })
        }
    }
}

fn decrement<K: Ord>(counts: &mut BTreeMap<K, usize>, key: &K) {
    if let Some(count) = counts.get_mut(key) {
        *count -= 1;
        if *count == 0 {
            counts.remove(key);
        }
    }
}

fn with_pattern(
    pattern: &Pattern<&str>,
    names: &mut Names,
    then: impl FnOnce(&mut Names) -> Result<(), String>,
) -> Result<(), String> {
    let mut bound = Vec::new();
    collect(pattern, &mut bound, names)?;
    for name in &bound {
        *names.variables.entry(name.clone()).or_default() += 1;
    }
    let result = then(names);
    for name in &bound {
        decrement(&mut names.variables, name);
    }
    result
}

fn collect(
    pattern: &Pattern<&str>,
    bound: &mut Vec<String>,
    names: &mut Names,
) -> Result<(), String> {
    match pattern {
        Pattern::Var(name) => {
            bound.push((*name).to_owned());
            Ok(())
        }
        Pattern::Arr(parts) => parts
            .iter()
            .try_for_each(|part| collect(part, bound, names)),
        Pattern::Obj(members) => members.iter().try_for_each(|(key, part)| {
            check(key, names)?;
            collect(part, bound, names)
        }),
    }
}
