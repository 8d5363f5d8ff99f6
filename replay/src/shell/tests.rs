//! The shell as a whole.

mod bash;
mod files;
mod limits;
mod notices;
mod properties;

use aiopslab_problems::environment::Verdict;

use super::ShellOutcome;
use crate::files::VirtualFiles;
use crate::kubectl::testing::shop;

/// Runs a command line on an episode with one file.
fn run(line: &str) -> ShellOutcome {
    let mut files = VirtualFiles::new();
    files.write("/data/pods.txt", "b 1\na 2\n");
    run_on(&mut files, line)
}

fn run_on(files: &mut VirtualFiles, line: &str) -> ShellOutcome {
    futures::executor::block_on(super::run(&shop(), files, line, 30)).unwrap()
}

fn check(line: &str, text: &str, exit_code: i32, verdict: Verdict) {
    let outcome = run(line);
    assert_eq!(
        (outcome.text().as_str(), outcome.exit_code, outcome.verdict),
        (text, exit_code, verdict),
        "{line}"
    );
}

#[test]
fn agents_idioms_run() {
    for (line, text) in [
        (
            "for p in $(kubectl get pods -n shop --no-headers | head -1); do echo \"$p\"; break; done",
            "cart-1\n",
        ),
        (
            "kubectl get pods -n shop | (read -r header; echo \"$header\" | head -c 4; echo; sort -r) | head -2",
            "NAME\nweb-1    0/2     ContainerCreating   0               60s\n",
        ),
        ("NS=shop; kubectl get pods -n \"$NS\" | grep -c cart", "1\n"),
        (
            "kubectl get pods -n shop | tail -n +2 | while read -r name ready rest; do echo \"$name=$ready\"; done",
            "cart-1=1/1\nweb-1=0/2\n",
        ),
        (
            "if kubectl get pods -n shop | grep -q cart; then echo found; else echo none; fi",
            "found\n",
        ),
        (
            "kubectl get pods -n shop > /tmp/p.txt 2>&1; wc -l < /tmp/p.txt; grep web /tmp/p.txt | head -c 5",
            "3\nweb-1",
        ),
        (
            "count=$(kubectl get pods -n shop --no-headers | wc -l); echo \"pods: $((count))\"",
            "pods: 2\n",
        ),
        (
            "sleep 5; timeout 10 kubectl get pods -n shop | head -n 1 | head -c 4",
            "NAME",
        ),
        (
            "printf 'cart-1\\nnope\\n' | xargs -I{} sh -c 'echo \"== {}\"'",
            "== cart-1\n== nope\n",
        ),
        ("bash -c \"cat /data/pods.txt | sort | head -1\"", "a 2\n"),
        (
            "cat <<'EOF' > /tmp/x.yaml\nkind: Pod\nEOF\ncat /tmp/x.yaml",
            "kind: Pod\n",
        ),
        ("echo '{\"a\": 1}' | cat", "{\"a\": 1}\n"),
        (
            "echo -o jsonpath={.items[*].metadata.name}",
            "-o jsonpath={.items[*].metadata.name}\n",
        ),
        (
            "echo custom-columns=A:.spec.containers[*].image",
            "custom-columns=A:.spec.containers[*].image\n",
        ),
    ] {
        check(line, text, 0, Verdict::Answered);
    }
}

#[test]
fn the_verdict_is_the_worst_of_what_ran() {
    check(
        "kubectl get pod nope -n shop 2>/dev/null || echo gone",
        "gone\n",
        0,
        Verdict::Empty,
    );
    check("echo )", &syntax_error("echo )", ")"), 2, Verdict::Invalid);
    assert_eq!(run("[ a -eq b ]; echo after").verdict, Verdict::Invalid);
    assert_eq!(run("cat /data/nope; true").verdict, Verdict::Empty);
    assert_eq!(run("false").verdict, Verdict::Answered);
}

fn syntax_error(line: &str, token: &str) -> String {
    format!(
        "bash: -c: line 1: syntax error near unexpected token `{token}'\n\
         bash: -c: line 1: `{line}'\n"
    )
}

#[test]
fn lines_before_a_mistake_run() {
    check(
        "echo a\necho )\necho b",
        "a\nbash: -c: line 2: syntax error near unexpected token `)'\n\
         bash: -c: line 2: `echo )'\n",
        2,
        Verdict::Invalid,
    );
}

#[test]
fn every_action_has_a_shell_of_its_own() {
    let mut files = VirtualFiles::new();
    run_on(&mut files, "x=1; cd /tmp; echo kept > kept");
    let second = run_on(&mut files, "echo ${x:-unset} $PWD; cat /tmp/kept");
    assert_eq!(second.text(), "unset /\nkept\n");
}
