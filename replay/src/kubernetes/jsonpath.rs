//! Kubernetes' dialect of JSONPath, the one engine behind `-o jsonpath`, `-o custom-columns`,
//! `--sort-by` and `wait --for=jsonpath=`, and the columns of custom resources.
//!
//! A template is text with actions in braces; an action is a chain of steps ([`parse`]) that
//! [`evaluate`] walks over a document, and [`print`](mod@print) makes text of what was found. It
//! differs from RFC 9535: `range` and `end` are actions, filters compare one pair, keys with dots
//! are written `a\.b`, and what an index or a missing field does is decided by the moment at which
//! kubectl's own engine notices.

mod evaluate;
mod parse;
mod print;
#[cfg(test)]
mod tests;

use serde_json::Value;

pub(crate) use evaluate::Item;
pub(crate) use print::{print, print_as_json};

/// Why a template can't be read or evaluated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Error {
    /// What kubectl says.
    Message(String),
    /// kubectl would crash, or the template asks for more than is evaluated here.
    NotCaptured(&'static str),
}

impl Error {
    fn message(text: impl Into<String>) -> Self {
        Self::Message(text.into())
    }
}

/// What is done about fields that are not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Missing {
    /// They are no result.
    Allowed,
    /// They are an error.
    Refused,
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct JsonPath {
    nodes: Vec<Node>,
}

impl JsonPath {
    /// Parses a template.
    pub(crate) fn parse(text: &str) -> Result<Self, Error> {
        Ok(Self {
            nodes: parse::template(text, 0)?,
        })
    }

    /// What each text and action of the template finds in a document.
    pub(crate) fn find<'d>(
        &self,
        document: &'d Value,
        missing: Missing,
    ) -> Result<Vec<Vec<Item<'d>>>, Error> {
        evaluate::find(&self.nodes, document, missing)
    }
}

/// A step.
#[derive(Debug, Clone, PartialEq)]
enum Node {
    Text(String),
    List(Vec<Node>),
    Field(String),
    Identifier(String),
    Slice([Bound; 3]),
    Filter {
        left: Vec<Node>,
        /// None: whether the left side finds anything.
        compared: Option<(String, Vec<Node>)>,
    },
    Integer(i64),
    Float(f64),
    Boolean(bool),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Node>>),
}

/// Start, end or step of a slice.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
struct Bound {
    value: i64,
    known: bool,
    /// An end that was made from an index.
    derived: bool,
}
