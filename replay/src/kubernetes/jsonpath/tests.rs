//! Templates and what kubectl's own engine makes of them (tried against client-go 0.34).

use serde_json::{Value, json};

use super::*;

fn document() -> Value {
    json!({
        "kind": "List",
        "items": [
            {"kind": "Pod", "metadata": {"name": "a", "labels": {"app.x/y": "l1"}}, "n": 1, "f": 1.5,
             "c": [{"t": "Ready", "s": "True"}, {"t": "Init", "s": "False"}], "e": [], "z": null},
            {"kind": "Pod", "metadata": {"name": "b"}, "n": 2, "f": 2.0, "c": [{"t": "Ready", "s": "False"}]}
        ],
        "users": [{"name": "u", "ok": true}]
    })
}

fn run(template: &str, missing: Missing) -> String {
    let document = document();
    let found =
        JsonPath::parse(template).and_then(|path| path.find(&document, missing).map(|f| print(&f)));
    match found {
        Ok(text) => text,
        Err(Error::Message(text)) => format!("! {text}"),
        Err(Error::NotCaptured(what)) => format!("? {what}"),
    }
}

fn check(template: &str, expected: &str) {
    assert_eq!(run(template, Missing::Allowed), expected, "{template}");
}

#[test]
fn steps_find_values() {
    for (template, expected) in [
        ("{.kind}", "List"),
        ("{$.kind}", "List"),
        ("{@.kind}", "List"),
        ("plain", "plain"),
        ("a{.kind}b{.kind}c", "aListbListc"),
        ("{.items[*].metadata.name}", "a b"),
        ("{.items[0].metadata.name}", "a"),
        ("{.items[-1].metadata.name}", "b"),
        ("{.items[0:1].n}", "1"),
        ("{.items[:].n}", "1 2"),
        ("{.items[::2].n}", "1"),
        ("{.items[0,1].n}", "1 2"),
        ("{.items[*]['metadata.name','n']}", "a b 1 2"),
        ("{.items[*].metadata['name']}", "a b"),
        (r"{.items[0].metadata.labels.app\.x/y}", "l1"),
        (r"{.items[0].metadata.labels['app\.x/y']}", "l1"),
        ("{..name}", "a b u"),
        ("{.items[*].f}", "1.5 2"),
        ("{.items[0].z}", "null"),
        (
            "{.items[0].metadata}",
            r#"{"labels":{"app.x/y":"l1"},"name":"a"}"#,
        ),
        ("{.items[0].e}", "[]"),
        ("{.nope}", ""),
        ("{.items[*].nope}", ""),
        ("{}", "LIST"),
        ("{.users[*].*}", "u true"),
        ("{3}{-1.5}{true}", "3-1.5true"),
        (r#"{"a\tb"}{'\n'}"#, "a\tb\n"),
        ("{ .kind }", "List"),
        ("{.kind }x", "Listx"),
    ] {
        if expected == "LIST" {
            assert!(run(template, Missing::Allowed).starts_with(r#"{"items":["#));
        } else {
            check(template, expected);
        }
    }
}

#[test]
fn filters_compare() {
    for (template, expected) in [
        (r#"{.items[?(@.n==2)].metadata.name}"#, "b"),
        (r#"{.items[?(@.metadata.name=="a")].n}"#, "1"),
        (r#"{.items[?(@.metadata.name=='a')].n}"#, "1"),
        (r#"{.items[?(@.metadata.name!="a")].n}"#, "2"),
        (r#"{.items[?( @.n > 1 )].n}"#, "2"),
        (r#"{.items[?(@.n>=1)].n}"#, "1 2"),
        (r#"{.items[*].c[?(@.t=="Ready")].s}"#, "True False"),
        (r#"{.items[?(@.metadata.labels)].n}"#, "1"),
        (r#"{.users[?(@.ok==true)].name}"#, "u"),
        (
            r#"{.items[?(@.n==1.0)].n}"#,
            "! incompatible types for comparison",
        ),
        (
            r#"{.items[?(@.metadata=="a")].n}"#,
            "! invalid type for comparison",
        ),
        (
            r#"{.items[?(@.n=~1)].n}"#,
            "! unrecognized character in action: U+007E '~'",
        ),
        (
            r#"{.items[?(@.n<>1)].n}"#,
            "! unrecognized filter operator <>",
        ),
        (
            r#"{.items[?(@.a=="x" && @.b=="y")]}"#,
            "! unrecognized character in action: U+0026 '&'",
        ),
    ] {
        check(template, expected);
    }
}

#[test]
fn ranges_repeat() {
    for (template, expected) in [
        (
            r#"{range .items[*]}{.metadata.name}{"\t"}{.n}{"\n"}{end}"#,
            "a\t1\nb\t2\n",
        ),
        (
            r#"{range .items[*]}{.metadata.name}: {range .c[*]}{.t},{end}{"\n"}{end}."#,
            "a: Ready,Init,\nb: Ready,\n.",
        ),
        (r#"{range .items[*]}[{.n}]{end}{.kind}"#, "[1][2]List"),
        (r#"{range .nope[*]}{.n}x{end}y"#, "y"),
        (r#"{range .items[*]}{.n}"#, "12"),
        ("{end}", "! not in range, nothing to end"),
        ("{foo}", "! unrecognized identifier foo"),
    ] {
        check(template, expected);
    }
}

#[test]
fn mistakes_are_told_as_kubectl_does() {
    for (template, expected) in [
        ("{.items", "! unclosed action"),
        ("{.items[0}", "! unterminated array"),
        ("{.items[a]}", "! invalid array index a"),
        (r#"{.items["a"]}"#, "! invalid array index \"a\""),
        (
            "{.items[5]}",
            "! array index out of bounds: index 5, length 2",
        ),
        (
            "{.items[2:1]}",
            "! array index out of bounds: index 2, length 2",
        ),
        (
            "{.items[1:0]}",
            "! starting index 1 is greater than ending index 0",
        ),
        ("{.items[0:2:0]}", "! step must be > 0"),
        ("{.kind[0]}", "! string is not array or slice"),
        (
            "{.items[0].metadata[0]}",
            "! map[string]interface {} is not array or slice",
        ),
        (
            "{.kind[?(@.a)]}",
            "! List is not array or slice and cannot be filtered",
        ),
        ("{....a}", "! invalid multiple recursive descent"),
        ("{1.2.3}", "! cannot parse number 1.2.3"),
        (r#"{"a}"#, "! unterminated quoted string"),
        (r#"{"\q"}"#, "! unquote string \"\\q\" error invalid syntax"),
        (r#"{.items[?(@.n==1}"#, "! unterminated filter"),
        (r#"{.items[?(@.n==1)x}"#, "! unclosed array expect ]"),
        ("{#}", "! unrecognized character in action: U+0023 '#'"),
    ] {
        check(template, expected);
    }
    assert_eq!(run("{.nope.x}", Missing::Refused), "! nope is not found");
    assert_eq!(run("{.items[*].z}", Missing::Refused), "null");
}

#[test]
fn results_are_printed_as_json() {
    let document = document();
    let path = JsonPath::parse("{.items[*].n}{.nope}").unwrap();
    let found = path.find(&document, Missing::Allowed).unwrap();
    assert_eq!(print_as_json(&found), "[\n    1,\n    2\n]\n[]\n");
}

/// Pieces of templates in any order: an answer within bounds, never a panic.
#[test]
fn no_template_panics() {
    const PIECES: [&str; 40] = [
        "{",
        "}",
        "[",
        "]",
        "(",
        ")",
        "?(",
        "[?(",
        ")]",
        "@",
        "$",
        ".",
        "..",
        "*",
        "'",
        "\"",
        "\\",
        "range ",
        "end",
        "items",
        ".items[*]",
        ".metadata.name",
        ".c",
        ".n",
        "[*]",
        "[0]",
        "[-1]",
        "[1:2:3]",
        ",",
        ":",
        "-",
        "1",
        "1.5",
        "==",
        "!=",
        "<",
        "true",
        "é",
        "\n",
        " ",
    ];
    let cases = std::env::var("AIOPSLAB_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok())
        .unwrap_or(3_000);
    let document = document();
    let mut seed = 11u64;
    let mut next = |bound: usize| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % bound
    };
    let mut read = 0;
    for _ in 0..cases {
        let length = next(14) + 1;
        let mut template: String = (0..length).map(|_| PIECES[next(PIECES.len())]).collect();
        if next(2) == 0 {
            template = format!("{{{template}}}");
        }
        let Ok(path) = JsonPath::parse(&template) else {
            continue;
        };
        read += 1;
        for missing in [Missing::Allowed, Missing::Refused] {
            if let Ok(found) = path.find(&document, missing) {
                print(&found);
                print_as_json(&found);
            }
        }
    }
    assert!(
        read > cases / 20,
        "only {read} of {cases} templates were read"
    );
}
