//! Walks a program: every output of a term is handed on before the next is computed.

mod call;
mod construct;
mod loops;
mod names;
mod operators;
mod path;
mod scope;
mod update;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use jaq_core::load::lex::Lexer;
use jaq_core::load::parse::{Parser, Pattern, Term};

use super::super::steps::Steps;
use super::super::{Halt, lacking};
use super::read::Inputs;
use super::value::{Object, Value};
use super::{arithmetic, paths};
use path::invalid_path;
use scope::Name;

pub(super) use path::{Item, Path, not_iterable};
pub(super) use scope::Scope;

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
}
