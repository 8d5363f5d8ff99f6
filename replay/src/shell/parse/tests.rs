//! What is understood, and how what is not is named.

use aiopslab_problems::environment::Verdict;

use super::*;
use crate::shell::ast::Part;

fn words(line: &str) -> Vec<String> {
    let script = parse(line, 0);
    assert_eq!(script.error, None, "{line}");
    match &script.lines[0].items[0].first.commands[0] {
        Command::Simple(simple) => simple
            .words
            .iter()
            .map(|word| word.parts.iter().map(text).collect())
            .collect(),
        other => panic!("{line}: {other:?}"),
    }
}

fn text(part: &Part) -> String {
    match part {
        Part::Literal(text) | Part::Quoted(text) => text.clone(),
        Part::Double(parts) => parts.iter().map(text).collect(),
        other => format!("<{other:?}>"),
    }
}

#[test]
fn quotes_are_removed() {
    for (line, expected) in [
        (
            r#"grep -e "a b" 'c "d"' e\ f"#,
            vec!["grep", "-e", "a b", "c \"d\"", "e f"],
        ),
        (r#"grep "a\.b\"c\$""#, vec!["grep", r#"a\.b"c$"#]),
        (
            "kubectl get po -o=wide -l app=x --sort-by=.a.b",
            vec![
                "kubectl",
                "get",
                "po",
                "-o=wide",
                "-l",
                "app=x",
                "--sort-by=.a.b",
            ],
        ),
        (
            "get -o jsonpath={.items[0].metadata.name}",
            vec!["get", "-o", "jsonpath={.items[0].metadata.name}"],
        ),
        ("echo a\\\nb # c", vec!["echo", "ab"]),
        ("echo a#b", vec!["echo", "a#b"]),
        (r"echo $'a\tb' $", vec!["echo", "a\tb", "$"]),
    ] {
        assert_eq!(words(line), expected, "{line}");
    }
}

fn error(line: &str) -> String {
    match parse(line, 0)
        .error
        .map(|error| error.into_output("bash: -c: "))
    {
        None => String::new(),
        Some(Ok(output)) => {
            assert_eq!((output.exit_code, output.verdict), (2, Verdict::Invalid));
            output.stderr
        }
        Some(Err(stop)) => format!("{stop:?}"),
    }
}

#[test]
fn mistakes_are_told_in_bashs_words() {
    let near = |token: &str, line: &str| {
        format!(
            "bash: -c: line 1: syntax error near unexpected token `{token}'\n\
             bash: -c: line 1: `{line}'\n"
        )
    };
    for (token, line) in [
        (")", "echo )"),
        (";", "for; do"),
        ("|", "a | | b"),
        (";;", ";;"),
        ("fi", "fi"),
        ("done", "echo a; done"),
        (";;", "echo a ;; echo b"),
        (";", "if ; then"),
        (")", "() { a; }"),
        (")", "x=(1 2)) "),
    ] {
        assert_eq!(error(line), near(token, line), "{line}");
    }
    for line in [
        "if true; then",
        "{ echo a",
        "echo a &&",
        "case x in",
        "f() { echo; ",
        "( echo a",
        "a()",
    ] {
        let expected = "bash: -c: line 2: syntax error: unexpected end of file\n";
        assert_eq!(error(line), expected, "{line}");
    }
    for (closing, line, number) in [
        ('"', "echo \"a", 1),
        ('\'', "echo 'a", 1),
        (')', "echo $(ls", 2),
        ('`', "echo `ls", 1),
        ('}', "${x", 1),
    ] {
        let expected = format!(
            "bash: -c: line {number}: unexpected EOF while looking for matching `{closing}'\n"
        );
        assert_eq!(error(line), expected, "{line}");
    }
}

#[test]
fn what_is_not_interpreted_is_named() {
    for (line, what) in [
        ("sleep 5 & kill %1", "a command in the background (&)"),
        ("coproc a", "coproc"),
        ("select x in a; do b; done", "select"),
        ("time kubectl get po", "time"),
        ("a > >(b)", "process substitution >( )"),
        ("[[ a == @(a|b) ]]", "an extended pattern in [[ ]]"),
        ("a <> b", "the redirection <>"),
        ("a 99999999999>b", "descriptor 99999999999"),
    ] {
        assert!(error(line).contains(what), "{line}: {}", error(line));
    }
}

#[test]
fn lines_before_a_mistake_are_kept() {
    let script = parse("echo a; echo b\necho )\necho c", 0);
    assert_eq!(script.lines.len(), 1);
    assert!(script.error.is_some());
}

#[test]
fn size_and_depth_are_capped() {
    let deep = Some(SyntaxError::TooDeep);
    assert_eq!(
        parse(&"a".repeat(20_000), 0).error,
        Some(SyntaxError::TooLong(20_000))
    );
    assert_eq!(
        parse(&format!("{}a{}", "(".repeat(64), ")".repeat(64)), 0).error,
        None
    );
    for text in [
        "( ",
        "((",
        "{ ",
        "$(",
        "${x:-",
        "$((",
        "\"$(",
        "`\\`",
        "if ",
        "while ",
        "f() { ",
        "<(",
        "case x in a) ",
        "for i in a; do ",
        "! ( ",
        "[[ ( ",
        "[[ ! ",
        "a=(",
        "a[$(",
        "${a[${",
        "${x/$(",
        "${x:$((",
        "$(( $(",
        "x=\"${x:-\"",
        "[[ a =~ $(",
        "cat <<E\n$(",
        "for (( $(",
    ] {
        let line = text.repeat(10_000 / text.len());
        let started = std::time::Instant::now();
        let error = parse(&line, 0).error;
        assert!(error.is_some(), "{text}");
        let takes_long = started.elapsed() > std::time::Duration::from_secs(5);
        assert!(!takes_long, "{text}: {:?}", started.elapsed());
    }
    assert_eq!(parse(&"( ".repeat(5_000), 0).error, deep);
    assert_eq!(parse(&"$(".repeat(5_000), 0).error, deep);
    assert_eq!(parse(&"if ".repeat(5_000), 0).error, deep);
    assert!(parse(&"a|".repeat(8_000), 0).error.is_some());
    assert_eq!(
        parse("a|".repeat(8_000).trim_end_matches('|'), 0).error,
        None
    );
}
