//! Walks a program: every output of a term is handed on before the next is computed.

mod call;
mod names;
mod update;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use jaq_core::load::lex::{Lexer, StrPart};
use jaq_core::load::parse::{BinaryOp, Def, Parser, Pattern, Term};
use jaq_core::path::{Opt, Part};

use super::super::steps::Steps;
use super::super::{Halt, lacking};
use super::read::Inputs;
use super::value::{Object, Value};
use super::{arithmetic, builtins, paths, write};

/// A parsed term of a program.
pub(super) type Program<'t> = Term<&'t str>;

/// How deep terms may nest while they run.
const NESTING: usize = 12_000;

/// Why an evaluation does not go on.
#[derive(Debug)]
pub(super) enum Raise {
    Error(Failure),
    /// `break` to the label of this number.
    Break(usize),
    /// The program ends with this exit code and error text.
    Halt(i32, String),
    /// The action ends.
    Stop(Halt),
}

/// An error of jq's.
#[derive(Debug, Clone)]
pub(super) struct Failure {
    pub(super) value: Value,
    /// Whether an input could not be read.
    pub(super) is_parse_error: bool,
}

/// An error with a text.
pub(super) fn failure(message: impl Into<String>) -> Raise {
    let message: String = message.into();
    Raise::Error(Failure {
        value: Value::text(message),
        is_parse_error: false,
    })
}

/// What jq has and this has not.
pub(super) fn missing(what: &str) -> Raise {
    Raise::Stop(lacking("jq", what))
}

pub(super) type Flow = Result<(), Raise>;

/// Where a value came from, if someone asks.
#[derive(Debug, Clone)]
pub(super) enum Path {
    /// Nobody asks.
    Off,
    /// It came from nowhere.
    Lost,
    At(Option<Rc<Step>>),
}

/// The last part of a path, with the part before it.
#[derive(Debug)]
pub(super) struct Step {
    key: Value,
    before: Option<Rc<Step>>,
}

impl Path {
    fn then(&self, key: Value) -> Self {
        match self {
            Self::At(before) => Self::At(Some(Rc::new(Step {
                key,
                before: before.clone(),
            }))),
            other => other.clone(),
        }
    }

    /// Of a value that is made here.
    pub(super) fn lost(&self) -> Self {
        match self {
            Self::Off => Self::Off,
            _ => Self::Lost,
        }
    }

    pub(super) fn keys(&self) -> Option<Vec<Value>> {
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
pub(super) struct Item {
    pub(super) value: Value,
    pub(super) path: Path,
}

impl Item {
    pub(super) fn new(value: Value, path: Path) -> Self {
        Self { value, path }
    }
}

/// What is known by name.
#[derive(Clone)]
pub(super) struct Scope<'t>(Option<Rc<Binding<'t>>>);

struct Binding<'t> {
    name: Name<'t>,
    outer: Scope<'t>,
}

enum Name<'t> {
    Variable(&'t str, Value),
    Function(&'t Def<&'t str>),
    /// An argument of a function: a term where it was written.
    Argument(&'t str, &'t Program<'t>, Scope<'t>),
    Label(&'t str, usize),
}

impl<'t> Scope<'t> {
    fn with(&self, name: Name<'t>) -> Self {
        Self(Some(Rc::new(Binding {
            name,
            outer: self.clone(),
        })))
    }

    fn bindings(&self) -> impl Iterator<Item = &Rc<Binding<'t>>> {
        std::iter::successors(self.0.as_ref(), |binding| binding.outer.0.as_ref())
    }
}

impl Drop for Scope<'_> {
    /// Long chains are taken apart one by one, not by recursion.
    fn drop(&mut self) {
        let mut next = self.0.take();
        while let Some(binding) = next {
            match Rc::try_unwrap(binding) {
                Ok(mut binding) => next = binding.outer.0.take(),
                Err(_) => return,
            }
        }
    }
}

/// Where outputs go.
pub(super) type Out<'o> = &'o mut dyn FnMut(Item) -> Flow;

/// Parses a program; the inner error is what jq prints.
pub(super) fn parse(text: &str) -> Result<Result<Program<'_>, String>, Halt> {
    if text.contains("?//") || text.contains("import ") || text.contains("include ") {
        return Err(lacking("jq", "with modules or alternatives of patterns"));
    }
    let wrong = || {
        format!("jq: error: syntax error at <top-level>, line 1:\n{text}\njq: 1 compile error\n")
    };
    let Ok(tokens) = Lexer::new(text).lex() else {
        if text.contains("\\ud") || text.contains("\\uD") {
            return Err(lacking("jq", "with surrogates in a program"));
        }
        return Ok(Err(wrong()));
    };
    if tokens.is_empty() {
        return Ok(Ok(Term::Id));
    }
    Ok(Parser::new(&tokens)
        .parse(|parser| parser.term())
        .map_err(|_| wrong()))
}

/// An interpreter with its inputs.
pub(super) struct Machine<'a> {
    inputs: RefCell<Inputs<'a>>,
    pub(super) now: i64,
    variables: Vec<(String, Value)>,
    steps: RefCell<Steps>,
    depth: Cell<usize>,
    labels: Cell<usize>,
    pub(super) messages: RefCell<String>,
    pub(super) regexes: RefCell<BTreeMap<(String, String), Rc<regex::Regex>>>,
    has_input: Cell<bool>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(inputs: Inputs<'a>, now: i64, variables: Vec<(String, Value)>) -> Self {
        Self {
            inputs: RefCell::new(inputs),
            now,
            variables,
            steps: RefCell::new(Steps::new("jq")),
            depth: Cell::new(0),
            labels: Cell::new(0),
            messages: RefCell::default(),
            regexes: RefCell::default(),
            has_input: Cell::new(false),
        }
    }

    pub(super) fn next_input(&self) -> Option<Result<Value, String>> {
        self.has_input.set(true);
        self.inputs.borrow_mut().next()
    }

    pub(super) fn lines_read(&self) -> usize {
        self.inputs.borrow().line()
    }

    /// Where the inputs stand, for error texts.
    pub(super) fn position(&self, name: Option<&str>, null_input: bool) -> String {
        if null_input && !self.has_input.get() {
            return "<unknown>".to_owned();
        }
        format!("{}:{}", name.unwrap_or("<stdin>"), self.lines_read())
    }

    pub(super) fn take_messages(&self) -> String {
        std::mem::take(&mut self.messages.borrow_mut())
    }

    /// Runs a program on an input.
    pub(super) fn run(
        &self,
        program: &Program<'_>,
        input: Value,
        print: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        self.depth.set(0);
        let scope = Scope(None);
        let item = Item::new(input, Path::Off);
        self.eval(program, &scope, item, &mut |item| print(item.value))
    }

    /// Counts a step and what it copies.
    pub(super) fn step(&self, bytes: usize) -> Flow {
        self.steps.borrow_mut().take(bytes).map_err(Raise::Stop)
    }

    pub(super) fn eval<'t>(
        &self,
        term: &'t Program<'t>,
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        self.step(0)?;
        let depth = self.depth.get();
        if depth > NESTING {
            return Err(missing(&format!("that nests deeper than {NESTING} levels")));
        }
        self.depth.set(depth + 1);
        let flow = self.term(term, scope, item, out);
        self.depth.set(depth);
        flow
    }

    fn term<'t>(&self, term: &'t Program<'t>, scope: &Scope<'t>, item: Item, out: Out<'_>) -> Flow {
        let made = |value: Value, item: &Item| Item::new(value, item.path.lost());
        match term {
            Term::Id => out(item),
            Term::Recurse => self.recurse(item, out),
            Term::Num(text) => {
                let number = text.parse::<f64>().unwrap_or(0.0);
                out(made(Value::Number(number), &item))
            }
            Term::Str(format, parts) => self.string(*format, parts, scope, item, out),
            Term::Arr(None) => out(made(Value::array(Vec::new()), &item)),
            Term::Arr(Some(inner)) => {
                let mut values = Vec::new();
                let input = Item::new(item.value.clone(), Path::Off);
                self.eval(inner, scope, input, &mut |item| {
                    self.step(item.value.breadth() / 16)?;
                    values.push(item.value);
                    Ok(())
                })?;
                out(made(Value::array(values), &item))
            }
            Term::Obj(members) => self.members(members, scope, &item, &Object::new(), out),
            Term::Neg(inner) => {
                let path = item.path.lost();
                self.values(inner, scope, &item.value, &mut |value| match value {
                    Value::Number(number) => out(Item::new(Value::Number(-number), path.clone())),
                    value => {
                        let shown = arithmetic::shown(&value);
                        Err(failure(format!("{shown} cannot be negated")))
                    }
                })
            }
            Term::BinOp(left, op, right) => self.binary(left, op, right, scope, item, out),
            Term::Label(name, body) => {
                let label = self.labels.get() + 1;
                self.labels.set(label);
                match self.eval(body, &scope.with(Name::Label(name, label)), item, out) {
                    Err(Raise::Break(broken)) if broken == label => Ok(()),
                    flow => flow,
                }
            }
            Term::Break(name) => {
                let label = scope.bindings().find_map(|binding| match binding.name {
                    Name::Label(known, label) if known == *name => Some(label),
                    _ => None,
                });
                Err(Raise::Break(label.unwrap_or(0)))
            }
            Term::Fold(kind, source, pattern, arguments) => {
                self.fold(kind, (source, pattern, arguments), scope, item, out)
            }
            Term::TryCatch(body, handler) => {
                // Errors of what comes after are not caught.
                let mut after = None;
                let flow = self.eval(body, scope, item.clone(), &mut |item| {
                    out(item).map_err(|raise| {
                        after = Some(raise);
                        Raise::Break(0)
                    })
                });
                match (flow, after) {
                    (_, Some(raise)) => Err(raise),
                    (Err(Raise::Error(error)), None) => match handler {
                        None => Ok(()),
                        Some(handler) => self.eval(handler, scope, made(error.value, &item), out),
                    },
                    (flow, None) => flow,
                }
            }
            Term::IfThenElse(branches, otherwise) => {
                self.branches(branches, otherwise.as_deref(), scope, item, out)
            }
            Term::Def(definitions, body) => {
                let mut inner = scope.clone();
                for definition in definitions {
                    inner = inner.with(Name::Function(definition));
                }
                self.eval(body, &inner, item, out)
            }
            Term::Call(name, arguments) => self.call(name, arguments, scope, item, out),
            Term::Var(name) => out(made(self.variable(name, scope)?, &item)),
            Term::Path(start, path) => self.path(start, &path.0, scope, item, out),
        }
    }

    /// The outputs of a term on a value, without paths.
    pub(super) fn values<'t>(
        &self,
        term: &'t Program<'t>,
        scope: &Scope<'t>,
        input: &Value,
        out: &mut dyn FnMut(Value) -> Flow,
    ) -> Flow {
        let item = Item::new(input.clone(), Path::Off);
        self.eval(term, scope, item, &mut |item| out(item.value))
    }

    fn variable(&self, name: &str, scope: &Scope<'_>) -> Result<Value, Raise> {
        let bound = scope.bindings().find_map(|binding| match &binding.name {
            Name::Variable(known, value) if *known == name => Some(value.clone()),
            _ => None,
        });
        if let Some(value) = bound {
            return Ok(value);
        }
        let plain = name.trim_start_matches('$');
        match plain {
            "ENV" => return Err(missing("$ENV")),
            "__loc__" => {
                let mut place = Object::new();
                place.insert("file".into(), Value::text("<top-level>"));
                place.insert("line".into(), Value::number(1));
                return Ok(Value::object(place));
            }
            _ => {}
        }
        let known = self.variables.iter().find(|(known, _)| known == plain);
        match known {
            Some((_, value)) => Ok(value.clone()),
            None => Err(failure(format!("${plain} is not defined"))),
        }
    }

    /// Everything below a value, itself first.
    fn recurse(&self, item: Item, out: Out<'_>) -> Flow {
        self.step(0)?;
        let children = paths::children(&item.value);
        let path = item.path.clone();
        out(item)?;
        for (key, value) in children.unwrap_or_default() {
            self.recurse(Item::new(value, path.then(key)), out)?;
        }
        Ok(())
    }

    fn string<'t>(
        &self,
        format: Option<&'t str>,
        parts: &'t [StrPart<&'t str, Program<'t>>],
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        // The last part varies slowest.
        let Some((last, before)) = parts.split_last() else {
            return out(Item::new(Value::text(""), item.path.lost()));
        };
        let path = item.path.lost();
        let input = Item::new(item.value.clone(), Path::Off);
        let join = &mut |end: &str| {
            self.string(format, before, scope, input.clone(), &mut |start| {
                let Value::Text(start) = &start.value else {
                    return Ok(());
                };
                let text = format!("{start}{end}");
                self.step(text.len())?;
                out(Item::new(Value::text(text), path.clone()))
            })
        };
        match last {
            StrPart::Str(text) => join(text),
            StrPart::Char(c) => join(&c.to_string()),
            StrPart::Term(term) => self.values(term, scope, &item.value, &mut |value| {
                let text = builtins::formatted(format.unwrap_or("@text"), &value)?;
                join(&text)
            }),
        }
    }

    fn members<'t>(
        &self,
        members: &'t [(Program<'t>, Option<Program<'t>>)],
        scope: &Scope<'t>,
        item: &Item,
        made: &Object,
        out: Out<'_>,
    ) -> Flow {
        let Some(((key, value), rest)) = members.split_first() else {
            self.step(made.len() * 16)?;
            return out(Item::new(Value::object(made.clone()), item.path.lost()));
        };
        let mut with = |key: Value, value: Value| {
            let Value::Text(key) = key else {
                return Err(failure("Object keys must be strings"));
            };
            let mut made = made.clone();
            made.insert(key, value);
            self.step(made.len() * 16)?;
            self.members(rest, scope, item, &made, out)
        };
        match (key, value) {
            (Term::Var(name), None) => {
                let value = self.variable(name, scope)?;
                with(Value::text(name.trim_start_matches('$')), value)
            }
            (key, value) => self.values(key, scope, &item.value, &mut |key| match value {
                Some(value) => self.values(value, scope, &item.value, &mut |value| {
                    with(key.clone(), value)
                }),
                None => {
                    let value = paths::get(&item.value, &key)?;
                    with(key, value)
                }
            }),
        }
    }

    fn branches<'t>(
        &self,
        branches: &'t [(Program<'t>, Program<'t>)],
        otherwise: Option<&'t Program<'t>>,
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let Some(((condition, then), rest)) = branches.split_first() else {
            return match otherwise {
                Some(otherwise) => self.eval(otherwise, scope, item, out),
                None => out(item),
            };
        };
        self.values(
            condition,
            scope,
            &item.value,
            &mut |condition| match condition.is_true() {
                true => self.eval(then, scope, item.clone(), out),
                false => self.branches(rest, otherwise, scope, item.clone(), out),
            },
        )
    }

    /// `reduce` and `foreach`.
    fn fold<'t>(
        &self,
        kind: &str,
        (source, pattern, arguments): (&'t Program<'t>, &'t Pattern<&'t str>, &'t [Program<'t>]),
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let (Some(start), Some(update)) = (arguments.first(), arguments.get(1)) else {
            return Err(missing("with such a fold"));
        };
        let extract = arguments.get(2);
        let reduces = kind == "reduce";
        let input = item.value.clone();
        self.eval(start, scope, item, &mut |state| {
            let mut state = state;
            let path = state.path.clone();
            self.values(source, scope, &input, &mut |value| {
                self.bind(pattern, &value, scope, &mut |inner| {
                    let before =
                        std::mem::replace(&mut state, Item::new(Value::Null, path.clone()));
                    let mut last = None;
                    self.eval(update, inner, before, &mut |next| {
                        if !reduces {
                            match extract {
                                Some(extract) => self.eval(extract, inner, next.clone(), out)?,
                                None => out(next.clone())?,
                            }
                        }
                        last = Some(next);
                        Ok(())
                    })?;
                    if let Some(last) = last {
                        state = last;
                    }
                    Ok(())
                })
            })?;
            match reduces {
                true => out(state),
                false => Ok(()),
            }
        })
    }

    /// Binds the variables of a pattern.
    pub(super) fn bind<'t>(
        &self,
        pattern: &'t Pattern<&'t str>,
        value: &Value,
        scope: &Scope<'t>,
        then: &mut dyn FnMut(&Scope<'t>) -> Flow,
    ) -> Flow {
        match pattern {
            Pattern::Var(name) => then(&scope.with(Name::Variable(name, value.clone()))),
            Pattern::Arr(parts) => self.bind_parts(parts, 0, value, scope, then),
            Pattern::Obj(members) => self.bind_members(members, value, scope, then),
        }
    }

    fn bind_parts<'t>(
        &self,
        parts: &'t [Pattern<&'t str>],
        position: usize,
        value: &Value,
        scope: &Scope<'t>,
        then: &mut dyn FnMut(&Scope<'t>) -> Flow,
    ) -> Flow {
        let Some(part) = parts.get(position) else {
            return then(scope);
        };
        let element = paths::get(value, &Value::number(position as f64))?;
        self.bind(part, &element, scope, &mut |inner| {
            self.bind_parts(parts, position + 1, value, inner, then)
        })
    }

    fn bind_members<'t>(
        &self,
        members: &'t [(Program<'t>, Pattern<&'t str>)],
        value: &Value,
        scope: &Scope<'t>,
        then: &mut dyn FnMut(&Scope<'t>) -> Flow,
    ) -> Flow {
        let Some(((key, pattern), rest)) = members.split_first() else {
            return then(scope);
        };
        self.values(key, scope, value, &mut |key| {
            if !matches!(key, Value::Text(_)) {
                let kind = key.kind();
                return Err(failure(format!(
                    "Cannot index {} with {kind}",
                    value.kind()
                )));
            }
            let member = paths::get(value, &key)?;
            self.bind(pattern, &member, scope, &mut |inner| {
                self.bind_members(rest, value, inner, then)
            })
        })
    }

    fn path<'t>(
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

    fn binary<'t>(
        &self,
        left: &'t Program<'t>,
        op: &'t BinaryOp<&'t str>,
        right: &'t Program<'t>,
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        match op {
            BinaryOp::Pipe(None) => self.eval(left, scope, item, &mut |item| {
                self.eval(right, scope, item, out)
            }),
            BinaryOp::Pipe(Some(pattern)) => self.values(left, scope, &item.value, &mut |value| {
                self.bind(pattern, &value, scope, &mut |inner| {
                    self.eval(right, inner, item.clone(), out)
                })
            }),
            BinaryOp::Comma => {
                self.eval(left, scope, item.clone(), out)?;
                self.eval(right, scope, item, out)
            }
            BinaryOp::Alt => self.alternative(left, right, scope, item, out),
            BinaryOp::Or | BinaryOp::And => {
                let decided = matches!(op, BinaryOp::Or);
                let path = item.path.lost();
                self.values(left, scope, &item.value, &mut |value| {
                    if value.is_true() == decided {
                        return out(Item::new(Value::Bool(decided), path.clone()));
                    }
                    self.values(right, scope, &item.value, &mut |value| {
                        out(Item::new(Value::Bool(value.is_true()), path.clone()))
                    })
                })
            }
            BinaryOp::Math(op) => {
                let path = item.path.lost();
                self.values(right, scope, &item.value, &mut |right| {
                    self.values(left, scope, &item.value, &mut |left| {
                        let value = arithmetic::compute(*op, &left, &right, self)?;
                        out(Item::new(value, path.clone()))
                    })
                })
            }
            BinaryOp::Cmp(op) => {
                let path = item.path.lost();
                self.values(right, scope, &item.value, &mut |right| {
                    self.values(left, scope, &item.value, &mut |left| {
                        self.step(left.breadth().min(right.breadth()))?;
                        let value = Value::Bool(arithmetic::holds(*op, &left, &right));
                        out(Item::new(value, path.clone()))
                    })
                })
            }
            BinaryOp::Assign | BinaryOp::Update | BinaryOp::UpdateMath(_) | BinaryOp::UpdateAlt => {
                self.assign(left, op, right, scope, &item, out)
            }
        }
    }

    /// `//`: what is neither null nor false, errors aside; else the other.
    fn alternative<'t>(
        &self,
        left: &'t Program<'t>,
        right: &'t Program<'t>,
        scope: &Scope<'t>,
        item: Item,
        out: Out<'_>,
    ) -> Flow {
        let mut found = false;
        let mut after = None;
        let flow = self.eval(left, scope, item.clone(), &mut |item| {
            if !item.value.is_true() {
                return Ok(());
            }
            found = true;
            out(item).map_err(|raise| {
                after = Some(raise);
                Raise::Break(0)
            })
        });
        match (flow, after) {
            (_, Some(raise)) => Err(raise),
            (Err(Raise::Error(_)) | Ok(()), None) if !found => self.eval(right, scope, item, out),
            (Err(Raise::Error(_)), None) => Ok(()),
            (flow, None) => flow,
        }
    }
}

/// The error of a value that can't be taken apart.
pub(super) fn not_iterable(value: &Value) -> Raise {
    failure(match value {
        Value::Null => "Cannot iterate over null (null)".to_owned(),
        value => format!("Cannot iterate over {}", arithmetic::shown(value)),
    })
}

fn invalid_path(value: &Value) -> Raise {
    let shown = arithmetic::truncated(&write::compact(value), 29);
    failure(format!("Invalid path expression with result {shown}"))
}
