//! `-o go-template`: the part of Go's template language that people use on the command line:
//! fields, variables, pipelines, `if`, `with`, `range` with `break` and `continue`, and the
//! functions that print, compare and look up. A template that asks for more, that is wrong or that
//! fails is not captured, rather than answered in words that are not Go's.

mod execute;
mod functions;
mod parse;
mod printf;

use serde_json::Value;

use super::failure::Failure;
use super::output::not_evaluated;
use crate::kubernetes::jsonpath::Missing;

/// Why a template is not answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unsupported(&'static str);

impl From<Unsupported> for Failure {
    fn from(Unsupported(what): Unsupported) -> Self {
        not_evaluated(&format!("a Go template with {what}"))
    }
}

/// A parsed template.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Template {
    nodes: Vec<Node>,
    missing: Missing,
}

impl Template {
    /// Parses a template.
    pub(super) fn parse(text: &str, missing: Missing) -> Result<Self, Failure> {
        Ok(Self {
            nodes: parse::template(text)?,
            missing,
        })
    }

    /// Prints an object or a list.
    pub(super) fn print(&self, document: &Value) -> Result<String, Failure> {
        Ok(execute::run(&self.nodes, document, self.missing)?)
    }
}

#[derive(Debug, Clone, PartialEq)]
enum Node {
    Text(String),
    Action(Pipeline),
    If(Vec<(Pipeline, Vec<Node>)>, Vec<Node>),
    With(Vec<(Pipeline, Vec<Node>)>, Vec<Node>),
    Range(Pipeline, Vec<Node>, Vec<Node>),
    Break,
    Continue,
}

/// `$a, $b := command | command`
#[derive(Debug, Clone, PartialEq, Default)]
struct Pipeline {
    variables: Vec<String>,
    /// `:=` and not `=`.
    declares: bool,
    commands: Vec<Vec<Operand>>,
}

/// A value or function with fields behind it.
#[derive(Debug, Clone, PartialEq)]
struct Operand {
    base: Base,
    fields: Vec<String>,
}

#[derive(Debug, Clone, PartialEq)]
enum Base {
    Dot,
    Variable(String),
    Function(String),
    Literal(Value),
    Pipeline(Pipeline),
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn run(template: &str) -> String {
        let document = json!({
            "kind": "List",
            "items": [
                {"metadata": {"name": "a", "labels": {"x/y": "1", "b": "2"}}, "n": 1, "ok": true, "f": 1.5, "e": [], "z": null},
                {"metadata": {"name": "b"}, "n": 2, "ok": false}
            ],
            "data": {"k": "dmFsdWU="}
        });
        match Template::parse(template, Missing::Allowed).and_then(|t| t.print(&document)) {
            Ok(text) => text,
            Err(Failure::NotCaptured(what)) => format!("? {what}"),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn templates_print_as_go_prints_them() {
        for (template, expected) in [
            ("x{{.kind}}y", "xListy"),
            (
                "{{range .items}}{{.metadata.name}}{{\"\\n\"}}{{end}}",
                "a\nb\n",
            ),
            (
                "{{range $i, $e := .items}}{{$i}}={{$e.n}} {{end}}",
                "0=1 1=2 ",
            ),
            (
                "{{range $k, $v := (index .items 0).metadata.labels}}{{$k}}:{{$v}};{{end}}",
                "b:2;x/y:1;",
            ),
            ("{{ index .items 1 \"metadata\" \"name\" }}", "b"),
            ("{{(index .items 0).metadata.labels}}", "map[b:2 x/y:1]"),
            (
                "{{len .items}} {{.nope}} {{.nope.deeper}}",
                "2 <no value> <no value>",
            ),
            (
                "{{range .items}}{{if .ok}}T{{else if eq .n 2}}two{{else}}F{{end}}{{end}}",
                "Ttwo",
            ),
            ("{{range .nope}}x{{else}}none{{end}}", "none"),
            ("{{with .data}}{{.k | base64decode}}{{end}}", "value"),
            ("{{range .items -}}  \n {{.n}} {{- end}}", "12"),
            (
                "{{/* a comment */}}{{printf \"%-4s|%3d|%v|%q\" .kind 7 true \"a\"}}",
                "List|  7|true|\"a\"",
            ),
            (
                "{{range .items}}{{if and .ok (gt .n 0)}}{{.f}}{{end}}{{end}}",
                "1.5",
            ),
            ("{{$n := 0}}{{range .items}}{{$n = .n}}{{end}}{{$n}}", "2"),
            (
                "{{range .items}}{{if eq .n 2}}{{break}}{{end}}{{.n}}{{end}}",
                "1",
            ),
            (
                "{{range .items}}{{if eq .n 1}}{{continue}}{{end}}{{.n}}{{end}}",
                "2",
            ),
            (
                "{{not .nope}} {{or .nope \"d\"}} {{eq .kind \"a\" \"List\"}} {{ne 1 2}}",
                "true d true true",
            ),
            (
                "{{println .kind 1 2}}{{print .kind 1 2}}",
                "List 1 2\nList1 2",
            ),
            (
                "{{exists .items 0 \"metadata\" \"name\"}}{{exists .items 5}}",
                "truefalse",
            ),
            (
                "{{(index .items 0).z}}{{print (index .items 0).z}}",
                "<no value><nil>",
            ),
            ("{{range 3}}{{.}}{{end}}", "012"),
            ("{{`raw`}}{{1.5}}{{true}}", "raw1.5true"),
        ] {
            assert_eq!(run(template), expected, "{template}");
        }
    }

    #[test]
    fn what_is_not_known_is_not_answered() {
        for template in [
            "{{",
            "{{.a",
            "{{end}}",
            "{{if .a}}",
            "{{template \"x\"}}",
            "{{nope .a}}",
            "{{$x}}",
            "{{index .items 9}}",
            "{{eq .kind 1}}",
            "{{.kind.x}}",
            "{{printf \"%s\" 1}}",
            "{{define \"a\"}}{{end}}",
            "{{(index .items 0).z.y}}",
            "{{printf \"%99999999d\" 1}}",
        ] {
            assert!(
                run(template).starts_with("? "),
                "{template}: {}",
                run(template)
            );
        }
    }

    /// Pieces of templates in any order: an answer within bounds, never a panic.
    #[test]
    fn no_template_panics() {
        const PIECES: [&str; 40] = [
            "{{",
            "}}",
            "{{-",
            " -}}",
            "range ",
            "end",
            "if ",
            "else",
            "with ",
            ".items",
            ".metadata",
            ".name",
            ".",
            "$",
            "$x",
            ":=",
            "=",
            ",",
            "|",
            "(",
            ")",
            "\"a\"",
            "`b`",
            "1",
            "1.5",
            "'c'",
            "eq ",
            "index ",
            "len ",
            "printf ",
            "\"%5d%v%s\"",
            "and ",
            "not ",
            " ",
            "\n",
            "é",
            "break",
            "{{end}}",
            "{{range .items}}",
            "/*",
        ];
        let cases = std::env::var("AIOPSLAB_CASES")
            .ok()
            .and_then(|cases| cases.parse().ok())
            .unwrap_or(3_000);
        let mut seed = 5u64;
        let mut next = |bound: usize| {
            seed = seed
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from(seed >> 33).unwrap() % bound
        };
        let mut answered = 0;
        for _ in 0..cases {
            let length = next(10) + 1;
            let mut template: String = (0..length).map(|_| PIECES[next(PIECES.len())]).collect();
            if next(3) > 0 {
                template = format!("{{{{{template}}}}}");
            }
            answered += usize::from(!run(&template).starts_with("? "));
        }
        assert!(answered > cases / 100, "only {answered} of {cases}");
    }
}
