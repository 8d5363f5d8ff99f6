//! Keys, which are never shown.

use std::convert::Infallible;
use std::fmt;
use std::str::FromStr;

use camino::Utf8Path;
use serde::Serialize;

use crate::exit::Failure;

/// A key, which is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// A key, white space around it aside.
    #[must_use]
    pub fn new(text: &str) -> Self {
        Self(text.trim().to_owned())
    }

    /// The key in a file, which `named_by` names.
    ///
    /// # Errors
    /// When the file can't be read, or holds no key.
    pub fn read(path: &Utf8Path, named_by: &str) -> Result<Self, Failure> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Failure::user(format!(
                "the key file {path} can't be read: {error}\nhint: it is named by {named_by}"
            ))
        })?;
        match text.trim() {
            "" => Err(Failure::user(format!("the key in {path} is empty"))),
            key => Ok(Self::new(key)),
        }
    }

    /// The key itself, to be compared or sent and for nothing else.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl FromStr for Secret {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(Self::new(text))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(not shown)")
    }
}

impl Serialize for Secret {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("(not shown)")
    }
}
