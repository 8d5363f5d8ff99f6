//! Where values come from: paths, and how a term follows one.

use std::rc::Rc;

use jaq_core::path::{Opt, Part};

use super::super::value::Value;
use super::super::{arithmetic, paths, write};
use super::{Flow, Machine, Out, Program, Raise, Scope, failure};

/// Where a value came from, if someone asks.
#[derive(Debug, Clone)]
pub(in super::super) enum Path {
    /// Nobody asks.
    Off,
    /// It came from nowhere.
    Lost,
    At(Option<Rc<Step>>),
}

/// The last part of a path, with the part before it.
#[derive(Debug)]
pub(in super::super) struct Step {
    key: Value,
    before: Option<Rc<Step>>,
}

impl Path {
    /// Of a member or element.
    pub(super) fn then(&self, key: Value) -> Self {
        match self {
            Self::At(before) => Self::At(Some(Rc::new(Step {
                key,
                before: before.clone(),
            }))),
            other => other.clone(),
        }
    }

    /// Of a value that is made here.
    pub(in super::super) fn lost(&self) -> Self {
        match self {
            Self::Off => Self::Off,
            _ => Self::Lost,
        }
    }

    /// Its parts; none of a value without one.
    pub(in super::super) fn keys(&self) -> Option<Vec<Value>> {
        let Self::At(last) = self else {
            return None;
        };
        let mut keys = Vec::new();
        let mut step = last.as_ref();
        while let Some(found) = step {
            keys.push(found.key.clone());
            step = found.before.as_ref();
        }
        keys.reverse();
        Some(keys)
    }
}

/// A value with its path.
#[derive(Debug, Clone)]
pub(in super::super) struct Item {
    pub(in super::super) value: Value,
    pub(in super::super) path: Path,
}

impl Item {
    pub(in super::super) fn new(value: Value, path: Path) -> Self {
        Self { value, path }
    }
}

impl Machine<'_> {
    /// Follows a path from each output of a term.
    pub(super) fn path<'t>(
        &self,
        start: &'t Program<'t>,
        parts: &'t [(Part<Program<'t>>, Opt)],
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let input = item.value.clone();
        self.eval(start, scope, item, &mut |item| {
            self.parts(parts, scope, &input, item, out)
        })
    }

    fn parts<'t>(
        &self,
        parts: &'t [(Part<Program<'t>>, Opt)],
        scope: &Scope<'t>,
        input: &Value,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        self.step(0)?;
        let Some(((part, opt), rest)) = parts.split_first() else {
            return out(item);
        };
        if matches!(item.path, Path::Lost) {
            return Err(invalid_path(&item.value));
        }
        let optional = matches!(opt, Opt::Optional);
        let mut go = |result: Result<Value, Raise>, key: Value| match result {
            Ok(value) => {
                let next = Item::new(value, item.path.then(key));
                self.parts(rest, scope, input, next, out)
            }
            Err(Raise::Error(_)) if optional => Ok(()),
            Err(raise) => Err(raise),
        };
        match part {
            Part::Index(index) => self.values(index, scope, input, &mut |key| {
                go(paths::get(&item.value, &key), key)
            }),
            Part::Range(None, None) => {
                let Some(children) = paths::children(&item.value) else {
                    return match optional {
                        true => Ok(()),
                        false => Err(not_iterable(&item.value)),
                    };
                };
                for (key, value) in children {
                    go(Ok(value), key)?;
                }
                Ok(())
            }
            Part::Range(from, to) => self.bound(to.as_ref(), scope, input, &mut |to| {
                self.bound(from.as_ref(), scope, input, &mut |from| {
                    let key = paths::slice_key(&from, &to);
                    go(paths::get(&item.value, &key), key)
                })
            }),
        }
    }

    fn bound<'t>(
        &self,
        term: Option<&'t Program<'t>>,
        scope: &Scope<'t>,
        input: &Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        match term {
            None => out(Value::Null),
            Some(term) => self.values(term, scope, input, out),
        }
    }
}

/// The error of a value that can't be taken apart.
pub(in super::super) fn not_iterable(value: &Value) -> Raise {
    failure(match value {
        Value::Null => "Cannot iterate over null (null)".to_owned(),
        value => format!("Cannot iterate over {}", arithmetic::shown(value)),
    })
}

/// The error of a path into what was made by the program.
pub(super) fn invalid_path(value: &Value) -> Raise {
    let shown = arithmetic::truncated(&write::compact(value), 29);
    failure(format!("Invalid path expression with result {shown}"))
}
