//! Walking a template over a document.

use std::borrow::Cow;

use serde_json::Value;

use super::{Base, Node, Operand, Pipeline, Unsupported, functions};
use crate::golang::format::{plain, sorted};
use crate::kubernetes::jsonpath::Missing;

/// How many nodes may be visited.
const STEPS: usize = 1_000_000;
/// How many bytes may be printed.
const BYTES: usize = 4 * 1024 * 1024;

/// A value; null also for what is not there.
pub(super) type Data<'d> = Cow<'d, Value>;
type Result<T> = std::result::Result<T, Unsupported>;

/// Executes a template.
pub(super) fn run(nodes: &[Node], document: &Value, missing: Missing) -> Result<String> {
    let mut execution = Execution {
        missing,
        out: String::new(),
        steps: 0,
        variables: vec![(String::new(), Cow::Borrowed(document))],
    };
    match execution.nodes(nodes, &Cow::Borrowed(document))? {
        Flow::Next => Ok(execution.out),
        _ => Err(Unsupported("a break outside of a range")),
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Flow {
    Next,
    Break,
    Continue,
}

struct Execution<'d> {
    missing: Missing,
    out: String,
    steps: usize,
    /// Innermost last; the first one is the document.
    variables: Vec<(String, Data<'d>)>,
}

impl<'d> Execution<'d> {
    fn nodes(&mut self, nodes: &[Node], dot: &Data<'d>) -> Result<Flow> {
        let scope = self.variables.len();
        let mut flow = Flow::Next;
        for node in nodes {
            flow = self.node(node, dot)?;
            if flow != Flow::Next {
                break;
            }
        }
        self.variables.truncate(scope);
        Ok(flow)
    }

    fn node(&mut self, node: &Node, dot: &Data<'d>) -> Result<Flow> {
        self.step()?;
        match node {
            Node::Text(text) => self.out.push_str(text),
            Node::Break => return Ok(Flow::Break),
            Node::Continue => return Ok(Flow::Continue),
            Node::Action(pipeline) => {
                let value = self.pipeline(pipeline, dot)?;
                if pipeline.variables.is_empty() {
                    match value.as_ref() {
                        Value::Null => self.out.push_str("<no value>"),
                        value => self.out.push_str(&plain(value)),
                    }
                }
            }
            Node::If(cases, otherwise) => return self.cases(cases, otherwise, dot, false),
            Node::With(cases, otherwise) => return self.cases(cases, otherwise, dot, true),
            Node::Range(pipeline, body, otherwise) => {
                return self.range(pipeline, body, otherwise, dot);
            }
        }
        if self.out.len() > BYTES {
            return Err(Unsupported("this much output"));
        }
        Ok(Flow::Next)
    }

    fn step(&mut self) -> Result<()> {
        self.steps += 1;
        if self.steps > STEPS {
            return Err(Unsupported("this many steps"));
        }
        Ok(())
    }

    fn cases(
        &mut self,
        cases: &[(Pipeline, Vec<Node>)],
        otherwise: &[Node],
        dot: &Data<'d>,
        with: bool,
    ) -> Result<Flow> {
        let scope = self.variables.len();
        for (condition, body) in cases {
            let value = self.pipeline(condition, dot)?;
            if functions::truth(&value) {
                let flow = self.nodes(body, if with { &value } else { dot });
                self.variables.truncate(scope);
                return flow;
            }
        }
        let flow = self.nodes(otherwise, dot);
        self.variables.truncate(scope);
        flow
    }

    fn range(
        &mut self,
        pipeline: &Pipeline,
        body: &[Node],
        otherwise: &[Node],
        dot: &Data<'d>,
    ) -> Result<Flow> {
        let scope = self.variables.len();
        if !pipeline.variables.is_empty() && !pipeline.declares {
            return Err(Unsupported("a range that assigns"));
        }
        let over = self.commands(&pipeline.commands, dot)?;
        let items: Vec<(Value, Data<'d>)> = match over {
            Cow::Borrowed(value) => children(value)?
                .into_iter()
                .map(|(key, item)| (key, Cow::Borrowed(item)))
                .collect(),
            Cow::Owned(Value::Number(number)) => {
                if pipeline.variables.len() > 1 || !(number.is_i64() || number.is_u64()) {
                    return Err(Unsupported("a range over a number that is no count"));
                }
                let count = number.as_u64().unwrap_or(0).min(STEPS as u64 + 1);
                (0..count)
                    .map(|at| (Value::from(at), Cow::Owned(Value::from(at))))
                    .collect()
            }
            Cow::Owned(value) => children(&value)?
                .into_iter()
                .map(|(key, item)| (key, Cow::Owned(item.clone())))
                .collect(),
        };
        if items.is_empty() {
            return self.nodes(otherwise, dot);
        }
        for (key, item) in items {
            self.step()?;
            match pipeline.variables.as_slice() {
                [] => {}
                [one] => self.variables.push((one.clone(), item.clone())),
                [one, other, ..] => {
                    self.variables.push((one.clone(), Cow::Owned(key)));
                    self.variables.push((other.clone(), item.clone()));
                }
            }
            let flow = self.nodes(body, &item)?;
            self.variables.truncate(scope);
            if flow == Flow::Break {
                break;
            }
        }
        Ok(Flow::Next)
    }

    /// The value of a pipeline, its variables set.
    fn pipeline(&mut self, pipeline: &Pipeline, dot: &Data<'d>) -> Result<Data<'d>> {
        let value = self.commands(&pipeline.commands, dot)?;
        for name in &pipeline.variables {
            if pipeline.declares {
                self.variables.push((name.clone(), value.clone()));
            } else {
                let known = self.variables.iter_mut().rev().find(|(n, _)| n == name);
                known.ok_or(Unsupported("an unknown variable"))?.1 = value.clone();
            }
        }
        Ok(value)
    }

    fn commands(&mut self, commands: &[Vec<Operand>], dot: &Data<'d>) -> Result<Data<'d>> {
        let mut value: Option<Data<'d>> = None;
        for command in commands {
            value = Some(self.command(command, dot, value)?);
        }
        Ok(value.unwrap_or(Cow::Owned(Value::Null)))
    }

    fn command(
        &mut self,
        command: &[Operand],
        dot: &Data<'d>,
        last: Option<Data<'d>>,
    ) -> Result<Data<'d>> {
        self.step()?;
        let Some((first, arguments)) = command.split_first() else {
            return Err(Unsupported("an empty command"));
        };
        let Base::Function(name) = &first.base else {
            if !arguments.is_empty() || last.is_some() {
                return Err(Unsupported("arguments of what is no function"));
            }
            return self.operand(first, dot);
        };
        // These stop at the argument that decides.
        if name == "and" || name == "or" {
            let mut value = None;
            for argument in arguments {
                let this = self.operand(argument, dot)?;
                let decides = functions::truth(&this) == (name == "or");
                value = Some(this);
                if decides {
                    break;
                }
            }
            let decided = value
                .as_ref()
                .is_some_and(|value| functions::truth(value) == (name == "or"));
            return match (value, last) {
                (Some(value), _) if decided => Ok(value),
                (_, Some(last)) => Ok(last),
                (Some(value), None) => Ok(value),
                (None, None) => Err(Unsupported("a function without arguments")),
            };
        }
        let mut values = Vec::new();
        for argument in arguments {
            values.push(self.operand(argument, dot)?);
        }
        values.extend(last);
        functions::call(name, &values)
    }

    fn operand(&mut self, operand: &Operand, dot: &Data<'d>) -> Result<Data<'d>> {
        let base: Data<'d> = match &operand.base {
            Base::Dot => dot.clone(),
            Base::Literal(value) => Cow::Owned(value.clone()),
            Base::Function(name) => functions::call(name, &[])?,
            Base::Pipeline(pipeline) => self.commands(&pipeline.commands, dot)?,
            Base::Variable(name) => self
                .variables
                .iter()
                .rev()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.clone())
                .ok_or(Unsupported("an unknown variable"))?,
        };
        self.fields(base, &operand.fields)
    }

    fn fields(&self, base: Data<'d>, fields: &[String]) -> Result<Data<'d>> {
        let mut value = base;
        // Whether it is not there, other than being null.
        let mut absent = value.is_null();
        for field in fields {
            if absent {
                if self.missing == Missing::Refused {
                    return Err(Unsupported("a missing key"));
                }
                continue;
            }
            let next = match &value {
                Cow::Borrowed(Value::Object(fields)) => fields.get(field).map(Cow::Borrowed),
                Cow::Owned(Value::Object(fields)) => fields.get(field).cloned().map(Cow::Owned),
                _ => return Err(Unsupported("a field of what has no fields")),
            };
            match next {
                Some(next) => value = next,
                None if self.missing == Missing::Refused => {
                    return Err(Unsupported("a missing key"));
                }
                None => {
                    absent = true;
                    value = Cow::Owned(Value::Null);
                }
            }
        }
        Ok(value)
    }
}

/// Keys and values in Go's order.
fn children(value: &Value) -> Result<Vec<(Value, &Value)>> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(items) => Ok(items
            .iter()
            .enumerate()
            .map(|(at, item)| (Value::from(at), item))
            .collect()),
        Value::Object(fields) => Ok(sorted(fields)
            .into_iter()
            .map(|(key, value)| (Value::from(key.as_str()), value))
            .collect()),
        _ => Err(Unsupported("a range over what has no items")),
    }
}
