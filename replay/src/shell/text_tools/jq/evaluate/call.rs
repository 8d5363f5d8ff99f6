//! Calls: of functions of the program, of those defined in jq itself, and of built-in ones.

use jaq_core::load::parse::Def;

use super::super::value::Value;
use super::super::{builtins, paths};
use super::names::LATER;
use super::{
    Flow, Item, Machine, Name, Out, Path, Program, Raise, Scope, failure, invalid_path, missing,
};

impl Machine<'_> {
    pub(super) fn call<'t>(
        &self,
        name: &'t str,
        arguments: &'t [Program<'t>],
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let found = scope.bindings().find(|binding| match &binding.name {
            Name::Function(definition) => {
                definition.name == name && definition.args.len() == arguments.len()
            }
            Name::Argument(known, ..) => *known == name && arguments.is_empty(),
            _ => false,
        });
        if let Some(binding) = found {
            return match &binding.name {
                Name::Argument(_, term, outer) => self.eval(term, outer, item, out),
                Name::Function(definition) => {
                    let inner = Scope(Some(binding.clone()));
                    self.enter(definition, arguments, 0, scope, inner, item, out)
                }
                _ => Ok(()),
            };
        }
        self.native(name, arguments, scope, item, out)
    }

    /// Binds the arguments from a position on, then runs the body.
    #[expect(clippy::too_many_arguments, reason = "what a call has")]
    fn enter<'t>(
        &self,
        definition: &'t Def<&'t str>,
        arguments: &'t [Program<'t>],
        position: usize,
        caller: &Scope<'t>,
        inner: Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let (Some(name), Some(argument)) = (definition.args.get(position), arguments.get(position))
        else {
            return self.eval(&definition.body, &inner, item, out);
        };
        let Some(plain) = name.strip_prefix('$') else {
            let inner = inner.with(Name::Argument(name, argument, caller.clone()));
            return self.enter(
                definition,
                arguments,
                position + 1,
                caller,
                inner,
                item,
                out,
            );
        };
        let input = item.value.clone();
        self.values(argument, caller, &input, &mut |value| {
            let inner = inner
                .with(Name::Argument(plain, argument, caller.clone()))
                .with(Name::Variable(name, value));
            let item = item.clone();
            self.enter(
                definition,
                arguments,
                position + 1,
                caller,
                inner,
                item,
                out,
            )
        })
    }

    /// What needs terms, not values.
    fn native<'t>(
        &self,
        name: &str,
        arguments: &'t [Program<'t>],
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let made = |value: Value| Item::new(value, item.path.lost());
        let input = &item.value;
        match (name, arguments) {
            ("empty", []) => Ok(()),
            ("error", []) => Err(raised(input.clone())),
            ("error", [message]) => {
                self.values(message, scope, input, &mut |value| Err(raised(value)))
            }
            ("not", []) => out(made(Value::Bool(!input.is_true()))),
            ("select", [condition]) => self.values(
                condition,
                scope,
                input,
                &mut |value| match value.is_true() {
                    true => out(item.clone()),
                    false => Ok(()),
                },
            ),
            ("map", [term]) => {
                let mut values = Vec::new();
                for (_, value) in
                    paths::children(input).ok_or_else(|| super::not_iterable(input))?
                {
                    self.values(term, scope, &value, &mut |value| {
                        values.push(value);
                        Ok(())
                    })?;
                }
                out(made(Value::array(values)))
            }
            ("recurse", []) => self.recurse(item, out),
            ("recurse", [term]) => self.recurse_with(term, None, scope, item, out),
            ("recurse", [term, condition]) => {
                self.recurse_with(term, Some(condition), scope, item, out)
            }
            // Its first output is another in later versions.
            ("repeat", [_]) => Err(missing("repeat")),
            ("first", [term]) => self.limit(1, term, scope, item, out),
            ("limit", [count, term]) => {
                self.values(count, scope, input, &mut |count| match count {
                    Value::Number(count) if count >= 1.0 => {
                        self.limit(count as usize, term, scope, item.clone(), out)
                    }
                    _ => Err(missing("limit of less than one")),
                })
            }
            ("last", [term]) => {
                let mut last = made(Value::Null);
                self.eval(term, scope, item.clone(), &mut |item| {
                    last = item;
                    Ok(())
                })?;
                out(last)
            }
            ("nth", [count, term]) => self.values(count, scope, input, &mut |count| {
                let Value::Number(count) = count else {
                    return Err(missing("nth of no number"));
                };
                if count < 0.0 {
                    return Err(missing("nth of less than zero"));
                }
                let mut last = made(Value::Null);
                self.limit(
                    (count as usize).saturating_add(1),
                    term,
                    scope,
                    item.clone(),
                    &mut |item| {
                        last = item;
                        Ok(())
                    },
                )?;
                out(last)
            }),
            ("until", [condition, update]) => self.until(condition, update, scope, item, out),
            ("while", [condition, update]) => self.while_true(condition, update, scope, item, out),
            ("isempty", [term]) => {
                let mut empty = true;
                let input = Item::new(input.clone(), Path::Off);
                self.limit(1, term, scope, input, &mut |_| {
                    empty = false;
                    Ok(())
                })?;
                out(made(Value::Bool(empty)))
            }
            ("any" | "all", [condition]) => {
                let children = paths::children(input).ok_or_else(|| super::not_iterable(input))?;
                self.quantify(name == "any", &mut |decide| {
                    for (_, value) in &children {
                        self.values(condition, scope, value, decide)?;
                    }
                    Ok(())
                })
                .and_then(|value| out(made(value)))
            }
            ("any" | "all", [source, condition]) => self
                .quantify(name == "any", &mut |decide| {
                    self.values(source, scope, input, &mut |value| {
                        self.values(condition, scope, &value, decide)
                    })
                })
                .and_then(|value| out(made(value))),
            ("path", [term]) => {
                let start = Item::new(input.clone(), Path::At(None));
                self.eval(term, scope, start, &mut |found| {
                    let keys = found
                        .path
                        .keys()
                        .ok_or_else(|| invalid_path(&found.value))?;
                    out(made(Value::array(keys)))
                })
            }
            ("paths", [] | [_]) => {
                let start = Item::new(input.clone(), Path::At(None));
                let mut first = true;
                self.recurse(start, &mut |found| {
                    if std::mem::take(&mut first) {
                        return Ok(());
                    }
                    let keys = Value::array(found.path.keys().unwrap_or_default());
                    match arguments.first() {
                        None => out(made(keys)),
                        Some(condition) => {
                            self.values(condition, scope, &found.value, &mut |value| match value
                                .is_true()
                            {
                                true => out(made(keys.clone())),
                                false => Ok(()),
                            })
                        }
                    }
                })
            }
            ("del", [term]) => {
                let found = self.paths_of(term, scope, input)?;
                out(made(paths::delete(input.clone(), found)?))
            }
            ("map_values", [term]) => {
                let children = paths::children(input).ok_or_else(|| super::not_iterable(input))?;
                let mut result = input.clone();
                for (key, value) in children {
                    let mut new = None;
                    self.limit(1, term, scope, Item::new(value, Path::Off), &mut |item| {
                        new = Some(item.value);
                        Ok(())
                    })?;
                    result = match (new, key) {
                        (Some(new), key) => paths::set_path(result, &[key], new)?,
                        (None, Value::Number(_)) => {
                            return Err(missing("map_values(empty) on arrays"));
                        }
                        (None, key) => paths::delete(result, vec![vec![key]])?,
                    };
                }
                out(made(result))
            }
            ("with_entries", [term]) => {
                let entries = builtins::to_entries(input)?;
                let mut changed = Vec::new();
                for entry in entries {
                    self.values(term, scope, &entry, &mut |value| {
                        changed.push(value);
                        Ok(())
                    })?;
                }
                out(made(builtins::from_entries(&Value::array(changed))?))
            }
            ("walk", [term]) => self.walk(term, scope, input, &mut |value| out(made(value))),
            ("env", []) => Err(missing("env")),
            ("getpath", [path]) => self.values(path, scope, input, &mut |path| {
                let Value::Array(keys) = &path else {
                    return Err(failure("Path must be specified as an array"));
                };
                if matches!(item.path, Path::Lost) {
                    return Err(invalid_path(&item.value));
                }
                let value = paths::get_path(input, keys)?;
                let place = keys
                    .iter()
                    .fold(item.path.clone(), |place, key| place.then(key.clone()));
                out(Item::new(value, place))
            }),
            ("sort_by" | "group_by" | "unique_by" | "min_by" | "max_by", [term]) => {
                let keyed = self.keyed(name, term, scope, input)?;
                out(made(builtins::by_keys(name, keyed)))
            }
            ("input", []) => match self.next_input() {
                Some(Ok(value)) => out(made(value)),
                Some(Err(message)) => Err(Raise::Error(super::Failure {
                    value: Value::text(message),
                    is_parse_error: true,
                })),
                None => Err(failure("break")),
            },
            ("inputs", []) => {
                while let Some(next) = self.next_input() {
                    match next {
                        Ok(value) => out(made(value))?,
                        Err(message) => {
                            return Err(Raise::Error(super::Failure {
                                value: Value::text(message),
                                is_parse_error: true,
                            }));
                        }
                    }
                }
                Ok(())
            }
            ("sub" | "gsub", [_, _] | [_, _, _]) => {
                self.substitution(name, arguments, scope, &item, out)
            }
            (name, arguments) => self.by_value(name, arguments, scope, &item, out),
        }
    }

    /// What takes the values of its arguments, in any combination.
    fn by_value<'t>(
        &self,
        name: &str,
        arguments: &'t [Program<'t>],
        scope: &Scope<'t>,
        item: &Item,
        out: Out<'_>,
    ) -> Flow {
        if name.starts_with('@') && !LATER.contains(&name) {
            let text = builtins::formatted(name, &item.value)?;
            return out(Item::new(Value::text(text), item.path.lost()));
        }
        if !builtins::exists(name, arguments.len()) {
            return Err(match LATER.contains(&name) {
                true => missing(&format!("{name}/{}", arguments.len())),
                false => failure(format!("{name}/{} is not defined", arguments.len())),
            });
        }
        let path = item.path.lost();
        self.combinations(
            arguments,
            scope,
            &item.value,
            &mut Vec::new(),
            &mut |values| {
                builtins::run(self, name, &item.value, values, &mut |value| {
                    self.step(value.breadth() / 16)?;
                    out(Item::new(value, path.clone()))
                })
            },
        )
    }

    pub(in super::super) fn combinations<'t>(
        &self,
        arguments: &'t [Program<'t>],
        scope: &Scope<'t>,
        input: &Value,
        values: &mut Vec<Value>,
        then: &mut dyn FnMut(&[Value]) -> Flow,
    ) -> Flow {
        let Some((first, rest)) = arguments.split_first() else {
            return then(values);
        };
        self.values(first, scope, input, &mut |value| {
            values.push(value);
            let flow = self.combinations(rest, scope, input, values, then);
            values.pop();
            flow
        })
    }

    fn walk<'t>(
        &self,
        term: &'t Program<'t>,
        scope: &Scope<'t>,
        value: &Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        self.step(0)?;
        let walked = match value {
            Value::Array(values) => {
                let mut all = Vec::new();
                for value in values.iter() {
                    self.walk(term, scope, value, &mut |value| {
                        all.push(value);
                        Ok(())
                    })?;
                }
                Value::array(all)
            }
            Value::Object(members) => {
                let mut all = super::super::value::Object::new();
                for (key, value) in members.iter() {
                    let mut last = None;
                    self.walk(term, scope, value, &mut |value| match last.replace(value) {
                        None => Ok(()),
                        Some(_) => Err(missing("walk with several outputs")),
                    })?;
                    let Some(last) = last else {
                        return Err(missing("walk without an output"));
                    };
                    all.insert(key.clone(), last);
                }
                Value::object(all)
            }
            other => other.clone(),
        };
        self.values(term, scope, &walked, out)
    }

    /// Elements with the values of a term on them.
    fn keyed<'t>(
        &self,
        name: &str,
        term: &'t Program<'t>,
        scope: &Scope<'t>,
        input: &Value,
    ) -> Result<Vec<(Value, Value)>, Raise> {
        let Value::Array(values) = input else {
            let error = match (name, paths::children(input)) {
                ("sort_by", _) | (_, Some(_)) => return Err(builtins::not_sortable(input)),
                (_, None) => super::not_iterable(input),
            };
            return Err(error);
        };
        let mut keyed = Vec::new();
        for value in values.iter() {
            let mut keys = Vec::new();
            self.values(term, scope, value, &mut |key| {
                keys.push(key);
                Ok(())
            })?;
            keyed.push((Value::array(keys), value.clone()));
        }
        self.step(keyed.len() * 64)?;
        Ok(keyed)
    }
}

fn raised(value: Value) -> Raise {
    if matches!(value, Value::Null) {
        return missing("error(null)");
    }
    Raise::Error(super::Failure {
        value,
        is_parse_error: false,
    })
}
