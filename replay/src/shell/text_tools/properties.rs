//! Whatever an agent writes, a tool answers: it never panics and never runs without end.
//!
//! `AIOPSLAB_CASES` sets the number of cases of each property; a few are run by default.

use std::cell::{Cell, RefCell};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::{Context, run};
use crate::files::VirtualFiles;

const INPUT: &str = "a b 1\n\"x\": [1, 2.5]\n{\"a\":{\"b\":[1,null,\"é\"]}}\n\n  last=3;line";

/// Pieces that programs of a language are made of.
fn program(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(pieces).prop_map(str::to_owned),
        1 => "[ -~\\n\\t]{1,4}",
        1 => any::<char>().prop_map(|c| c.to_string()),
    ];
    prop::collection::vec(piece, 0..14).prop_map(|pieces| pieces.concat())
}

fn check(strategy: impl Strategy<Value = String>, command: impl Fn(String) -> Vec<String>) {
    let cases = std::env::var("AIOPSLAB_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let mut runner = TestRunner::new(Config {
        cases: cases.unwrap_or(96),
        failure_persistence: None,
        ..Config::default()
    });
    let mut files = VirtualFiles::new();
    files.write("/data/a.txt", "one\ntwo\n");
    let result = runner.run(&strategy, |text| {
        let words = command(text);
        let context = Context {
            now: 1_700_000_000_000_000_000,
            files: &files,
            input: Some(INPUT),
            input_was_read: Cell::default(),
            written: RefCell::default(),
        };
        let name = words.first().cloned().unwrap_or_default();
        let again = || run(&name, words.get(1..).unwrap_or_default(), &context);
        let (first, second) = (again(), again());
        // The same question has the same answer.
        prop_assert_eq!(format!("{first:?}"), format!("{second:?}"));
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

fn words(words: &[&str], text: String) -> Vec<String> {
    let mut all: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    all.push(text);
    all
}

#[test]
fn grep_survives_any_pattern() {
    const PIECES: &[&str] = &[
        "a",
        "b",
        ".",
        "*",
        "+",
        "?",
        "\\+",
        "\\?",
        "\\{1,2\\}",
        "{1,2}",
        "{2}",
        "{",
        "}",
        "(",
        ")",
        "\\(",
        "\\)",
        "|",
        "\\|",
        "^",
        "$",
        "[",
        "]",
        "[^a]",
        "[[:alpha:]]",
        "[a-z]",
        "\\<",
        "\\>",
        "\\b",
        "\\w",
        "\\1",
        "\\",
        "-",
        "\\K",
        "(?=a)",
        "(?<=b)",
        "(?!a)",
        "\\d",
        "é",
        "[]a]",
        "[[:",
    ];
    check(program(PIECES), |text| words(&["grep", "-o", "--"], text));
    check(program(PIECES), |text| words(&["grep", "-Eon", "--"], text));
    check(program(PIECES), |text| words(&["grep", "-Po", "--"], text));
}

#[test]
fn sed_survives_any_script() {
    check(
        program(&[
            "s/a/b/", "s", "/", "a", "\\", "g", "p", "d", ";", "{", "}", "$", "1", ",", "2", "!",
            "~", "+", "N", "D", "P", "G", "H", "h", "x", "n", ":a", "ba", "ta", "T", "q", "=",
            "y/ab/ba/", "\n", "i\\", "c x", "&", "\\1", "\\(", "\\)", "*", "[", "]", "/x/", "w o",
            "r o", "#", "0", "s/x*/-/g", "\\n", "I", "M", "$!", "-", " ",
        ]),
        |text| words(&["sed", "-E"], text),
    );
}

#[test]
fn awk_survives_any_program() {
    check(
        program(&[
            "{",
            "}",
            "(",
            ")",
            "print",
            " ",
            "$1",
            "$",
            "NF",
            "x",
            "=",
            "+",
            "-",
            "*",
            "/",
            "%",
            "^",
            "1",
            "2.5",
            "\"a\"",
            "/a/",
            "~",
            "!",
            "&&",
            "||",
            "?",
            ":",
            ",",
            ";",
            "\n",
            "if",
            "else",
            "while",
            "for",
            "do",
            "in",
            "BEGIN",
            "END",
            "function f(a)",
            "f(1)",
            "return",
            "[",
            "]",
            "a[1]",
            "++",
            "--",
            "==",
            "<",
            ">",
            "length",
            "substr(",
            "split(",
            "gsub(/a/,\"b\")",
            "printf \"%d %s\\n\",",
            "next",
            "exit",
            "delete a",
            "getline",
            "|",
            "while(1)x=x \"a\";",
            "sprintf(\"%*d\",",
            "match(",
            "NR",
            "$(",
            "-1",
        ]),
        |text| words(&["awk"], text),
    );
}

#[test]
fn jq_survives_any_program() {
    check(
        program(&[
            ".",
            ".a",
            "[",
            "]",
            "{",
            "}",
            "(",
            ")",
            "|",
            ",",
            "..",
            ".[]",
            "?",
            "//",
            "+",
            "-",
            "*",
            "/",
            "%",
            "==",
            "<",
            "and",
            " or ",
            "not",
            "1",
            "\"x\"",
            "\"\\(",
            "$x",
            " as $x | ",
            "reduce ",
            "foreach ",
            "if ",
            " then ",
            " else ",
            " end",
            "try ",
            " catch ",
            "def f: ",
            "f",
            ";",
            "select(",
            "map(",
            "recurse",
            "range(9)",
            "range(1e9)",
            "limit(3;",
            "first(",
            "path(",
            "del(",
            "=1",
            "|=",
            "+=",
            "to_entries",
            "sort_by(",
            "group_by(",
            "test(\"a\")",
            "gsub(\"a\";\"b\")",
            "@csv",
            "@base64d",
            "tojson",
            "fromjson",
            "label $x|",
            "break $x",
            "input",
            "inputs",
            "error",
            "walk(",
            "until(",
            "splits(\"\")",
            "null",
            "true",
            ".[1:2]",
            "\"a\"*1e9",
            "env",
            "ltrimstr(",
        ]),
        |text| words(&["jq", "-c", "-n"], text),
    );
    let texts = program(&[
        "{", "}", "[", "]", ",", ":", "\"a\"", "1", "-", "e5", "nul", "null", "\\u00e9", "\"",
        "\n", " ",
    ]);
    check(texts, |text| {
        vec![
            "jq".to_owned(),
            "-n".to_owned(),
            "--argjson".to_owned(),
            "x".to_owned(),
            text,
            "$x".to_owned(),
        ]
    });
}

#[test]
fn printf_survives_any_format() {
    check(
        program(&[
            "%",
            "d",
            "s",
            "%s",
            "%d",
            "%5.2f",
            "%-3s",
            "%*d",
            "%b",
            "%q",
            "%c",
            "%x",
            "%e",
            "%(%F)T",
            "\\",
            "n",
            "x41",
            "u00e9",
            "0101",
            "9999999999",
            ".",
            "*",
            "#",
            "+",
            "%%",
            "\\c",
            "(",
        ]),
        |text| vec!["printf".to_owned(), text.clone(), "12abc".to_owned(), text],
    );
}

#[test]
fn tr_survives_any_set() {
    const PIECES: &[&str] = &[
        "a",
        "z",
        "-",
        "[",
        "]",
        "*",
        ":",
        "=",
        "[:alpha:]",
        "[:upper:]",
        "[:lower:]",
        "[=a=]",
        "[x*3]",
        "[x*]",
        "\\n",
        "\\",
        "0",
        "777",
        "é",
        "a-z",
        "z-a",
        "[:",
        ":]",
    ];
    check(program(PIECES), |text| {
        vec!["tr".to_owned(), "--".to_owned(), text.clone(), text]
    });
    check(program(PIECES), |text| {
        words(&["tr", "-cs", "--", "a-z"], text)
    });
    check(program(PIECES), |text| words(&["tr", "-d", "--"], text));
}

#[test]
fn the_small_tools_survive_any_argument() {
    const PIECES: &[&str] = &[
        "1",
        "2",
        "-",
        ",",
        ".",
        "+",
        "k",
        "n",
        "r",
        "f",
        "99999999999999999999",
        "0",
        " ",
        "x",
        "%",
        "2024-01-31",
        "T10:00",
        "Z",
        "ago",
        "day",
        "months",
        "@",
        "1e9",
        "yesterday",
        "d",
        "%N",
        "%5",
    ];
    check(program(PIECES), |text| words(&["sort", "-k"], text));
    check(program(PIECES), |text| words(&["cut", "-c"], text));
    check(program(PIECES), |text| words(&["date", "-d"], text));
    check(program(PIECES), |text| words(&["date"], format!("+{text}")));
    check(program(PIECES), |text| words(&["seq", "--", "1"], text));
    check(program(PIECES), |text| words(&["head", "-n"], text));
}
