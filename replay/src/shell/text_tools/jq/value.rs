//! Values.

use std::cmp::Ordering;
use std::rc::Rc;

use indexmap::IndexMap;

/// Members in the order in which they came.
pub(super) type Object = IndexMap<Rc<str>, Value>;

/// A JSON value; copies share what they hold.
#[derive(Debug, Clone)]
pub(super) enum Value {
    Null,
    Bool(bool),
    Number(f64),
    Text(Rc<str>),
    Array(Rc<Vec<Value>>),
    Object(Rc<Object>),
}

impl Value {
    pub(super) fn text(text: impl AsRef<str>) -> Self {
        Self::Text(Rc::from(text.as_ref()))
    }

    pub(super) fn array(values: Vec<Self>) -> Self {
        Self::Array(Rc::new(values))
    }

    pub(super) fn object(members: Object) -> Self {
        Self::Object(Rc::new(members))
    }

    pub(super) fn number(number: impl Into<f64>) -> Self {
        Self::Number(number.into())
    }

    /// The name of its type.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Bool(_) => "boolean",
            Self::Number(_) => "number",
            Self::Text(_) => "string",
            Self::Array(_) => "array",
            Self::Object(_) => "object",
        }
    }

    /// Everything but null and false.
    pub(super) fn is_true(&self) -> bool {
        !matches!(self, Self::Null | Self::Bool(false))
    }

    /// Roughly how many bytes a copy of the outermost level takes.
    pub(super) fn breadth(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Array(values) => values.len() * 16,
            Self::Object(members) => members.len() * 32,
            _ => 0,
        }
    }

    /// An object's members sorted by key.
    pub(super) fn sorted(members: &Object) -> Vec<(&Rc<str>, &Self)> {
        let mut sorted: Vec<_> = members.iter().collect();
        sorted.sort_by(|a, b| a.0.as_bytes().cmp(b.0.as_bytes()));
        sorted
    }

    fn rank(&self) -> u8 {
        match self {
            Self::Null => 0,
            Self::Bool(false) => 1,
            Self::Bool(true) => 2,
            Self::Number(_) => 3,
            Self::Text(_) => 4,
            Self::Array(_) => 5,
            Self::Object(_) => 6,
        }
    }

    /// The order of all values.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        match (self, other) {
            // Not a number is less than everything, itself included.
            (Self::Number(a), Self::Number(b)) => {
                a.partial_cmp(b).unwrap_or(match (a.is_nan(), b.is_nan()) {
                    (false, true) => Ordering::Greater,
                    _ => Ordering::Less,
                })
            }
            (Self::Text(a), Self::Text(b)) => a.as_bytes().cmp(b.as_bytes()),
            (Self::Array(a), Self::Array(b)) => {
                let pairs = a.iter().zip(b.iter()).map(|(a, b)| a.order(b));
                pairs
                    .into_iter()
                    .find(|o| o.is_ne())
                    .unwrap_or(a.len().cmp(&b.len()))
            }
            (Self::Object(a), Self::Object(b)) => {
                let (a, b) = (Self::sorted(a), Self::sorted(b));
                let keys = |members: &[(&Rc<str>, &Self)]| -> Vec<Rc<str>> {
                    members.iter().map(|(key, _)| (*key).clone()).collect()
                };
                keys(&a).cmp(&keys(&b)).then_with(|| {
                    let pairs = a.iter().zip(&b).map(|(a, b)| a.1.order(b.1));
                    pairs
                        .into_iter()
                        .find(|o| o.is_ne())
                        .unwrap_or(Ordering::Equal)
                })
            }
            _ => self.rank().cmp(&other.rank()),
        }
    }

    pub(super) fn equals(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => a == b,
            _ => self.order(other).is_eq(),
        }
    }
}
