//! What asks for too much ends; what is deep or long does not break anything.

use aiopslab_problems::environment::Verdict;

use super::{check, run};

#[test]
fn loops_end() {
    for line in [
        "while true; do :; done",
        "until false; do x=$x.; done",
        "for ((;;)); do :; done",
        "f() { f; }; f",
        "f() { (f); }; f",
        "f() { x=$(f); }; f",
        "f() { eval f; }; f",
        "f() { bash -c 'true'; f | f; }; f",
        "echo {1..1000000}",
        "echo {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}",
        "x=aaaaaaaaaaaaaaaa; while true; do x=$x$x; done",
        "x=aaaaaaaaaaaaaaaa; for i in {1..40}; do x=$x$x; done",
        "x=a; for i in {1..40}; do x=${x//a/aaaaaaaaaaaaaaaa}; done",
        "printf '%999999999d' 1",
        "printf '%.*f' 999999999 1",
        "echo a > /tmp/a; while true; do cat /tmp/a /tmp/a > /tmp/b; cp /tmp/b /tmp/a; done",
        "echo 'bash /tmp/s' > /tmp/s; bash /tmp/s",
        "echo '. /tmp/s' > /tmp/s; . /tmp/s",
        "for i in {1..20000}; do a[i]=1; done",
        "while true; do echo x; done | head -1",
        "set -- {1..60000}; while [ $# -gt 0 ]; do shift; done",
        "set -- {1..60000}; while true; do x=\"$@\"; done",
        "x=aaaaaaaaaaaaaaaa; for i in {1..15}; do x=$x$x; done; while true; do y=${#x}; done",
        "x=aaaaaaaaaaaaaaaa; for i in {1..12}; do x=$x$x; done; while true; do y=${x%b*c}; done",
        "for i in {1..9}; do p=$p$p[a-z]*?; done; while true; do case x in $p) ;; esac; done",
        "f() { local v{1..5000}; g; }; g() { true | true; g; }; f",
        "while true; do a+=(x); done",
        "while true; do let v$((i++))=1; done",
        "yes=1; for i in {1..300}; do kubectl get pods -n shop > /dev/null; done",
    ] {
        let outcome = run(line);
        assert_eq!(
            outcome.verdict,
            Verdict::NotCaptured,
            "{line}: {}",
            outcome.stderr
        );
        assert!(outcome.stderr.starts_with("notice: "), "{line}");
    }
}

#[test]
fn depth_is_capped() {
    let nested = |open: &str, inner: &str, close: &str, levels: usize| {
        format!("{}{inner}{}", open.repeat(levels), close.repeat(levels))
    };
    check(
        &nested("( ", "echo a", ")", 60),
        "a\n",
        0,
        Verdict::Answered,
    );
    check(
        &nested("$(echo ", "echo a", ")", 30),
        "a\n",
        0,
        Verdict::Answered,
    );
    for line in [
        nested("( ", "echo a", ")", 70),
        nested("$(", "echo a", ")", 1_000),
        "(".repeat(10_000),
        "$((".repeat(4_000),
        "{{{{".repeat(4_000),
        "[[ ! ".repeat(3_000),
        format!("echo $(({}1{}))", "(".repeat(4_000), ")".repeat(4_000)),
        format!("echo $(({}1))", "-".repeat(9_000)),
        format!("echo {}x{}", "{a,".repeat(2_000), "}".repeat(2_000)),
        format!("[ {} a ]", "! ".repeat(5_000)),
        format!("find /data {} -name x", "! ".repeat(5_000)),
    ] {
        let outcome = run(&line);
        assert!(
            outcome.exit_code != 0,
            "{}",
            line.get(..40).unwrap_or_default()
        );
    }
    check(&"`".repeat(10_000), "", 0, Verdict::Answered);
    let long = "true|".repeat(3_000);
    check(&format!("{long}true"), "", 0, Verdict::Answered);
    let long = "true;".repeat(3_000);
    check(&long, "", 0, Verdict::Answered);
}

#[test]
fn output_is_cut() {
    let outcome = run(
        "x=aaaaaaaaaaaaaaaa; for i in {1..14}; do x=$x$x; done; for i in {1..50}; do echo $x; done",
    );
    assert_eq!(outcome.verdict, Verdict::Partial);
    assert!(outcome.stdout.len() < 11 * 1024 * 1024);
    assert!(
        outcome
            .stdout
            .ends_with("notice: the rest of the output was cut\n")
    );
}
