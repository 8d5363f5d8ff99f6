//! `-o custom-columns`: a table of JSONPath expressions.

use serde_json::Value;

use super::failure::Failure;
use super::output::{self, Printed};
use super::{table, tabwriter};
use crate::golang;
use crate::kubernetes::jsonpath::{Error, JsonPath, Missing};

/// Columns with their headings.
#[derive(Debug)]
pub(super) struct CustomColumns {
    columns: Vec<(String, String)>,
    no_headers: bool,
}

/// `name`, `.name`, `{name}` and `{.name}` as `{.name}`.
pub(super) fn relaxed(expression: &str) -> Result<String, Failure> {
    if expression.is_empty() {
        return Ok(String::new());
    }
    let inner = expression
        .strip_prefix('{')
        .and_then(|inner| inner.strip_suffix('}'))
        .unwrap_or(expression);
    let inner = match inner.strip_prefix('.') {
        Some(rest) if !rest.is_empty() => rest,
        _ => inner,
    };
    if inner.is_empty() || inner.contains(['{', '}']) {
        return Err(Failure::invalid(
            "error: unexpected path string, expected a 'name1.name2' or '.name1.name2' or \
             '{name1.name2}' or '{.name1.name2}'",
        ));
    }
    Ok(format!("{{.{inner}}}"))
}

impl CustomColumns {
    /// Reads `HEADING:expression,…`.
    pub(super) fn parse(text: &str, no_headers: bool) -> Result<Self, Failure> {
        if text.is_empty() {
            return Err(Failure::invalid(
                "error: custom-columns format specified but no custom columns given",
            ));
        }
        let column = |part: &str| match part.split_once(':') {
            Some((heading, expression)) => Ok((heading.to_owned(), relaxed(expression)?)),
            None => Err(Failure::invalid(format!(
                "error: unexpected custom-columns spec: {part}, expected <header>:<json-path-expr>"
            ))),
        };
        Ok(Self {
            columns: text.split(',').map(column).collect::<Result<_, _>>()?,
            no_headers,
        })
    }

    /// Prints an object or a list.
    pub(super) fn print(&self, document: &Value) -> Result<Printed, Failure> {
        let mut lines = String::new();
        if !self.no_headers {
            let headings: Vec<&str> = self.columns.iter().map(|(h, _)| h.as_str()).collect();
            lines.push_str(&headings.join("\t"));
            lines.push('\n');
        }
        let error = self.rows(document, &mut lines)?;
        Ok(Printed {
            text: table::print_cells(&lines),
            error: error.map(|cause| format!("error: {cause}")),
        })
    }

    /// Appends a line for each object, up to the first error.
    fn rows(&self, document: &Value, lines: &mut String) -> Result<Option<String>, Failure> {
        let stopped = |failure: Error| match failure {
            Error::Message(cause) => Ok(Some(cause)),
            Error::NotCaptured(what) => Err(output::not_evaluated(what)),
        };
        let paths: Result<Vec<JsonPath>, Error> = self
            .columns
            .iter()
            .map(|(_, expression)| JsonPath::parse(expression))
            .collect();
        let paths = match paths {
            Ok(paths) => paths,
            Err(failure) => return stopped(failure),
        };
        for object in output::items(document) {
            let mut cells = Vec::new();
            for path in &paths {
                let found = match path.find(object, Missing::Allowed) {
                    Ok(found) => found,
                    Err(failure) => return stopped(failure),
                };
                let mut values: Vec<String> = Vec::new();
                if found.first().is_none_or(Vec::is_empty) {
                    values.push("<none>".to_owned());
                }
                values.extend(
                    found
                        .iter()
                        .flatten()
                        .map(|item| tabwriter::escape(&golang::format::plain(item.value()))),
                );
                cells.push(values.join(","));
            }
            lines.push_str(&cells.join("\t"));
            lines.push('\n');
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn check(columns: &str, expected: &str, error: Option<&str>) {
        let document = json!({"items": [
            {"metadata": {"name": "a", "labels": {"b": "c"}}, "spec": {"l": [1, 2]}, "n": null},
            {"metadata": {"name": "long-name"}, "spec": {"l": []}}
        ]});
        let printed = match CustomColumns::parse(columns, false) {
            Ok(columns) => columns.print(&document).unwrap(),
            Err(Failure::Message { text, .. }) => Printed {
                text: String::new(),
                error: Some(text),
            },
            Err(other) => panic!("{other:?}"),
        };
        assert_eq!(
            (printed.text.as_str(), printed.error.as_deref()),
            (expected, error),
            "{columns}"
        );
    }

    #[test]
    fn columns_are_expressions() {
        check(
            "NAME:.metadata.name,L:.spec.l[*]",
            "NAME        L\na           1,2\nlong-name   <none>\n",
            None,
        );
        check(
            "NAME:metadata.name,X:{.metadata.labels},N:{n}",
            "NAME        X          N\na           map[b:c]   <nil>\nlong-name   <none>     <none>\n",
            None,
        );
        check(
            "F:.spec.l[0]",
            "F\n1\n",
            Some("error: array index out of bounds: index 0, length 0"),
        );
        check(
            "",
            "",
            Some("error: custom-columns format specified but no custom columns given"),
        );
        check(
            "NAME",
            "",
            Some("error: unexpected custom-columns spec: NAME, expected <header>:<json-path-expr>"),
        );
        check("A:.a[", "A\n", Some("error: unterminated array"));
    }
}
