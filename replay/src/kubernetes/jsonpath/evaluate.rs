//! Walking steps over a document.

use std::cmp::Ordering;

use serde_json::Value;

use super::{Bound, Error, Missing, Node};
use crate::golang::format::{plain, sorted, type_name};

/// How many values a template may visit, counted at every step.
const VISITS: usize = 1_000_000;
/// How deep ranges may lie in ranges.
const RANGES: usize = 64;

/// Something found.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item<'d> {
    /// A part of the document.
    Part(&'d Value),
    /// Text or a number of the template.
    Made(Value),
    /// What the body of an empty range is given.
    Nothing,
}

impl<'d> Item<'d> {
    /// The value; null for nothing.
    pub(crate) fn value(&self) -> &Value {
        match self {
            Self::Part(value) => value,
            Self::Made(value) => value,
            Self::Nothing => &Value::Null,
        }
    }

    fn array(&self) -> Option<&'d Vec<Value>> {
        match self {
            Self::Part(Value::Array(items)) => Some(items),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self, Self::Part(Value::Null))
    }

    /// Values of a map by key, items of a list, bytes of a text.
    fn children(&self) -> Vec<Self> {
        match self {
            Self::Part(Value::Array(items)) => items.iter().map(Self::Part).collect(),
            Self::Part(Value::Object(fields)) => sorted(fields)
                .into_iter()
                .map(|(_, value)| Self::Part(value))
                .collect(),
            other => match other.value() {
                Value::String(text) => text.bytes().map(|b| Self::Made(b.into())).collect(),
                _ => Vec::new(),
            },
        }
    }
}

/// Evaluates a template.
pub(super) fn find<'d>(
    nodes: &[Node],
    document: &'d Value,
    missing: Missing,
) -> Result<Vec<Vec<Item<'d>>>, Error> {
    let mut walk = Walk {
        missing,
        visits: 0,
        begin_range: 0,
        in_range: 0,
        end_range: 0,
        last_end: None,
    };
    walk.template(nodes, 0, Item::Part(document))
}

struct Walk {
    missing: Missing,
    visits: usize,
    begin_range: usize,
    in_range: usize,
    end_range: usize,
    /// The action that ended the last range.
    last_end: Option<usize>,
}

type Items<'d> = Vec<Item<'d>>;

impl Walk {
    /// Actions from a position on, up to the end of the present range.
    fn template<'d>(
        &mut self,
        nodes: &[Node],
        from: usize,
        document: Item<'d>,
    ) -> Result<Vec<Items<'d>>, Error> {
        // A null in a range is as good as nothing.
        let document = if document.is_null() {
            Item::Nothing
        } else {
            document
        };
        let current = vec![document];
        let mut found = Vec::new();
        let mut at = from;
        while let Some(node) = nodes.get(at) {
            let results = self.step(&current, node)?;
            if self.end_range > 0 && self.end_range <= self.in_range {
                self.end_range -= 1;
                self.last_end = Some(at);
                break;
            }
            if self.begin_range > 0 {
                self.begin_range -= 1;
                self.in_range += 1;
                if self.in_range > RANGES {
                    return Err(Error::NotCaptured("jsonpath with ranges this deep"));
                }
                if results.is_empty() {
                    self.template(nodes, at + 1, Item::Nothing)?;
                }
                for result in results {
                    found.extend(self.template(nodes, at + 1, result)?);
                }
                self.in_range -= 1;
                // Goes on behind the end of the range.
                if let Some(end) = self.last_end.filter(|end| *end > at) {
                    at = end;
                }
            } else {
                found.push(results);
            }
            at += 1;
        }
        Ok(found)
    }

    fn visit(&mut self, items: usize) -> Result<(), Error> {
        self.visits += items + 1;
        if self.visits > VISITS {
            return Err(Error::NotCaptured("jsonpath that visits this many values"));
        }
        Ok(())
    }

    fn step<'d>(&mut self, input: &[Item<'d>], node: &Node) -> Result<Items<'d>, Error> {
        self.visit(input.len())?;
        let each = |value: Value| Ok(vec![Item::Made(value); input.len()]);
        match node {
            Node::Text(text) => Ok(vec![Item::Made(Value::String(text.clone()))]),
            Node::List(nodes) => self.steps(input.to_vec(), nodes),
            Node::Field(name) => self.field(input, name),
            Node::Identifier(name) => self.identifier(input, name),
            Node::Slice(bounds) => slice(input, bounds),
            Node::Filter { left, compared } => self.filter(input, left, compared.as_ref()),
            Node::Integer(whole) => each(Value::from(*whole)),
            Node::Float(float) => each(Value::from(*float)),
            Node::Boolean(flag) => each(Value::from(*flag)),
            Node::Wildcard => {
                let found: Items<'d> = input.iter().flat_map(Item::children).collect();
                self.visit(found.len())?;
                Ok(found)
            }
            Node::Recursive => {
                let mut found = Vec::new();
                self.descend(input, &mut found)?;
                Ok(found)
            }
            Node::Union(parts) => {
                let mut found = Vec::new();
                for part in parts {
                    found.extend(self.steps(input.to_vec(), part)?);
                }
                Ok(found)
            }
        }
    }

    fn steps<'d>(&mut self, mut items: Items<'d>, nodes: &[Node]) -> Result<Items<'d>, Error> {
        for node in nodes {
            items = self.step(&items, node)?;
        }
        Ok(items)
    }

    fn identifier<'d>(&mut self, input: &[Item<'d>], name: &str) -> Result<Items<'d>, Error> {
        match name {
            "range" => {
                self.begin_range += 1;
                Ok(input.to_vec())
            }
            "end" if self.in_range > 0 => {
                self.end_range += 1;
                Ok(Vec::new())
            }
            "end" => Err(Error::message("not in range, nothing to end")),
            other => Err(Error::Message(format!("unrecognized identifier {other}"))),
        }
    }

    fn field<'d>(&mut self, input: &[Item<'d>], name: &str) -> Result<Items<'d>, Error> {
        let found: Items<'d> = input
            .iter()
            .filter_map(|item| match item {
                Item::Part(Value::Object(fields)) => fields.get(name).map(Item::Part),
                _ => None,
            })
            .collect();
        if found.is_empty() && !input.is_empty() && self.missing == Missing::Refused {
            return Err(Error::Message(format!("{name} is not found")));
        }
        Ok(found)
    }

    fn descend<'d>(&mut self, input: &[Item<'d>], found: &mut Items<'d>) -> Result<(), Error> {
        for item in input {
            let children = item.children();
            if !children.is_empty() {
                self.visit(children.len())?;
                found.push(item.clone());
                self.descend(&children, found)?;
            }
        }
        Ok(())
    }

    fn filter<'d>(
        &mut self,
        input: &[Item<'d>],
        left: &[Node],
        compared: Option<&(String, Vec<Node>)>,
    ) -> Result<Items<'d>, Error> {
        let mut found = Vec::new();
        for list in input {
            let Some(items) = list.array() else {
                let shown = match list {
                    Item::Nothing => "<invalid reflect.Value>".to_owned(),
                    other => plain(other.value()),
                };
                return Err(Error::Message(format!(
                    "{shown} is not array or slice and cannot be filtered"
                )));
            };
            for item in items {
                let one = vec![Item::Part(item)];
                let lefts = self.steps(one.clone(), left);
                let Some((operator, right)) = compared else {
                    match lefts {
                        Ok(lefts) if lefts.is_empty() => {}
                        Ok(_) => found.push(Item::Part(item)),
                        Err(stop @ Error::NotCaptured(_)) => return Err(stop),
                        // What was found before the failure decides; it is hardly ever asked.
                        Err(Error::Message(text)) if text.ends_with(" is not found") => {}
                        Err(Error::Message(_)) => found.push(Item::Part(item)),
                    }
                    continue;
                };
                let Some(left) = single(lefts?)? else {
                    continue;
                };
                let Some(right) = single(self.steps(one, right)?)? else {
                    continue;
                };
                if compare(left.value(), operator, right.value())? {
                    found.push(Item::Part(item));
                }
            }
        }
        Ok(found)
    }
}

fn single(items: Items<'_>) -> Result<Option<Item<'_>>, Error> {
    if items.len() > 1 {
        return Err(Error::message("can only compare one element at a time"));
    }
    Ok(items.into_iter().next())
}

/// Go's comparison of two values of the same basic type.
fn compare(left: &Value, operator: &str, right: &Value) -> Result<bool, Error> {
    const KNOWN: [&str; 6] = ["<", ">", "==", "!=", "<=", ">="];
    if !KNOWN.contains(&operator) {
        return Err(Error::Message(format!(
            "unrecognized filter operator {operator}"
        )));
    }
    let bad_type = || Error::message("invalid type for comparison");
    let is_basic =
        |value: &Value| !matches!(value, Value::Null | Value::Array(_) | Value::Object(_));
    if !is_basic(left) || !is_basic(right) {
        return Err(bad_type());
    }
    let order = match (left, right) {
        (Value::Bool(left), Value::Bool(right)) => {
            return match operator {
                "==" => Ok(left == right),
                "!=" => Ok(left != right),
                _ => Err(bad_type()),
            };
        }
        (Value::String(left), Value::String(right)) => Some(left.cmp(right)),
        (Value::Number(left), Value::Number(right)) => match (left.as_i64(), right.as_i64()) {
            (Some(left), Some(right)) => Some(left.cmp(&right)),
            (None, None) => left.as_f64().partial_cmp(&right.as_f64()),
            _ => None,
        },
        _ => None,
    };
    let order = order.ok_or_else(|| Error::message("incompatible types for comparison"))?;
    Ok(match operator {
        "<" => order == Ordering::Less,
        ">" => order == Ordering::Greater,
        "==" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        "<=" => order != Ordering::Greater,
        _ => order != Ordering::Less,
    })
}

fn slice<'d>(input: &[Item<'d>], bounds: &[Bound; 3]) -> Result<Items<'d>, Error> {
    let mut found = Vec::new();
    for list in input {
        if list.is_null() {
            continue;
        }
        if *list == Item::Nothing {
            return Err(Error::NotCaptured("jsonpath that makes kubectl panic"));
        }
        let Some(items) = list.array() else {
            // A number of the template is of another type than those of a document.
            let kind = match list {
                Item::Made(Value::Number(number)) if number.is_i64() => "int",
                other => type_name(other.value()),
            };
            return Err(Error::Message(format!("{kind} is not array or slice")));
        };
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let [start, end, step] = *bounds;
        let mut from = if start.known { start.value } else { 0 };
        if from < 0 {
            from = from.wrapping_add(length);
        }
        let mut to = if end.known { end.value } else { length };
        if to < 0 || (to == 0 && end.derived) {
            to = to.wrapping_add(length);
        }
        if from == to {
            // Nothing is asked of this list, and kubectl forgets the lists after it.
            return Ok(found);
        }
        let outside = |index: i64| {
            Err(Error::Message(format!(
                "array index out of bounds: index {index}, length {length}"
            )))
        };
        if from >= length || from < 0 {
            return outside(from);
        }
        if to > length || to < 0 {
            return outside(to.wrapping_sub(1));
        }
        if from > to {
            return Err(Error::Message(format!(
                "starting index {from} is greater than ending index {to}"
            )));
        }
        if step.known && step.value <= 0 {
            return Err(Error::message("step must be > 0"));
        }
        let step = if step.known { step.value } else { 1 };
        let index = |number: i64| usize::try_from(number).unwrap_or(usize::MAX);
        found.extend(
            items
                .iter()
                .take(index(to))
                .skip(index(from))
                .step_by(index(step))
                .map(Item::Part),
        );
    }
    Ok(found)
}
